"""`--engine ray` where it cannot start. What it does is tested on a cluster, in `tests/scale`."""

import re
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from spacy_lstm_tagger.cli import engine
from spacy_lstm_tagger.cli.engine import connected, find_inputs, kind_of_uri, labelling_with_ray
from spacy_lstm_tagger.distil.labelling import LabelJob, Shard
from spacy_lstm_tagger.tagging import CHECKPOINT

from ..distil import TEXTS
from ..processes import on_posix
from . import is_one_error, run_command
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
        (["in/texts.jsonl", "--output", "out.jsonl", "--file-size", "1"], "C027.*--file-size"),
        (["in/texts.jsonl", "--output", "out.jsonl", "--address", "auto"], "C027.*--address"),
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


@on_posix
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
    with pytest.raises(FileNotFoundError, match="D001"):
        find_inputs(["in/out"], "in")


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


@pytest.fixture
def calls(monkeypatch):
    """What is asked of Ray, without a cluster."""
    ray, found = pytest.importorskip("ray"), []
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda address, **_: found.append(address))
    monkeypatch.setattr(ray, "shutdown", lambda: found.append("shutdown"))
    return found


def test_a_connection_ends_with_the_work_whatever_happens(calls):
    with pytest.raises(KeyError), connected("10.0.0.1:6379"):
        raise KeyError
    assert calls == ["10.0.0.1:6379", "shutdown"]
    with labelling_with_ray(LabelJob(("teacher",), Path("texts.txt")), "auto"):
        assert calls[2:] == ["auto"]
    assert calls[3:] == ["shutdown"]


def test_a_connection_that_is_there_stays(calls, monkeypatch):
    monkeypatch.setattr("ray.is_initialized", lambda: True)
    with connected("10.0.0.1:6379"):
        pass
    assert not calls


def test_what_a_cluster_is_asked_to_tag(model, texts, tmp_path, monkeypatch):
    pytest.importorskip("ray")
    from spacy_lstm_tagger.scale.files import Counts
    from spacy_lstm_tagger.scale.tagging import Cluster

    asked = {}

    def tag(job, inputs, output, reading, **options):
        asked.update(options, kind=job.kind, inputs=inputs, output=output)
        return Counts(words=3), []

    monkeypatch.setattr("spacy_lstm_tagger.scale.tagging.tag_on_ray", tag)
    monkeypatch.setattr(engine, "connected", lambda address: nullcontext())
    monkeypatch.chdir(tmp_path)
    Path("texts.dat").write_bytes(texts["jsonl"].read_bytes())
    sizes = ["--concurrency", 3, "--gpus", 0.5, "--block-size", 0.5, "--file-size", 0]
    options = ["--input-format", "jsonl", "--skip-bad", 4, "--engine", "ray", *sizes]
    status, printed = run(model, "texts.dat", "--output", "out", *options)
    assert status == 0 and "3 words" in printed, printed
    assert asked == {
        "inputs": ["texts.dat"],
        "files": [str(tmp_path / "texts.dat")],
        "output": str(tmp_path / "out"),
        "kind": ".jsonl",
        "skip_bad": 4,
        "cluster": Cluster(concurrency=3, gpus=0.5, block_size=0.5, file_size=0.0),
    }
    Path("docs.spacy").touch()
    status, printed = run(model, "docs.spacy", "-o", "out", "--format", "jsonl", "--engine", "ray")
    assert status == 1 and is_one_error(printed) and "C018" in printed and ".spacy" in printed
    status, printed = run(model, "s3://crawl/texts", "-o", "out", "--engine", "ray")
    assert status == 1 and is_one_error(printed) and "s3://crawl/texts without --format" in printed
    for known in (
        ["s3://crawl/texts", "--format", "jsonl"],
        ["s3://crawl/texts", "--input-format", "jsonl"],
        ["s3://crawl/texts.jsonl"],
    ):
        asked.clear()
        status, printed = run(model, *known, "--output", "out", "--engine", "ray")
        assert status == 0 and asked["kind"] == ".jsonl", printed


def test_what_a_cluster_is_asked_to_label(model, tmp_path, monkeypatch):
    pytest.importorskip("ray")
    asked = {}

    def label(tasks, job, **options):
        asked.update(options)
        return (Shard.of(task, job.load()) for task in tasks)

    monkeypatch.setattr("spacy_lstm_tagger.scale.labelling.label_on_ray", label)
    monkeypatch.setattr(engine, "connected", lambda address: nullcontext())
    code = tmp_path / "code.py"
    code.touch()
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS))
    arguments = ["--texts", tmp_path / "texts.txt", "--output", tmp_path / "silver", "--code", code]
    options = ["--engine", "ray", "--concurrency", 3, "--gpus", 0.5]
    status, printed = run_command("label", model, *arguments, *options)
    assert status == 0, printed
    assert asked == {"concurrency": 3, "gpus": 0.5, "code": code}


def test_ray_is_not_installed(model, texts, tmp_path, monkeypatch):
    for name in [each for each in sys.modules if each.startswith("spacy_lstm_tagger.scale")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("ray", "ray.data"):
        monkeypatch.setitem(sys.modules, name, None)
    status, printed = run(model, texts["jsonl"], "--output", tmp_path / "out", "--engine", "ray")
    assert status == 1 and is_one_error(printed) and "C013] " in printed


@pytest.mark.parametrize("error", [RuntimeError, ConnectionError])
def test_a_cluster_that_cannot_be_joined(model, texts, tmp_path, calls, monkeypatch, error):
    def init(address, **_):
        raise error("Version mismatch:\n    Ray: 2.60.0")

    monkeypatch.setattr("ray.init", init)
    arguments = [model, texts["jsonl"], "--output", tmp_path / "out", "--engine", "ray"]
    status, printed = run(*arguments)
    assert status == 1 and is_one_error(printed) and "C031] " in printed
