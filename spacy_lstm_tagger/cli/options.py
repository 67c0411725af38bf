"""Options that several commands have."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from spacy.cli._util import Opt

from ..checks import check
from ..errors import Errors
from ..files.whole import check_place, is_stream
from ..readers.corpus import find_files

NProcess = Annotated[int, Opt("--n-process", "-n", min=1, help="Number of processes")]
GpuId = Annotated[int, Opt("--gpu-id", "-g", help="GPU, or -1 for the CPU")]
Code = Annotated[Path | None, Opt("--code", "-c", help="Python file to import first")]
Tag = Annotated[str, Opt("--tag", "-t", help="Where tags come from: xpos, upos or upos+feats")]
TextKey = Annotated[str, Opt("--text-key", "-k", help="Name of the text in JSONL and Parquet")]
SkipBad = Annotated[int, Opt(min=0, help="Texts to leave out if they cannot be read")]
Engine = Annotated[str | None, Opt(help="ray: work on a cluster of Ray")]
Address = Annotated[
    str | None, Opt(help="ray: the cluster, such as auto. None: one on this machine")
]
Concurrency = Annotated[
    int, Opt(min=0, help="ray: how many actors at most. 0: one for each CPU, or GPU")
]
Gpus = Annotated[float, Opt(min=0, help="ray: how many GPUs an actor has")]


def given_path(name: str, value: str) -> Path:
    """RETURNS (Path): A path that an option gives.
    RAISES (ValueError): If it is empty, as of a variable that is not set: that is this folder.
    """
    check(value != "", name, value, "a path, such as . for this folder")
    return Path(value)


def check_output(path: Path, *, read: Iterable[Path | None]) -> None:
    """Find out before the work begins whether a file can be written at its end.

    path (Path): The file.
    read (Iterable[Optional[Path]]): Corpora that the work reads: files or folders.
    RAISES (ValueError): If it is one of theirs, which would be lost.
    RAISES (OSError): If it cannot be written.
    """
    if path.is_file() and not is_stream(path):
        given = [each for each in read if each is not None and each.exists()]
        files = [file for each in given for file in find_files(each)[1]]
        if any(file.exists() and path.samefile(file) for file in files):
            raise ValueError(Errors.C009.format(path=path))
    check_place(path)
