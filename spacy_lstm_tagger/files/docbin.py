"""Write a .spacy file of any number of docs: what `DocBin` would have in memory is in files."""

import struct
import tempfile
import zlib
from array import array
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
import srsly
from spacy.tokens import DocBin

from ..errors import Errors
from .lines import Writer
from .streams import STANDARD
from .whole import is_stream

# What DocBin keeps of each doc, and what it has in one piece of all of them.
OF_DOCS = ("cats", "flags", "span_groups", "user_data")
OF_TOKENS = ("tokens", "spaces")
LEVEL = 3  # of zlib: half the time of spaCy's for a file that is a twentieth larger
LARGEST = 2**32 - 1  # bytes: msgpack has no larger ones
CHUNK = 2**20


class StreamedDocBin:
    """Collects docs, and writes them as `DocBin.to_bytes` would.

    folder (Optional[Path]): Where its temporary files are. None: where the system has them.
    RAISES (OSError): If they cannot be written.
    """

    def __init__(self, folder: Path | None):
        self._stack = ExitStack()
        self._files: dict[str, IO[bytes]] = {}
        for name in (*OF_DOCS, *OF_TOKENS):
            file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - until `close`
            self._files[name] = self._stack.enter_context(file)
        self._attrs: list[Any] = list(DocBin().attrs)
        self._strings: set[str] = set()
        self._lengths = array("i")

    def add(self, docs: DocBin) -> None:
        """Add docs, all with the attributes that DocBin has by default.

        docs (DocBin): The docs, one or more.
        RAISES (ValueError): If one file cannot hold so many.
        """
        size = sum(table.nbytes for table in docs.tokens)
        if self._files["tokens"].tell() + size > LARGEST:
            raise ValueError(Errors.D018.format(words=LARGEST // (8 * len(self._attrs))))
        for name in OF_TOKENS:
            for table in getattr(docs, name):
                self._files[name].write(np.ascontiguousarray(table).tobytes())
        for name in OF_DOCS:
            self._files[name].write(_elements(getattr(docs, name)))
        self._lengths.extend(map(len, docs.tokens))
        self._strings |= docs.strings

    def write(self, stream: IO[bytes]) -> None:
        """Write all docs."""
        compress = zlib.compressobj(LEVEL)

        def put(data: bytes) -> None:
            stream.write(compress.compress(data))

        parts = {"version": DocBin().version, "attrs": self._attrs}
        parts |= {"lengths": self._lengths.tobytes(), "strings": sorted(self._strings)}
        put(bytes([0x80 + len(parts) + len(self._files)]))  # a table of so many entries
        for name, value in parts.items():
            put(srsly.msgpack_dumps(name) + srsly.msgpack_dumps(value))
        for name, file in self._files.items():
            put(srsly.msgpack_dumps(name))
            is_list = name in OF_DOCS
            count = len(self._lengths) if is_list else file.tell()
            put(struct.pack(">BI", 0xDD if is_list else 0xC6, count))  # a list, or bytes
            file.seek(0)
            while chunk := file.read(CHUNK):
                put(chunk)
        stream.write(compress.flush())

    def close(self) -> None:
        """Leave no temporary files."""
        self._stack.close()


def _elements(values: Sequence[Any]) -> bytes:
    """RETURNS (bytes): The elements of a list as msgpack has them, without what comes before."""
    count = len(values)
    return srsly.msgpack_dumps(list(values))[1 if count < 2**4 else 3 if count < 2**16 else 5 :]


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
