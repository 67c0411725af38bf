"""Decoding: accuracy, calibration and the share of decoding in tagging time, on a dev split.

    python -m benchmarks.decoding output/accuracy/crf-0/model-best --dev en_ewt/dev.conllu

Half of the dev set fits the temperature, the other half is what calibration is measured on.
Times are those of one thread's CPU, for the dev set's sentences after a first pass, when the words
are known.
"""

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import spacy
import torch
from spacy.tokens import Doc

from spacy_lstm_tagger.nn.lattice import Lattice
from spacy_lstm_tagger.pipeline.calibration import expected_calibration_error
from spacy_lstm_tagger.readers import Corpus

from .outputs import markdown


def main(argv: Sequence[str] | None = None) -> None:
    """Print a row for each pipeline."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("pipelines", nargs="+", type=Path)
    parser.add_argument("--dev", type=Path, required=True, help="a CoNLL-U file")
    parser.add_argument("--tag", default="xpos", help="where its tags come from")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    rows = [measure(path, args) for path in args.pipelines]
    print(markdown([list(rows[0]), *(list(row.values()) for row in rows)]))


def measure(path: Path, args: argparse.Namespace) -> dict[str, str]:
    """RETURNS (dict[str, str]): What was measured of a pipeline, by name."""
    nlp = spacy.load(path)
    pipe: Any = nlp.get_pipe("lstm_tagger")
    examples = list(Corpus(args.dev, tag=args.tag)(nlp))
    golds = [[token.tag_ for token in eg.reference] for eg in examples]
    words = [[token.text for token in eg.reference] for eg in examples]
    row = {"pipeline": path.parent.name, "accuracy": f"{accuracy(nlp, words, golds):.2f}"}

    pipe.cfg["save_probabilities"] = True
    before = calibration_error(nlp, words[1::2], golds[1::2])
    pipe.calibrate(examples[::2])
    after = calibration_error(nlp, words[1::2], golds[1::2])
    row |= {
        "temperature": f"{pipe.cfg['temperature']:.2f}",
        "ECE": f"{before:.4f}",
        "ECE calibrated": f"{after:.4f}",
    }
    pipe.cfg["save_probabilities"] = False
    whole, decoding = times(nlp, words, args.rounds)
    n_words = sum(map(len, words))
    row |= {
        "words/s": f"{n_words / whole:,.0f}",
        "µs a word": f"{1e6 * whole / n_words:.2f}",
        "of it decoding": f"{1e6 * decoding / n_words:.2f} ({decoding / whole:.0%})",
    }
    return row


def tag(nlp: spacy.Language, words: Iterable[list[str]]) -> list[Doc]:
    """RETURNS (list[Doc]): Tagged docs, in batches of 256."""
    return list(nlp.pipe((Doc(nlp.vocab, words=each) for each in words), batch_size=256))


def accuracy(nlp: spacy.Language, words: list[list[str]], golds: list[list[str]]) -> float:
    """RETURNS (float): The tag accuracy in percent."""
    right = [
        token.tag_ == gold
        for doc, tags in zip(tag(nlp, words), golds, strict=True)
        for token, gold in zip(doc, tags, strict=True)
        if gold
    ]
    return 100 * float(np.mean(right))


def calibration_error(nlp: spacy.Language, words: list[list[str]], golds: list[list[str]]) -> float:
    """RETURNS (float): The expected calibration error of the tags' probabilities."""
    pairs = [
        (token._.tag_confidence, token.tag_ == gold)
        for doc, tags in zip(tag(nlp, words), golds, strict=True)
        for token, gold in zip(doc, tags, strict=True)
        if gold
    ]
    confidence, right = map(np.array, zip(*pairs, strict=True))
    return expected_calibration_error(confidence, right)


def times(nlp: spacy.Language, words: list[list[str]], rounds: int) -> tuple[float, float]:
    """RETURNS (tuple): The seconds of CPU time to tag all words, and those spent in decoding.
    Medians over rounds.
    """
    tag(nlp, words)
    wholes, decodings = [], []
    for _ in range(rounds):
        docs = [Doc(nlp.vocab, words=each) for each in words]
        with stopwatch(Lattice, "best") as spent:
            start = time.thread_time()
            for _doc in nlp.pipe(docs, batch_size=256):
                pass
            wholes.append(time.thread_time() - start)
        decodings.append(sum(spent))
    return median(wholes), median(decodings)


@contextmanager
def stopwatch(owner: Any, name: str) -> Iterator[list[float]]:
    """YIELDS (list[float]): The seconds of CPU time that each call of a method took."""
    method, spent = getattr(owner, name), []

    def timed(*args: Any) -> Any:
        start = time.thread_time()
        result = method(*args)
        spent.append(time.thread_time() - start)
        return result

    setattr(owner, name, timed)
    try:
        yield spent
    finally:
        setattr(owner, name, method)


if __name__ == "__main__":
    main()
