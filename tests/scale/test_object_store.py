"""Texts, pipeline and tags in an object store, which no node has as a folder."""

import boto3
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from ..cli import run_command
from ..cli.tagging import write_texts
from . import SMALL

pytestmark = pytest.mark.ray


def test_tag(cluster, store, model, tmp_path):
    """The same rows as from file to file. The store is named in the URIs."""
    boto3.client("s3", endpoint_url=f"http://{store}").create_bucket(Bucket="crawl")
    query = f"?endpoint_override={store}&scheme=http"
    bucket, _ = fs.FileSystem.from_uri(f"s3://crawl{query}")
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
