"""What tests of other processes share."""

import os
import time
from pathlib import Path

import pytest

# Windows has other rights of files, and asks for some to make links.
on_posix = pytest.mark.skipif(os.name != "posix", reason="links and rights are those of POSIX")
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="looks for processes in /proc"
)
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def wait_until(condition):
    """Wait until something holds, for as long as a very slow machine may need."""
    for _ in range(3000):
        if condition():
            return True
        time.sleep(0.1)
    return False


def children(pid):
    """RETURNS (list): The processes that a process has started and that run."""
    found = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [child for child in found if _stat(child)[1:2] == [str(pid)] and is_alive(child)]


def workers_of(pid):
    """RETURNS (list): Those of them that work for it."""
    commands = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in children(pid)}
    return [child for child, command in commands.items() if b"spawn_main" in command]


def is_alive(pid):
    """RETURNS (bool): Whether a process runs; one that ended may still be in the table."""
    return _stat(pid)[:1] not in ([], ["Z"])


def _stat(pid):
    """RETURNS (list): A process' state, its parent, and more; nothing if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
