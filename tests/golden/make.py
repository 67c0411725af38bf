"""Writes the tags that later releases have to give: `python -m tests.golden.make NAME`, once, of an
installed pipeline of `pipelines/`.
"""

import sys
from pathlib import Path

import spacy

from spacy_lstm_tagger.readers import Corpus

from ..util import CORPUS

FOLDER = Path(__file__).parent
SENTENCES = 200


def read_sentences(nlp):
    """RETURNS (list[Doc]): The first sentences of the embedded corpus, without tags."""
    examples = list(Corpus(CORPUS / "en-train.conllu")(nlp))[:SENTENCES]
    return [example.predicted for example in examples]


def main(name):
    """Write a line of tags for each sentence."""
    nlp = spacy.load(name)
    lines = (" ".join(token.tag_ for token in doc) for doc in nlp.pipe(read_sentences(nlp)))
    path = FOLDER / f"{name}-{nlp.meta['version']}.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
