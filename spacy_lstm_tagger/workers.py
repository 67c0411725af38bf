"""Work that several processes share, in order, and that never outlives the one that started it."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

import spacy
import torch
from spacy.cli._util import import_code

from .errors import Errors

Item = TypeVar("Item")
Result = TypeVar("Result")

_work: Callable[[Any], Any]  # that of a worker process


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
    # Not forked: PyTorch's threads do not survive that.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(n_process, mp_context=context, initializer=_start, initargs=(make,))
    waiting: deque[Future[Result]] = deque()
    failures: list[Exception] = []
    try:
        for item in until_failure(items, failures):
            waiting.append(pool.submit(_do, item))
            if len(waiting) >= 2 * n_process:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        for failure in failures:
            raise failure
    except BrokenProcessPool as error:
        raise ChildProcessError(Errors.C001.format(n_process=n_process)) from error
    finally:
        pool.shutdown(cancel_futures=True)


def prepare(code: Path | None, gpu_id: int) -> None:
    """Make a worker process ready for pipelines.

    code (Optional[Path]): A file with registered functions that they need.
    gpu_id (int): The GPU. -1: none.
    """
    import_code(code)
    if gpu_id >= 0:
        spacy.require_gpu(gpu_id)
    torch.set_num_threads(1)


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


def _start(make: Callable[[], Callable[[Any], Any]]) -> None:
    global _work
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _work = make()


def _do(item: Any) -> Any:
    return _work(item)


def _end_with_parent() -> None:
    """Wait until the parent process is gone, however it ended, and end this one."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
