"""`lstm-tagger tag` and what may happen to files: devices, folders in a circle, full disks, ends."""

import gc
import json
import os
import signal
import subprocess
import sys
import time

import pyarrow.parquet
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_lstm_tagger.files.streams import open_source
from spacy_lstm_tagger.pipeline import LSTMTagger
from spacy_lstm_tagger.readers import Corpus
from spacy_lstm_tagger.tagging import FileTagger

from ..forks import run_python
from ..processes import needs_proc, on_posix, wait_until
from ..util import CORPUS
from . import is_one_error
from .tagging import read_jsonl, read_tsv, run, tag

COMMAND = [sys.executable, "-m", "spacy", "lstm-tagger", "tag"]


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="there is no /dev/stdout")
def test_standard_output_by_its_other_name(model, tmp_path):
    """What the shell has written to the same file stays."""
    (tmp_path / "in.txt").write_text("I slept\n")
    command = ["-m", "spacy", "lstm-tagger", "tag", model, tmp_path / "in.txt"]
    command += ["--output", "/dev/stdout", "--format", "tsv"]
    log = tmp_path / "log"
    with log.open("wb") as file:
        file.write(b"before\n")
        file.flush()
        assert run_python(command, stdout=file.fileno()) == 0
        file.write(b"after\n")
    lines = log.read_text().splitlines()
    assert lines[0] == "before" and lines[-1] == "after"
    assert [line.split("\t")[0] for line in lines[1:3]] == ["I", "slept"]


def test_a_live_line_on_a_terminal_alone(model, texts, tmp_path):
    pty = pytest.importorskip("pty")
    command = ["-m", "spacy", "lstm-tagger", "tag", model, texts["txt"]]
    command += ["--output", tmp_path / "out.tsv"]
    reading, writing = pty.openpty()
    status = run_python(command, stderr=writing)
    os.close(writing)
    shown = os.read(reading, 10_000).decode()
    assert status == 0 and "words/s" in shown and "left" in shown
    assert shown.endswith(" \r") and "\x1b" not in shown  # which notebooks do not know
    with (tmp_path / "errors").open("w") as file:
        assert run_python(command, stderr=file.fileno()) == 0
    assert (tmp_path / "errors").read_text() == ""


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="there is no /dev/null")
@pytest.mark.parametrize("kind", ["tsv", "spacy"])
def test_nothing_is_kept(model, texts, kind):
    tag(model, texts["txt"], "--output", "/dev/null", "--format", kind)


@needs_proc
@pytest.mark.parametrize(("n_process", "name"), [(1, "SIGHUP"), (2, "SIGTERM")])
def test_a_process_that_is_told_to_end_keeps_what_was_done(model, tmp_path, n_process, name):
    """Also one that is told once more meanwhile."""
    number = getattr(signal, name)
    path = tmp_path / "in.txt"
    path.write_text("I slept .\n" * 500_000)
    command = [*COMMAND, model, path, "--output", tmp_path / "out.jsonl"]
    process = subprocess.Popen(
        [*command, "--n-process", str(n_process)], stderr=subprocess.PIPE, text=True
    )
    try:
        temporary = tmp_path / ".out.jsonl.tmp"
        # Some parts: what is being written when the signal comes is not kept.
        assert wait_until(lambda: temporary.exists() and temporary.stat().st_size > 1_000_000)
        for _ in range(2):
            process.send_signal(number)
            time.sleep(0.005)
        _, printed = process.communicate(timeout=300)
    finally:
        process.kill()
    kept = tmp_path / "out.incomplete.jsonl"
    assert process.returncode == 128 + number
    assert f"It was interrupted. What was tagged before that is in {kept}" in printed
    assert 0 < len(read_jsonl(kept)) < 500_000 and not (tmp_path / "out.jsonl").exists()


def test_a_file_that_is_cut_while_it_is_read(tmp_path):
    path = tmp_path / "in.txt"
    path.write_bytes(b"line\n" * 100_000)
    with pytest.raises(OSError, match=r"D024.*in\.txt"), open_source(path) as source:
        source.stream.readline()
        os.truncate(path, 10)
        list(source.stream)


def test_docs_are_tagged_so_many_at_a_time(model, texts, tmp_path, monkeypatch):
    sizes, predict = [], LSTMTagger.predict
    monkeypatch.setattr(
        LSTMTagger, "predict", lambda pipe, docs: sizes.append(len(docs)) or predict(pipe, docs)
    )
    tag(model, texts["txt"], "--output", tmp_path / "out.tsv", "--batch-size", 3)
    assert sizes == [3, 1]


def test_folders_in_a_circle_are_read_once(model, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("I slept\n")
    try:
        (tmp_path / "in" / "again").symlink_to(tmp_path / "in", target_is_directory=True)
        (tmp_path / "in" / "up").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    tag(model, tmp_path / "in", "--output", tmp_path / "out.tsv")
    assert len(read_tsv(tmp_path / "out.tsv")) == 3
    (tmp_path / "in" / "a.txt").rename(tmp_path / "in" / "a.conllu")
    (tmp_path / "in" / "a.conllu").write_bytes((CORPUS / "tutorial.conllu").read_bytes())
    assert len(list(Corpus(tmp_path / "in")(spacy.blank("en")))) == 2


def test_a_hidden_folder_that_is_named(model, tmp_path):
    (tmp_path / ".in" / ".deeper").mkdir(parents=True)
    for name in ("a.txt", ".b.txt", ".deeper/c.txt"):
        (tmp_path / ".in" / name).write_text("I slept\n")
    tag(model, tmp_path / ".in", "--output", tmp_path / "out.tsv")
    assert len(read_tsv(tmp_path / "out.tsv")) == 3


def test_a_full_disk_is_told_with_the_name_of_the_file(model, tmp_path):
    """Here a limit on the size of files, behind the first part of what is written."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "in.txt"
    path.write_text("I slept .\n" * 10_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, before[1]))
    try:
        status, printed = run(model, path, "--output", tmp_path / "out.jsonl")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert status == 1 and str(tmp_path / "out.jsonl") in printed, printed
    assert "'. What was tagged before" in printed
    assert len(read_jsonl(tmp_path / "out.incomplete.jsonl")) == 5000


def test_fields_that_later_rows_lack(model, tmp_path):
    """A table has null there, also where it is written in several parts."""
    rows = [{"text": "I slept", "note": "x"}, *({"text": "I slept"} for _ in range(6000))]
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    tag(model, tmp_path / "in.jsonl", "--output", tmp_path / "out.parquet")
    notes = pyarrow.parquet.read_table(tmp_path / "out.parquet")["note"].to_pylist()
    assert notes == ["x", *[None] * 6000]


def test_empty_lines_and_texts_that_are_null(model, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"body": "I slept", "id": 1}\n\n{"body": null, "id": 2}\n')
    tag(model, tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl", "--text-key", "body")
    rows = read_jsonl(tmp_path / "out.jsonl")
    assert [row["body"] for row in rows] == ["I slept", "", None]
    assert [row["tokens"] for row in rows] == [["I", "slept"], [], []]


@Language.component("keeps_a_set")
def keeps_a_set(doc: Doc) -> Doc:
    doc.user_data["seen"] = {1, 2}
    return doc


def test_what_a_docbin_cannot_have(model, tmp_path):
    nlp = spacy.load(model)
    nlp.add_pipe("keeps_a_set")
    nlp.to_disk(tmp_path / "model")
    (tmp_path / "in.txt").write_text("I slept\n")
    code, printed = run(tmp_path / "model", tmp_path / "in.txt", "--output", tmp_path / "a.spacy")
    assert code == 1 and is_one_error(printed) and "D025" in printed and ".jsonl" in printed
    tag(tmp_path / "model", tmp_path / "in.txt", "--output", tmp_path / "a.jsonl")


def test_the_garbage_collector_spares_the_pipeline_while_it_tags(
    model, texts, tmp_path, monkeypatch
):
    apply, frozen = FileTagger.apply, []

    def counted(*args):
        frozen.append(gc.get_freeze_count())
        return apply(*args)

    monkeypatch.setattr(FileTagger, "apply", counted)
    tag(model, texts["txt"], "--output", tmp_path / "out.tsv")
    assert min(frozen) > 0 and gc.get_freeze_count() == 0


def test_a_folder_of_what_is_written_alone(model, tmp_path):
    output = tmp_path / "in" / "out"
    output.mkdir(parents=True)
    (output / "a.tsv").write_text("The\tDET\n")
    code, printed = run(model, tmp_path / "in", "--output", output)
    assert code == 1 and is_one_error(printed) and "D001" in printed


@on_posix
def test_two_names_of_one_output(model, tmp_path):
    """As on a Mac, where a.tsv and A.tsv are one file."""
    for name in ("x", "y"):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "a.txt").write_text(f"{name} left\n")
    (tmp_path / "out" / "x").mkdir(parents=True)
    (tmp_path / "out" / "y").symlink_to("x")
    status, printed = run(model, tmp_path / "in", "--output", tmp_path / "out")
    assert status == 1 and "C008" in printed and is_one_error(printed)
    assert (tmp_path / "out" / "x" / "a.tsv").read_text().startswith("x\t")
