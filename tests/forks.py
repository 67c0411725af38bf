"""Python's command lines in forks of a process that has imported spaCy, which takes a new one two
seconds. Nothing else of the tests is in them. What has to start as users start it is a new process.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
from multiprocessing import reduction
from types import SimpleNamespace

import pytest
import weasel.cli.run

# Windows has none, and on macOS not every library survives them: there are new processes.
FORKS = sys.platform == "linux"


class Descriptor:
    """A file descriptor that goes along with a process."""

    def __init__(self, number):
        self.number = number

    def __reduce__(self):
        return _detach, (reduction.DupFd(self.number),)


def _detach(duplicate):
    return duplicate.detach()


def context():
    """RETURNS (BaseContext): Starts processes that have imported spaCy."""
    found = multiprocessing.get_context("forkserver" if FORKS else "spawn")
    found.set_forkserver_preload(["spacy.cli"])
    return found


def project_run(*arguments, **options):
    """Run a command of a project as weasel does."""

    def run_command(command, capture):
        if status := run_python(command[1:]):
            sys.exit(status)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("weasel.cli.run.run_command", run_command)
        weasel.cli.run.project_run(*arguments, **options)


def fork_workers(monkeypatch):
    """Let processes that share work be forks, too. They get what new ones get: pickled."""
    made = SimpleNamespace(get_context=lambda method: context())
    monkeypatch.setattr("spacy_lstm_tagger.workers.multiprocessing", made)


def run_python(arguments, *, stdout=1, stderr=2):
    """Run `python ARGUMENTS`.

    RETURNS (int): Its exit status.
    """
    given = [str(argument) for argument in arguments]
    if not FORKS:
        command = [sys.executable, *given]
        return subprocess.run(command, stdout=stdout, stderr=stderr).returncode
    streams = Descriptor(stdout), Descriptor(stderr)
    process = context().Process(target=_main, args=(given, dict(os.environ), *streams))
    process.start()
    process.join()
    return process.exitcode


def _main(arguments, environment, stdout, stderr):
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.environ.clear()
    os.environ.update(environment)
    is_module = arguments[0] == "-m"
    sys.argv = arguments[is_module:]
    if is_module:
        sys.path.insert(0, os.getcwd())
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        script = os.path.abspath(sys.argv[0])
        sys.path.insert(0, os.path.dirname(script))
        runpy.run_path(script, run_name="__main__")
