"""Lists of arrays that lie one after the other in a single one."""

from collections.abc import Iterable, Sequence
from typing import Any

from thinc.api import Ops
from thinc.types import Floats2d


class FlatList(list):
    """A list of arrays that are slices of one flat array: to other layers a plain list, to ours a
    batch that need not be copied together again.

    flat (Any): The rows of all docs, an array of any type. *Shape:* ``(tokens, ...)``.
    lengths (Iterable[int]): The number of rows of each doc.
    """

    flat: Any

    def __init__(self, flat: Any, lengths: Iterable[int]):
        slices = []
        start = 0
        for length in lengths:
            slices.append(flat[start : start + length])
            start += length
        super().__init__(slices)
        self.flat = flat


def flatten(ops: Ops, arrays: Sequence[Floats2d]) -> Floats2d:
    """RETURNS (Floats2d): The rows of all arrays. *Shape:* ``(tokens, width)``."""
    return arrays.flat if isinstance(arrays, FlatList) else ops.xp.concatenate(arrays)
