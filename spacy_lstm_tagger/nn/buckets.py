"""Cuts a batch of ragged sequences into padded buckets of similar length."""

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from .windows import cut_windows

# What one step of a bucket and one call of the kernel cost beside the tokens in it, in tokens, when
# tagging and when training. Measured; an accelerator's steps cost the same however many sequences
# they advance.
COSTS = {"cpu": {False: (1, 40), True: (2, 200)}, "cuda": {False: (512, 8192), True: (512, 8192)}}

# Where a kernel is built and kept for each new shape, which takes a millisecond and a quarter of a
# megabyte: few are better.
ROUNDED = {"cpu"}
# Sequences that fill a bucket up for that make fewer cells than this.
FILL = 192


@dataclass(frozen=True)
class Bucket:
    """One padded batch of sequences, as rows of the flat (unpadded) batch.

    rows (Tensor): The flat row of each padded cell. Padding repeats the sequence's last row.
        Sequences may be repeated at the end, and steps added, to fill the bucket up.
        *Shape:* ``(time, batch)``, int64.
    reverse (Tensor): For each padded cell, the cell (``t * batch + b``) that holds the same
        sequence read backwards. Padding stays behind the words in both reading directions,
        so a one-directional LSTM never sees it before a word. It is its own inverse on words.
        *Shape:* ``(time * batch,)``, int64.
    last (Tensor): The cell of each sequence's last element, in either reading direction.
        *Shape:* ``(sequences,)``, int64.
    home (Tensor): The flat row that the output at each cell belongs to, in reading order and read
        backwards. One past the end for padding and context, whose outputs nobody reads. Empty in a
        plan for final states. *Shape:* ``(2, time * batch)``, int64.
    """

    rows: Tensor
    reverse: Tensor
    last: Tensor
    home: Tensor

    @property
    def mask(self) -> Tensor:
        """RETURNS (Tensor): Whether each cell is an element of its sequence, not padding.
        *Shape:* ``(time, batch)``, bool.
        """
        first = torch.ones_like(self.rows[:1], dtype=torch.bool)
        return torch.cat([first, self.rows[1:] != self.rows[:-1]])


class Buckets:
    """The plan for running a ragged batch: its buckets, and the way back to flat order.

    Sequences are sorted by length and cut where it is cheapest: padding costs computation, and
    each bucket costs its steps and a call of the kernel beside the tokens in it.

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
    finals_only (bool): Whether `order` alone will be asked for, and not `flatten`.
    along (Sequence[Tensor]): Other int64 tensors to send to the device in the same copy, where
        they are found as the attribute of that name.
    device (torch.device): Where the index tensors go, in one copy.
    RAISES (ValueError): If a length is negative.
    """

    def __init__(
        self,
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
        along: Sequence[Tensor] = (),
        device: torch.device | str = "cpu",
    ):
        device_type = torch.device(device).type
        costs = COSTS.get(device_type, COSTS["cuda"])[training]
        step_cost = costs[0] if step_cost is None else step_cost
        call_cost = costs[1] if call_cost is None else call_cost
        rounded = device_type in ROUNDED if rounded is None else rounded
        # In NumPy, whose operations on small arrays cost a fraction of PyTorch's. For a single
        # sentence these would take half as long as the LSTM itself.
        sizes = np.array(lengths, dtype=np.int64)
        windows = None
        n_tokens = int(sizes.sum())
        if window and max(lengths, default=0) > window:
            windows = cut_windows(torch.from_numpy(sizes), window=window, context=context)
            sizes = windows.lengths.numpy()
            # Where the rows of the windows belong; what is context or padding belongs nowhere.
            place = np.full(sizes.sum() + 1, n_tokens)
            place[windows.keep.numpy()] = np.arange(n_tokens)
        plan = _cut(
            sizes,
            max_batch_items=max_batch_items,
            step_cost=step_cost,
            call_cost=call_cost,
            rounded=rounded,
        )
        starts = np.cumsum(sizes) - sizes
        nowhere, nothing = sizes.sum(), sizes[:0]
        # Everything that the device needs is built here and travels in a single tensor.
        pieces: list[NDArray[np.int64]] = []
        shapes: list[tuple[int, int]] = []
        finals = np.zeros(len(sizes), dtype=np.int64)
        n_padded = 0
        for sequences, time, batch in plan:
            n = len(sequences)
            # Repeats of the last sequence fill the bucket up. Nobody reads their outputs.
            index = np.append(sequences, np.repeat(sequences[-1:], batch - n))
            first, last = starts[index], sizes[index] - 1  # (batch,)
            b = np.arange(batch)
            left = last - np.arange(time)[:, None]  # elements to come; negative: padding
            mirrored = np.maximum(left, 0)
            rows = (first + last) - mirrored  # (time, batch)
            home = nothing
            if not finals_only:
                is_element = (left >= 0) & (b < n)
                home = np.where(is_element, np.stack([rows, first + mirrored]), nowhere)
            if windows is not None:
                rows, home = windows.rows.numpy()[rows], place[home]
            pieces += [rows.ravel(), (mirrored * batch + b).ravel(), (last * batch + b)[:n]]
            pieces.append(home.ravel())
            shapes.append((time, batch))
            finals[sequences] = np.arange(n_padded, n_padded + n)
            n_padded += n
        pieces += [finals, *(each.numpy().ravel() for each in along)]
        sent = torch.from_numpy(np.concatenate(pieces)).to(device)
        parts = sent.split([piece.size for piece in pieces])
        per_bucket = zip(*(parts[i : 4 * len(shapes) : 4] for i in range(4)), shapes, strict=True)
        self.buckets = [
            Bucket(rows=rows.view(shape), reverse=reverse, last=last, home=home.view(2, -1))
            for rows, reverse, last, home, shape in per_bucket
        ]
        self.n_cells = sum(time * batch for time, batch in shapes)
        self.n_tokens = n_tokens
        self._finals, *others = parts[4 * len(shapes) :]
        self.along = [part.view(each.shape) for part, each in zip(others, along, strict=True)]

    def flatten(self, outputs: Sequence[Sequence[Sequence[Tensor]]]) -> Tensor:
        """Bring the outputs of all buckets back into flat order.

        outputs (Sequence[Sequence[Sequence[Tensor]]]): For each bucket its outputs in reading order
            and, if there are any, those on the reversed sequences: several of each, of widths that
            are the same in all buckets. *Shape:* ``(time, batch, width)`` each.
        RETURNS (Tensor): The tokens' rows, all outputs side by side, in that order.
            *Shape:* ``(tokens, sum of widths)``.
        """
        cells, places = [], []
        end = 0
        for bucket, directions in zip(self.buckets, outputs, strict=True):
            end = 0
            for home, padded in zip(bucket.home, directions, strict=False):
                for each in padded:
                    start, end = end, end + each.shape[-1]
                    cells.append(each)
                    places.append((home, slice(start, end)))
        shape = (self.n_tokens, end)
        if torch.is_grad_enabled():
            return cast(Tensor, _ToRows.apply(shape, places, *cells))
        return _to_rows(shape, places, cells)

    def order(self, per_sequence: list[Tensor]) -> Tensor:
        """Bring one row a sequence back into the order of the batch.

        per_sequence (list[Tensor]): The rows of each bucket. *Shape:* ``(batch, width)`` each.
        RETURNS (Tensor): The rows. *Shape:* ``(sequences, width)``.
        """
        return _join(per_sequence).index_select(0, self._finals)


@functools.lru_cache(maxsize=1024)
def kept_plan(lengths: tuple[int, ...], **options: Any) -> Buckets:
    """RETURNS (Buckets): The plan of these lengths, kept for the next batch of just these. Small
    batches are alike, and to plan one takes a tenth of the time of `nlp(text)`.
    """
    return Buckets(lengths, **options)


def n_steps(length: Any) -> Any:
    """The steps of a bucket whose longest sequence has so many: the same up to 4, then the next
    multiple of 2 or, from 32 on, of an eighth to a sixteenth of the number.

    length (Union[int, NDArray[np.int64]]): The number, at least 1, or many.
    RETURNS (Union[np.int64, NDArray[np.int64]]): The steps.
    """
    step = 1 << np.maximum(np.greater(length, 4), _bits(length) - 4)
    return -(-length // step) * step


def batch_size(n: Any, time: Any) -> Any:
    """The size that a bucket of `n` sequences of so many steps is filled up to: the next multiple
    of the power of two that makes at most `FILL` cells; for less than one of these, the next power
    of two.

    n (Union[int, NDArray[np.int64]]): The number of sequences, at least 1, or many.
    time (Union[int, NDArray[np.int64]]): The number of steps, likewise.
    RETURNS (Union[np.int64, NDArray[np.int64]]): The size.
    """
    step = 1 << np.minimum(_bits(n - 1), _bits(np.maximum(1, FILL // time)) - 1)
    return -(-n // step) * step


def _bits(n: Any) -> NDArray[np.int64]:
    """RETURNS (NDArray[np.int64]): The `int.bit_length` of each number."""
    return np.frexp(n)[1]


def _join(parts: list[Tensor]) -> Tensor:
    """Stack tensors along all but their last axis."""
    flat = [part.reshape(-1, part.shape[-1]) for part in parts]
    return flat[0] if len(flat) == 1 else torch.cat(flat)


def _to_rows(
    shape: tuple[int, int], places: Sequence[tuple[Tensor, slice]], cells: Sequence[Tensor]
) -> Tensor:
    """Write cells to the rows that they belong to: one copy, where joining them and then gathering
    the rows would be two or three.
    """
    n_rows, width = shape
    rows = cells[0].new_empty(n_rows + 1, width)  # the last one is for padding
    for (home, columns), each in zip(places, cells, strict=True):
        rows[:, columns][home] = each.flatten(0, 1)
    return rows[:-1]


class _ToRows(torch.autograd.Function):
    """`_to_rows` with gradients, which without them would take twice as long for a short doc."""

    @staticmethod
    def forward(
        ctx: Any, shape: tuple[int, int], places: list[tuple[Tensor, slice]], *cells: Tensor
    ) -> Tensor:
        ctx.places = places
        ctx.shapes = [each.shape for each in cells]
        return _to_rows(shape, places, cells)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_rows: Tensor) -> tuple[Tensor | None, ...]:
        d_rows = torch.cat([d_rows, d_rows.new_zeros(1, d_rows.shape[1])])
        d_cells = [
            d_rows[:, columns][home].view(shape)
            for (home, columns), shape in zip(ctx.places, ctx.shapes, strict=True)
        ]
        return None, None, *d_cells


def _as_many(n: Any, time: Any) -> Any:
    return n


@functools.lru_cache(maxsize=4096)
def _padded(n: int, longest: int, rounded: bool) -> tuple[int, int]:
    """RETURNS (tuple): The steps and the size of a bucket of `n` sequences."""
    time = int(n_steps(longest)) if rounded else longest
    return time, int(batch_size(n, time)) if rounded else n


def _cut(
    sizes: NDArray[np.int64], *, max_batch_items: int, step_cost: int, call_cost: int, rounded: bool
) -> list[tuple[NDArray[np.int64], int, int]]:
    """Sort the sequences by length, longest first, and cut them into the cheapest buckets, by
    dynamic programming over the places where one may start: where the number of steps changes, and
    up to 64 others, so that the work is bounded.

    RETURNS (list[tuple]): For each bucket its sequences, its steps, and the size that it is filled
        up to.
    """
    if sizes.size and sizes.min() < 0:
        raise ValueError(
            f"Sequence lengths must not be negative, but the shortest is {sizes.min()}."
        )
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    n = len(order)
    if not n:
        return []
    fill = batch_size if rounded else _as_many
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
    filled = fill(np.maximum(ends - starts[:, None], 1), times[:, None])
    parts = -(-times[:, None] * filled // max_batch_items)  # into which it would be cut
    costs = times[:, None] * (filled + parts * step_cost) + parts * call_cost
    best = [0]  # what everything up to an end costs
    chosen = []  # where the bucket before each end starts
    for to_end in costs.T.tolist():
        totals = [*map(operator.add, best, to_end)]
        best.append(min(totals))
        chosen.append(totals.index(best[-1]))
    buckets = []
    end = len(ends) - 1
    while end >= 0:
        k = chosen[end]
        time, size = int(times[k]), int(filled[k, end])
        sequences = order[starts[k] : ends[end]]
        end = k - 1
        if time * size <= max_batch_items:
            buckets.append((sequences, time, size))
            continue
        most = min(len(sequences), max(1, max_batch_items // time))
        while most > 1 and time * fill(most, time) > max_batch_items:
            most -= 1
        cut = np.array_split(sequences, -(-len(sequences) // most))
        buckets += [(part, time, int(fill(len(part), time))) for part in cut]
    return buckets[::-1]
