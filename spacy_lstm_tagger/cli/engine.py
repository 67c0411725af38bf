"""What `--engine ray` does in the commands that have it."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..distil.labelling import Job as LabelJob
from ..distil.labelling import Shard, Task
from ..errors import Errors
from ..files.formats import ENCODERS, LINES
from ..files.reading import find_texts
from ..files.streams import STANDARD, kind_of
from ..files.texts import Reading
from ..tagging import Job
from .messages import fail

ENGINES = ("ray",)


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Connect to a cluster of Ray, or start one on this machine, unless it is done already.

    address (Optional[str]): The cluster, as `ray.init` takes it.
    """
    try:
        from .. import scale  # noqa: F401
    except ImportError as error:
        fail(str(error))
    import ray

    # What is wrong with the input is our own error. Ray's long account of it is in its log files.
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    if ray.is_initialized():
        yield
        return
    ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    try:
        yield
    finally:
        ray.shutdown()


def tag_with_ray(
    job: Job,
    inputs: list[str],
    output: str,
    reading: Reading,
    *,
    skip_bad: int,
    address: str | None,
    concurrency: int,
    gpus: float,
    block_size: float,
    file_size: float,
) -> tuple[int, float, list[str]]:
    """Tag files on a cluster. The arguments are those of the command.

    RETURNS (tuple): The number of words, words a second, and the texts that were left out.
    RAISES (ValueError): If this engine does not take what is asked.
    """
    kinds = {reading.kind or kind_of_uri(each) for each in find_inputs(inputs)}
    (only,) = kinds if len(kinds) == 1 else [None]
    kind = job.kind or (only if only in (*LINES, ".parquet") else ".tsv")
    is_file = kind_of_uri(output) in ENCODERS
    for wrong, remedy in [
        (".spacy" if ".spacy" in {*kinds, kind} else "", "Take another format, such as .parquet"),
        (str(STANDARD) if str(STANDARD) in {*inputs, output} else "", "Give files and folders"),
        (output if is_file else "", "Give a folder as --output, and --format"),
    ]:
        if wrong:
            raise ValueError(Errors.C018.format(value=wrong, remedy=remedy))
    with connected(address):
        from ..scale.tagging import Cluster, tag_on_ray

        cluster = Cluster(concurrency, gpus, block_size, file_size)
        start = time.monotonic()
        job = replace(job, kind=kind)
        counts, bad = tag_on_ray(job, inputs, output, reading, skip_bad=skip_bad, cluster=cluster)
    return counts.words, counts.words / (time.monotonic() - start), bad


def kind_of_uri(name: str) -> str:
    """RETURNS (str): The suffix of a path or a URI, which may have a query."""
    return kind_of(Path(name.partition("?")[0] if "://" in name else name))


def find_inputs(inputs: list[str]) -> list[str]:
    """RETURNS (list[str]): Local files, also those in folders, and URIs as they are.
    RAISES (FileNotFoundError): If there is no file.
    """
    found = []
    for each in inputs:
        found += [each] if "://" in each else [str(path) for path in find_texts(Path(each))]
    return found


@contextmanager
def labelling_with_ray(
    job: LabelJob, address: str | None, **options: Any
) -> Iterator[Callable[[Iterator[Task]], Iterator[Shard]]]:
    """Connect to a cluster.

    job (LabelJob): How texts are labelled.
    address (Optional[str]): The cluster.
    options (Any): Those of `label_on_ray`.
    YIELDS (Callable[[Iterator[Task]], Iterator[Shard]]): What labels the texts of shards on it.
    """
    with connected(address):
        from ..scale.labelling import label_on_ray

        yield partial(label_on_ray, job=job, **options)
