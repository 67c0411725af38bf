"""Actors with a GPU each, which is a pretended one."""

import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from spacy_lstm_tagger.scale.pipelines import count_actors

from ..cli import run_command
from ..cli.tagging import write_texts
from ..util import ROOT
from . import rows_of

pytestmark = pytest.mark.ray


def test_tag(cluster, model, tmp_path):
    """The same rows as on a CPU. Without a GPU, real or pretended, an actor would not start."""
    texts = write_texts(tmp_path / "in")["parquet"]
    code, printed = run_command("tag", model, texts, "--output", tmp_path / "one.parquet")
    assert code == 0, printed
    arguments = [model, texts, "--output", tmp_path / "out", "--engine", "ray", "--gpus", 1]
    command = [sys.executable, "-m", "tests.scale.pretend", cluster.address, "tag", *arguments]
    done = subprocess.run(
        list(map(str, command)), cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows_of(tmp_path / "out") == pq.read_table(tmp_path / "one.parquet").to_pylist()


def test_more_than_there_are(cluster):
    """An error, where it would wait for ever; a cluster that grows is waited for."""
    with pytest.raises(
        ValueError, match=r"C025.*--gpus 100.*the cluster has \d GPUs.*--concurrency"
    ):
        count_actors(0, 100)
    assert count_actors(2, 100) == 2
