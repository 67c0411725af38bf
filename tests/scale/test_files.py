"""Files of a cluster in which nothing can be read."""

from types import SimpleNamespace

import pyarrow
import pytest

from spacy_lstm_tagger.scale.files import LENGTH, Counts, TaggedFiles
from spacy_lstm_tagger.scale.texts import texts_to_table

from ..cli import is_one_error, run_command
from ..cli.tagging import read_jsonl


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
