"""Writes the annotation that later releases have to give: `python -m tests.golden.make NAME`, once, of an
installed pipeline of `pipelines/`.
"""

import sys
from pathlib import Path

import spacy

from spacy_lstm_tagger.readers import Corpus

from ..util import CORPUS

FOLDER = Path(__file__).parent
TEXTS, SENTENCES = 50, 4


def read_texts(nlp):
    """RETURNS (list[Doc]): The first sentences of the embedded corpus, some a doc, without tags."""
    examples = list(Corpus(CORPUS / "en-train.conllu", group_by=SENTENCES)(nlp))[:TEXTS]
    return [example.predicted for example in examples]


def told(token):
    """RETURNS (str): What a pipeline says of a token."""
    start = "^" if token.is_sent_start else ""
    return "/".join([start, token.tag_, token.pos_, str(token.morph), token.lemma_])


def main(name):
    """Write a line for each text."""
    nlp = spacy.load(name)
    lines = (" ".join(map(told, doc)) for doc in nlp.pipe(read_texts(nlp)))
    path = FOLDER / f"{name}-{nlp.meta['version']}.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
