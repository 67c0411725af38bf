"""Tagging and training at once: threads that tag read weights which another one changes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..models.threads import our_threads, start_over_in_child


class WeightsLock:
    """Lets any number of threads read weights, or one thread change them, which may read them
    meanwhile. Who waits to change them comes before new readers. A copy is a lock of its own.

    It is held in `our_threads`, as it is waited for in there.
    """

    def __init__(self) -> None:
        start_over_in_child(self)
        self.start_over()

    def start_over(self) -> None:
        """Be free, as in a process that was forked: whoever held the lock is not in it."""
        self._condition = threading.Condition()
        self._readers = self._waiting = 0
        self._owner: int | None = None

    def __deepcopy__(self, memo: dict) -> "WeightsLock":
        return WeightsLock()

    def __reduce__(self) -> tuple:
        return WeightsLock, ()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold the weights as they are while the context lasts. It may not be nested."""
        if self._owner == threading.get_ident():
            yield
            return
        with our_threads():
            with self._condition:
                self._condition.wait_for(lambda: self._owner is None and not self._waiting)
                self._readers += 1
            try:
                yield
            finally:
                with self._condition:
                    self._readers -= 1
                    self._condition.notify_all()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep readers away while the context lasts."""
        if self._owner == threading.get_ident():
            yield
            return
        with our_threads():
            with self._condition:
                self._waiting += 1
                try:
                    self._condition.wait_for(lambda: self._owner is None and not self._readers)
                finally:
                    self._waiting -= 1
                self._owner = threading.get_ident()
            try:
                yield
            finally:
                with self._condition:
                    self._owner = None
                    self._condition.notify_all()
