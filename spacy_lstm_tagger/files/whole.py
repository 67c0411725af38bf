"""Write files and folders beside their place, then rename them: nobody ever sees half of one."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Errors


def write_whole(path: Path, data: bytes) -> None:
    """Write a file.

    path (Path): The file. One that is there is replaced.
    data (bytes): What it has.
    """
    # Readers of folders pass over names like this one.
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def whole_folder(path: Path, *, known_by: str) -> Iterator[Path]:
    """Give a folder to write to, which takes its place when all is written.

    path (Path): The folder. One that is there is replaced.
    known_by (str): A file by which a folder that may be replaced is known.
    YIELDS (Path): Where to write.
    RAISES (ValueError): If something else is there.
    """
    path = path.absolute()
    if path.exists() and not (path / known_by).is_file() and not _is_empty_folder(path):
        raise ValueError(Errors.C002.format(path=path, known_by=known_by))
    temporary, old = (path.with_name(f".{path.name}.{name}") for name in ("tmp", "old"))
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        shutil.rmtree(old, ignore_errors=True)
        if path.exists():
            path.rename(old)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())
