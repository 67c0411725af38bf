"""Tagging and training at once: threads that tag read weights which another one changes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

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
        self._lock = threading.RLock()
        self._condition = threading.Condition(self._lock)
        # Idents, as a count would be off for ever once a signal's handler had raised beside it.
        self._readers: set[int] = set()
        self._waiting: set[int] = set()
        self._owner: int | None = None

    def __reduce__(self) -> tuple:  # as it is copied, too
        return WeightsLock, ()

    def reading(self) -> AbstractContextManager[None]:
        """Hold the weights as they are while the context lasts. It may not be nested."""
        return self._held(self._start_reading)

    def changing(self) -> AbstractContextManager[None]:
        """Keep readers away while the context lasts."""
        return self._held(self._start_changing)

    @contextmanager
    def _held(self, start: Callable[[int], None]) -> Iterator[None]:
        thread = threading.get_ident()
        if self._owner == thread:
            yield
            return
        with our_threads():
            try:
                with self._lock:
                    start(thread)
                yield
            finally:
                try:
                    self._end(thread)
                except BaseException:  # a signal's handler may raise anywhere
                    self._end(thread)
                    raise

    def _start_reading(self, thread: int) -> None:
        self._condition.wait_for(lambda: self._owner is None and not self._waiting)
        self._readers.add(thread)

    def _start_changing(self, thread: int) -> None:
        self._waiting.add(thread)
        self._condition.wait_for(lambda: self._owner is None and not self._readers - {thread})
        self._owner = thread

    def _end(self, thread: int) -> None:
        with self._lock:
            self._readers.discard(thread)
            self._waiting.discard(thread)
            if self._owner == thread:
                self._owner = None
            self._condition.notify_all()
