"""Work on a cluster whatever is killed: each row is there once."""

import subprocess
import sys

import pyarrow
import pyarrow.parquet as pq
import pytest
import spacy

from ..cli import is_one_error, run_command
from ..cli.tagging import TEXTS
from ..processes import wait_until
from . import SMALL, rows_of
from .conftest import NODE

pytestmark = pytest.mark.ray

SLOW = """
import time
from spacy.language import Language

def slow(doc):
    time.sleep(0.03)
    return doc

if not Language.has_factory("slow"):
    Language.component("slow", func=slow)
"""


@pytest.fixture
def slow(model, tmp_path):
    """A slow pipeline, many texts, and the command that tags them."""
    code = tmp_path / "slow.py"
    code.write_text(SLOW)
    spacy.util.import_file("slow", code)
    nlp = spacy.load(model)
    nlp.add_pipe("slow")
    nlp.to_disk(tmp_path / "slow")
    (tmp_path / "in").mkdir()
    rows = [{"id": i, "text": TEXTS[0]} for i in range(400)]
    pq.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "in" / "texts.parquet")
    arguments = ["tag", tmp_path / "slow", tmp_path / "in", "--output", tmp_path / "out"]
    return [*arguments, "--code", code, "--engine", "ray", *SMALL]


@pytest.fixture
def process(cluster, slow):
    """The command, as a process of its own that is at work."""
    command = [sys.executable, "-m", "spacy", "lstm-tagger", *slow, "--address", cluster.address]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()


def has_begun(tmp_path):
    """Whether some rows are written, and known to be."""

    def is_any():
        known = (tmp_path / "out.checkpoint").glob("*.parquet")
        return any(".pending" not in path.name for path in known)

    return wait_until(is_any)


def test_a_driver_that_is_killed(cluster, slow, process, tmp_path):
    assert has_begun(tmp_path)
    process.kill()
    process.wait()
    assert (tmp_path / "out.checkpoint").exists()
    code, printed = run_command(*slow, "--probabilities")  # that is other work
    assert code == 1 and is_one_error(printed) and "C016" in printed
    code, printed = run_command(*slow)
    assert code == 0, printed
    assert sorted(row["id"] for row in rows_of(tmp_path / "out")) == list(range(400))
    words = int(printed.split(" words")[0].split()[-1].replace(",", ""))
    assert words < 400 * len(TEXTS[0].split())  # it went on
    code, printed = run_command(*slow)
    assert code == 1 and is_one_error(printed) and "C015" in printed


def test_a_node_that_is_killed(cluster, process, tmp_path):
    assert has_begun(tmp_path)
    (victim,) = cluster.worker_nodes
    cluster.remove_node(victim, allow_graceful=False)
    printed, _ = process.communicate()
    cluster.add_node(**NODE)
    assert process.returncode == 0, printed
    rows = rows_of(tmp_path / "out")
    assert [row["id"] for row in rows] == list(range(400))
    assert all(row["tags"] for row in rows)
