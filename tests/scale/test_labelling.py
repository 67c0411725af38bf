"""`label --engine ray`: the same shards as on one machine."""

import shutil
import subprocess
import sys

import pytest
import ray

from spacy_lstm_tagger.scale import ship

from ..cli import is_one_error, run_command
from ..distil import stock_teacher

pytestmark = pytest.mark.ray


def run(*arguments):
    return run_command("label", *arguments, "--shard-size", 100)


def shards(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.spacy")}


def test_the_same_shards(cluster, model, tmp_path):
    """Nothing is made twice, and what is lost is made again."""
    texts, one, out = tmp_path / "in.txt", tmp_path / "one", tmp_path / "out"
    texts.write_text("The dog ate the apple . I slept .\n" * 30)
    assert run(model, "--texts", texts, "--output", one)[0] == 0
    arguments = [model, "--texts", texts, "--output", out, "--engine", "ray", "--concurrency", 2]
    code, printed = run(*arguments)
    assert code == 0, printed
    assert len(shards(out)) > 5 and shards(out) == shards(one)
    assert (out / "manifest.json").read_bytes() == (one / "manifest.json").read_bytes()
    lost = out / "shard-00003.spacy"
    lost.unlink()
    code, printed = run(*arguments)
    assert code == 0 and lost.name in printed and shards(out) == shards(one)
    texts.write_text("x\n" * 300)
    code, printed = run(*arguments)
    assert code == 1 and is_one_error(printed.splitlines()[-1]) and "D007" in printed


def test_teachers_that_the_driver_alone_sees(cluster, model, tmp_path, monkeypatch):
    """Each of them counts."""

    def ship_and_delete(path, **options):
        shipped = ship(path, **options)
        shutil.rmtree(path)
        return shipped

    texts, one, out = tmp_path / "in.txt", tmp_path / "one", tmp_path / "out"
    texts.write_text("The dog ate the apple . I slept .\n" * 9)
    teachers = [shutil.copytree(model, tmp_path / "first"), tmp_path / "second"]
    stock_teacher(seed=1, steps=3).to_disk(tmp_path / "second")
    arguments = [*teachers, "--texts", texts]
    assert run(*arguments, "--output", one)[0] == 0
    monkeypatch.setattr("spacy_lstm_tagger.scale.labelling.ship", ship_and_delete)
    options = ["--engine", "ray", "--concurrency", 1]
    code, printed = run(*arguments, "--output", out, *options)
    assert code == 0 and not any(path.exists() for path in teachers), printed
    assert shards(out) == shards(one)


@ray.remote(num_cpus=1)
class Other:
    def is_there(self):
        return True


def test_a_cluster_that_others_work_on(cluster, model, tmp_path):
    """An actor that there is no room for gets nothing to do."""
    other = Other.remote()
    assert ray.get(other.is_there.remote())
    (tmp_path / "in.txt").write_text("The dog ate the apple . I slept .\n" * 30)
    arguments = ["label", model, "--texts", tmp_path / "in.txt", "--output", tmp_path / "out"]
    options = ["--shard-size", 100, "--engine", "ray", "--address", cluster.address]
    command = [sys.executable, "-m", "spacy", "lstm-tagger", *arguments, *options]
    subprocess.run(list(map(str, command)), check=True, timeout=60)
    ray.kill(other)
    assert len(shards(tmp_path / "out")) > 5
