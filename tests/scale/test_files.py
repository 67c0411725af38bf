"""Files of a cluster: the processes that read and write them, and files with nothing to read."""

import subprocess
import sys
from types import SimpleNamespace

import pyarrow
import pytest

from spacy_lstm_tagger.scale.files import LENGTH, Counts, TaggedFiles
from spacy_lstm_tagger.scale.texts import texts_to_table

from ..cli import is_one_error, run_command
from ..cli.tagging import CONLLU, TEXTS, read_jsonl, write_texts

LIGHT = """
import sys
from pathlib import Path
from types import SimpleNamespace

import pyarrow

from spacy_lstm_tagger.files.texts import Reading
from spacy_lstm_tagger.scale.files import DATA, LENGTH, TaggedFiles, TextFiles

folder, output = sys.argv[1:]
paths = sorted(map(str, Path(folder).iterdir()))
files = TextFiles(paths, Reading(strip=False, keep=True), allowed=0, longest=99, size=9)
tables = [table for task in files.get_read_tasks(1) for table in task()]
texts = pyarrow.concat_tables(tables, promote_options="default")
lines = pyarrow.array([b"{}"] * len(texts), pyarrow.large_binary())
texts = texts.append_column(LENGTH, pyarrow.array([3] * len(texts))).append_column(DATA, lines)
for number, kind in enumerate([".jsonl", ".parquet"]):
    task = SimpleNamespace(kwargs={"write_uuid": str(number)}, task_idx=0)
    print(*TaggedFiles(output, kind, size=1).write([texts], task))
print(*{"spacy", "thinc", "torch"} & set(sys.modules))
"""


def test_what_reads_and_writes_imports_neither_spacy_nor_pytorch(tmp_path):
    """They would take seconds to import, and more memory than all else."""
    write_texts(tmp_path / "in")
    (tmp_path / "in" / "words.conllu").write_text(CONLLU, encoding="utf-8")
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-c", LIGHT, tmp_path / "in", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    counts, same, imported = done.stdout.splitlines()
    texts = 3 * len(TEXTS) + CONLLU.count("\n\n")
    assert counts == same == f"{texts} {3 * texts} 0" and imported == ""


def test_only_texts_that_are_left_out(tmp_path):
    rows = texts_to_table([], ["line 1: “bad”", "line 2: bad"])
    rows = rows.append_column(LENGTH, pyarrow.nulls(2, pyarrow.int64()))
    task = SimpleNamespace(kwargs={"write_uuid": "x"}, task_idx=0)
    sink = TaggedFiles(str(tmp_path), ".jsonl", size=1)
    assert sink.write([rows], task) == Counts(texts=0, words=0, bad=2)
    (told,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert [row["error"] for row in read_jsonl(told)] == ["line 1: “bad”", "line 2: bad"]


def test_no_text_at_all(tmp_path):
    sink = TaggedFiles(str(tmp_path), ".jsonl", size=1)
    assert sink.write([pyarrow.table({})], None) == sink.write([], None) == Counts()


@pytest.mark.ray
@pytest.mark.parametrize("allowed", [2, 1])
def test_files_in_which_nothing_can_be_read(cluster, model, tmp_path, allowed):
    """A file alone may have as many as are allowed, and all of them together may not."""
    (tmp_path / "in").mkdir()
    for name, text in (("a", 1), ("b", '"I slept ."'), ("c", 2)):
        (tmp_path / "in" / f"{name}.jsonl").write_text(f'{{"text": {text}}}\n')
    options = ["--engine", "ray", "--skip-bad", allowed]
    code, printed = run_command(
        "tag", model, tmp_path / "in", "--output", tmp_path / "out", *options
    )
    told = [str(tmp_path / "in" / name) for name in ("a.jsonl, line 1", "c.jsonl, line 1")]
    if allowed == 2:
        assert code == 0 and all(place in printed for place in told), printed
    else:
        assert code == 1 and is_one_error(printed), printed
        assert "C017] 2 texts" in printed and told[0] in printed
    (written,) = (tmp_path / "out").glob("*.jsonl")
    assert [len(row["tokens"]) for row in read_jsonl(written)] == [3]
