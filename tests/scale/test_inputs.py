"""What a cluster reads, and how it begins: as one machine does, and what is wrong is one error."""

import gzip
import os
import shutil
import subprocess
import sys

import pytest
import spacy

from ..cli import is_one_error, run_command
from ..cli.tagging import read_jsonl
from . import SMALL

pytestmark = pytest.mark.ray

FACTORY = """
from spacy.language import Language

@Language.factory("{name}")
def make_{name}(nlp, name):
    return lambda doc: doc
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


def on_ray(*arguments, command="tag"):
    options = SMALL if command == "tag" else []
    return run_command(command, *arguments, "--engine", "ray", *options)


def rows_of(folder):
    return [row for path in sorted(folder.glob("*.jsonl")) for row in read_jsonl(path)]


def test_an_output_in_the_folder_of_inputs(cluster, model, texts):
    """Work goes on there too, what it has written is not read, and each file is read once."""
    bad = texts / "z.ndjson"
    bad.write_text('{"text": 1}\n')
    arguments = [model, texts, texts / "a.ndjson", "--output", texts / "out"]
    status, printed = on_ray(*arguments)
    assert status == 1 and is_one_error(printed) and "z.ndjson, line 1" in printed
    bad.write_text('{"id": "z", "text": "x"}\n')
    status, printed = on_ray(*arguments)
    assert status == 0, printed
    found = sorted(row["id"] for row in rows_of(texts / "out"))
    assert found == ["_c", "_c", "a", "a", "more/b", "more/b", "z"]


def test_an_option_that_was_wrong_may_be_corrected(cluster, model, texts, tmp_path):
    arguments = [model, texts, "--output", tmp_path / "out"]
    status, printed = on_ray(*arguments, "--text-key", "body")
    assert status == 1 and is_one_error(printed) and "D002" in printed
    status, printed = on_ray(*arguments)
    assert status == 0 and len(rows_of(tmp_path / "out")) == 6, printed


def test_names_of_files(cluster, model, tmp_path):
    data, folder = b'{"text": "I slept ."}\n', tmp_path / "in"
    folder.mkdir()
    (folder / "a?b#c %20.jsonl").write_bytes(data)
    (folder / "T.JSONL.GZ").write_bytes(gzip.compress(data))
    (folder / "t.jsonl.zst").write_bytes(pytest.importorskip("zstandard").compress(data))
    status, printed = on_ray(model, folder, "--output", tmp_path / "out")
    assert status == 0 and len(rows_of(tmp_path / "out")) == 3, printed


def test_a_file_that_is_damaged(cluster, model, tmp_path):
    (tmp_path / "t.txt.gz").write_bytes(gzip.compress(b"I slept .\n" * 99)[:-9])
    status, printed = on_ray(model, tmp_path / "t.txt.gz", "--output", tmp_path / "out")
    assert status == 1 and is_one_error(printed), printed
    assert "D013" in printed and "t.txt.gz" in printed


def test_no_text_at_all(cluster, model, tmp_path):
    (tmp_path / "empty.jsonl").touch()
    status, printed = on_ray(model, tmp_path / "empty.jsonl", "--output", tmp_path / "out")
    assert status == 0 and not rows_of(tmp_path / "out"), printed


@pytest.mark.parametrize("command", ["tag", "label"])
def test_code_that_registers_a_factory(cluster, model, tmp_path, command):
    """A process may import it once."""
    code, nlp, name = tmp_path / "code.py", spacy.load(model), f"nothing_for_{command}"
    code.write_text(FACTORY.format(name=name))
    spacy.util.import_file("some_code", code)
    nlp.add_pipe(name)
    for folder in ("one", "two"):
        nlp.to_disk(tmp_path / folder)
    (tmp_path / "t.txt").write_text("I slept .\n" * 3)
    inputs = ["one", "t.txt"] if command == "tag" else ["one", "two", "--texts", "t.txt"]
    options = ["--output", "out", "--code", code, "--engine", "ray", "--address", cluster.address]
    done = subprocess.run(
        [sys.executable, "-m", "spacy", "lstm-tagger", command, *inputs, *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_pipeline_as_it_may_lie_on_a_disk(cluster, model, texts, tmp_path):
    """With a link to a folder, and times that no archive knows."""
    shutil.copytree(model, tmp_path / "model")
    (tmp_path / "model" / "lstm_tagger").rename(tmp_path / "elsewhere")
    (tmp_path / "model" / "lstm_tagger").symlink_to(tmp_path / "elsewhere")
    os.utime(tmp_path / "model" / "meta.json", (0, 0))
    status, printed = on_ray(tmp_path / "model", texts, "--output", tmp_path / "out")
    assert status == 0 and len(rows_of(tmp_path / "out")) == 6, printed


def test_a_worker_that_cannot_begin(cluster, model, texts, tmp_path):
    """Its own error, with which the same command would end again."""
    code = tmp_path / "code.py"
    code.write_text(ONLY_HERE)
    status, printed = on_ray(model, texts, "--output", tmp_path / "out", "--code", code)
    assert status == 1 and "✘ ValueError: not in a worker" in printed, printed
