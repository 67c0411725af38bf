"""Cuts long sequences into windows that can be read side by side."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Windows:
    """The windows of a batch of sequences, one after the other in a flat batch of their own.

    lengths (Tensor): The length of each window, context included. *Shape:* ``(windows,)``, int64.
    rows (Tensor): The row of the original flat batch that each row of the windows is.
        *Shape:* ``(sum of lengths,)``, int64.
    keep (Tensor): Where in the windows each original row is read with context on both sides.
        *Shape:* ``(tokens,)``, int64.
    """

    lengths: Tensor
    rows: Tensor
    keep: Tensor


def cut_windows(lengths: Tensor, *, window: int, context: int) -> Windows:
    """Cut each sequence into the fewest windows of equal length that are not longer than `window`,
    and add context on both sides as far as the sequence goes.

    An LSTM reads a single sequence step by step, however long it is; windows it reads at the same
    time. What lies further than the context beyond a window's end does not reach its words.

    lengths (Tensor): The lengths of the sequences. *Shape:* ``(sequences,)``, int64.
    window (int): The longest window, in elements, without context.
    context (int): How many elements of context a window gets on each side.
    RETURNS (Windows): The windows. A sequence that is short enough is one window.
    """
    counts = (lengths + window - 1) // window  # (sequences,)
    of = torch.repeat_interleave(counts)  # the sequence of each window
    k = _count(counts)  # its number within the sequence
    total = lengths[of]
    start, stop = k * total // counts[of], (k + 1) * total // counts[of]
    first = (start - context).clamp(min=0)
    last = torch.minimum(stop + context, total)
    size = last - first  # (windows,)
    origin = (torch.cumsum(lengths, 0) - lengths)[of] + first
    rows = torch.repeat_interleave(origin, size) + _count(size)
    place = torch.cumsum(size, 0) - size + start - first
    keep = torch.repeat_interleave(place, stop - start) + _count(stop - start)
    return Windows(size, rows, keep)


def _count(sizes: Tensor) -> Tensor:
    """RETURNS (Tensor): 0, 1, 2, … anew for each size."""
    starts = torch.cumsum(sizes, 0) - sizes
    return torch.arange(int(sizes.sum())) - torch.repeat_interleave(starts, sizes)
