"""Cuts long sequences into windows that can be read side by side."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Windows:
    """The windows of a batch of sequences, one after the other in a flat batch of their own.

    lengths (NDArray[np.int64]): The length of each window, context included.
        *Shape:* ``(windows,)``.
    rows (NDArray[np.int64]): The row of the original flat batch that each row of the windows is.
        *Shape:* ``(sum of lengths,)``.
    keep (NDArray[np.int64]): Where in the windows each original row is read with context on both
        sides. *Shape:* ``(tokens,)``.
    """

    lengths: Ints
    rows: Ints
    keep: Ints


def cut_windows(lengths: Ints, *, window: int, context: int) -> Windows:
    """Cut each sequence into the fewest windows of equal length that are not longer than `window`,
    and add context on both sides as far as the sequence goes.

    An LSTM reads a single sequence step by step, however long it is; windows it reads at the same
    time. What lies further than the context beyond a window's end does not reach its words.

    lengths (NDArray[np.int64]): The lengths of the sequences. *Shape:* ``(sequences,)``.
    window (int): The longest window, in elements, without context.
    context (int): How many elements of context a window gets on each side.
    RETURNS (Windows): The windows. A sequence that is short enough is one window, an empty one
        none.
    """
    counts = (lengths + window - 1) // window  # (sequences,)
    of = np.repeat(np.arange(len(counts)), counts)  # the sequence of each window
    k = _count(counts)  # its number within the sequence
    total = lengths[of]
    start, stop = k * total // counts[of], (k + 1) * total // counts[of]
    first = np.maximum(start - context, 0)
    last = np.minimum(stop + context, total)
    size = last - first  # (windows,)
    origin = (np.cumsum(lengths) - lengths)[of] + first
    rows = np.repeat(origin, size) + _count(size)
    place = np.cumsum(size) - size + start - first
    keep = np.repeat(place, stop - start) + _count(stop - start)
    return Windows(size, rows, keep)


def _count(sizes: Ints) -> Ints:
    """RETURNS (NDArray[np.int64]): 0, 1, 2, … anew for each size."""
    starts = np.cumsum(sizes) - sizes
    return np.arange(int(sizes.sum())) - np.repeat(starts, sizes)
