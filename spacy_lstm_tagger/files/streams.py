"""Open files by what their names say: compressed or not, `-` for standard input and output."""

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..errors import Errors

STANDARD = Path("-")
INCOMPLETE = ".incomplete"  # in the name of a file that was broken off
COMPRESSED = (".gz", ".zst")
ALIASES = {".ndjson": ".jsonl", ".conll": ".conllu"}  # other suffixes of the same
BLOCK = 1 << 16  # so many bytes are decompressed at a time


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


def split_name(path: Path) -> tuple[str, str]:
    """RETURNS (tuple[str, str]): A file's name without its suffix, and that: .jsonl.gz is one."""
    compressed = path.suffix if path.suffix.lower() in COMPRESSED else ""
    kind = Path(path.name.removesuffix(compressed)).suffix
    return path.name.removesuffix(kind + compressed), kind + compressed


def incomplete(path: Path) -> Path:
    """RETURNS (Path): The name of what was broken off."""
    stem, suffix = split_name(path)
    return path.with_name(f"{stem}{INCOMPLETE}{suffix}")


def is_incomplete(path: Path) -> bool:
    """RETURNS (bool): Whether a file has such a name."""
    stem, suffix = split_name(path)
    return stem.endswith(INCOMPLETE) or suffix.startswith(INCOMPLETE)


def kind_of(path: Path) -> str:
    """RETURNS (str): The suffix that tells what is in a file: that of a.ndjson.gz is .jsonl."""
    if path.suffix.lower() in COMPRESSED:
        path = path.with_suffix("")
    suffix = path.suffix.lower()
    return ALIASES.get(suffix, suffix)


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a file to be read.

    path (Path): The file. `-`: standard input.
    YIELDS (Source): The file.
    RAISES (OSError): If it cannot be opened, or is cut while it is read.
    RAISES (ValueError): If it is compressed, and damaged.
    """
    if path == STANDARD:
        if not hasattr(sys.stdin, "buffer"):  # closed, or for text alone
            raise OSError("standard input is closed or a notebook's: give a file instead of -")
        yield Source(Path("standard input"), sys.stdin.buffer, None)
        return
    with path.open("rb") as raw, decompressed(path, raw) as stream:
        source = Source(path, stream, raw if raw.seekable() else None)
        size = source.size()
        yield source
        if source.size() < size:
            raise OSError(Errors.D024.format(path=path))


@contextmanager
def decompressed(path: Path, raw: IO[bytes]) -> Iterator[IO[bytes]]:
    """Decompress a file, if its name says that it is compressed.

    path (Path): Its name.
    raw (IO[bytes]): What is in it.
    YIELDS (IO[bytes]): What it is made of.
    RAISES (ValueError): If it is damaged.
    """
    damage: Any = (EOFError, zlib.error, gzip.BadGzipFile, *_zstandard_errors(path))
    try:
        yield _decompress(path, raw)
    except damage as error:
        raise ValueError(Errors.D013.format(path=path, error=error)) from error


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
    if stat.S_ISREG(os.fstat(raw.fileno()).st_mode):  # a file, not a stream
        os.fsync(raw.fileno())


def _decompress(path: Path, raw: IO[bytes]) -> IO[bytes]:
    if path.suffix.lower() == ".gz":
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if path.suffix.lower() == ".zst":
        return io.BufferedReader(_Frames(raw, _zstandard(path)))
    return raw


class _Frames(io.RawIOBase):
    """What the frames of a .zst file have. The reader of the package takes a file that was cut off
    for a whole one.
    """

    def __init__(self, raw: IO[bytes], package: Any):
        self.raw, self.package = raw, package
        self._frame: Any = None
        self._left, self._data = b"", b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._data:
            block = self._left or self.raw.read(BLOCK)
            if not block:
                if self._frame is not None:
                    raise EOFError("the file was cut off")
                return 0
            if self._frame is None:
                self._frame = self.package.ZstdDecompressor().decompressobj()
            self._data, self._left = self._frame.decompress(block), b""
            if self._frame.eof:
                self._left, self._frame = self._frame.unused_data, None
        count = min(len(buffer), len(self._data))
        buffer[:count], self._data = self._data[:count], self._data[count:]
        return count


def _zstandard(path: Path) -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise ValueError(Errors.D014.format(what=path, package="zstandard")) from error
    return zstandard


def _zstandard_errors(path: Path) -> tuple[type[Exception], ...]:
    return (_zstandard(path).ZstdError,) if path.suffix.lower() == ".zst" else ()
