"""Keeps the vectors of words between batches."""

import threading
from collections.abc import Callable, Hashable
from typing import cast

import torch
from torch import Tensor

from .threads import start_over_in_child


class TypeCache:
    """The vectors of the types seen so far, as long as what made them stays the same.

    A type's vector depends on the type and the weights alone, so keeping it changes no result.
    Keys are hashes: no string, lexeme or doc is held on to. When the cache is full it is emptied
    and starts over, which bounds its memory and costs one more encoding of the words in use.

    capacity (int): How many types are kept. 0: none.
    """

    def __init__(self, capacity: int):
        self.capacity = capacity
        self._stamp: Hashable = None
        start_over_in_child(self)
        self.start_over()

    def __len__(self) -> int:
        return len(self._rows)

    def __reduce__(self) -> tuple:  # as it is copied, too
        return TypeCache, (self.capacity,)

    def vectors(
        self, keys: list[int], encode: Callable[[list[int]], Tensor], stamp: Hashable
    ) -> tuple[Tensor, list[int]]:
        """Look types up, encoding those that are missing.

        keys (list[int]): The types' hashes, without repetition.
        encode (Callable): From indices into `keys` to the types' vectors.
        stamp (Hashable): What the vectors depend on. Another stamp empties the cache.
        RETURNS (tuple): A table of vectors, and each type's row in it.
            *Shape:* ``(rows, width)``.
        """
        if len(keys) > self.capacity:
            every = list(range(len(keys)))
            return encode(every), every
        with self._lock:
            # In a method: what a signal's handler raises in a comprehension here would not free the
            # lock, a bug of Python 3.12 and later.
            return self._look_up(keys, encode, stamp)

    def _look_up(
        self, keys: list[int], encode: Callable[[list[int]], Tensor], stamp: Hashable
    ) -> tuple[Tensor, list[int]]:
        if stamp != self._stamp:
            self._clear()
            self._stamp = stamp
        missing = [i for i, key in enumerate(keys) if key not in self._rows]
        if len(self._rows) + len(missing) > self.capacity:
            self._clear()
            missing = list(range(len(keys)))
        if missing:
            self._append([keys[i] for i in missing], encode(missing))
        rows = self._rows
        return cast(Tensor, self._vectors), [rows[key] for key in keys]

    def start_over(self) -> None:
        """Be empty, as in a child of a fork: another thread of its parent may have held the lock,
        and have been in the midst of adding vectors.
        """
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._rows: dict[int, int] = {}
        self._vectors: Tensor | None = None

    def _append(self, keys: list[int], vectors: Tensor) -> None:
        size = len(self._rows)
        if self._vectors is None or size + len(keys) > len(self._vectors):
            room = min(self.capacity, max(2 * (size + len(keys)), 1024))
            grown = vectors.new_empty(room, vectors.shape[1])
            if self._vectors is not None:
                grown[:size] = self._vectors[:size]
            self._vectors = grown
        with torch.inference_mode():
            self._vectors[size : size + len(keys)] = vectors
        self._rows.update(zip(keys, range(size, size + len(keys)), strict=True))
