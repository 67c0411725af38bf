"""Work in processes: in order, as a stream, with clear ends."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from functools import partial
from pickle import PicklingError

import pytest

from spacy_lstm_tagger import workers
from spacy_lstm_tagger.workers import in_processes, until_failure

from .processes import is_alive, needs_proc, wait_until


def add(offset, number):
    if number < 0:
        raise ValueError(f"{number} is below zero")
    return number + offset


def end(number):
    os._exit(9)


def make_add():
    return partial(add, 100)


def make_end():
    return end


def own_pid(_):
    return os.getpid()


def make_own_pid():
    return own_pid


def make_nothing():
    raise OSError("cannot start")


def double(item):
    return item * 2


def make_double():
    return double


class Two(Exception):
    """As many an error is: not made again of what it keeps."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def be_odd(item):
    if item == "lambda":
        return lambda: None
    if item == "lock":
        raise ValueError("a lock", threading.Lock())
    if item == "two":
        raise Two("one", "two")
    sys.exit(3)


def make_odd():
    return be_odd


def run(items, make=make_add):
    return in_processes(make, items, n_process=2)


def test_results_are_in_order_and_a_stream():
    read = []

    def numbers():
        for number in range(50):
            read.append(number)
            yield number

    threads = threading.enumerate()
    results = run(numbers())
    assert next(results) == 100
    assert len(read) < 10
    # Nothing that an interruption could leave locked.
    assert threading.enumerate() == threads
    assert list(results) == list(range(101, 150))


def test_an_error_in_reading_comes_after_what_was_read():
    def numbers():
        yield from range(3)
        raise ValueError("line 4 is bad")

    results = run(numbers())
    assert [next(results) for _ in range(3)] == [100, 101, 102]
    with pytest.raises(ValueError, match="line 4 is bad"):
        next(results)


def test_an_error_in_the_work_is_raised():
    results = run([1, -2, 3])
    assert next(results) == 101
    with pytest.raises(ValueError, match="-2 is below zero"):
        list(results)


def test_no_more_processes_than_there_is_work_for():
    def numbers():
        yield 1
        yield len(multiprocessing.active_children())

    assert list(run(numbers())) == [101, 101]
    assert list(run([])) == [] and not multiprocessing.active_children()


def test_what_ends_early_leaves_no_process():
    results = run(iter(int, 1))
    next(results)
    results.close()
    assert not multiprocessing.active_children()


@pytest.mark.skipif(sys.platform == "win32", reason="there a signal ends a process")
def test_ctrl_c_is_for_the_one_that_started_them():
    """Which still gets it, and ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    results = run(range(9))
    next(results)
    for process in multiprocessing.active_children():
        os.kill(process.pid, signal.SIGINT)
    assert list(results) == list(range(101, 109))
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


def test_large_items_and_results():
    items = [bytes([i]) * 3_000_000 for i in range(12)]
    assert list(run(items, make_double)) == [item * 2 for item in items]


@pytest.mark.parametrize(
    ("item", "error"),
    [
        ("lambda", "lambda"),
        ("lock", "ValueError: .*lock"),
        ("two", "Two: one and two"),
        ("exit", "3"),
    ],
)
def test_what_cannot_be_sent(item, error):
    """It is told as it is, not as a process that has ended."""
    with pytest.raises((RuntimeError, AttributeError, PicklingError, SystemExit), match=error):
        list(run([item], make_odd))


def test_whatever_ends_the_reading_is_kept_for_later():
    def numbers():
        yield 1
        raise KeyError("gone")

    failures = []
    assert list(until_failure(numbers(), failures)) == [1]
    assert [repr(failure) for failure in failures] == ["KeyError('gone')"]


@pytest.mark.parametrize("make", [make_end, make_nothing])
def test_a_process_that_ends_early(make):
    with pytest.raises(ChildProcessError, match=r"C001.*2 processes"):
        list(run([1, 2, 3], make))


SCRIPT = """
import sys, time
from spacy_lstm_tagger.workers import in_processes

def make():
    return work

def work(path):
    import os
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(3600)

if __name__ == "__main__":
    list(in_processes(make, [sys.argv[1]] * 2, n_process=2))
"""


@needs_proc
def test_processes_end_with_the_one_that_started_them(tmp_path):
    """Even where it was killed so that it could not tell them."""
    (tmp_path / "script.py").write_text(SCRIPT)
    pids = tmp_path / "pids"
    pids.touch()
    parent = subprocess.Popen([sys.executable, tmp_path / "script.py", pids])
    try:
        assert wait_until(lambda: len(pids.read_text().split()) == 2)
    finally:
        parent.kill()
        parent.wait()
    workers = pids.read_text().split()
    assert wait_until(lambda: not any(map(is_alive, workers)))


def test_no_more_processes_than_the_system_can_wait_for(monkeypatch):
    monkeypatch.setattr(workers, "MOST", 1)
    assert len(set(in_processes(make_own_pid, range(9), n_process=2))) == 1
