"""What holds around our layers: one thread, unless the user has said otherwise, and no mode of
PyTorch's that the host is in.

An LSTM of this size gains little from a second thread, and loses much where threads share cores.
"""

import contextlib
import functools
import os
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol, TypeVar, cast

import torch
from torch.autograd import grad_mode

Function = TypeVar("Function", bound=Callable[..., Any])
# What says how many threads PyTorch takes.
VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")

CPU = torch.device("cpu")

# Where contexts begin and end.
CONTEXTS = (contextlib.__file__, grad_mode.__file__)

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
    if sys.platform == "darwin":  # or of Apple's fast cores, which nothing tells here
        possible.update(range(max(cores)))
    number = torch.get_num_threads()
    return number if number in possible else 0


_default = default_threads()
_lock = threading.RLock()
_gate = threading.Condition(_lock)
# The threads that are in our layers, each with the number of PyTorch's to go back to. None: the
# number is the user's.
_working: dict[int, int | None] = {}
_forking: set[int] = set()  # the threads that wait to fork
# PyTorch's number in the child of a fork that was not in our layers yet.
_inherited: int | None = None
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
    """Run a block on one thread, and give the process its setting back. Where the user has set
    another number than PyTorch's default, or `OMP_NUM_THREADS`, that is taken. What the host has
    chosen for its own tensors does not hold in the block: autocast, a default device, no gradients.

    Meanwhile no other thread forks. The kernels have locks of their own, for which a child would
    wait for ever. Whoever takes a lock that is waited for in here takes it in here too.
    """
    thread = threading.get_ident()
    if thread in _working:
        yield
        return
    try:
        _begin(thread)
        with _no_modes():
            yield
    finally:
        try:
            _end(thread)
        except BaseException:  # a signal's handler may raise anywhere
            _end(thread)
            raise


def _no_modes() -> ExitStack:
    """RETURNS (ExitStack): A context in which PyTorch is as it is by default."""
    modes = ExitStack()
    for device in ("cpu", "cuda"):
        if torch.is_autocast_enabled(device):
            modes.enter_context(torch.autocast(device, enabled=False))
    if torch.is_inference_mode_enabled() or not torch.is_grad_enabled():
        modes.enter_context(torch.inference_mode(False))
    if torch.empty(0).device != CPU:
        modes.enter_context(CPU)
    return modes


def on_our_threads(function: Function) -> Function:
    """Decorate a function that `our_threads` holds for.

    function (Callable): The function.
    RETURNS (Callable): The function, on our threads.
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        gradients = torch.is_grad_enabled()
        try:
            with our_threads():
                return function(*args, **kwargs)
        except BaseException as error:
            _end_contexts(error)
            torch.set_grad_enabled(gradients)
            raise

    return cast(Function, wrapped)


def _end_contexts(error: BaseException) -> None:
    """End what an error left open, as it was raised where a context begins or ends: by a signal's
    handler. It would end with the error's traceback, maybe much later and in another thread.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename in CONTEXTS:
            with contextlib.suppress(RuntimeError):  # it is running, and will end by itself
                frame.clear()


def _begin(thread: int) -> None:
    global _inherited
    with _lock:
        _gate.wait_for(lambda: not _forking)
        # A thread that asks for the first time gets the number that was set last. Later this would
        # be that of another thread which has gone back to its own.
        number = torch.get_num_threads()
        if _inherited is not None:
            # PyTorch's threads do not survive a fork: a worker of `nlp.pipe(n_process=2)` that
            # asked for them would wait for ever. One thread needs none.
            if number == _inherited:
                torch.set_num_threads(1)
            _inherited = None
        if _working:
            setting = next(iter(_working.values()))
        else:
            setting = None if _is_chosen() else torch.get_num_threads()
        _working[thread] = setting
        if setting is not None:
            torch.set_num_threads(1)


def _end(thread: int) -> None:
    with _lock:
        setting = _working.get(thread)
        if setting is not None:
            torch.set_num_threads(setting)
        _working.pop(thread, None)
        _gate.notify_all()


def _is_chosen() -> bool:
    """RETURNS (bool): Whether the number of threads is not just what PyTorch takes by default."""
    number = torch.get_num_threads()
    return number != _default or any(number <= _said_by(name) for name in VARIABLES)


def _said_by(name: str) -> int:
    """RETURNS (int): How many threads a variable says. 0: none that OpenMP understands. It counts
    only if PyTorch has heeded it: set below its import, it may say less than PyTorch takes.
    """
    first = os.environ.get(name, "").partition(",")[0].strip()
    return int(first) if first.isdecimal() else 0


def _before_fork() -> None:
    thread = threading.get_ident()
    with _lock:
        _forking.add(thread)
        _gate.wait_for(lambda: not _working.keys() - {thread}, PATIENCE)


def _after_fork() -> None:
    with _lock:
        _forking.discard(threading.get_ident())
        _gate.notify_all()


def _after_fork_in_child() -> None:
    global _lock, _gate, _inherited
    _lock = threading.RLock()
    _gate, _inherited = threading.Condition(_lock), torch.get_num_threads()
    _forking.clear()
    for thread in _working.keys() - {threading.get_ident()}:
        del _working[thread]
    for holder in list(_with_locks):
        holder.start_over()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork,
        after_in_child=_after_fork_in_child,
    )
