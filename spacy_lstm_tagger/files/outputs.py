"""Files that appear under their names when they are complete."""

import os
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

from spacy.tokens import DocBin

from ..errors import Errors
from .docbin import StreamedDocBin
from .formats import LINES
from .parquet import import_pyarrow
from .streams import STANDARD, open_sink, split_name
from .whole import alone, is_stream, keep_mode, named, open_claimed, open_stream


class Output:
    """A file that is written, bit by bit, with what an encoder of `formats` gives.

    path (Path): Its name. `-`: standard output.
    kind (str): What is written, as a suffix.
    RAISES (OSError): If it cannot be written.
    """

    def __init__(self, path: Path, kind: str):
        self.path = path
        self._stack = ExitStack()
        self._claim = ExitStack()  # while nobody else may write it
        self._descriptor: int | None = None
        # Where it is written, and what is replaced by that. No such file: it is a stream.
        self._temporary: Path | None = None
        self._target = path
        self.is_empty, self._is_whole = True, True
        self._lines: IO[bytes] | None = None  # a file of lines, which may be cut
        self._size = 0  # up to where its lines are written
        try:
            self._writer = WRITERS[kind](path, self._open(kind))
            self._stack.callback(self._writer.close)
        except BaseException:
            self.break_off()
            raise

    def _open(self, kind: str) -> IO[bytes]:
        if self.path == STANDARD:
            return sys.stdout.buffer
        if is_stream(self.path):
            raw = self._stack.enter_context(open_stream(self.path))
        else:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._target = self.path.resolve() if self.path.is_symlink() else self.path
            temporary = self._target.with_name(f".{self._target.name}.tmp")
            self._descriptor = self._claim.enter_context(alone(temporary, self.path))
            self._temporary = temporary
            raw = self._stack.enter_context(open_claimed(temporary, self._descriptor))
        stream = self._stack.enter_context(open_sink(self.path, raw))
        if self._temporary and stream is raw and kind in LINES:
            self._lines = raw
        return stream

    def write(self, data: Any) -> None:
        """Write what an encoder gave.

        RAISES (ValueError): If it does not fit what was written before.
        RAISES (OSError): If it cannot be written; the error names the file.
        """
        self._is_whole = False  # if it fails, who knows what was written
        try:
            self._writer.write(data)
            if self._lines is not None:
                self._lines.flush()
                self._size = self._lines.tell()
        except ValueError:  # it does not fit, so nothing was
            self._is_whole = True
            raise
        except OSError as error:
            raise named(error, self.path) from None
        self._is_whole, self.is_empty = True, False

    def complete(self) -> None:
        """Give the file its name. One that is there is replaced.

        RAISES (OSError): If what is left cannot be written; the error names the file.
        """
        self._is_whole = False
        try:
            self._stack.close()
        except OSError as error:
            raise named(error, self.path) from None
        if self._temporary is not None:
            keep_mode(self._target, self._temporary)
            self._temporary.replace(self._target)
            self._claim.close()
        elif self.path == STANDARD:
            sys.stdout.buffer.flush()

    def break_off(self) -> Path | None:
        """Keep what was written before an error, under a name that tells that more was to come.

        RETURNS (Optional[Path]): The name. None: there is nothing, or not the whole of it.
        """
        temporary = self._temporary
        try:
            self._stack.close()
        except OSError:  # such as a full disk, which may be why it was broken off
            self._is_whole = False
        if temporary is None:
            return None
        kept = None
        with self._claim:
            with suppress(OSError):
                if not self._is_whole and self._size:
                    with open_claimed(temporary, self._descriptor, size=self._size) as file:
                        os.fsync(file.fileno())  # what is behind it did not get whole
                    self._is_whole = True
                if self._is_whole and not self.is_empty:
                    kept = temporary.replace(incomplete(self._target))
            if kept is None:
                temporary.unlink(missing_ok=True)
        return kept


def incomplete(path: Path) -> Path:
    """RETURNS (Path): The name of what was broken off."""
    stem, suffix = split_name(path)
    return path.with_name(f"{stem}.incomplete{suffix}")


class Writer:
    """Writes what an encoder gives: here, lines.

    path (Path): The name of the file.
    stream (IO[bytes]): Where it is written.
    """

    def __init__(self, path: Path, stream: IO[bytes]):
        self.path, self.stream = path, stream

    def write(self, data: Any) -> None:
        """Write what an encoder gave."""
        self.stream.write(data)

    def close(self) -> None:
        """Write what is left."""


class DocsWriter(Writer):
    """Writes a .spacy file, once all docs are there."""

    def __init__(self, path: Path, stream: IO[bytes]):
        super().__init__(path, stream)
        self.docs = StreamedDocBin(None if path == STANDARD or is_stream(path) else path.parent)

    def write(self, data: DocBin) -> None:
        """Keep some docs."""
        self.docs.add(data)

    def close(self) -> None:
        """Write all docs."""
        try:
            self.docs.write(self.stream)
        finally:
            self.docs.close()


class TableWriter(Writer):
    """Writes a Parquet file, of which each row has the columns of the first one."""

    writer: Any = None

    def write(self, data: Any) -> None:
        """Write the rows of a table.

        RAISES (ValueError): If they have a column more than the first ones, or another type.
        """
        arrow = import_pyarrow(self.path)
        try:
            if self.writer is None:
                self.writer = arrow.parquet.ParquetWriter(self.stream, data.schema)
            schema = self.writer.schema
            names = set(data.column_names)
            if more := names - set(schema.names):
                raise ValueError(f"those had no {', '.join(sorted(more))}")
            for field in schema:
                if field.name not in names:
                    data = data.append_column(field, arrow.nulls(len(data), field.type))
            data = data.select(schema.names)
            for found, wanted in zip(data.schema, schema, strict=True):
                if not fits(found.type, wanted.type):
                    raise ValueError(f"{found.name} is {found.type}, and was {wanted.type}")
            self.writer.write_table(data.cast(schema))
        except (ValueError, arrow.ArrowException) as error:
            raise ValueError(Errors.D017.format(path=self.path, error=error)) from error

    def close(self) -> None:
        """Write the end of the file."""
        arrow = import_pyarrow(self.path)
        if self.writer is None:
            self.writer = arrow.parquet.ParquetWriter(self.stream, arrow.schema([]))
        self.writer.close()


def fits(found: Any, wanted: Any) -> bool:
    """RETURNS (bool): Whether values of a type of Arrow can be cast to another one, or refused,
    without losing anything: in doubt they cannot. A row may lack a value.
    """
    from pyarrow import types

    if found == wanted or types.is_null(found):
        return True
    if types.is_list(found) and types.is_list(wanted):
        return fits(found.value_type, wanted.value_type)
    if types.is_struct(found) and types.is_struct(wanted):
        fields, others = list(found), list(wanted)
        return [field.name for field in fields] == [field.name for field in others] and all(
            fits(field.type, other.type) for field, other in zip(fields, others, strict=True)
        )
    kinds = [
        (types.is_integer, types.is_floating),
        (types.is_string, types.is_large_string),
        (types.is_binary, types.is_large_binary),
    ]
    return any(all(any(is_one(t) for is_one in kind) for t in (found, wanted)) for kind in kinds)


WRITERS: dict[str, type[Writer]] = {
    **dict.fromkeys(LINES, Writer),
    ".spacy": DocsWriter,
    ".parquet": TableWriter,
}
