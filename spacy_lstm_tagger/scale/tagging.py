"""Tag files into files on a cluster: `lstm-tagger tag --engine ray`."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import pyarrow
import ray
from pyarrow import fs
from ray.data import ActorPoolStrategy, DataContext
from ray.data.checkpoint import CheckpointConfig

from ..errors import Errors
from ..files.formats import LINES, encode, to_table
from ..files.texts import Reading
from ..taggers import digest_of
from ..tagging import CHARACTERS, CHECKPOINT, Cluster, FileTagger, Job
from .batches import load_tagger
from .files import BAD, DATA, LENGTH, Counts, FolderLock, TaggedFiles, TextFiles
from .pipelines import Shipped, count_actors, own_errors, ship, unpacked
from .texts import ERROR, PLACE, join, table_to_texts

OPTIONS = "_options.json"
MEGABYTE = 1 << 20
PART = 4 * MEGABYTE  # an actor tags so much at a time
MOST_READERS = 10_000  # so many tasks read at most
# Of a CPU: where there is an actor for each of them, what feeds it has room beside it.
ACTOR_CPUS, FILES_CPUS = 0.9, 0.1
GPU_DOCS = 1000  # Ray Data wants to be told how many rows a GPU gets at a time


class TagTexts:
    """Tags rows of texts and encodes them to be written. One actor has one.

    pipeline (Shipped): The pipeline.
    job (Job): How it tags.
    """

    def __init__(self, pipeline: Shipped, job: Job):
        self.tagger = load_tagger(pipeline, job)

    def __call__(self, table: pyarrow.Table) -> Iterator[pyarrow.Table]:
        """YIELDS (pyarrow.Table): The rows, tagged, some at a time: however large the blocks are,
        only so many docs are in memory. Those that cannot be read stay.
        """
        rows = max(1, PART * len(table) // max(1, table.nbytes))
        for start in range(0, len(table), rows):
            yield self._tag(table[start : start + rows])

    def _tag(self, table: pyarrow.Table) -> pyarrow.Table:
        bad = table.filter(table[ERROR].is_valid()).select([PLACE, ERROR])
        texts = table_to_texts(table)
        if not texts:
            return bad.append_column(LENGTH, pyarrow.nulls(len(bad), pyarrow.int64()))
        kind = self.tagger.job.kind
        if kind == ".parquet":
            rows, lengths = self.tagger.apply(texts, to_table)
        else:
            lines, lengths = self.tagger.apply(texts, LINES[kind])
            rows = pyarrow.table({DATA: pyarrow.array(map(encode, lines), pyarrow.large_binary())})
        rows = rows.append_column(PLACE, pyarrow.array([text.place for text in texts]))
        rows = rows.append_column(LENGTH, pyarrow.array(lengths, pyarrow.int64()))
        rows = rows.append_column(ERROR, pyarrow.nulls(len(rows), pyarrow.string()))
        return join([rows, bad])


def tag_on_ray(
    job: Job,
    inputs: list[str],
    output: str,
    reading: Reading,
    *,
    files: list[str] | None = None,
    skip_bad: int = 0,
    cluster: Cluster,
) -> tuple[Counts, list[str]]:
    """Tag files. Work that was interrupted goes on where it stopped.

    job (Job): How. Its pipeline is a name, a URI, or a folder that only the driver has to see. Its
        code was imported by the driver already.
    inputs (list[str]): Files or folders, or URIs of them. Work that has begun is known by them.
    output (str): The folder for the files that are written, or its URI.
    reading (Reading): How the inputs are read.
    files (Optional[list[str]]): What of the inputs is read. None: all.
    skip_bad (int): How many texts that cannot be read are left out.
    cluster (Cluster): What the cluster does with the work.
    RETURNS (tuple): What this run has written, and all texts that were left out: where, and why.
    RAISES (ValueError): If the pipeline cannot tag, there is other work in the folder, or too many
        texts cannot be read.
    """
    pipeline = ship(job.pipeline, code=job.code)
    # An error now, and with the name that the user knows.
    with unpacked(replace(pipeline, code=None)) as path:
        tagger = FileTagger(replace(job, pipeline=path if "://" in job.pipeline else job.pipeline))
    options = {
        "pipeline": digest_of(tagger.nlp),
        "inputs": inputs,
        "format": job.kind,
        "probabilities": job.probabilities,
        **asdict(job.style),
        **asdict(reading),
    }
    folder = OutputFolder(output)
    sink = TaggedFiles(output, job.kind, size=int(cluster.file_size * MEGABYTE))
    with folder.alone(), DataContext.current(_context(cluster, folder.checkpoint)):
        folder.claim(options)
        texts = TextFiles(
            inputs if files is None else files,
            reading,
            allowed=skip_bad,
            longest=tagger.nlp.max_length,
            size=min(CHARACTERS, int(cluster.block_size * MEGABYTE)),
        )
        _tag_texts(texts, (pipeline, replace(job, code=None)), sink, cluster)
    bad = folder.bad_texts()
    if len(bad) > skip_bad:
        raise ValueError(
            Errors.C017.format(
                count=len(bad), allowed=skip_bad, folder=f"{output}/{BAD}", first=bad[0]
            )
        )
    return sink.counts, bad


def _tag_texts(
    texts: TextFiles, tagger: tuple[Shipped, Job], sink: TaggedFiles, cluster: Cluster
) -> None:
    """Let Ray Data read texts, have actors tag them, and write what they make.

    texts (TextFiles): The texts.
    tagger (tuple[Shipped, Job]): What `TagTexts` is made of.
    sink (TaggedFiles): Where they are written.
    cluster (Cluster): What the cluster does with the work.
    """
    # As many as there are files: Ray Data would cut up the blocks of fewer.
    count = len(texts.get_read_tasks(MOST_READERS))
    # A pool that grows: one that takes all CPUs at once would leave none for the reading of
    # checkpoints. Files are read and written by as many processes at most.
    most = count_actors(cluster.concurrency, cluster.gpus)
    with own_errors(), warnings.catch_warnings():
        # If files are fewer than processes, Ray Data advises whoever programs it.
        warnings.filterwarnings("ignore", "The maximum number of concurrent tasks")
        ray.data.read_datasource(
            texts, num_cpus=FILES_CPUS, override_num_blocks=count, concurrency=most
        ).map_batches(
            TagTexts,
            fn_constructor_args=tagger,
            batch_format="pyarrow",
            batch_size=GPU_DOCS if cluster.gpus else None,
            compute=ActorPoolStrategy(min_size=1, max_size=most),
            num_cpus=ACTOR_CPUS,
            num_gpus=cluster.gpus or None,
        ).write_datasink(sink, ray_remote_args={"num_cpus": FILES_CPUS}, concurrency=most)


class OutputFolder:
    """The folder that a cluster writes to, and the checkpoints beside it.

    path (str): The folder, or its URI.
    """

    def __init__(self, path: str):
        self.name = path
        uri = path if "://" in path else Path(path).resolve().as_uri()
        place, mark, query = uri.partition("?")
        self.checkpoint = place.rstrip("/") + CHECKPOINT + mark + query
        self.filesystem, path = fs.FileSystem.from_uri(uri)
        self.path = path.rstrip("/")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other drivers of the cluster from it. If this one dies, Ray ends the actor.

        RAISES (BlockingIOError): If somebody else is at work there.
        """
        try:
            lock = cast(Any, FolderLock).options(name=self.checkpoint, namespace=__name__).remote()
        except ValueError:
            raise BlockingIOError(Errors.C028.format(path=self.name)) from None
        try:
            yield
        finally:
            ray.kill(lock)

    def claim(self, options: dict[str, Any]) -> None:
        """Note how the files in it are made.

        RAISES (ValueError): If there are some that are not from interrupted work of the same kind.
        """
        options = json.loads(json.dumps(options))
        files = self._files(self.path)
        path, checkpoint = f"{self.path}/{OPTIONS}", self.path + CHECKPOINT
        has_begun = bool(self._files(checkpoint))
        if has_begun and not files:  # the folder was deleted, and what is beside it was not
            self.filesystem.delete_dir_contents(checkpoint)
            has_begun = False
        if files in ([], [path]) and not has_begun:
            self.filesystem.create_dir(self.path, recursive=True)
            with self.filesystem.open_output_stream(path) as file:
                file.write(json.dumps(options, indent=1).encode("utf-8"))
            return
        if not has_begun:
            raise ValueError(Errors.C015.format(folder=self.name))
        with self.filesystem.open_input_stream(path) as file:
            before = json.loads(file.read())
        for name, value in options.items():
            if before.get(name) != value:
                found = {"folder": self.name, "name": name, "old": before.get(name), "new": value}
                raise ValueError(Errors.C016.format(**found))

    def bad_texts(self) -> list[str]:
        """RETURNS (list[str]): The texts that were left out: where they are, and why."""
        found = []
        for path in self._files(f"{self.path}/{BAD}"):
            with self.filesystem.open_input_stream(path) as file:
                lines = file.read().decode("utf-8").splitlines()
            found += [json.loads(line)["error"] for line in lines]
        return found

    def _files(self, path: str) -> list[str]:
        selector = fs.FileSelector(path, recursive=True, allow_not_found=True)
        found = self.filesystem.get_file_info(selector)
        return sorted(each.path for each in found if each.type == fs.FileType.File)


def _context(cluster: Cluster, checkpoint: str) -> DataContext:
    context = DataContext.get_current().copy()
    context.execution_options.preserve_order = True
    context.target_max_block_size = int(cluster.block_size * MEGABYTE)
    context.checkpoint_config = CheckpointConfig(PLACE, checkpoint)
    return context
