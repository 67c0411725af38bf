"""Tests of the work on a cluster of Ray."""

import pytest

pytest.importorskip("ray", reason="ray is not installed: pip install 'spacy-lstm-tagger[ray]'")
pytest.importorskip("moto", reason="moto is not installed: pip install 'spacy-lstm-tagger[dev]'")

# So that there are some blocks and files of each.
SMALL = "--block-size 0.001 --file-size 0.001 --concurrency 2".split()


def rows_of(folder):
    """RETURNS (list): The rows of the Parquet files of a folder."""
    pq = pytest.importorskip("pyarrow.parquet")
    return [
        row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]
