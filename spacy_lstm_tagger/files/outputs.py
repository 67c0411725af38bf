"""Files that appear under their names when they are complete."""

import os
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

from .docbin import DocsWriter
from .formats import LINES
from .lines import Writer
from .parquet import TableWriter
from .streams import STANDARD, incomplete, open_sink
from .whole import (
    alone,
    is_stream,
    named,
    open_claimed,
    open_stream,
    put_in_place,
    unfinished,
)


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
            if not hasattr(sys.stdout, "buffer"):  # closed, or that of a notebook
                raise OSError("standard output is closed or a notebook's: give a file instead of -")
            return sys.stdout.buffer
        if is_stream(self.path):
            raw = self._stack.enter_context(open_stream(self.path))
        else:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._target = self.path.resolve() if self.path.is_symlink() else self.path
            temporary = unfinished(self._target)
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
        self._is_whole = True
        if self._temporary is not None:
            put_in_place(self._temporary, self._target)
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
                    kept = temporary  # where no file may be renamed
                    kept = temporary.replace(incomplete(self._target))
            if kept is None:
                temporary.unlink(missing_ok=True)
        return kept


WRITERS: dict[str, type[Writer]] = {
    **dict.fromkeys(LINES, Writer),
    ".spacy": DocsWriter,
    ".parquet": TableWriter,
}
