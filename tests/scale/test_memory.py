"""However many texts there are, only some of them are in memory."""

import pyarrow
import pyarrow.parquet as pq
import pytest

from benchmarks.cluster import MEGABYTE, peak_memory

from ..cli import run_command
from ..cli.tagging import TEXTS

pytestmark = pytest.mark.ray

MANY = 100_000


def write_many(path, count):
    rows = {"id": range(count), "text": [f"{TEXTS[0]} {i}" for i in range(count)]}
    pq.write_table(pyarrow.table(rows), path, row_group_size=5000)
    return path


def test_many_texts(cluster, model, tmp_path):
    """A hundred thousand take no more memory than ten thousand do, each with a word that is new."""
    peaks = []
    for count in (MANY // 10, MANY):
        texts, out = write_many(tmp_path / f"{count}.parquet", count), tmp_path / f"out-{count}"
        options = ["--format", "parquet", "--engine", "ray", "--concurrency", 2]
        small = ["--block-size", 0.2, "--file-size", 1]
        with peak_memory(max) as peak:
            code, printed = run_command("tag", model, texts, "--output", out, *options, *small)
        assert code == 0, printed
        peaks.append(peak[0] / MEGABYTE)
        tables = (pq.read_table(path, columns=["id"]) for path in sorted(out.glob("*.parquet")))
        assert pyarrow.concat_tables(tables)["id"].to_pylist() == list(range(count))
    assert peaks[1] < peaks[0] + 60, peaks
