"""Files that Ray Data reads and writes for us: the formats of `lstm-tagger tag`. The processes in
which it does so have neither spaCy nor PyTorch.
"""

import io
import json
import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow
import ray
from pyarrow import compute
from ray.data.datasource import BlockBasedFileDatasink, FileBasedDatasource, WriteResult

from ..errors import Errors
from ..files.lines import read_lines
from ..files.parquet import TableWriter
from ..files.reading import READERS
from ..files.streams import Source, decompressed
from ..files.texts import BadTexts, Reading, in_groups, leave_out_long
from .texts import ERROR, PLACE, join, texts_to_table

BAD = "_bad"  # the folder of the texts that cannot be read; readers of folders pass over it
LENGTH, DATA = "lstm_tagger.length", "lstm_tagger.data"


class TextFiles(FileBasedDatasource):
    """Reads files of texts, each as a stream.

    paths (Union[str, list[str]]): Files or folders, or URIs of them.
    reading (Reading): How they are read.
    allowed (int): How many texts of the files of a task may be left out.
    longest (int): How many characters a text may have.
    size (int): How many characters of text an actor gets at a time.
    """

    def __init__(
        self, paths: str | list[str], reading: Reading, *, allowed: int, longest: int, size: int
    ):
        super().__init__(paths)
        self.reading, self.allowed, self.longest, self.size = reading, allowed, longest, size

    def _open_input_source(self, filesystem: Any, path: str, **open_args: Any) -> Any:
        # Which is not read from its beginning to its end.
        if self.reading.kind_of(Path(path)) == ".parquet":
            return filesystem.open_input_file(path)
        size = self._data_context.streaming_read_buffer_size
        return filesystem.open_input_stream(path, compression=None, buffer_size=size)

    def _read_stream(self, f: Any, path: str) -> Iterator[pyarrow.Table]:
        """YIELDS (pyarrow.Table): Rows of texts, see `texts_to_table`."""
        kind = self.reading.kind_of(Path(path))
        if kind == ".spacy":  # of a folder of a store, whose files nobody has listed
            raise ValueError(Errors.C018.format(value=path, remedy="Give the other files"))
        read = READERS.get(kind, read_lines)
        bad = BadTexts(self.allowed)
        told = 0  # so many of the bad ones are in a table
        with decompressed(Path(path), io.BufferedReader(f)) as stream:
            found = read(Source(Path(path), stream, None), self.reading, bad)
            for texts in in_groups(leave_out_long(found, self.longest, bad), self.size):
                yield texts_to_table(texts, bad.found[told:])
                told = len(bad.found)
        if told < len(bad.found):
            yield texts_to_table([], bad.found[told:])


@ray.remote(num_cpus=0)
class FolderLock:
    """Is there while a driver writes to a folder, and has the folder's name. Here, as its process
    needs neither spaCy nor PyTorch.
    """


class Counts(NamedTuple):
    """What was written.

    texts (int): How many texts.
    words (int): How many words they have.
    bad (int): How many texts could not be read.
    """

    texts: int = 0
    words: int = 0
    bad: int = 0


class TaggedFiles(BlockBasedFileDatasink):
    """Writes files of tagged texts, and beside them files that tell which could not be read.

    path (str): The folder, or its URI.
    kind (str): What is written, as a suffix.
    size (int): How many bytes of rows a file has at least.
    """

    def __init__(self, path: str, kind: str, *, size: int):
        super().__init__(path, file_format=kind[1:])
        self.kind, self.size = kind, size
        self.counts = Counts()

    @property
    def min_bytes_per_write(self) -> int:
        """RETURNS (int): How many bytes Ray Data waits for."""
        return self.size

    def write(self, blocks: Iterable[pyarrow.Table], ctx: Any) -> Counts:  # type: ignore[override]
        """Write rows: two files at most. Ray Data's checkpoints know them by their names.

        RETURNS (Counts): What was written.
        """
        tables = [block for block in blocks if len(block)]
        if not tables:
            return Counts()
        rows = join(tables)
        good, bad = rows.filter(rows[ERROR].is_null()), rows.filter(rows[ERROR].is_valid())
        name = self.filename_provider.get_filename_for_task(ctx.kwargs["write_uuid"], ctx.task_idx)
        if len(good):
            with self.open_output_stream(posixpath.join(self.path, name)) as stream:
                if self.kind == ".parquet":
                    writer = TableWriter(Path(name), stream)
                    writer.write(good.drop_columns([PLACE, ERROR, LENGTH]))
                    writer.close()
                else:
                    for line in good[DATA]:
                        stream.write(line.as_buffer())
        if len(bad):
            self.filesystem.create_dir(posixpath.join(self.path, BAD), recursive=True)
            told = posixpath.join(self.path, BAD, f"{Path(name).stem}.jsonl")
            lines = [
                json.dumps({"error": error}, ensure_ascii=False) + "\n"
                for error in bad[ERROR].to_pylist()
            ]
            with self.open_output_stream(told) as stream:
                stream.write("".join(lines).encode("utf-8"))
        return Counts(len(good), compute.sum(good[LENGTH]).as_py() or 0, len(bad))

    def on_write_complete(self, write_result: WriteResult) -> None:
        """Sum up what was written."""
        super().on_write_complete(write_result)
        self.counts = Counts(*map(sum, zip(*write_result.write_returns, strict=True)))
