"""The padded buckets of a ragged batch: its sequences side by side, and the way back."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from .plan import make_plan
from .rows import empty_rows
from .transfer import send_joined

# The flat rows of cells, the columns they have there, and the cells.
Place = tuple[Tensor, slice, Tensor]


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
    targets (Tensor): The flat row that the output at each cell belongs to, in reading order and
        read backwards. One past the end for padding and context, whose outputs nobody reads. Empty
        in a plan for final states. *Shape:* ``(2, time * batch)``, int64.
    """

    rows: Tensor
    reverse: Tensor
    last: Tensor
    targets: Tensor

    @property
    def mask(self) -> Tensor:
        """RETURNS (Tensor): Whether each cell is an element of its sequence, not padding.
        *Shape:* ``(time, batch)``, bool.
        """
        first = torch.ones_like(self.rows[:1], dtype=torch.bool)
        return torch.cat([first, self.rows[1:] != self.rows[:-1]])

    def places(self, directions: Sequence[Sequence[Tensor]]) -> list[Place]:
        """RETURNS (list[Place]): Where its outputs go, see `Buckets.flatten`."""
        found: list[Place] = []
        end = 0
        for targets, padded in zip(self.targets, directions, strict=False):
            for each in padded:
                start, end = end, end + each.shape[-1]
                found.append((targets, slice(start, end), each))
        return found


class Buckets:
    """A ragged batch in buckets, and the way back to flat order.

    plan (Sequence[Tensor]): What `make_plan` gives, on the device.
    n_tokens (int): How many elements the sequences have.
    """

    def __init__(self, plan: Sequence[Tensor], n_tokens: int):
        *of_buckets, self._finals = plan
        self.buckets = [Bucket(*of_buckets[i : i + 4]) for i in range(0, len(of_buckets), 4)]
        self.n_tokens = n_tokens

    @classmethod
    def of(
        cls, lengths: Sequence[int], *, device: torch.device | str = "cpu", **options: Any
    ) -> "Buckets":
        """Plan a batch and send the plan to the device, in one copy.

        lengths (Sequence[int]): The length of each sequence.
        device (torch.device): Where the index tensors go.
        **options: See `make_plan`.
        RETURNS (Buckets): The batch.
        """
        return cls.beside([], lengths, device=device, **options)[0]

    @classmethod
    def beside(
        cls,
        arrays: Sequence[NDArray[np.int64]],
        lengths: Sequence[int],
        *,
        device: torch.device | str,
        keep: bool = False,
        **options: Any,
    ) -> tuple["Buckets", list[Tensor]]:
        """Plan a batch and send other arrays and the plan to the device, in one copy.

        arrays (Sequence[NDArray[np.int64]]): The other arrays.
        lengths (Sequence[int]): The length of each sequence.
        device (torch.device): Where they go.
        keep (bool): Whether the plan is kept for the next batch of these lengths, on a CPU: small
            batches are alike, and to plan one takes a tenth of the time of `nlp(text)`.
        **options: See `make_plan`.
        RETURNS (tuple): The batch, and the arrays as tensors.
        """
        if keep and torch.device(device).type == "cpu":
            return kept_buckets(tuple(lengths), **options), [*map(torch.from_numpy, arrays)]
        plan = make_plan(lengths, device_type=torch.device(device).type, **options)
        sent = send_joined([*arrays, *plan], device)
        return cls(sent[len(arrays) :], sum(lengths)), sent[: len(arrays)]

    def flatten(self, outputs: Iterable[Sequence[Sequence[Tensor]]]) -> Tensor:
        """Bring the outputs of all buckets back into flat order. Without gradients each bucket's
        are written as they come, so that one's at a time are held.

        outputs (Iterable[Sequence[Sequence[Tensor]]]): For each bucket its outputs in reading order
            and, if there are any, those on the reversed sequences: several of each, of widths that
            are the same in all buckets. *Shape:* ``(time, batch, width)`` each.
        RETURNS (Tensor): The tokens' rows, all outputs side by side, in that order.
            *Shape:* ``(tokens, sum of widths)``.
        """
        found = (bucket.places(each) for bucket, each in zip(self.buckets, outputs, strict=True))
        if not torch.is_grad_enabled():
            return _to_rows(self.n_tokens, found)
        places = list(found)
        cells = [each for of_bucket in places for _, _, each in of_bucket]
        return cast(Tensor, _ToRows.apply(self.n_tokens, places, *cells))

    def order(self, per_sequence: list[Tensor]) -> Tensor:
        """Bring one row a sequence back into the order of the batch.

        per_sequence (list[Tensor]): The rows of each bucket, without those that fill it up.
            *Shape:* ``(sequences, width)`` each.
        RETURNS (Tensor): The rows. *Shape:* ``(sequences, width)``.
        """
        rows = per_sequence[0] if len(per_sequence) == 1 else torch.cat(per_sequence)
        return rows.index_select(0, self._finals)


@functools.lru_cache(maxsize=1024)
def kept_buckets(lengths: tuple[int, ...], **options: Any) -> Buckets:
    """RETURNS (Buckets): The buckets of these lengths, kept for the next batch of just these."""
    return Buckets.of(lengths, **options)


def _to_rows(n_rows: int, places: Iterable[Sequence[Place]]) -> Tensor:
    """Write cells to the rows that they belong to: one copy, where joining them and then gathering
    the rows would be two or three.
    """
    rows: Tensor | None = None
    for of_bucket in places:
        if rows is None:
            _, columns, cells = of_bucket[-1]
            rows = empty_rows(n_rows + 1, columns.stop, like=cells)  # the last one is for padding
        for targets, columns, cells in of_bucket:
            rows[:, columns][targets] = cells.flatten(0, 1)
    return cast(Tensor, rows)[:-1]


class _ToRows(torch.autograd.Function):
    """`_to_rows` with gradients, which without them would take twice as long for a short doc."""

    @staticmethod
    def forward(ctx: Any, n_rows: int, places: Sequence[Sequence[Place]], *cells: Tensor) -> Tensor:
        ctx.places = [(targets, columns) for each in places for targets, columns, _ in each]
        ctx.shapes = [each.shape for each in cells]
        return _to_rows(n_rows, places)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_rows: Tensor) -> tuple[Tensor | None, ...]:
        d_rows = torch.cat([d_rows, d_rows.new_zeros(1, d_rows.shape[1])])
        d_cells = [
            d_rows[:, columns][targets].view(shape)
            for (targets, columns), shape in zip(ctx.places, ctx.shapes, strict=True)
        ]
        return None, None, *d_cells
