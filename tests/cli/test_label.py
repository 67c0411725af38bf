"""The command as it is typed, from the entry point to a student that learned from its shards."""

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial

import pytest
import spacy
from spacy.cli._util import app
from spacy.tokens import DocBin
from typer.testing import CliRunner

from spacy_lstm_tagger.cli.label import SHOWN
from spacy_lstm_tagger.probabilities import TagProbabilities

from ..distil import TEXTS, stock_teacher
from ..processes import needs_proc, wait_until, workers_of
from ..util import CONFIGS, CORPUS, SMALL_SETTINGS, make_examples, overrides, small_model
from . import is_one_error, run_command

TAG_SET = ["ADJ", "ADV", "DET", "NN", "PRP", "V"]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("label")
    stock_teacher().to_disk(folder / "teacher")
    (folder / "texts.txt").write_text("\n".join(TEXTS) + "\n")
    (folder / "labels.json").write_text(json.dumps(TAG_SET))
    return folder


run = partial(run_command, "label")


def test_weights(work, tmp_path):
    teacher = work / "teacher"
    arguments = [teacher, teacher, "--texts", work / "texts.txt", "--output", tmp_path]
    code, printed = run(*arguments, "--weights", "2,1", "--other-tags")
    assert code == 0, printed
    assert json.loads((tmp_path / "manifest.json").read_text())["options"]["weights"] == [2.0, 1.0]
    code, printed = run(*arguments, "--weights", "2,1.5", "--other-tags")
    assert code == 1 and is_one_error(printed) and "D007" in printed
    for wrong in ("two,1", "2"):
        code, printed = run(*arguments, "--weights", wrong)
        assert code == 1 and is_one_error(printed) and "D019" in printed and "2 teacher" in printed


def test_label(work, tmp_path):
    arguments = [work / "teacher", "--texts", work / "texts.txt", "--output", tmp_path]
    code, printed = run(*arguments, "--student", work / "labels.json", "--top-k", 2)
    assert code == 0, printed
    assert "100%" in printed and "words/s" in printed and "left" in printed
    assert "made again" not in printed
    docs = list(
        DocBin().from_disk(tmp_path / "shard-00000.spacy").get_docs(spacy.blank("en").vocab)
    )
    assert [doc.text for doc in docs] == TEXTS
    assert all(TagProbabilities.from_doc(doc).tags.shape[1] == 2 for doc in docs)
    # The same command again has nothing to do, another one is an error.
    code, printed = run(*arguments, "--top-k", 2)
    assert code == 0 and "words/s" not in printed
    code, printed = run(*arguments, "--top-k", 3)
    assert code == 1 and "D007" in printed


@pytest.mark.parametrize("kind", ["labels", "treebank", "pipeline"])
def test_another_tag_set_is_an_error_before_work_begins(work, tmp_path, kind):
    student = tmp_path / "labels.json"
    student.write_text(json.dumps([*TAG_SET, "XYZ"]))
    if kind == "treebank":
        student = CORPUS / "en-dev.conllu"
    elif kind == "pipeline":
        student = tmp_path / "student"
        nlp = spacy.blank("en")
        nlp.add_pipe("tagger").add_label("XYZ")
        nlp.to_disk(student)
    arguments = ["--texts", work / "texts.txt", "--output", tmp_path / "silver"]
    code, printed = run(work / "teacher", *arguments, "--student", student)
    assert code == 1
    assert "D005" in printed and ("XYZ" in printed or kind == "treebank")
    assert str(student) in printed
    assert not (tmp_path / "silver").exists()


@pytest.mark.parametrize("texts,error", [("missing.txt", "D001"), ("bad.jsonl", "D002")])
def test_bad_texts(work, tmp_path, texts, error):
    (tmp_path / "bad.jsonl").write_text("{\n")
    code, printed = run(work / "teacher", "--texts", tmp_path / texts, "--output", tmp_path / "o")
    assert code == 1 and error in printed


@pytest.mark.parametrize(
    "line,place",
    [('{"text": "\\ud800"}', "line 9"), ("[" * 100_000, "line 9"), ('{"body": "a"}', "line 9")],
)
def test_the_corrected_file_is_accepted(work, tmp_path, line, place):
    texts, output = tmp_path / "texts.jsonl", tmp_path / "silver"
    good = [json.dumps({"text": text}) for text in TEXTS * 4]
    texts.write_text("\n".join([*good, line]))
    arguments = [work / "teacher", "--texts", texts, "--output", output]
    code, printed = run(*arguments)
    assert code == 1 and is_one_error(printed)
    assert f"{texts}, {place}" in printed and "--skip-bad" in printed
    assert not list(output.iterdir())
    texts.write_text("\n".join(good))
    code, printed = run(*arguments)
    assert code == 0, printed


def test_bad_texts_are_left_out(work, tmp_path):
    texts = tmp_path / "texts.txt"
    lines = [text.encode() for text in TEXTS] + [b"\xff"] * 12
    texts.write_bytes(b"\n".join(lines))
    arguments = [work / "teacher", "--texts", texts, "--output", tmp_path / "silver"]
    code, printed = run(*arguments, "--skip-bad", 11)
    assert code == 1 and is_one_error(printed) and "line 14" in printed
    code, printed = run(*arguments, "--skip-bad", 12)
    assert code == 0 and "Left out 12 text" in printed
    assert f"{texts}, line 3: " in printed and "all of them are in manifest.json" in printed
    assert "line 12: " in printed and "line 13: " not in printed and "1 shards" not in printed
    manifest = json.loads((tmp_path / "silver" / "manifest.json").read_text())
    assert len(manifest["bad_texts"]) == 12 and manifest["complete"]


def test_all_bad_texts_are_shown_where_they_are_few(work, tmp_path):
    texts = tmp_path / "texts.txt"
    texts.write_bytes(b"\n".join([*(text.encode() for text in TEXTS), *[b"\xff"] * SHOWN]))
    arguments = ["--texts", texts, "--output", tmp_path / "silver", "--skip-bad", SHOWN]
    code, printed = run(work / "teacher", *arguments, "--shard-size", 1)
    assert code == 0 and f"line {len(TEXTS) + SHOWN}: " in printed, printed
    assert "all of them" not in printed and f"{len(TEXTS)} shards" in printed


def test_a_student_has_the_tags_of_the_first_teacher(work, tmp_path):
    (tmp_path / "labels.json").write_text(json.dumps(["Ä", *TAG_SET]), encoding="utf-8")
    other = spacy.blank("en")
    other.add_pipe("tagger", config={"model": small_model()})
    other.initialize(lambda: make_examples(other, [("I slept", "PRP V")]))
    other.to_disk(tmp_path / "other")
    texts = ["--texts", work / "texts.txt", "--output", tmp_path / "silver", "--other-tags"]
    teachers = [work / "teacher", tmp_path / "other"]
    code, printed = run(*teachers, *texts, "--student", tmp_path / "labels.json")
    assert code == 1 and is_one_error(printed) and "D005" in printed and "Ä" in printed
    code, printed = run(*teachers, *texts, "--student", work / "labels.json")
    assert code == 0, printed


def test_workers_get_what_they_need(work, tmp_path, monkeypatch):
    asked = {}

    def label(job, teachers, folder, **options):
        asked.update(options)
        raise ValueError("[C000] enough")

    monkeypatch.setattr("spacy_lstm_tagger.cli.label.label", label)
    monkeypatch.setattr("spacy_lstm_tagger.cli.label.setup_gpu", lambda gpu_id: None)
    (tmp_path / "code.py").touch()
    options = {"n_process": 3, "gpu_id": 1, "code": tmp_path / "code.py"}
    given = overrides({name.replace("_", "-"): value for name, value in options.items()})
    arguments = ["--texts", work / "texts.txt", "--output", tmp_path / "silver", *given]
    code, printed = run(work / "teacher", *arguments)
    assert code == 1 and is_one_error(printed) and options.items() <= asked.items()


def test_options_are_those_of_the_work(work, tmp_path):
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps({"body": text}) + "\n" for text in TEXTS * 2))
    options = {"text_key": "body", "limit": 3, "top_k": 1, "max_words": 4, "shard_size": 9}
    given = overrides({name.replace("_", "-"): value for name, value in options.items()})
    arguments = [work / "teacher", "--texts", texts, "--output", tmp_path / "silver"]
    code, printed = run(*arguments, "--other-tags", *given)
    assert code == 0, printed
    manifest = json.loads((tmp_path / "silver" / "manifest.json").read_text())
    assert (options | {"other_tags": True}).items() <= manifest["options"].items()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--texts", "-"], "D001"),
        (["--gpus", 1], "C027.*--gpus"),
        (["--concurrency", 1], "C027.*--concurrency"),
        (["--engine", "ray", "--n-process", 2], "C018.*--n-process"),
        (["--engine", "ray", "--gpu-id", 0], "C018.*--gpu-id"),
        (["--student", CORPUS / "en-dev.conllu", "--tag", "upos"], "D005.*AUX"),
    ],
)
def test_options_that_are_not_taken(work, tmp_path, monkeypatch, options, error):
    monkeypatch.setattr("spacy_lstm_tagger.cli.label.setup_gpu", lambda gpu_id: None)
    texts = [] if "--texts" in options else ["--texts", work / "texts.txt"]
    code, printed = run(work / "teacher", *texts, "--output", tmp_path / "silver", *options)
    assert code == 1 and is_one_error(printed) and re.search(error, printed), printed
    assert not (tmp_path / "silver").exists()


def test_damaged_docs(work, tmp_path):
    (tmp_path / "texts.spacy").write_bytes(b"damaged")
    arguments = ["--texts", tmp_path / "texts.spacy", "--output", tmp_path / "silver"]
    code, printed = run(work / "teacher", *arguments)
    assert code == 1 and is_one_error(printed) and "texts.spacy" in printed and "D011" in printed


def test_a_lost_shard(work, tmp_path):
    arguments = [work / "teacher", "--texts", work / "texts.txt", "--output", tmp_path]
    assert run(*arguments)[0] == 0
    (tmp_path / "shard-00000.spacy").unlink()
    code, printed = run(*arguments)
    assert code == 0 and "made again" in printed and "shard-00000.spacy" in printed
    assert (tmp_path / "shard-00000.spacy").exists()


def test_a_manifest_of_something_else(work, tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "An app", "icons": []}')
    code, printed = run(work / "teacher", "--texts", work / "texts.txt", "--output", tmp_path)
    assert code == 1 and is_one_error(printed) and "D012" in printed


@pytest.mark.parametrize("content", ["[1, 2]", "{", "[" * 100_000, '{"a": 1}'])
def test_labels_that_are_none(work, tmp_path, content):
    student = tmp_path / "labels.json"
    student.write_text(content)
    arguments = ["--texts", work / "texts.txt", "--output", tmp_path / "silver"]
    code, printed = run(work / "teacher", *arguments, "--student", student)
    assert code == 1 and is_one_error(printed)
    assert "C002" in printed and str(student) in printed and not (tmp_path / "silver").exists()


@pytest.mark.parametrize(
    "error,code",
    [
        (ChildProcessError("[C001] ended"), "C001"),
        (MemoryError("3 GB"), "C003"),
        (RuntimeError("alloc_cpu.cpp: can't allocate memory: 8 bytes\nframe #0"), "C003"),
    ],
)
def test_a_lack_of_memory(work, tmp_path, monkeypatch, error, code):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr("spacy_lstm_tagger.cli.label.label", fail)
    status, printed = run(work / "teacher", "--texts", work / "texts.txt", "--output", tmp_path)
    assert status == 1 and is_one_error(printed) and code in printed


@needs_proc
def test_a_worker_that_is_killed(work, tmp_path):
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(TEXTS * 50_000))
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "label", work / "teacher"]
    options = ["--texts", texts, "--output", tmp_path / "s", "--n-process", "2"]
    command = [*command, *options, "--shard-size", "1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert wait_until(lambda: list(tmp_path.glob("s/*.spacy")))
            os.kill(workers_of(process.pid)[0], signal.SIGKILL)
            _, errors = process.communicate()
        finally:
            process.kill()
    assert process.returncode == 1
    assert is_one_error(errors.decode()) and "C001" in errors.decode()


def test_missing_teacher(work, tmp_path):
    code, printed = run("no_such_teacher", "--texts", work / "texts.txt", "--output", tmp_path)
    assert code == 1 and "no_such_teacher" in printed


def test_code_is_imported_first(work, tmp_path):
    (tmp_path / "code.py").write_text("raise RuntimeError('imported')")
    arguments = [work / "teacher", "--texts", work / "texts.txt", "--output", tmp_path / "o"]
    result = CliRunner().invoke(
        app, ["lstm-tagger", "label", *map(str, arguments), "--code", str(tmp_path / "code.py")]
    )
    assert result.exit_code and "imported" in str(result.exception) + result.output


@pytest.mark.parametrize("factory", ["lstm_tagger", "tagger"])
@pytest.mark.parametrize("max_epochs", [-1, 1])
def test_students_learn_from_silver_data_alone(
    spacy_command, short_training, small_corpus, tmp_path, factory, max_epochs
):
    """Whatever the component: the stock tagger learns from the tags."""
    config = CONFIGS / "distil.cfg"
    paths = {"paths.train": small_corpus, "paths.dev": small_corpus, "paths.silver": tmp_path / "s"}
    steps = {"training.max_steps": 3, "training.eval_frequency": 3}
    texts = tmp_path / "texts.jsonl"
    texts.write_text(json.dumps({"text": "I left the soup on the stove. It burned!"}) + "\n")
    teacher = short_training[0] / "model-last"
    code, printed = run(teacher, "--texts", texts, "--output", tmp_path / "s", "-s", small_corpus)
    assert code == 0, printed
    values = {**paths, **steps, **SMALL_SETTINGS, "training.max_epochs": max_epochs}
    student = tmp_path / "distil.cfg"
    student.write_text(config.read_text())
    if factory == "tagger":
        text = student.read_text().replace('factory = "lstm_tagger"', 'factory = "tagger"')
        text = re.sub(r"^(?:soft_|tag_set).*\n", "", text, flags=re.M)
        # What only ours is told.
        text = re.sub(r"^\[[\w.]+\.word_tags\]\n(?:.+\n)*", "", text, flags=re.M)
        student.write_text(text)
    spacy_command("train", student, "--output", tmp_path / "d", *overrides(values))
    nlp = spacy.load(tmp_path / "d" / "model-last")
    assert nlp.get_pipe_meta("lstm_tagger").factory == factory
    assert all(token.tag_ for token in nlp("I left the soup"))
