"""Write the tags that later releases have to give: `golden.py PIPELINE CORPUS OUTPUT`."""

import sys
from pathlib import Path

import spacy

from spacy_lstm_tagger.readers import Corpus

SENTENCES = 200


def main(pipeline: str, corpus: Path, output: Path) -> None:
    """Write a pipeline's tags of the first sentences of a corpus, a line each.

    pipeline (str): The folder of the pipeline.
    corpus (Path): The corpus.
    output (Path): The file for the tags.
    """
    nlp = spacy.load(pipeline)
    docs = [example.predicted for example in Corpus(corpus)(nlp)][:SENTENCES]
    lines = (" ".join(token.tag_ for token in doc) for doc in nlp.pipe(docs))
    output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
