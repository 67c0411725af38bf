"""Texts, pipeline and tags in an object store, which no node has as a folder."""

import boto3
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from ..cli import run_command
from ..cli.tagging import write_texts
from . import SMALL

pytestmark = pytest.mark.ray


@pytest.fixture
def bucket(cluster, store):
    """RETURNS (S3FileSystem): The store, with an empty bucket `crawl`."""
    boto3.client("s3").create_bucket(Bucket="crawl")
    yield fs.FileSystem.from_uri("s3://crawl")[0]
    store.reset()


@pytest.mark.parametrize("as_query", [False, True], ids=["by environment", "by query"])
def test_tag(bucket, store, model, tmp_path, as_query):
    """The same rows as from file to file."""
    query = f"?endpoint_override={store.address}&scheme=http" if as_query else ""
    texts = write_texts(tmp_path / "in")["parquet"]
    fs.copy_files(str(texts), "crawl/in/texts.parquet", destination_filesystem=bucket)
    fs.copy_files(str(model), "crawl/model", destination_filesystem=bucket)
    code, printed = run_command("tag", model, texts, "--output", tmp_path / "one.parquet", "-p")
    assert code == 0, printed
    model, texts, tagged = (f"s3://crawl/{name}{query}" for name in ("model", "in", "out"))
    options = ["-p", "--format", "parquet", "--engine", "ray", *SMALL]
    code, printed = run_command("tag", model, texts, "--output", tagged, *options)
    assert code == 0, printed
    rows = pq.read_table("crawl/out", filesystem=bucket).to_pylist()
    assert rows == pq.read_table(tmp_path / "one.parquet").to_pylist()
    found = bucket.get_file_info(fs.FileSelector("crawl", recursive=True))
    assert not [each.path for each in found if "checkpoint" in each.path]
