"""Tagging on two nodes: the same as on one machine."""

import shutil

import pyarrow
import pyarrow.parquet as pq
import pytest
import spacy

from spacy_lstm_tagger.scale import ship
from spacy_lstm_tagger.scale.tagging import OutputFolder

from ..cli import is_one_error, run_command
from ..cli.tagging import CONLLU, OBJECTS, TEXTS, read_jsonl, write_texts
from ..docs import PAGES, blocks
from ..processes import wait_until
from . import SMALL, rows_of

pytestmark = pytest.mark.ray


@pytest.fixture
def texts(tmp_path):
    return write_texts(tmp_path / "in")


def run(*arguments):
    return run_command("tag", *arguments)


def on_ray(*arguments):
    code, printed = run(*arguments, "--engine", "ray", *SMALL)
    assert code == 0, printed
    return printed


def joined(folder, kind):
    return b"".join(path.read_bytes() for path in sorted(folder.glob(f"*.{kind}")))


def test_in_a_program(cluster, model, tmp_path, monkeypatch):
    """The program of the page. Its pipeline is gone before the actors start: they have it from the
    driver.
    """

    def ship_and_delete(path):
        shipped = ship(path)
        shutil.rmtree(path)
        return shipped

    monkeypatch.setattr("spacy_lstm_tagger.scale.ship", ship_and_delete)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(model, tmp_path / "output" / "cpu" / "model-best")
    (tmp_path / "texts").mkdir()
    for part in range(4):
        pq.write_table(
            pyarrow.Table.from_pylist(OBJECTS * 5), tmp_path / "texts" / f"{part}.parquet"
        )
    (code,) = blocks(PAGES["docs/scale.md"], "python")
    exec(code.replace("s3://crawl", str(tmp_path)), {})
    docs = dict(zip(TEXTS, spacy.load(model).pipe(TEXTS), strict=True))
    rows = rows_of(tmp_path / "tagged")
    assert len(rows) == 20 * len(OBJECTS)
    for row in rows:
        assert row["tags"] == [t.tag_ for t in docs[row["text"]]] and row["n"] == OBJECTS[0]["n"]


@pytest.mark.parametrize("kind", ["jsonl", "conllu"])
def test_the_same_lines(cluster, model, tmp_path, kind):
    """Two files, one of them with a text that cannot be read."""
    folder = tmp_path / "in"
    write_texts(folder)
    for path in folder.iterdir():
        if path.suffix != ".jsonl":
            path.unlink()
    bad = '{"text": 3}\n'
    (folder / "more.jsonl").write_text(bad + (folder / "texts.jsonl").read_text() * 20)
    if kind == "conllu":
        (folder / "words.conllu").write_text(CONLLU * 2)
    options = ["--format", kind, "--probabilities", "--skip-bad", 1]
    code, printed = run(model, folder, "--output", tmp_path / f"one.{kind}", *options)
    assert code == 0, printed
    printed = on_ray(model, folder, "--output", tmp_path / "out", *options)
    assert "Left out 1 text" in printed and "more.jsonl, line 1" in printed
    assert joined(tmp_path / "out", kind) == (tmp_path / f"one.{kind}").read_bytes()
    (told,) = (tmp_path / "out" / "_bad").iterdir()
    assert "more.jsonl, line 1" in read_jsonl(told)[0]["error"]
    assert not (tmp_path / "out.checkpoint").exists()


def test_the_same_rows(cluster, model, texts, tmp_path):
    code, printed = run(model, texts["parquet"], "--output", tmp_path / "one.parquet", "-p")
    assert code == 0, printed
    uri = texts["parquet"].as_uri()
    on_ray(model, uri, "--output", (tmp_path / "out").as_uri(), "-p", "--format", "parquet")
    assert rows_of(tmp_path / "out") == pq.read_table(tmp_path / "one.parquet").to_pylist()


def test_too_many_bad_texts(cluster, model, tmp_path, recwarn):
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "one"}\n{"text": 1}\n{"text": 2}\n')
    code, printed = run(model, path, "--output", tmp_path / "out", "--engine", "ray")
    assert code == 1 and is_one_error(printed) and "D002" in printed and "line 2" in printed, (
        printed
    )
    # Nor a word on there being fewer files than processes.
    assert not [each for each in recwarn if "concurrent tasks" in str(each.message)]


def test_rows_of_different_types(cluster, model, tmp_path):
    (tmp_path / "in").mkdir()
    for name, number in [("a", 1), ("b", "x")]:
        table = pyarrow.table({"text": ["I slept ."], "n": [number]})
        pq.write_table(table, tmp_path / "in" / f"{name}.parquet")
    code, printed = run(model, tmp_path / "in", "--output", tmp_path / "out", "--engine", "ray")
    assert code == 1 and is_one_error(printed) and "D017" in printed, printed


def test_a_folder_has_one_writer(cluster, model, texts, tmp_path):
    arguments = [model, texts["jsonl"], "--output", tmp_path / "out", "--engine", "ray", *SMALL]
    with OutputFolder(str(tmp_path / "out")).alone():
        code, printed = run(*arguments)
    assert code == 1 and is_one_error(printed) and "C028" in printed, printed
    assert wait_until(lambda: run(*arguments)[0] == 0)
