"""Plans how a ragged batch is cut into padded buckets of similar length, in NumPy.

For a single sentence, the same work in PyTorch would take half as long as the LSTM itself.
"""

import functools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .windows import Ints, cut_windows

# The sequences of a bucket, its steps, and the size that it is filled up to.
Cut = tuple[Ints, int, int]

# What one step of a bucket and one call of the kernel cost beside the tokens in it, in tokens, when
# tagging and when training. Measured; an accelerator's steps cost the same however many sequences
# they advance.
COSTS = {"cpu": {False: (1, 40), True: (2, 200)}, "cuda": {False: (512, 8192), True: (512, 8192)}}

# Sequences that fill a bucket up for that make fewer cells than this.
FILL = 192


def make_plan(
    lengths: Sequence[int],
    *,
    max_batch_items: int = 16384,
    step_cost: int | None = None,
    call_cost: int | None = None,
    training: bool = False,
    rounded: bool | None = None,
    window: int = 0,
    context: int = 0,
    finals_only: bool = False,
    device_type: str = "cpu",
) -> list[Ints]:
    """Plan a batch. Sequences are sorted by length and cut where it is cheapest: padding costs
    computation, and each bucket costs its steps and a call of the kernel beside the tokens in it.

    lengths (Sequence[int]): The length of each sequence. Empty sequences are left out.
    max_batch_items (int): A bucket holds at most this many cells (time × batch), padding included,
        or a single sequence. Bounds the memory of one call of the LSTM.
    step_cost (Optional[int]): What one step of a bucket costs beside its tokens, in tokens. None:
        what it costs on the device, see `COSTS`.
    call_cost (Optional[int]): What one bucket costs beside its steps, likewise.
    training (bool): Whether gradients will be taken, for which a bucket costs more.
    rounded (Optional[bool]): Whether to fill buckets up to few different shapes, see `batch_size`
        and `n_steps`. None: what is best on the device.
    window (int): A longer sequence is cut into windows, see `cut_windows`. 0: none is.
    context (int): How many elements a window reads beyond each of its ends.
    finals_only (bool): Whether only the last elements will be asked for.
    device_type (str): The kind of device that will run it.
    RETURNS (list[NDArray[np.int64]]): The `rows`, `reverse`, `last` and `targets` of each bucket,
        see `Bucket`; last, the place of each sequence among those of all buckets.
    RAISES (ValueError): If a length is negative.
    """
    costs = COSTS.get(device_type, COSTS["cuda"])[training]
    step_cost = costs[0] if step_cost is None else step_cost
    call_cost = costs[1] if call_cost is None else call_cost
    # A CPU's kernel is built and kept for each new shape, which takes a millisecond and a quarter
    # of a megabyte: few are better.
    rounded = device_type == "cpu" if rounded is None else rounded
    sizes = np.array(lengths, dtype=np.int64)
    windows = None
    if window and max(lengths, default=0) > window:
        n_tokens = sizes.sum()
        windows = cut_windows(sizes, window=window, context=context)
        sizes = windows.lengths
        # Where the rows of the windows belong; what is context or padding belongs nowhere.
        place = np.full(int(sizes.sum()) + 1, n_tokens)
        place[windows.keep] = np.arange(n_tokens)
    buckets = _cut(
        sizes,
        max_batch_items=max_batch_items,
        step_cost=step_cost,
        call_cost=call_cost,
        rounded=rounded,
    )
    starts, nowhere = np.cumsum(sizes) - sizes, None if finals_only else sizes.sum()
    arrays: list[Ints] = []
    for bucket in buckets:
        rows, reverse, last, targets = _lay_out(bucket, starts, sizes, nowhere)
        if windows is not None:
            rows, targets = windows.rows[rows], place[targets]
        arrays += [rows, reverse, last, targets]
    order = np.concatenate([sizes[:0], *(sequences for sequences, _, _ in buckets)])
    finals = np.zeros(len(sizes), dtype=np.int64)
    finals[order] = np.arange(len(order))
    return [*arrays, finals]


def _lay_out(
    bucket: Cut, starts: Ints, sizes: Ints, nowhere: np.int64 | None
) -> tuple[Ints, Ints, Ints, Ints]:
    """RETURNS (tuple): The `rows`, `reverse`, `last` and `targets` of a bucket, see `Bucket`.

    bucket (Cut): The bucket.
    starts (NDArray[np.int64]): The row at which each sequence of the batch starts.
    sizes (NDArray[np.int64]): Its length.
    nowhere (Optional[np.int64]): The target of padding. None: nobody asks for targets.
    """
    sequences, time, batch = bucket
    n = len(sequences)
    # Repeats of the last sequence fill the bucket up. Nobody reads their outputs.
    index = np.append(sequences, np.repeat(sequences[-1:], batch - n))
    first, last = starts[index], sizes[index] - 1  # (batch,)
    b = np.arange(batch)
    left = last - np.arange(time)[:, None]  # elements to come; negative: padding
    mirrored = np.maximum(left, 0)
    rows = (first + last) - mirrored  # (time, batch)
    targets = np.zeros((2, 0), dtype=np.int64)
    if nowhere is not None:
        is_element = (left >= 0) & (b < n)
        targets = np.where(is_element, np.stack([rows, first + mirrored]), nowhere).reshape(2, -1)
    return rows, (mirrored * batch + b).ravel(), (last * batch + b)[:n], targets


def n_steps(length: Any) -> Any:
    """The steps of a bucket whose longest sequence has so many: the same up to 4, then the next
    multiple of 2 or, from 32 on, of an eighth to a sixteenth of the number.

    length (Union[int, NDArray[np.int64]]): The number, at least 1, or many.
    RETURNS (Union[np.integer, NDArray[np.integer]]): The steps.
    """
    step = 1 << np.maximum(np.greater(length, 4), _bits(length) - 4)
    return -(-length // step) * step


def batch_size(n: Any, time: Any) -> Any:
    """The size that a bucket of `n` sequences of so many steps is filled up to: the next multiple
    of the power of two that makes at most `FILL` cells; for less than one of these, the next power
    of two.

    n (Union[int, NDArray[np.int64]]): The number of sequences, at least 1, or many.
    time (Union[int, NDArray[np.int64]]): The number of steps, likewise.
    RETURNS (Union[np.integer, NDArray[np.integer]]): The size.
    """
    step = 1 << np.minimum(_bits(n - 1), _bits(np.maximum(1, FILL // time)) - 1)
    return -(-n // step) * step


def _bits(n: Any) -> Ints:
    """RETURNS (NDArray[np.integer]): The `int.bit_length` of each number."""
    return np.frexp(n)[1]


@functools.lru_cache(maxsize=4096)
def _padded(n: int, longest: int, rounded: bool) -> tuple[int, int]:
    """RETURNS (tuple): The steps and the size of a bucket of `n` sequences."""
    time = int(n_steps(longest)) if rounded else longest
    return time, int(batch_size(n, time)) if rounded else n


def _cut(
    sizes: Ints, *, max_batch_items: int, step_cost: int, call_cost: int, rounded: bool
) -> list[Cut]:
    """Sort the sequences by length, longest first, and cut them into the cheapest buckets, by
    dynamic programming over the places where one may start: where the number of steps changes, and
    up to 64 others, so that the work is bounded.

    RETURNS (list[Cut]): The buckets, the one with the shortest sequences last.
    """
    if sizes.size and np.min(sizes) < 0:
        raise ValueError(
            f"Sequence lengths must not be negative, but the shortest is {np.min(sizes)}."
        )
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    n = len(order)
    if not n:
        return []
    time, size = _padded(n, int(sizes[order[0]]), rounded)
    if time * (size + step_cost) <= sizes.sum() + call_cost and time * size <= max_batch_items:
        # Another bucket would cost more than all of the padding. Small batches need no more.
        return [(order, time, size)]
    steps = n_steps(sizes[order])
    is_bound = np.arange(n + 1) % (1 << max(3, n.bit_length() - 6)) == 0
    is_bound[1:-1] |= steps[1:] != steps[:-1]
    is_bound[-1] = True
    bounds = np.flatnonzero(is_bound)
    starts, ends = bounds[:-1], bounds[1:]
    times = (steps if rounded else sizes[order])[starts]
    # Of a bucket from each start to each end, if that comes later. (starts, ends)
    filled = np.maximum(ends - starts[:, None], 1)
    filled = batch_size(filled, times[:, None]) if rounded else filled
    parts = -(-times[:, None] * filled // max_batch_items)  # into which it would be cut
    costs = times[:, None] * (filled + parts * step_cost) + parts * call_cost
    best = [0]  # what everything up to an end costs
    chosen = []  # where the bucket before each end starts
    for to_end in costs.T.tolist():
        totals = [*map(operator.add, best, to_end)]
        best.append(min(totals))
        chosen.append(totals.index(best[-1]))
    buckets: list[Cut] = []
    end = len(ends) - 1
    while end >= 0:
        k = chosen[end]
        bucket = order[starts[k] : ends[end]], int(times[k]), int(filled[k, end])
        buckets += _bounded(bucket, max_batch_items, rounded)
        end = k - 1
    return buckets[::-1]


def _bounded(bucket: Cut, most_items: int, rounded: bool) -> list[Cut]:
    """RETURNS (list[Cut]): A bucket, in as many parts as keep it within this number of cells."""
    sequences, time, size = bucket
    if time * size <= most_items:
        return [bucket]

    def fill(n: int) -> int:
        return int(batch_size(n, time)) if rounded else n

    most = min(len(sequences), max(1, most_items // time))
    while most > 1 and time * fill(most) > most_items:
        most -= 1
    parts = np.array_split(sequences, -(-len(sequences) // most))
    return [(part, time, fill(len(part))) for part in parts]
