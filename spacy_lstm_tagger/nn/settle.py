"""Finds the tags of a best sequence that no other tag around could change."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

# Another pass is made as long as more tokens are open than this, and the last one settled at least
# this share of what was open.
FEW, WORTHWHILE = 256, 0.1


@dataclass(frozen=True)
class Settled:
    """What is left of the search for the best sequences of a batch.

    tags (Tensor): The tags, right where a token is settled. *Shape:* ``(tokens,)``, int64.
    rows (Tensor): The open tokens. *Shape:* ``(open,)``, int64.
    potentials (Tensor): Their emissions, with the transitions to settled neighbours and to the ends
        of a sentence added. *Shape:* ``(open, tags)``.
    lengths (list[int]): How long each chain of open neighbours is.
    """

    tags: Tensor
    rows: Tensor
    potentials: Tensor
    lengths: list[int]


def settle(
    emissions: Tensor, lengths: Sequence[int], *, transitions: Tensor, start: Tensor, end: Tensor
) -> Settled:
    """Settle tokens whose best tag is ahead by more than transitions could make up for. Their
    neighbours then know the transition on this side, and may be settled in the next pass. So a long
    sequence falls into short chains that are searched side by side; nothing is approximated.

    emissions (Tensor): *Shape:* ``(tokens, tags)``.
    lengths (Sequence[int]): The length of each sentence.
    transitions (Tensor): From the tag in the row to that in the column. *Shape:* ``(tags, tags)``.
    start (Tensor): What it adds to start with a tag. *Shape:* ``(tags,)``.
    end (Tensor): What it adds to end with it. *Shape:* ``(tags,)``.
    RETURNS (Settled): What is known, and what is open.
    """
    n_tags = len(start)
    # What each tag gets from its neighbour, by the neighbour's tag, the last two rows standing for
    # one that is not known and none: at most, at least, and so far. (tags + 2, tags)
    sides = []
    for table, boundary in ((transitions, start), (transitions.T, end)):
        bounds = (table.amax(0), table.amin(0), torch.zeros_like(start))
        sides.append([torch.cat([table, bound[None], boundary[None]]) for bound in bounds])
    (most_before, least_before, so_far_before), (most_after, least_after, so_far_after) = sides
    unknown, none = n_tags, n_tags + 1
    n_tokens = len(emissions)
    is_last = torch.zeros(n_tokens, dtype=torch.bool)
    is_last[torch.tensor([n for n in lengths if n], dtype=torch.int64).cumsum(0) - 1] = True
    is_last = is_last.to(emissions.device)
    is_first = is_last.roll(1)
    tags = torch.full((n_tokens,), unknown, device=emissions.device)
    rows, local = torch.arange(n_tokens, device=emissions.device), emissions
    before = torch.where(is_first, none, unknown)
    after = torch.where(is_last, none, unknown)
    while len(rows):
        rivals = local + most_before[before]
        rivals += most_after[after]
        top, best = rivals.max(1)
        low = local.gather(1, best[:, None])[:, 0]
        low = low + least_before[before, best] + least_after[after, best]
        second = rivals.scatter_(1, best[:, None], -torch.inf).amax(1)
        settled = low - second > 1e-4 * (1.0 + top.abs())  # beyond rounding errors
        tags[rows] = torch.where(settled, best, unknown)
        n_before = len(rows)
        rows = rows[~settled]
        local = emissions[rows]
        before = torch.where(is_first[rows], none, tags[rows - 1])
        after = torch.where(is_last[rows], none, tags[(rows + 1) % n_tokens])
        if len(rows) <= FEW or n_before - len(rows) < WORTHWHILE * n_before:
            break
    begins = (before != unknown).nonzero()[:, 0].tolist()
    sizes = [b - a for a, b in pairwise([*begins, len(rows)])]
    return Settled(tags, rows, local + so_far_before[before] + so_far_after[after], sizes)
