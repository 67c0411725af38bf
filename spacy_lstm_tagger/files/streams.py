"""Open files by what their names say: compressed or not, `-` for standard input and output."""

import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..errors import Errors

STANDARD = Path("-")
COMPRESSED = (".gz", ".zst")


class Source:
    """A file that is read.

    path (Path): Its name, which errors tell.
    stream (IO[bytes]): What is in it, decompressed.
    raw (Optional[IO[bytes]]): The file itself. None: it has no end that is known before.
    """

    def __init__(self, path: Path, stream: IO[bytes], raw: IO[bytes] | None):
        self.path = path
        self.stream = stream
        self.raw = raw
        self._position = 0

    def taken(self) -> int:
        """RETURNS (int): How many bytes of the file were read since this was last asked."""
        if self.raw is None:
            return 0
        before, self._position = self._position, self.raw.tell()
        return self._position - before

    def size(self) -> int:
        """RETURNS (int): The size of the file, in bytes. 0 if it has no end."""
        return os.fstat(self.raw.fileno()).st_size if self.raw is not None else 0


def kind_of(path: Path) -> str:
    """RETURNS (str): The suffix that tells what is in a file: that of a.jsonl.gz is .jsonl."""
    if path.suffix.lower() in COMPRESSED:
        path = path.with_suffix("")
    return path.suffix.lower()


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a file to be read.

    path (Path): The file. `-`: standard input.
    YIELDS (Source): The file.
    RAISES (OSError): If it cannot be opened.
    RAISES (ValueError): If it is compressed, and damaged.
    """
    if path == STANDARD:
        yield Source(Path("standard input"), sys.stdin.buffer, None)
        return
    damage: Any = (EOFError, zlib.error, gzip.BadGzipFile, *_zstandard_errors(path))
    try:
        with path.open("rb") as raw:
            yield Source(path, _decompress(path, raw), raw)
    except damage as error:
        raise ValueError(Errors.D014.format(path=path, error=error)) from error


@contextmanager
def open_sink(path: Path, raw: IO[bytes]) -> Iterator[IO[bytes]]:
    """Write to a file, compressed if its name says so.

    path (Path): Its name.
    raw (IO[bytes]): The file.
    YIELDS (IO[bytes]): What takes the data.
    """
    if path.suffix.lower() == ".gz":
        # Without its name and time, so that the same data make the same file.
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as stream:
            yield stream  # type: ignore[misc]
    elif path.suffix.lower() == ".zst":
        with _zstandard(path).ZstdCompressor().stream_writer(raw, closefd=False) as stream:
            yield stream
    else:
        yield raw
    raw.flush()
    os.fsync(raw.fileno())


def _decompress(path: Path, raw: IO[bytes]) -> IO[bytes]:
    if path.suffix.lower() == ".gz":
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if path.suffix.lower() == ".zst":
        reader = _zstandard(path).ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        return io.BufferedReader(reader)
    return raw


def _zstandard(path: Path) -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise ValueError(Errors.D015.format(path=path, package="zstandard")) from error
    return zstandard


def _zstandard_errors(path: Path) -> tuple[type[Exception], ...]:
    return (_zstandard(path).ZstdError,) if path.suffix.lower() == ".zst" else ()
