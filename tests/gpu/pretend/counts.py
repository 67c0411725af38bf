"""What a GPU was asked to do."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum


class Kind(Enum):
    """What is counted. One call of cuDNN is one kernel, as is one of a `torch._foreach_…`."""

    KERNEL = "a kernel that is launched, by PyTorch or CuPy"
    SYNC = "the CPU waits for the GPU; so it does for copies, but those from pinned memory"
    COPY = "values travel between the memory of the CPU and that of the GPU"
    EXCHANGE = "PyTorch and CuPy hand an array to each other, without a copy"


class Counts(Counter[tuple[Kind, str]]):
    """How often each thing was done, by its kind and name."""

    def only(self, *kinds: Kind) -> "Counts":
        """RETURNS (Counts): What is of these kinds."""
        return Counts({key: n for key, n in self.items() if key[0] in kinds})

    def of(self, name: str) -> int:
        """RETURNS (int): How often what has this name was done."""
        return sum(n for (_, each), n in self.items() if each == name)

    def __repr__(self) -> str:
        return ", ".join(f"{n} {kind.name} {name}" for (kind, name), n in self.most_common())


_open: list[Counts] = []


def count(kind: Kind, name: str, n: int = 1) -> None:
    """Count what was done, in all counts that are open."""
    for counts in _open:
        counts[kind, name] += n


@contextmanager
def counting() -> Iterator[Counts]:
    """Count what is done while the context lasts.

    YIELDS (Counts): The counts.
    """
    counts = Counts()
    _open.append(counts)
    try:
        yield counts
    finally:
        _open.pop(next(i for i, each in enumerate(_open) if each is counts))
