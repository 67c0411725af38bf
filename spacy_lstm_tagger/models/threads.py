"""How many threads our layers run on: one, unless the user has said otherwise.

An LSTM of this size gains little from a second thread, and loses much where threads share cores.
"""

import functools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import torch

Function = TypeVar("Function", bound=Callable[..., Any])
# What says how many threads PyTorch takes.
VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")

_default = torch.get_num_threads()
_lock = threading.Lock()
_here = threading.local()
_inside = 0  # how many of the process's threads are at work in our layers
_outside = _default  # the setting that the process has when none is
_process = os.getpid()


@contextmanager
def our_threads() -> Iterator[None]:
    """Run a block on one thread, and give the process its setting back. Where the user has set a
    number, by `OMP_NUM_THREADS` or `torch.set_num_threads`, that is taken. No process forks
    meanwhile.
    """
    if getattr(_here, "at_work", False):
        yield
        return
    _begin_work()
    try:
        with _one_thread():
            yield
    finally:
        _end_work()


@contextmanager
def _one_thread() -> Iterator[None]:
    global _inside, _outside
    _survive_fork()
    if _is_chosen():
        yield
        return
    with _lock:
        if not _inside:
            _outside = torch.get_num_threads()
        _inside += 1
    torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
        torch.set_num_threads(_outside)


def on_our_threads(function: Function) -> Function:
    """Decorate a function that `our_threads` holds for.

    function (Callable): The function.
    RETURNS (Callable): The function, on our threads.
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with our_threads():
            return function(*args, **kwargs)

    return cast(Function, wrapped)


def _is_chosen() -> bool:
    """RETURNS (bool): Whether the number of threads is not just what PyTorch takes by default."""
    if any(name in os.environ for name in VARIABLES):
        return True
    # While others are at work in our layers, a new thread finds their setting.
    return not _inside and torch.get_num_threads() != _default


def _survive_fork() -> None:
    """PyTorch's threads do not survive a fork: a worker of `nlp.pipe(n_process=2)` that asked for
    them would wait for ever. One thread needs none.
    """
    global _process, _inside, _lock
    if os.getpid() != _process:
        _process, _inside, _lock = os.getpid(), 0, threading.Lock()
        torch.set_num_threads(1)


# The kernels have locks of their own. A child that is forked while another thread holds one would
# wait for it for ever, so a fork waits until no thread is in our layers.
_gate = threading.Condition()
_working = _forking = 0  # how many threads


def _begin_work() -> None:
    global _working
    with _gate:
        while _forking:
            _gate.wait()
        _working += 1
    _here.at_work = True


def _end_work() -> None:
    global _working
    _here.at_work = False
    with _gate:
        _working -= 1
        _gate.notify_all()


def _before_fork() -> None:
    global _forking
    with _gate:
        _forking += 1
        while _working > getattr(_here, "at_work", False):
            _gate.wait()


def _after_fork() -> None:
    global _forking
    with _gate:
        _forking -= 1
        _gate.notify_all()


def _after_fork_in_child() -> None:
    global _gate, _working, _forking
    _gate, _forking = threading.Condition(), 0
    _working = int(getattr(_here, "at_work", False))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork,
        after_in_child=_after_fork_in_child,
    )
