"""`--engine ray` where it cannot start. What it does is tested on a cluster, in `tests/scale`."""

import re
import sys
from pathlib import Path

import pytest

from spacy_lstm_tagger.cli.engine import find_inputs, kind_of_uri
from spacy_lstm_tagger.tagging import CHECKPOINT

from . import is_one_error
from .tagging import run


@pytest.mark.parametrize(
    "arguments,code",
    [
        (["in/texts.jsonl", "--output", "out", "--engine", "spark"], "M001"),
        (["in/texts.jsonl", "--output", "out.jsonl", "--engine", "ray"], "C018"),
        (["in/texts.jsonl", "--output", "-", "--engine", "ray"], "C018"),
        (["-", "--output", "out", "--engine", "ray"], "C018"),
        (["in/texts.jsonl", "--output", "out", "--format", "spacy", "--engine", "ray"], "C018"),
        (["missing", "--output", "out", "--engine", "ray"], "D001"),
        (["in", "--output", "out", "--engine", "ray"], "C026"),
        (["in/texts.jsonl", "-o", "out", "--engine", "ray", "--block-size", "0"], "M001"),
        (["in/texts.jsonl", "-o", "out", "--engine", "ray", "--file-size", "nan"], "M001"),
        (["in/texts.jsonl", "-o", "out", "--engine", "ray", "--n-process", "2"], "C018"),
        (["in/texts.jsonl", "--output", "out.jsonl", "--block-size", "8"], "C027.*--block-size"),
        (["in/texts.jsonl", "--output", "out.jsonl", "--gpus", "1"], "C027.*--gpus"),
    ],
)
def test_what_it_does_not_take(model, texts, tmp_path, monkeypatch, arguments, code):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    status, printed = run(model, *arguments)
    assert status == 1 and is_one_error(printed) and re.search(code, printed), printed
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "name,kind",
    [
        ("s3://crawl/texts.jsonl?endpoint_override=127.0.0.1:9000", ".jsonl"),
        ("s3://crawl/tagged?endpoint_override=127.0.0.1:9000", ""),
        ("texts?.txt", ".txt"),
    ],
)
def test_kinds_of_uris(name, kind):
    assert kind_of_uri(name) == kind


def test_files_are_found_once_and_not_among_what_is_written(tmp_path, monkeypatch):
    for name in ("a.txt", "out/b.txt", f"out{CHECKPOINT}/c.txt"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    (tmp_path / "in" / "again.txt").symlink_to(tmp_path / "in" / "a.txt")
    monkeypatch.chdir(tmp_path)
    first, uri = find_inputs(["in", "s3://crawl/x.txt"], "in/out")
    assert Path(first).samefile(tmp_path / "in" / "a.txt") and Path(first).is_absolute()
    assert uri == "s3://crawl/x.txt"
    named = str(tmp_path / "in" / "out" / "b.txt")
    assert find_inputs(["in/out/b.txt"], "in/out") == [named]  # a file is what was asked for


def test_without_ray(model, texts, tmp_path, monkeypatch):
    """The room is imported only when it is asked for."""
    for name in [name for name in sys.modules if name.startswith("spacy_lstm_tagger.scale")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("spacy_lstm_tagger.scale", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.data", None)
    status, _ = run(model, texts["jsonl"], "--output", tmp_path / "out.jsonl")
    assert status == 0
    arguments = [model, texts["jsonl"], "--output", tmp_path / "out", "--engine", "ray"]
    status, printed = run(*arguments)
    assert status == 1 and is_one_error(printed) and "spacy-lstm-tagger[ray]" in printed
