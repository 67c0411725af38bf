"""Work that is killed, and disks that are full: nothing is lost, nothing is half there."""

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import spacy

from ..cli import is_one_error
from ..distil import stock_teacher
from ..util import CONFIGS, CORPUS, SMALL_SETTINGS, overrides

resource = pytest.importorskip("resource")  # which Windows lacks

COMMANDS = ("label", "tag", "calibrate")
LINES = ["The dog ate the apple. I slept.", "Everybody read that book."] * 300
NAMES = {"label": "shards", "tag": "tagged.jsonl", "calibrate": "pipeline"}


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A teacher, texts for some shards, and a corpus."""
    folder = tmp_path_factory.mktemp("work")
    stock_teacher(factory="lstm_tagger").to_disk(folder / "model")
    (folder / "texts.jsonl").write_text(
        "".join(f"{json.dumps({'text': line})}\n" for line in LINES)
    )
    tagged = "1\tI\tI\t_\tPRP\t_\t_\t_\t_\t_\n2\tslept\tsleep\t_\tV\t_\t_\t_\t_\t_\n\n"
    (folder / "dev.conllu").write_text(tagged * 200)
    return folder


def command(name, work, output):
    """RETURNS (list): The command line, with an output in a folder."""
    path = output / NAMES[name]
    arguments = {
        "label": ["--texts", work / "texts.jsonl", "--output", path, "--shard-size", 2000],
        "tag": [work / "texts.jsonl", "--output", path],
        "calibrate": [work / "dev.conllu", "--output", path],
    }
    line = [sys.executable, "-m", "spacy", "lstm-tagger", name, work / "model", *arguments[name]]
    return [str(each) for each in line]


def contents(folder):
    """RETURNS (dict): What is in the files of a folder, those at work left out."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    found = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    return {name: data for name, data in found.items() if ".tmp" not in name}


def finish(line, **options):
    return subprocess.run(line, capture_output=True, text=True, **options)


@pytest.fixture(scope="module")
def whole(work, tmp_path_factory):
    """RETURNS (dict): For each command, what it writes and how long it takes."""
    found = {}
    for name in COMMANDS:
        output = tmp_path_factory.mktemp(name)
        start = time.monotonic()
        result = finish(command(name, work, output))
        assert result.returncode == 0, result.stderr
        found[name] = contents(output), time.monotonic() - start
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_killed(campaign, work, whole, tmp_path, name):
    """At any moment; the same command then brings all of it."""
    expected, duration = whole[name]
    random = campaign.random(f"kill {name}")
    for _ in range(campaign.times(10)):
        moment = random.uniform(0.3, 1.0) * duration
        process = subprocess.Popen(
            command(name, work, tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        for path, data in contents(tmp_path).items():
            if not path.endswith("manifest.json"):  # which grows
                assert data == expected[path], f"{path}, killed after {moment:.2f} s"
        result = finish(command(name, work, tmp_path))
        assert result.returncode == 0, result.stderr
        assert contents(tmp_path) == expected, f"killed after {moment:.2f} s"
        shutil.rmtree(tmp_path / NAMES[name], ignore_errors=True)
        (tmp_path / NAMES[name]).unlink(missing_ok=True)


def limit(size):
    """Let no file grow beyond this, as if the disk were full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk(campaign, work, whole, tmp_path, name):
    """One error; what is there under its name is whole."""
    expected, _ = whole[name]
    largest = max(map(len, expected.values()))
    random = campaign.random(f"full {name}")
    for _ in range(campaign.times(10)):
        size = random.randrange(largest)
        output = tmp_path / str(size)
        output.mkdir(exist_ok=True)
        line = command(name, work, output)
        result = finish(line, preexec_fn=functools.partial(limit, size))
        assert result.returncode == 1, f"{size} bytes: {result.stderr}"
        assert is_one_error(result.stderr) or "✘" in result.stdout + result.stderr, result.stderr
        assert "Traceback" not in result.stderr, f"{size} bytes: {result.stderr}"
        for path, data in contents(output).items():
            if not path.endswith("manifest.json") and ".incomplete" not in path:
                assert data == expected[path], f"{path}, {size} bytes"
        assert finish(line).returncode == 0  # there is room again
        assert {**contents(output), **expected} == contents(output)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("kind", ["a file in its place", "read-only"])
def test_a_place_that_cannot_be_written(work, tmp_path, name, kind):
    if kind == "read-only":
        tmp_path.chmod(0o500)
        if os.access(tmp_path, os.W_OK):
            pytest.skip("root writes everywhere")
        output = tmp_path
    else:
        output = tmp_path / "file"
        output.touch()
    result = finish(command(name, work, output))
    assert result.returncode == 1
    assert "✘" in result.stdout + result.stderr and "Traceback" not in result.stderr
    assert kind == "read-only" or output.read_bytes() == b""


def test_training_that_is_killed(campaign, tmp_path):
    """A pipeline that was saved before loads or is refused; it never tags with half of its weights."""
    paths = {"paths.train": CORPUS / "en-dev.conllu", "paths.dev": CORPUS / "en-dev.conllu"}
    steps = {"training.max_steps": 200, "training.eval_frequency": 2}
    line = [sys.executable, "-m", "spacy", "train", CONFIGS / "cpu.cfg", "--output", tmp_path]
    line = [str(each) for each in [*line, *overrides({**paths, **steps, **SMALL_SETTINGS})]]
    random = campaign.random("train")
    for _ in range(campaign.times(10)):
        shutil.rmtree(tmp_path / "model-best", ignore_errors=True)
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not (tmp_path / "model-best" / "lstm_tagger" / "checksum").exists():
                assert process.poll() is None
                time.sleep(0.01)
            time.sleep(random.uniform(0, 2))
        finally:
            process.kill()
            process.wait()
        try:
            nlp = spacy.load(tmp_path / "model-best")
        except (ValueError, OSError):  # refused
            continue
        assert all(token.tag_ for token in nlp("I left the soup on the stove."))
