"""Tests of the commands."""

import re

from spacy.cli._util import app
from typer.testing import CliRunner

import spacy_lstm_tagger.cli  # noqa: F401

COLOR = re.compile(r"\x1b\[[0-9;]*m")


def is_one_error(printed):
    """RETURNS (bool): Whether what was printed is an error on one line, and nothing else of note."""
    lines = [line for line in COLOR.sub("", printed).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("ℹ")]
    return len(lines) == 1 and lines[0].startswith("✘ [")


def run_command(*arguments):
    """Run a command of ours.

    RETURNS (tuple): Its exit status, and what it printed, errors too.
    """
    result = CliRunner().invoke(app, ["lstm-tagger", *map(str, arguments)])
    return result.exit_code, result.output
