"""The jobs of benchmarks: done once each, and kept as they are done, whatever fails."""

from argparse import Namespace

import pytest

from benchmarks.jobs import work_on

THREADS = Namespace(engine=None, jobs=2)


def double(number):
    if number == 2:
        raise ValueError("no two")
    return 2 * number


def check(args):
    done = work_on([1, 2, 3], double, args)
    assert sorted([next(done), next(done)]) == [(1, 2), (3, 6)]
    with pytest.raises(ValueError, match="no two"):
        next(done)


def test_in_threads():
    check(THREADS)
