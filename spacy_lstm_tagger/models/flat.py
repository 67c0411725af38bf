"""Lists of arrays that lie one after the other in a single one, and arrays as tensors."""

import operator
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
import torch
from spacy.tokens import Doc
from thinc.api import Model, Ops
from thinc.types import Floats1d, Floats2d, FloatsXd
from thinc.util import torch2xp, xp2torch
from torch import Tensor

from ..nn.affine import affine_map


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
        self._slices = tuple(slices)

    def is_flat(self) -> bool:
        """RETURNS (bool): Whether nobody has put other arrays into the list."""
        return len(self) == len(self._slices) and all(map(operator.is_, self, self._slices))


def flatten(ops: Ops, arrays: Sequence[Floats2d]) -> Floats2d:
    """RETURNS (Floats2d): The rows of all arrays, of which those without rows may have another
    width. *Shape:* ``(tokens, width)``.
    """
    if isinstance(arrays, FlatList) and arrays.is_flat():
        return arrays.flat
    return ops.xp.concatenate([array for array in arrays if len(array)] or arrays)


def predict_flat(model: Model[list[Doc], list[Floats2d]], docs: list[Doc]) -> Floats2d:
    """RETURNS (Floats2d): What a model says of the tokens of a batch. *Shape:*
    ``(tokens, width)``. Rows that belong to none are left out: who splits a token leaves a row too
    many at the end of `doc.tensor`.
    """
    arrays = model.predict(docs)
    if [*map(len, arrays)] != [*map(len, docs)]:
        arrays = [rows[: len(doc)] for rows, doc in zip(arrays, docs, strict=True)]
    return flatten(model.ops, arrays)


def first_rows(arrays: Sequence[Floats2d] | None) -> Floats2d | None:
    """RETURNS (Optional[Floats2d]): The first array that has rows: what to take sizes from, as
    spaCy describes an empty doc by an array without a width.
    """
    return next((array for array in arrays or () if array.size), None)


def as_tensor(array: FloatsXd) -> Tensor:
    """RETURNS (Tensor): The array as a tensor that shares its memory, on the device of the array,
    where `thinc.util.xp2torch` takes that of Thinc's current operations. One that cannot be written
    to, as in a cluster's shared memory, is copied.
    """
    if isinstance(array, np.ndarray):
        return torch.from_numpy(array if array.flags.writeable else array.copy())
    return xp2torch(array, device=torch.device("cuda", cast(Any, array).device.id))


def affine(X: Floats2d, W: Floats2d, b: Floats1d) -> Floats2d:
    """Map rows to rows.

    X (Floats2d): The rows. *Shape:* ``(rows, nI)``.
    W (Floats2d): The weights. *Shape:* ``(nO, nI)``.
    b (Floats1d): The bias. *Shape:* ``(nO,)``.
    RETURNS (Floats2d): *Shape:* ``(rows, nO)``.
    """
    # Not by NumPy's BLAS, whose threads and PyTorch's would wait for each other.
    return cast(Floats2d, torch2xp(affine_map(as_tensor(X), as_tensor(W), as_tensor(b))))


def no_gradient(dY: Sequence[Floats2d]) -> list:
    """The callback of a layer that ran without training."""
    return []
