"""What `--engine ray` does in the commands that have it."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import typer

from ..checks import check, check_choice, is_number
from ..distil.labelling import LabelJob, Shard, Task
from ..errors import Errors
from ..files.formats import ENCODERS, kind_for
from ..files.reading import find_texts
from ..files.streams import STANDARD, kind_of
from ..files.texts import Reading
from ..tagging import CHECKPOINT, Cluster, Job

ENGINES = ("ray",)
OF_RAY = ("address", "concurrency", "gpus", "block_size", "file_size")
OF_OTHERS = ("n_process", "gpu_id")
MOST = 1_000_000  # megabytes


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Connect to a cluster of Ray, or start one on this machine, unless it is done already.

    address (Optional[str]): The cluster, as `ray.init` takes it.
    """
    from ..scale import ray  # which tells what to install, if it is missing

    # What is wrong with the input is our own error. Ray's long account of it is in its log files.
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    if ray.is_initialized():
        yield
        return
    try:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    except (RuntimeError, ConnectionError) as error:  # another version of Ray, or no answer
        raise ConnectionError(Errors.C031.format(error=" ".join(str(error).split()))) from error
    try:
        yield
    finally:
        ray.shutdown()


def check_engine(engine: str | None, context: typer.Context) -> None:
    """Check whether the options that were given are those of what works.

    engine (Optional[str]): The engine. None: this machine.
    context (typer.Context): Tells which options were given.
    RAISES (ValueError): If there is no such engine, or it does not take an option.
    """
    if engine is not None:
        check_choice("--engine", engine, ENGINES)
    for name in OF_RAY if engine is None else OF_OTHERS:
        source = context.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE":
            continue
        option = f"--{name.replace('_', '-')}"
        if engine is None:
            raise ValueError(Errors.C027.format(name=option))
        raise ValueError(Errors.C018.format(value=option, remedy="Leave it out"))


def tag_with_ray(
    job: Job,
    inputs: list[str],
    output: str,
    reading: Reading,
    *,
    skip_bad: int,
    address: str | None,
    cluster: Cluster,
) -> tuple[int, float, list[str]]:
    """Tag files on a cluster. The arguments are those of the command.

    RETURNS (tuple): The number of words, words a second, and the texts that were left out.
    RAISES (ValueError): If this engine does not take what is asked.
    """
    files = find_inputs(inputs, output)
    kinds = {reading.kind or kind_of_uri(each) for each in files}
    kind = job.kind or kind_for(kinds)
    # What a folder of a store has is not known before.
    folders = [each for each in files if "://" in each and not kind_of_uri(each)]
    is_unknown = bool(folders) and not (reading.kind or job.kind)
    for is_wrong, value, remedy in [
        (is_unknown, f"{', '.join(folders)} without --format", "Say how the tags are written"),
        (".spacy" in {*kinds, kind}, ".spacy", "Read and write other formats, such as .parquet"),
        (str(STANDARD) in {*inputs, output}, STANDARD, "Give files and folders"),
        (kind_of_uri(output) in ENCODERS, output, "Give a folder as --output, and --format"),
    ]:
        if is_wrong:
            raise ValueError(Errors.C018.format(value=value, remedy=remedy))
    block, file = cluster.block_size, cluster.file_size
    check(is_number(block, 0.001, MOST), "--block-size", block, f"from 0.001 to {MOST}")
    check(is_number(file, 0.0, MOST), "--file-size", file, f"from 0 to {MOST}")
    output = output if "://" in output else str(Path(output).absolute())
    with connected(address):
        from ..scale.tagging import tag_on_ray

        start = time.monotonic()
        counts, bad = tag_on_ray(
            replace(job, kind=kind),
            inputs,
            output,
            reading,
            files=files,
            skip_bad=skip_bad,
            cluster=cluster,
        )
    return counts.words, counts.words / (time.monotonic() - start), bad


def kind_of_uri(name: str) -> str:
    """RETURNS (str): The suffix of a path or a URI, which may have a query."""
    return kind_of(Path(name.partition("?")[0] if "://" in name else name))


def find_inputs(inputs: list[str], output: str) -> list[str]:
    """RETURNS (list[str]): Local files, also those in folders, and URIs as they are: each once, as
    a text is known by its file, and without those that are written.

    inputs (list[str]): Files and folders.
    output (str): The folder that is written, or its URI.
    RAISES (FileNotFoundError): If there is no file.
    """
    found: dict[str, str] = {}
    folder = Path(output).resolve()
    ours = {folder, folder.with_name(folder.name + CHECKPOINT)}
    for each in inputs:
        if "://" in each:
            found[each] = each
            continue
        for path in find_texts(Path(each)):
            place = path.resolve()
            if path == Path(each) or ours.isdisjoint(place.parents):
                found[str(place)] = str(path.absolute())  # the nodes may be elsewhere
    if not found:
        raise FileNotFoundError(Errors.D001.format(path=inputs[0]))
    return list(found.values())


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
