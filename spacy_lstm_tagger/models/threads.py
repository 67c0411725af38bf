"""What holds around our layers: one thread, unless the user has said otherwise, and no autocast.

An LSTM of this size gains little from a second thread, and loses much where threads share cores.
"""

import functools
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar, cast

import torch

Function = TypeVar("Function", bound=Callable[..., Any])
# What says how many threads PyTorch takes.
VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")

# How many seconds a fork waits for threads in our layers. A batch takes less.
PATIENCE = 60


def default_threads() -> int:
    """RETURNS (int): How many threads PyTorch takes by default. 0: the number was set before this
    was imported.
    """
    cores = {os.cpu_count() or 1}
    if hasattr(os, "sched_getaffinity"):
        cores.add(len(os.sched_getaffinity(0)))
    # By platform and library it is the number of processors, or of cores of two processors each.
    possible = {torch.get_num_interop_threads(), *cores, *(number // 2 for number in cores)}
    number = torch.get_num_threads()
    return number if number in possible else 0


_default = default_threads()
_here = threading.local()
_gate = threading.Condition()
_working = 0  # how many of the process's threads are in our layers
_forking = 0  # how many wait to fork
_setting: int | None = None  # the process's, when none is in our layers. None: the user's
_is_child = False  # of a fork, and not in our layers yet
_with_locks: "weakref.WeakSet[HasLock]" = weakref.WeakSet()


class HasLock(Protocol):
    """What has a lock, which another thread may hold when the process forks."""

    def start_over(self) -> None:
        """Be as new, as nobody in the child will ever release the lock."""


def start_over_in_child(holder: HasLock) -> None:
    """Let something with a lock start over in the child of a fork.

    holder (HasLock): What has the lock.
    """
    _with_locks.add(holder)


@contextmanager
def our_threads() -> Iterator[None]:
    """Run a block on one thread, and give the process its setting back. Where the user has set a
    number, by `OMP_NUM_THREADS` or `torch.set_num_threads`, that is taken. A `torch.autocast`
    around the block does not hold in it: what our layers compute in is a setting of theirs.

    Meanwhile no other thread forks. The kernels have locks of their own, for which a child would
    wait for ever. Whoever takes a lock that is waited for in here takes it in here too.
    """
    if getattr(_here, "at_work", False):
        yield
        return
    setting, devices = _begin(), _stop_autocast()
    try:
        yield
    finally:
        for device in devices:
            torch.set_autocast_enabled(device, True)
        _end(setting)


def _stop_autocast() -> list[str]:
    """RETURNS (list[str]): Where this thread had it."""
    devices = [device for device in ("cpu", "cuda") if torch.is_autocast_enabled(device)]
    for device in devices:
        torch.set_autocast_enabled(device, False)
    return devices


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


def _begin() -> int | None:
    """RETURNS (Optional[int]): The number of threads to go back to. None: it was not changed."""
    global _working, _setting, _is_child
    with _gate:
        _gate.wait_for(lambda: not _forking)
        if _is_child:
            # PyTorch's threads do not survive a fork: a worker of `nlp.pipe(n_process=2)` that
            # asked for them would wait for ever. One thread needs none.
            torch.set_num_threads(1)
            _is_child = False
        if not _working:
            _setting = None if _is_chosen() else torch.get_num_threads()
        _working += 1
        _here.at_work = True
        if _setting is not None:
            torch.set_num_threads(1)
        return _setting


def _end(setting: int | None) -> None:
    global _working
    with _gate:
        if setting is not None:
            torch.set_num_threads(setting)
        _here.at_work = False
        _working -= 1
        _gate.notify_all()


def _is_chosen() -> bool:
    """RETURNS (bool): Whether the number of threads is not just what PyTorch takes by default."""
    return any(name in os.environ for name in VARIABLES) or torch.get_num_threads() != _default


def _before_fork() -> None:
    global _forking
    with _gate:
        _forking += 1
        own = int(getattr(_here, "at_work", False))
        _gate.wait_for(lambda: _working <= own, PATIENCE)


def _after_fork() -> None:
    global _forking
    with _gate:
        _forking -= 1
        _gate.notify_all()


def _after_fork_in_child() -> None:
    global _gate, _working, _forking, _is_child
    _gate, _forking, _is_child = threading.Condition(), 0, True
    _working = int(getattr(_here, "at_work", False))
    for holder in list(_with_locks):
        holder.start_over()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork,
        after_in_child=_after_fork_in_child,
    )
