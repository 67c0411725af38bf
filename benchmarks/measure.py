"""The clock: interleaved runs, and the figures that come of them."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import spacy
import torch
from thinc.api import set_gpu_allocator

# What is run: a setting, and a peer.
Key = tuple[str, str]
Run = Callable[[], float]
Samples = dict[Key, list[float]]


@dataclass(frozen=True)
class Figure:
    """One cell of a table.

    section (str): What was measured.
    setting (str): On what.
    peer (str): Whose figure it is.
    unit (str): Its unit.
    value (float): The median of the samples.
    ratio (Optional[float]): The median, over the rounds, of the ratio to the reference.
    samples (list[float]): The figure of each round.
    """

    section: str
    setting: str
    peer: str
    unit: str
    value: float
    ratio: float | None
    samples: list[float]


def interleave(runs: Mapping[Key, Run], *, rounds: int) -> Samples:
    """Run all once to warm up, then in turn, starting with another one in each round: what else
    the machine does then hits all of them alike.

    runs (Mapping[Key, Run]): For each setting and peer, a run that returns its figure.
    rounds (int): How often.
    RETURNS (Samples): The figures of each, one a round.
    """
    keys = list(runs)
    samples: Samples = {key: [] for key in keys}
    for run in runs.values():
        run()
    # What all the peers hold together is kept out of the garbage collections of each.
    gc.collect()
    gc.freeze()
    for i in range(rounds):
        first = i % max(len(keys), 1)
        for key in keys[first:] + keys[:first]:
            samples[key].append(runs[key]())
            gc.collect()
    gc.unfreeze()
    return samples


def to_figures(section: str, unit: str, samples: Samples, *, reference: str) -> list[Figure]:
    """Summarize the rounds.

    reference (str): The peer that the others are compared with, if it is one of them.
    RETURNS (list[Figure]): A figure for each setting and peer.
    """
    figures = []
    for (setting, peer), values in samples.items():
        base = samples.get((setting, reference))
        ratio = None if base is None else paired_ratio(values, base)
        value = statistics.median(values)
        figures.append(Figure(section, setting, peer, unit, value, ratio, values))
    return figures


def paired_ratio(values: list[float], base: list[float]) -> float:
    """RETURNS (float): The median of the ratios of figures that were taken in the same round."""
    return statistics.median(v / b for v, b in zip(values, base, strict=True))


def seconds(work: Callable[[], object]) -> float:
    """RETURNS (float): How long it takes, including what a GPU still has to do."""
    synchronize()
    start = time.perf_counter()
    work()
    synchronize()
    return time.perf_counter() - start


def synchronize() -> None:
    """Wait for the GPU, if there is one in use."""
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.synchronize()


def use_device(gpu_id: int) -> None:
    """Compute on a GPU, or on the CPU if it is -1."""
    if gpu_id >= 0:
        spacy.require_gpu(gpu_id)
        set_gpu_allocator("pytorch")  # does nothing before
    else:
        spacy.require_cpu()


def size_on_disk(path: Path) -> int:
    """RETURNS (int): The bytes of all files in a folder."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
