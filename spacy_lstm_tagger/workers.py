"""Work that several processes share, in order, and that never outlives the one that started it."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.pool import ExceptionWithTraceback  # type: ignore[attr-defined]
from multiprocessing.reduction import ForkingPickler
from operator import attrgetter
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

from .errors import Errors

Item = TypeVar("Item")
Result = TypeVar("Result")
Outcome: TypeAlias = tuple[Any, BaseException | None]  # a result, or the error there is instead
# So many processes at most: Windows waits for no more than 63 things, and each has two.
MOST = 31 if sys.platform == "win32" else sys.maxsize


def in_processes(
    make: Callable[[], Callable[[Item], Result]], items: Iterable[Item], *, n_process: int
) -> Iterator[Result]:
    """Work on items in several processes. Only a few items wait at a time, so they stay a stream.

    make (Callable[[], Callable[[Item], Result]]): Makes what is done with each of them, once in
        each process. It is pickled.
    items (Iterable[Item]): The items.
    n_process (int): How many processes work.
    YIELDS (Result): The results, in the order of the items. If reading an item fails, those of the
        items before it come first.
    RAISES (ChildProcessError): If a process ends before its work is done.
    """
    n_process = min(n_process, MOST)
    workers: list[Worker] = []
    waiting: deque[int] = deque()  # the items' numbers
    outcomes: dict[int, Outcome] = {}
    failures: list[Exception] = []
    try:
        for number, item in enumerate(until_failure(items, failures)):
            if len(workers) < n_process and all(worker.n_items for worker in workers):
                workers.append(Worker(make, n_process))
            min(workers, key=attrgetter("n_items")).give(number, item)
            waiting.append(number)
            if len(waiting) >= 2 * n_process:
                yield _take(waiting.popleft(), outcomes, workers)
        while waiting:
            yield _take(waiting.popleft(), outcomes, workers)
        for failure in failures:
            raise failure
    finally:
        for worker in workers:
            worker.end()


class Worker:
    """A process that works. What starts it holds no lock and has no thread for it, since an
    interruption (Ctrl-C, a time limit) may come at any moment, and Python's own pools then wait for
    ever.

    make (Callable[[], Callable[[Any], Any]]): Makes what is done with each item.
    n_process (int): How many there are, for the error if this one ends.
    """

    def __init__(self, make: Callable[[], Callable[[Any], Any]], n_process: int):
        self.n_process = n_process
        self.n_items = 0
        # Not forked: PyTorch's threads do not survive that.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(make, theirs), daemon=True)
        with _no_interrupts():
            self.process.start()
        theirs.close()

    def give(self, number: int, item: Any) -> None:
        """Send it an item, and the item's number."""
        with self._told():
            self.connection.send((number, item))
        self.n_items += 1

    def is_ready(self, ready: Sequence[Any]) -> bool:
        """RETURNS (bool): Whether something of it is among what `wait` has found to be ready.
        RAISES (ChildProcessError): If it has ended.
        """
        with self._told():
            if self.process.sentinel in ready and self.connection not in ready:
                raise EOFError  # on Windows a process that never began closes nothing
        return self.connection in ready

    def take(self) -> tuple[int, Outcome]:
        """RETURNS (tuple): The number of an item, and what came of it, when there is one."""
        with self._told():
            received = self.connection.recv()
        self.n_items -= 1
        return received

    def end(self) -> None:
        """End it, whatever it is doing."""
        self.connection.close()
        self.process.kill()
        self.process.join()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError) as error:
            raise ChildProcessError(Errors.C001.format(n_process=self.n_process)) from error


def _take(number: int, outcomes: dict[int, Outcome], workers: Sequence[Worker]) -> Any:
    """RETURNS (Any): The result of an item, when it is there. Those of others are kept."""
    signs: list[Any] = [worker.connection for worker in workers]
    signs += [worker.process.sentinel for worker in workers]
    while number not in outcomes:
        ready = wait(signs)
        for worker in workers:
            if worker.is_ready(ready):
                other, outcome = worker.take()
                outcomes[other] = outcome
    result, error = outcomes.pop(number)
    if error is not None:
        raise error
    return result


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C is not for, not even while they begin."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(make: Callable[[], Callable[[Any], Any]], connection: Connection) -> None:
    """Work, in a process of its own, until the one that started it closes the connection or is
    gone.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Windows; elsewhere it is blocked
    items: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(connection, items), daemon=True).start()
    work = make()
    while True:
        number, item = ForkingPickler.loads(items.get())
        result, error = None, None
        try:
            result = work(item)
        except BaseException as caught:
            error = _portable(caught)
        try:
            connection.send((number, (result, error)))
        except OSError:  # nobody is there any more
            continue
        except Exception as caught:  # it cannot be sent
            connection.send((number, (None, _portable(caught))))


def _portable(error: BaseException) -> Any:
    """RETURNS (Any): What arrives as an error in another process, with the traceback."""
    traceback = error.__traceback__
    try:
        # Many a class cannot be made again of the arguments that it keeps.
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    return ExceptionWithTraceback(error, traceback)


def _receive(connection: Connection, items: SimpleQueue[bytes]) -> None:
    """Read what is sent, so that nobody waits to send. As bytes: what is in it may import modules
    that are being imported.
    """
    try:
        while True:
            items.put(connection.recv_bytes())
    except (EOFError, OSError):
        os._exit(1)


def until_failure(items: Iterable[Item], failures: list[Exception]) -> Iterator[Item]:
    """Yield items until reading one fails, and keep the error for later.

    items (Iterable[Item]): The items.
    failures (list[Exception]): Where the error is put.
    YIELDS (Item): The items.
    """
    try:
        yield from items
    except Exception as failure:
        failures.append(failure)
