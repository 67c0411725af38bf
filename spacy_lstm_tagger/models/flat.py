"""Lists of arrays that lie one after the other in a single one, and arrays as tensors."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from thinc.api import Ops
from thinc.types import Floats2d, FloatsXd
from thinc.util import xp2torch
from torch import Tensor


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


def as_tensor(array: FloatsXd) -> Tensor:
    """RETURNS (Tensor): The array as a tensor that shares its memory. On a CPU without the detours
    of `thinc.util.xp2torch`, which cost as much as a small layer.
    """
    return torch.from_numpy(array) if isinstance(array, np.ndarray) else xp2torch(array)
