"""Tests of the commands."""

import re

COLOR = re.compile(r"\x1b\[[0-9;]*m")


def is_one_error(printed):
    """RETURNS (bool): Whether what was printed is an error on one line, and nothing else of note."""
    lines = [line for line in COLOR.sub("", printed).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("ℹ")]
    return len(lines) == 1 and lines[0].startswith("✘ [")
