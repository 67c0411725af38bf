"""What a cluster reads, and how it begins: as one machine does, and what is wrong is one error."""

import gzip
import os
import shutil

import pytest

from ..cli import is_one_error, run_command
from ..cli.tagging import read_jsonl
from . import SMALL

pytestmark = pytest.mark.ray

# Code that registers something may be imported once in a process.
ONCE = """
import builtins

if hasattr(builtins, "{name}"):
    raise ValueError("it is here already")
builtins.{name} = True
"""
ONLY_HERE = """
import sys

if "default_worker" in sys.argv[0]:  # Ray's
    raise ValueError("not in a worker")
"""


@pytest.fixture
def texts(tmp_path):
    """A folder of some files of one kind, which a link leads to once more."""
    folder = tmp_path / "in"
    (folder / "more").mkdir(parents=True)
    for name in ("a", "more/b", "_c"):
        lines = "".join(f'{{"id": "{name}", "text": "{text}"}}\n' for text in ("I slept .", "x"))
        (folder / f"{name}.ndjson").write_text(lines)
    (folder / "more" / "again").symlink_to(folder)
    return folder


def on_ray(*arguments):
    return run_command("tag", *arguments, "--engine", "ray", *SMALL)


def rows_of(folder):
    return [row for path in sorted(folder.glob("*.jsonl")) for row in read_jsonl(path)]


def test_an_output_in_the_folder_of_inputs(cluster, model, texts):
    """What is written there is not read, each file is read once, and an option that was wrong may
    be corrected.
    """
    arguments = [model, texts, texts / "a.ndjson", "--output", texts / "out"]
    status, printed = on_ray(*arguments, "--text-key", "body")
    assert status == 1 and is_one_error(printed) and "D002" in printed
    status, printed = on_ray(*arguments)
    assert status == 0, printed
    found = sorted(row["id"] for row in rows_of(texts / "out"))
    assert found == ["_c", "_c", "a", "a", "more/b", "more/b"]


def test_files_and_a_pipeline_as_they_may_lie_on_a_disk(cluster, model, tmp_path):
    """With odd names, compressed, a folder behind a link, and times that no archive knows."""
    data, folder = b'{"text": "I slept ."}\n', tmp_path / "in"
    folder.mkdir()
    (folder / "a?b#c %20.jsonl").write_bytes(data)
    (folder / "T.JSONL.GZ").write_bytes(gzip.compress(data))
    (folder / "t.jsonl.zst").write_bytes(pytest.importorskip("zstandard").compress(data))
    shutil.copytree(model, tmp_path / "model")
    (tmp_path / "model" / "lstm_tagger").rename(tmp_path / "elsewhere")
    (tmp_path / "model" / "lstm_tagger").symlink_to(tmp_path / "elsewhere")
    os.utime(tmp_path / "model" / "meta.json", (0, 0))
    status, printed = on_ray(tmp_path / "model", folder, "--output", tmp_path / "out")
    assert status == 0 and len(rows_of(tmp_path / "out")) == 3, printed


def test_a_file_that_is_damaged(cluster, model, tmp_path):
    (tmp_path / "t.txt.gz").write_bytes(gzip.compress(b"I slept .\n" * 99)[:-9])
    status, printed = on_ray(model, tmp_path / "t.txt.gz", "--output", tmp_path / "out")
    assert status == 1 and is_one_error(printed), printed
    assert "D013" in printed and "t.txt.gz" in printed


@pytest.mark.parametrize("command", ["tag", "label"])
def test_code_is_imported_once_in_a_process(cluster, model, tmp_path, command):
    (tmp_path / "code.py").write_text(ONCE.format(name=f"imported_for_{command}"))
    (tmp_path / "t.txt").write_text("I slept .\n" * 3)
    texts = tmp_path / "t.txt"
    inputs = [model, texts] if command == "tag" else [model, model, "--texts", texts]
    options = ["--output", tmp_path / "out", "--code", tmp_path / "code.py", "--engine", "ray"]
    status, printed = run_command(command, *inputs, *options, "--concurrency", 1)
    assert status == 0, printed


def test_a_worker_that_cannot_begin(cluster, model, texts, tmp_path):
    """Its own error, with which the same command would end again."""
    (tmp_path / "code.py").write_text(ONLY_HERE)
    options = ["--output", tmp_path / "out", "--code", tmp_path / "code.py"]
    status, printed = on_ray(model, texts, *options)
    assert status == 1 and "✘ ValueError: not in a worker" in printed, printed
