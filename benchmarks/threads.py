"""What PyTorch's default of a thread a core costs: times of tagging and training without
OMP_NUM_THREADS, as ratios to those with OMP_NUM_THREADS=1.

    python -m benchmarks.threads --pipeline output/fast/model-best --ud UD_FOLDER

On a quiet machine and beside a busy core, and where a process takes the machine for one of sixteen
cores. Each time is of a process of its own, in which nothing else runs.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import spacy
import torch
from spacy.cli._util import app

from spacy_lstm_tagger.models import threads

from .measure import seconds
from .outputs import OUTPUT, ROOT, write
from .sections import exhaust
from .texts import read_texts
from .treebanks import add_ud_option, find_treebank

ROUNDS, TIMES = 5, 10  # how often the dev set is tagged, and how often it is in that
STEPS = ["--training.max_steps", "60", "--training.eval_frequency", "60"]
# For each way the variable, and how many cores a process thinks there are. 0: as many as there are.
WAYS = {"OMP_NUM_THREADS=1": ("1", 0), "default": (None, 0), "default of 16 cores": (None, 16)}


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    add_ud_option(parser)
    parser.add_argument("--pipeline", required=True, help="a trained tagger")
    parser.add_argument("--output", type=Path, default=OUTPUT / "threads.json")
    parser.add_argument("--work", choices=["tag", "train"], help=argparse.SUPPRESS)
    parser.add_argument("--cores", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    text = find_treebank(parser, args.ud, "en_ewt") / "dev.conllu"
    if args.work:  # in a process of its own
        print(work(args.work, args.pipeline, text, cores=args.cores))
        return
    figures: dict[str, dict[str, float]] = {}
    for load, neighbours in (("quiet", 0), ("beside a busy core", 1)):
        for what in ("tag", "train"):
            times = {}
            for way, (variable, cores) in WAYS.items():
                with busy(neighbours):
                    times[way] = run(
                        [*sys.argv[1:], "--work", what, "--cores", str(cores)], variable
                    )
            one, *others = times
            figures[f"{what}, {load}"] = {way: round(times[way] / times[one], 2) for way in others}
            print(f"{what}, {load}: {times[one]:.2f} s", figures[f"{what}, {load}"], flush=True)
    write(args.output, figures)


def run(arguments: list[str], variable: str | None) -> float:
    """RETURNS (float): Seconds of some work in a process of its own.

    arguments (list[str]): Those of this script.
    variable (Optional[str]): What OMP_NUM_THREADS is. None: it is not set.
    """
    environment = {k: v for k, v in os.environ.items() if k not in threads.VARIABLES}
    environment |= {"OMP_NUM_THREADS": variable} if variable else {}
    command = [sys.executable, "-m", "benchmarks.threads", *arguments]
    printed = subprocess.check_output(command, env=environment, cwd=ROOT, text=True)
    return float(printed.split()[-1])


def work(what: str, pipeline: str, text: Path, *, cores: int) -> float:
    """RETURNS (float): Seconds of tagging 250,000 words, the median of five rounds; or of sixty
    steps of the quick start.
    """
    if cores:
        torch.set_num_threads(cores)
        threads._default = cores
    if what == "train":
        with tempfile.TemporaryDirectory() as folder:
            command = ["train", str(ROOT / "configs" / "cpu.cfg"), "--output", folder, *STEPS]
            return seconds(lambda: app(command, standalone_mode=False))
    nlp, times = spacy.load(pipeline), []
    texts = read_texts([text]) * TIMES
    for _ in range(ROUNDS + 1):
        docs = [each.doc(nlp.vocab) for each in texts]
        times.append(seconds(partial(exhaust, nlp, docs, nlp.batch_size)))
    return statistics.median(times[1:])


@contextmanager
def busy(cores: int) -> Iterator[None]:
    """Keep some cores busy meanwhile."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


if __name__ == "__main__":
    main()
