"""Write files and folders beside their place, then rename them: nobody ever sees half of one."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

from ..errors import Errors

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be replaced
    fcntl = None  # type: ignore[assignment]

STANDARD_STREAMS = ("/dev/stdin", "/dev/stdout", "/dev/stderr")
DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/([0-9]+)")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file.

    path (Path): The file. One that is there is replaced, a folder that is not there is made.
    data (bytes): What it has.
    RAISES (OSError): If it cannot be written; the error names it.
    """
    if is_stream(path):
        with open_stream(path) as stream:
            stream.write(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path = path.resolve()
    temporary = unfinished(path)
    with alone(temporary, path) as descriptor:
        try:
            with open_claimed(temporary, descriptor) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            put_in_place(temporary, path)
        except BaseException as error:
            temporary.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise named(error, path) from None
            raise


@contextmanager
def alone(place: Path, path: Path, *, is_folder: bool = False) -> Iterator[int | None]:
    """Keep others from writing at a place, but on Windows and where a file system has no locks. It
    is free again when the process ends, however it ends.

    place (Path): The file or folder, which is made if it is not there.
    path (Path): What the error names.
    is_folder (bool): Whether it is a folder.
    YIELDS (Optional[int]): What is locked, see `open_claimed`.
    RAISES (BlockingIOError): If somebody is writing there.
    """
    descriptor = None
    while descriptor is None:
        if is_folder:
            try:
                place.mkdir(parents=True, exist_ok=True)
            except FileExistsError:
                if place.exists():  # it is a file; otherwise it was deleted just now
                    raise
                continue
        if fcntl is None:
            yield None
            return
        descriptor = _claim(place, path, os.O_RDONLY if is_folder else os.O_RDWR | os.O_CREAT)
    try:
        yield descriptor
    finally:
        with suppress(OSError):  # a process that was forked meanwhile has it too
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def open_claimed(temporary: Path, descriptor: int | None, *, size: int = 0) -> IO[bytes]:
    """Open a file for writing, through what is locked: there are file systems where nothing else
    may write.

    temporary (Path): The file.
    descriptor (Optional[int]): What `alone` gave for it.
    size (int): How many of its bytes stay.
    RETURNS (IO[bytes]): The file.
    """
    mode = "rb+" if size else "wb"
    file = temporary.open(mode) if descriptor is None else os.fdopen(os.dup(descriptor), mode)
    file.truncate(size)
    return file


def _claim(place: Path, path: Path, flags: int) -> int | None:
    """RETURNS (Optional[int]): A locked descriptor. None: another file is there meanwhile, or none,
    as whoever had it has given it its name.
    """
    try:
        descriptor = os.open(place, flags, 0o666)
    except OSError as error:
        raise named(error, path) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BlockingIOError(Errors.C028.format(path=path)) from None
    except OSError:  # a file system without locks
        return descriptor
    try:
        if os.path.samestat(os.fstat(descriptor), place.stat()):
            return descriptor
    except FileNotFoundError:
        pass
    os.close(descriptor)
    return None


def named(error: OSError, path: Path) -> OSError:
    """RETURNS (OSError): An error that says which file could not be written."""
    if error.errno is None:
        return error
    return type(error)(error.errno, error.strerror, error.filename2 or error.filename or str(path))


def unfinished(path: Path) -> Path:
    """RETURNS (Path): Where a file is written until it is whole: whoever writes it claims this
    name, and readers of folders pass over it.
    """
    return path.with_name(f".{path.name}.tmp")


def put_in_place(temporary: Path, path: Path) -> None:
    """Give a file its name. It keeps the mode of a file that it replaces."""
    # Where all files of a file system have one mode, nobody may set it.
    if path.exists() and path.stat().st_mode != temporary.stat().st_mode:
        shutil.copymode(path, temporary)
    temporary.replace(path)


def identity(path: Path) -> tuple[int, int]:
    """RETURNS (tuple[int, int]): What the names of a file share: on a Mac, `a` and `A` are one."""
    found = path.stat()
    return found.st_dev, found.st_ino


def is_within(path: Path, folder: Path) -> bool:
    """RETURNS (bool): Whether something is in a folder, at any depth, by whatever name of it."""
    return folder.exists() and identity(folder) in map(identity, path.resolve().parents)


def is_stream(path: Path) -> bool:
    """RETURNS (bool): Whether this is a pipe, a device or what is open already: it is written to,
    not replaced.
    """
    if _descriptor(path) is not None:
        return True
    return path.exists() and not path.is_file() and not path.is_dir()


def open_stream(path: Path) -> IO[bytes]:
    """RETURNS (IO[bytes]): A stream to write to. Where it is a file that is open already, such as
    standard output, what is in it stays.
    """
    descriptor = _descriptor(path)
    return path.open("wb") if descriptor is None else os.fdopen(os.dup(descriptor), "wb")


def _descriptor(path: Path) -> int | None:
    """RETURNS (Optional[int]): The number of an open file that has such a name."""
    name = str(path)
    if name in STANDARD_STREAMS:
        return STANDARD_STREAMS.index(name)
    match = DESCRIPTOR.fullmatch(name)
    return int(match[1]) if match else None


def check_place(path: Path) -> None:
    """Find out before the work begins whether a file can be written at its end.

    path (Path): The file. Its folder is made if it is not there.
    RAISES (OSError): If it cannot.
    """
    if is_stream(path):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    try:
        check_folder(path.resolve().parent)
    except OSError as error:  # which names the temporary file
        raise type(error)(error.errno, error.strerror, str(path)) from error
    if fcntl is None and path.exists():
        # Windows replaces no file that is read-only, or open elsewhere.
        path.open("rb+").close()


def check_folder(folder: Path) -> None:
    """Find out whether a file can be made in a folder. Where it cannot, `tempfile` would try two
    billion names on Windows, where each of them might be that of a folder.

    RAISES (OSError): If it cannot.
    """
    place = folder / f".{uuid4().hex}.tmp"
    place.touch(exist_ok=False)
    place.unlink()


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a folder to write to, whose files take their places when all of them are written.

    path (Path): Where they go. What else is there stays.
    YIELDS (Path): Where to write.
    RAISES (NotADirectoryError): If a file is there.
    RAISES (OSError): If something cannot be written; the error names it, or the folder.
    """
    path = path.resolve()
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    # Inside a folder that is there: it may be a file system of its own, as a container's volume is.
    place = path if path.is_dir() else path.parent
    temporary, old = (place / f".{path.name}.{name}" for name in ("tmp", "old"))
    with alone(temporary, path, is_folder=True):
        _put_back(temporary, old, path)  # after a run that was killed
        for entry in temporary.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        try:
            yield temporary
            if not path.exists():
                temporary.rename(path)
                return
            old.mkdir()
            for entry in temporary.iterdir():
                place = path / entry.name
                if place.exists():
                    place.rename(old / entry.name)
                entry.rename(place)
        except BaseException as error:
            _put_back(temporary, old, path)
            shutil.rmtree(temporary, ignore_errors=True)
            if isinstance(error, OSError):
                raise named(error, path) from None
            raise
        shutil.rmtree(old, ignore_errors=True)
        temporary.rmdir()


def _put_back(temporary: Path, old: Path, path: Path) -> None:
    """Put back what was there, unless all that was written has taken its place."""
    if temporary.exists() and any(temporary.iterdir()) and old.exists():
        for entry in old.iterdir():
            place = path / entry.name
            if place.is_dir():
                shutil.rmtree(place)
            entry.replace(place)
    shutil.rmtree(old, ignore_errors=True)
