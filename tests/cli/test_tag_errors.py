"""`lstm-tagger tag` where something is wrong: one error, and nothing lost or half-written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pyarrow.parquet
import pytest
import spacy

from spacy_lstm_tagger.cli.tag import plan_files
from spacy_lstm_tagger.files.texts import BadTexts, Reading
from spacy_lstm_tagger.tagging import FileTagger, _parts

from ..distil import stock_teacher
from ..processes import children, is_alive, needs_proc, on_posix, wait_until
from ..util import make_examples, merge_first, small_model
from . import is_one_error, run_command
from .tagging import CONLLU, read_jsonl, run, tag


@pytest.mark.parametrize(
    "name,content,where",
    [
        ("in.jsonl", '{"text": "a"}\n{"body": "b"}\n', "in.jsonl, line 2"),
        ("in.jsonl", '{"text": "a"}\n{"text": ["b", 3]}\n', "in.jsonl, line 2"),
        ("in.jsonl", '{"text": "a"}\n{"text": ["b", ""]}\n', "in.jsonl, line 2"),
        ("in.txt", b"one\ntwo\xff\n", "in.txt, line 2"),
        ("in.conllu", CONLLU + "1\tno columns\n\n", "in.conllu, line 15"),
        ("in.conllu", CONLLU.encode() + b"# \xff\n\n", "in.conllu, line 15"),
        ("in.conllu", CONLLU + "\u00a0\n\n", "in.conllu, line 15"),
        ("in.jsonl", '{"text": "a"}\n{"text": "' + "b " * 500_001 + '"}\n', "in.jsonl, line 2"),
    ],
)
def test_an_error_in_a_text_keeps_what_was_done(model, tmp_path, name, content, where):
    path, output = tmp_path / name, tmp_path / "out.jsonl"
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(data)
    code, printed = run(model, path, "--output", output)
    assert code == 1 and is_one_error(printed) and where in printed, printed
    kept = tmp_path / "out.incomplete.jsonl"
    assert str(kept) in printed and not output.exists()
    assert len(read_jsonl(kept)) == (2 if name.endswith("conllu") else 1)
    code, printed = run(model, path, "--output", output, "--skip-bad", 1)
    assert code == 0 and "Left out 1 text" in printed and where in printed
    assert read_jsonl(output) == read_jsonl(kept)


@pytest.mark.parametrize(
    "arguments,code",
    [
        (["missing.txt", "--output", "out.tsv"], "D001"),
        (["in/texts.txt", "--output", "out.txt"], "C007"),
        (["in/texts.txt", "--output", "out.tsv", "--format", "xml"], "M001"),
        (["in/texts.txt", "--output", "out.tsv", "--input-format", "xml"], "M001"),
        (["in/texts.txt", "--output", "out.tsv", "--tag", "pos"], "M001"),
        (["in/texts.jsonl", "--output", "in/texts.jsonl"], "C009"),
        (["in", "--output", "in/", "--format", "tsv"], "C008"),
        (["in", "--output", "out/"], "C026"),
        (["in/texts.parquet", "--output", "out.tsv", "--text-key", "body"], "D015"),
        (["in/texts.txt", "--output", "in/texts.txt/out.tsv"], ""),
    ],
)
def test_errors_before_work_begins(model, texts, tmp_path, monkeypatch, arguments, code):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    status, printed = run(model, *arguments)
    assert status == 1 and f"[{code}]" * bool(code) in printed and "✘" in printed
    assert "Traceback" not in printed and len(printed.strip().splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_names_that_are_there(model, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "I slept", "tags": ["sleep"]}\n')
    code, printed = run(model, path, "--output", tmp_path / "out.jsonl")
    assert code == 1 and is_one_error(printed) and "in.jsonl, line 1 has 'tags'" in printed
    tag(model, path, "--output", tmp_path / "out.jsonl", "--prefix", "pos_")
    (row,) = read_jsonl(tmp_path / "out.jsonl")
    assert row["tags"] == ["sleep"] and len(row["pos_tags"]) == 2


def test_rows_that_differ(model, tmp_path, monkeypatch):
    monkeypatch.setattr("spacy_lstm_tagger.tagging.DOCS", 1)
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a", "x": 1}\n{"text": "b", "x": "one"}\n')
    code, printed = run(model, path, "--output", tmp_path / "out.parquet")
    assert code == 1 and is_one_error(printed) and "D017" in printed
    assert pyarrow.parquet.read_table(tmp_path / "out.incomplete.parquet").num_rows == 1


def test_a_full_disk(model, texts, tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spacy_lstm_tagger.files.streams.os.fsync", fail)
    code, printed = run(model, texts["txt"], "--output", tmp_path / "out.tsv")
    assert code == 1 and "No space left on device" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("kind", ["tsv", "jsonl", "conllu"])
def test_a_disk_that_fills(model, texts, tmp_path, monkeypatch, kind):
    """The texts that were written whole are kept; half of one is not."""
    assert run(model, texts["txt"], "--output", tmp_path / f"all.{kind}")[0] == 0
    monkeypatch.setattr("spacy_lstm_tagger.tagging.DOCS", 1)
    written = []

    def write(self, data):
        if len(written) == 2:
            self.stream.write(data[:5])
            raise OSError(28, "No space left on device")
        written.append(data)
        self.stream.write(data)

    monkeypatch.setattr("spacy_lstm_tagger.files.outputs.Writer.write", write)
    code, printed = run(model, texts["txt"], "--output", tmp_path / f"out.{kind}")
    assert code == 1 and is_one_error(printed) and "No space left on device" in printed
    kept = tmp_path / f"out.incomplete.{kind}"
    assert kept.read_bytes() == b"".join(written)
    assert (tmp_path / f"all.{kind}").read_bytes().startswith(kept.read_bytes())
    assert kept.name in printed and not (tmp_path / f"out.{kind}").exists()


@needs_proc
def test_killed_work_leaves_nothing(model, tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("I slept .\n" * 500_000)
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "tag", model, path]
    process = subprocess.Popen([*command, "--output", tmp_path / "out.tsv", "--n-process", "2"])
    try:
        temporary = tmp_path / ".out.tsv.tmp"
        assert wait_until(lambda: temporary.exists() and temporary.stat().st_size)
        workers = children(process.pid)
    finally:
        process.kill()
        process.wait()
    assert not (tmp_path / "out.tsv").exists()
    assert wait_until(lambda: not any(map(is_alive, workers)))


ROWS = {
    "types": '{"text": "a", "x": "one"}\n{"text": "b", "x": 5}\n',
    "lists": '{"text": "a", "x": "one"}\n{"text": "b", "x": [5]}\n',
    "large": '{"text": "a", "x": 12345678901234567890123}\n',
    "surrogate": '{"text": "a", "x": "\\ud800"}\n',
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_rows_that_no_table_takes(model, tmp_path, rows):
    path = tmp_path / "in.jsonl"
    path.write_text(rows)
    code, printed = run(model, path, "--output", tmp_path / "out.parquet")
    assert (
        code == 1 and is_one_error(printed) and "D017" in printed and "in.jsonl, line 1" in printed
    )
    tag(model, path, "--output", tmp_path / "out.jsonl")


@pytest.mark.parametrize("names,output", [("text text", "out.jsonl"), ("text x x", "out.parquet")])
def test_two_columns_of_a_name(model, tmp_path, names, output):
    columns = names.split()
    table = pyarrow.table([["a"]] * len(columns), names=columns)
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    code, printed = run(model, tmp_path / "in.parquet", "--output", tmp_path / output)
    assert code == 1 and is_one_error(printed) and f"2 columns are named '{columns[-1]}'" in printed


def test_comments_by_the_names_of_what_is_added(model, tmp_path):
    (tmp_path / "in.conllu").write_text(f"# tags = mine\n{CONLLU}")
    code, printed = run(model, tmp_path / "in.conllu", "--output", tmp_path / "out.jsonl")
    assert code == 1 and is_one_error(printed) and "D016" in printed
    options = ("--prefix", 'my"', "--output", tmp_path / "out.jsonl")
    tag(model, tmp_path / "in.conllu", *options)
    row, _ = read_jsonl(tmp_path / "out.jsonl")
    assert row["tags"] == "mine" and len(row['my"tags']) == 5


@pytest.mark.parametrize("command", ["tag", "report", "evaluate", "label"])
def test_without_a_gpu(model, texts, tmp_path, command):
    arguments = {
        "tag": [texts["txt"], "--output", "-"],
        "label": ["--texts", texts["txt"], "--output", tmp_path / "silver"],
    }.get(command, [tmp_path])
    code, printed = run_command(command, model, *arguments, "--gpu-id", 0)
    assert code == 1 and "✘ Cannot use GPU" in printed and "Traceback" not in printed


@pytest.mark.parametrize("command", ["tag", "report", "evaluate"])
def test_code_is_imported_before_the_pipeline(tmp_path, command):
    path = tmp_path / "code.py"
    path.write_text("from pathlib import Path\n\nPath(__file__).with_suffix('.done').touch()\n")
    output = ["--output", tmp_path / "out"] if command == "tag" else []
    code, _ = run_command(command, tmp_path / "none", tmp_path / "none", *output, "--code", path)
    assert code == 1 and path.with_suffix(".done").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_are_read_and_written(model, texts, tmp_path):
    """They stay what they are."""
    tag(model, texts["txt"], "--output", tmp_path / "out.jsonl")
    source, sink, read = tmp_path / "source", tmp_path / "sink.jsonl", []
    for path in (source, sink):
        os.mkfifo(path)
    threads = [
        Thread(target=source.write_bytes, args=[texts["txt"].read_bytes()]),
        Thread(target=lambda: read.append(sink.read_bytes())),
    ]
    for thread in threads:
        thread.start()
    tag(model, source, "--output", sink)
    for thread in threads:
        thread.join()
    assert read == [(tmp_path / "out.jsonl").read_bytes()]
    assert sink.is_fifo() and source.is_fifo()


def test_two_names_of_one_file(model, texts, tmp_path):
    """As `a` and `A` are on a Mac; here by a hard link."""
    output = tmp_path / "IN.jsonl"
    try:
        os.link(texts["jsonl"], output)
    except OSError:
        pytest.skip("this system makes no links")
    before = output.read_bytes()
    code, printed = run(model, texts["jsonl"], "--output", output)
    assert code == 1 and "C009" in printed and output.read_bytes() == before


def test_a_folder_as_windows_writes_it(texts, monkeypatch):
    monkeypatch.setattr(os, "sep", "\\")
    kind, files = plan_files([texts["jsonl"]], "out\\", None, Reading())
    assert kind == ".jsonl" and files == [(Path("out\\") / "texts.jsonl", [texts["jsonl"]])]


@on_posix
def test_a_link_is_followed(model, texts, tmp_path):
    for name in ("there.jsonl", "new.jsonl"):
        target, link = tmp_path / name, tmp_path / f"link-{name}"
        link.symlink_to(target)
        if name == "there.jsonl":
            target.write_text("old")
        tag(model, texts["txt"], "--output", link)
        assert link.is_symlink() and len(read_jsonl(target)) == 4
    (tmp_path / "bad.txt").write_bytes(b"one\n\xff\n")
    code, printed = run(model, tmp_path / "bad.txt", "--output", link)
    assert code == 1 and str(tmp_path / "new.incomplete.jsonl") in printed  # beside the target


def test_an_interrupt_tells_what_is_kept(model, tmp_path, monkeypatch):
    monkeypatch.setattr("spacy_lstm_tagger.tagging.DOCS", 1)
    (tmp_path / "in.txt").write_text("one\ntwo\n")
    apply, done = FileTagger.apply, []

    def interrupted(self, texts, encode):
        if done:
            raise KeyboardInterrupt
        done.append(texts)
        return apply(self, texts, encode)

    monkeypatch.setattr(FileTagger, "apply", interrupted)
    code, printed = run(model, tmp_path / "in.txt", "--output", tmp_path / "out.jsonl")
    assert code == 130 and str(tmp_path / "out.incomplete.jsonl") in printed


def test_its_own_outputs_are_no_inputs(model, tmp_path, monkeypatch):
    """Neither what was broken off before, nor those of an earlier run in a folder of the inputs."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"text": "I slept"}\n{"text": 5}\n')
    code, _ = run(model, folder, "--output", folder / "out.tsv")
    assert code == 1 and (folder / "out.incomplete.tsv").exists()
    (folder / "a.jsonl").write_text('{"text": "I slept"}\n')
    # Nor is what another command has left.
    (folder / "b.incomplete.jsonl").write_text('{"text": "He slept"}\n')
    (folder / "c.incomplete").write_text("He slept")
    (folder / "d.incomplete.gz").write_text("He slept")
    tag(model, folder, "--output", folder / "out.tsv")
    assert (folder / "out.tsv").read_text().count("slept") == 1
    tag(model, folder / "b.incomplete.jsonl", "--output", tmp_path / "named.jsonl")
    for name in ("b.incomplete.jsonl", "c.incomplete", "d.incomplete.gz"):
        (folder / name).unlink()
    (folder / "out.tsv").unlink()
    (folder / "out.incomplete.tsv").unlink()
    monkeypatch.chdir(folder)
    for _ in range(2):
        tag(model, ".", "--output", "tagged/")
    assert [path.name for path in (folder / "tagged").rglob("*")] == ["a.jsonl"]


@on_posix
def test_who_may_read_a_file_stays(model, texts, tmp_path):
    output = tmp_path / "out.jsonl"
    output.touch()
    output.chmod(0o600)
    tag(model, texts["txt"], "--output", output)
    assert output.stat().st_mode & 0o777 == 0o600


def test_features_are_no_tags_of_the_column_upos(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model(), "tag_set": "upos+feats"})
    nlp.initialize(lambda: make_examples(nlp, [("It ran", "PRON|Case=Nom VERB")]))
    nlp.to_disk(tmp_path / "model")
    (tmp_path / "in.txt").write_text("It ran")
    arguments = [tmp_path / "model", tmp_path / "in.txt", "--output", tmp_path / "out.conllu"]
    code, printed = run(*arguments, "--tag", "upos")
    assert code == 1 and is_one_error(printed) and "Give --tag upos+feats." in printed


@pytest.mark.parametrize("kind", ["conllu", "jsonl", "parquet"])
def test_a_pipeline_that_changes_tokens(tmp_path, texts, kind):
    """Of words that came with a file each has its tag. Those of a text are the pipeline's own."""
    nlp = stock_teacher(factory="lstm_tagger")
    nlp.add_pipe(merge_first.__name__)
    nlp.to_disk(tmp_path / "model")
    out = tmp_path / f"out.{kind}"
    (tmp_path / "in.conllu").write_text(CONLLU)
    code, printed = run(tmp_path / "model", tmp_path / "in.conllu", "--output", out)
    assert code == 1 and is_one_error(printed) and "C029" in printed and "line 1" in printed
    assert not out.exists()
    tag(tmp_path / "model", texts["txt"], "--output", out)


@pytest.mark.parametrize("name,data", [("meta.json", b"{"), ("vocab/vectors", b"")])
def test_a_damaged_pipeline_is_named(model, tmp_path, name, data):
    shutil.copytree(model, tmp_path / "mine")
    (tmp_path / "mine" / name).write_bytes(data)
    (tmp_path / "in.txt").write_text("The dog ate")
    code, printed = run(tmp_path / "mine", tmp_path / "in.txt", "--output", tmp_path / "out.tsv")
    assert code == 1 and is_one_error(printed)
    assert "C030" in printed and f"{tmp_path / 'mine'} cannot be loaded" in printed


def test_a_tokenizer_that_refuses_a_text(model, tmp_path, monkeypatch):
    """As that of Japanese does with one of more than 49,149 bytes, by an error of its own kind."""

    class RefusedError(Exception):
        pass

    def refuse(nlp, text):
        raise RefusedError("Input is too long")

    monkeypatch.setattr(spacy.language.Language, "make_doc", refuse)
    path = tmp_path / "in.txt"
    path.write_text("A dog slept .\n")
    code, printed = run(model, path, "--output", tmp_path / "out.tsv")
    assert code == 1 and is_one_error(printed)
    assert "D027" in printed and "in.txt, line 1" in printed and "too long" in printed


def test_what_was_left_incomplete_is_no_place_for_what_is_left(model, tmp_path):
    path = tmp_path / "a.incomplete.jsonl"
    path.write_text('{"text": "I slept"}\n{"text": 5}\n{"text": "She slept"}\n')
    before = path.read_bytes()
    for is_there in (False, True):
        if is_there:
            (tmp_path / "a.jsonl").touch()
        code, printed = run(model, path, "--output", tmp_path / "a.jsonl")
        assert code == 1 and "C009" in printed and path.read_bytes() == before
    tag(model, path, "--output", tmp_path / "b.jsonl", "--skip-bad", "1")


def test_parts_without_texts(tmp_path):
    """There is none but where an output has no text: it would count as work of a process."""
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text("" if name == "b" else "I slept\n")
    files = [(tmp_path / f"{name}.tsv", [tmp_path / f"{name}.txt"]) for name in "abc"]
    parts = _parts(files, Reading(), BadTexts(), 1000)
    assert [(part.output, len(part.texts)) for part in parts] == [(0, 1), (1, 0), (2, 1)]
