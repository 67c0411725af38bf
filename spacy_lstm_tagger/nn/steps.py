"""Lays a ragged batch out step by step, so that all of its sequences advance side by side."""

from collections.abc import Iterator, Sequence

import torch

from .transfer import send_joined


class Steps:
    """The elements of a flat batch in the order of time: first the first element of every
    sequence, longest sequence first, then their second elements, and so on. Step by step the
    sequences that go on are a prefix of those before, so there is neither padding nor a mask.

    lengths (Sequence[int]): The length of each sequence. Empty sequences have no elements.
    device (torch.device): Where the index tensors go.

    order (Tensor): The row of the flat batch at each place. *Shape:* ``(tokens,)``, int64.
    sequence (Tensor): The sequence of each place. *Shape:* ``(tokens,)``, int64.
    sizes (list[int]): How many sequences each step advances.
    first (slice): The places of the first elements.
    last (Tensor): The places of the last elements, of the sequences that are not empty.
    before (Tensor): The place one step earlier, of each place beyond the first step.
        *Shape:* ``(tokens - sequences,)``, int64.
    """

    def __init__(self, lengths: Sequence[int], *, device: torch.device | str = "cpu"):
        length = torch.tensor(lengths, dtype=torch.int64)
        by_length = torch.argsort(length, descending=True, stable=True)
        rank = torch.empty_like(by_length)
        rank[by_length] = torch.arange(len(length))
        of = torch.repeat_interleave(length)  # the sequence of each row
        time = torch.arange(len(of)) - (torch.cumsum(length, 0) - length)[of]
        order = torch.argsort(time * len(length) + rank[of])
        sizes = torch.bincount(time)
        starts = torch.cumsum(sizes, 0) - sizes
        longest = length[by_length[: int(sizes[0]) if len(sizes) else 0]]
        last = starts[longest - 1] + torch.arange(len(longest))
        n_first = len(longest)
        before = torch.arange(n_first, len(of)) - sizes[time[order][n_first:] - 1]
        self.sizes: list[int] = sizes.tolist()
        self.first = slice(0, n_first)
        arrays = [each.numpy() for each in (order, of[order], last, before)]
        self.order, self.sequence, self.last, self.before = send_joined(arrays, device)

    def forwards(self, *, most: int | None = None) -> Iterator[tuple[slice, slice]]:
        """YIELDS (tuple): For each step but the first, the places of the elements before, and
        its own.

        most (Optional[int]): How many sequences to advance at a time. None: all.
        """
        end = self.first.stop
        start = 0
        for size in self.sizes[1:]:
            for offset in range(0, size, most or size):
                stop = min(size, offset + (most or size))
                yield slice(start + offset, start + stop), slice(end + offset, end + stop)
            start, end = end, end + size

    def backwards(self) -> Iterator[tuple[slice, slice]]:
        """YIELDS (tuple): What `forwards` yields, last step first."""
        end = len(self.order)
        for size, previous in zip(self.sizes[:0:-1], self.sizes[-2::-1], strict=True):
            start = end - size
            yield slice(start - previous, start - previous + size), slice(start, end)
            end = start
