"""Measures what a pipeline takes that needs a fresh process: memory, and time to load.

The speed benchmark runs it; by hand: `python -m benchmarks.worker tag PIPELINE --text dev.conllu`.
"""

import argparse
import json
import re
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import spacy
import torch
from spacy.language import Language
from spacy.training import Example
from spacy.training.batchers import minibatch_by_words

from .measure import seconds, use_device
from .peers import BATCH_WORDS, trainer
from .texts import examples, read_sentences, read_texts, stream

LOADS = 5
STATUS = Path("/proc/self/status")


def peak_mb() -> float:
    """RETURNS (float): The peak of this process's memory, in megabytes (10^6 bytes)."""
    if STATUS.exists():
        # Not getrusage: its peak is inherited from the process that started this one.
        found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())
        if found:
            return int(found[1]) * 1024 / 1e6
    import resource  # which Windows lacks: the rest of this module is of use there

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def measure_tagging(path: Path, text: Path, *, tokens: int, batch_size: int) -> dict[str, float]:
    """Stream a text, keeping nothing, and load the pipeline again a few times.

    RETURNS (dict[str, float]): The peak of memory, how much of it came after the first tenth of
        the stream, and the median time to load.
    """
    nlp = spacy.load(path)
    texts = read_texts([text])
    docs = (text.doc(nlp.vocab) for text in stream(texts, tokens))
    n_seen, early = 0, 0.0
    for doc in nlp.pipe(docs, batch_size=batch_size):
        n_seen += len(doc)
        if not early and n_seen >= tokens / 10:
            early = peak_mb()
    peak = peak_mb()
    load = statistics.median(seconds(lambda: spacy.load(path)) for _ in range(LOADS))
    return {"peak_mb": peak, "growth_mb": peak - early, "load_s": load}


def measure_training(path: Path, text: Path, *, tag: str) -> dict[str, float]:
    """Train on a treebank once, in batches of sentences.

    RETURNS (dict[str, float]): The peak of memory. The corpus is not held in it.
    """
    nlp = spacy.load(path)
    batches = minibatch_by_words(iter_examples(nlp, text, tag), BATCH_WORDS)
    trainer(nlp)(batches)
    return {"peak_mb": peak_mb()}


def iter_examples(nlp: Language, text: Path, tag: str) -> Iterator[Example]:
    """YIELDS (Example): The sentences of a treebank, one at a time."""
    for sentence in read_sentences(text, tag):
        yield from examples([sentence], nlp.vocab)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("task", choices=["tag", "train"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--tag", default="xpos")
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--gpu-id", type=int, default=-1)
    args = parser.parse_args(argv)
    use_device(args.gpu_id)
    if args.task == "tag":
        result = measure_tagging(
            args.path, args.text, tokens=args.tokens, batch_size=args.batch_size
        )
    else:
        result = measure_training(args.path, args.text, tag=args.tag)
    if args.gpu_id >= 0:
        result["gpu_peak_mb"] = torch.cuda.max_memory_allocated() / 1e6
    print(json.dumps(result))


if __name__ == "__main__":
    main()
