"""Writes the annotation that later releases have to give: `python -m tests.golden.make NAME`, once,
of an installed pipeline of `pipelines/`.
"""

import sys
from pathlib import Path

import spacy

from spacy_lstm_tagger.readers import Corpus

from ..util import CORPUS

FOLDER = Path(__file__).parent
TEXTS, SENTENCES = 50, 4


def read_texts(nlp):
    """RETURNS (list[Doc]): The first texts of the embedded corpus, of some sentences each, without
    tags.
    """
    examples = list(Corpus(CORPUS / "en-train.conllu", group_by=SENTENCES)(nlp))[:TEXTS]
    return [example.predicted for example in examples]


def lines(docs):
    """RETURNS (list[str]): What is said of each token, and an empty line after each doc."""
    return [line for doc in docs for line in (*map(_line, doc), "")]


def _line(token):
    said = [token.tag_, token.pos_, str(token.morph), token.lemma_]
    return "\t".join([token.text, *said, "starts" if token.is_sent_start else ""])


def main(name):
    """Write the file of a pipeline."""
    nlp = spacy.load(name)
    path = FOLDER / f"{name}-{nlp.meta['version']}.txt"
    found = lines(nlp.pipe(read_texts(nlp)))
    path.write_text("".join(f"{line}\n" for line in found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
