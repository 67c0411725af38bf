"""Pipelines on their way to the nodes of a cluster."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pyarrow
import ray
import spacy
import torch
from pyarrow import fs
from spacy.util import import_file

from ..errors import Errors
from ..files.reading import files_in


@dataclass(frozen=True)
class Shipped:
    """A pipeline as a worker gets it.

    source (str): The name of an installed pipeline, a path or a URI.
    files (Optional[ray.ObjectRef]): The files of its folder, which Ray moves once to each node.
        None: the worker finds them at `source`.
    code (Optional[str]): Python code with registered functions that it needs.
    """

    source: str
    files: "ray.ObjectRef | None" = None
    code: str | None = None


def ship(source: str | Path, *, code: str | Path | None = None) -> Shipped:
    """Make a pipeline of the driver ready for workers, who need not see its files.

    source (Union[str, Path]): The folder of a pipeline; or the name of one that is installed
        on all nodes, or a URI (`s3://…`) that they can read, which stay as they are.
    code (Optional[Union[str, Path]]): A Python file with registered functions that it needs,
        and that needs no other file.
    RETURNS (Shipped): What a worker takes for a pipeline.
    """
    script = None if code is None else Path(code).read_text(encoding="utf-8")
    source, folder = str(source), Path(source)
    if not folder.is_dir():
        return Shipped(source, code=script)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", strict_timestamps=False) as archive:
        for path in files_in(folder):
            archive.write(path, path.relative_to(folder))
    return Shipped(source, ray.put(packed.getvalue()), script)


@contextmanager
def unpacked(pipeline: Shipped | str | Path) -> Iterator[str]:
    """Give a pipeline a name that `spacy.load` takes.

    pipeline (Union[Shipped, str, Path]): The pipeline.
    YIELDS (str): The name of an installed pipeline, or a folder that goes when this ends.
    """
    if not isinstance(pipeline, Shipped):
        pipeline = Shipped(str(pipeline))
    with tempfile.TemporaryDirectory() as folder:
        if pipeline.code is not None:
            path = Path(folder) / "code.py"
            path.write_text(pipeline.code, encoding="utf-8")
            import_file("python_code", path)
        files = Path(folder) / (Path(pipeline.source).name or "pipeline")
        if pipeline.files is not None:
            with zipfile.ZipFile(BytesIO(ray.get(pipeline.files))) as archive:
                archive.extractall(files)
            yield str(files)
        elif "://" in pipeline.source:
            filesystem, path = fs.FileSystem.from_uri(pipeline.source)
            files.mkdir()
            fs.copy_files(path, str(files), source_filesystem=filesystem)
            yield str(files)
        else:
            yield pipeline.source


def prepare_worker() -> None:
    """Let this process compute on the GPU that Ray gave it, if any, and with one thread."""
    torch.set_num_threads(1)
    if ray.is_initialized() and ray.get_gpu_ids():
        spacy.require_gpu(0)  # the only one that it sees


def count_actors(concurrency: int, gpus: float) -> int:
    """RETURNS (int): How many actors work: as many as wanted, or as the cluster has room for.

    concurrency (int): How many are wanted. 0: all that have room.
    gpus (float): How many GPUs each of them has. 0: a CPU.
    RAISES (ValueError): If it has fewer, and nobody has said how many are wanted.
    """
    there = ray.cluster_resources()
    found = there.get("GPU", 0.0)
    if gpus > found and not concurrency:
        raise ValueError(Errors.C025.format(value=gpus, found=found))
    room = found / gpus if gpus else there.get("CPU", 1)
    return concurrency or max(1, int(room))


@contextmanager
def own_errors() -> Iterator[None]:
    """Raise what a worker has raised, rather than Ray's account of it.

    RAISES (ValueError): If the worker could not begin.
    RAISES (ChildProcessError): If it has died.
    """
    try:
        yield
    except ray.exceptions.RayTaskError as error:
        # The first line: Ray appends what it has to say about retries.
        message = str(error.cause).partition("\n")[0]
        # The second is in no public module of Ray.
        if isinstance(error.cause, pyarrow.ArrowTypeError) or (
            type(error.cause).__name__ == "ArrowConversionError"
        ):
            raise ValueError(Errors.D017.format(path="The output", error=message)) from None
        for kind in (ValueError, OSError, MemoryError):
            if isinstance(error.cause, kind):
                raise kind(message) from None
        raise
    except ray.exceptions.RayActorError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        if "creation task" in lines[0]:  # the worker's own error is the last line of the account
            raise ValueError(lines[-1]) from None
        raise ChildProcessError(Errors.C022.format(error=lines[0])) from error
