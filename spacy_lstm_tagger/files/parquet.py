"""Parquet files: a column of texts, and the others."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import Errors
from .lines import Writer
from .streams import COMPRESSED, Source, open_source
from .texts import BadTexts, Reading, Text

ROWS = 1000  # so many are in memory at a time, beside what the file compresses together

FORMAT = "a Parquet file"


class Row(NamedTuple):
    """A row of a table: which one of a batch."""

    batch: Any
    number: int

    def as_dict(self) -> dict[str, Any]:
        """RETURNS (dict[str, Any]): Its values, by the names of their columns."""
        (values,) = self.batch.slice(self.number, 1).to_pylist()
        return values


def read_parquet(source: Source, reading: Reading, bad: BadTexts) -> Iterator[Text]:
    """YIELDS (Text): The value of a column in each row of a Parquet file."""
    arrow, key = import_pyarrow(source.path), reading.text_key
    try:
        file = _open(source)
        names = file.schema_arrow.names
        counts = Counter(names)
        for name in names if reading.keep else [key]:
            if counts[name] > 1:
                raise arrow.ArrowInvalid(f"{counts[name]} columns are named {name!r}")
        if key not in names:
            found = {"path": source.path, "key": key, "names": ", ".join(map(repr, names))}
            raise ValueError(Errors.D015.format(**found))
        number, size = 0, source.size() / max(1, file.metadata.num_rows)
        columns = None if reading.keep else [key]
        for batch in file.iter_batches(ROWS, columns=columns):
            for i, value in enumerate(batch.column(key)):
                number += 1
                place = f"{source.path}, row {number}"
                try:
                    yield reading.make(value.as_py(), size, place, Row(batch, i))
                except ValueError as error:
                    bad.add(place, error, key=key)
    except (arrow.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None:  # of the system; what is damaged has none
            raise
        raise ValueError(
            Errors.D011.format(path=source.path, error=error, format=FORMAT)
        ) from error


def read_schema(path: Path) -> Any:
    """RETURNS (pyarrow.Schema): The columns of a Parquet file."""
    with open_source(path) as source:
        return _open(source).schema_arrow


def _open(source: Source) -> Any:
    """RETURNS (pyarrow.parquet.ParquetFile): The file."""
    file = source.stream
    # It goes back and forth in it, which a pipe cannot, and decompression only from the beginning.
    if source.path.suffix.lower() in COMPRESSED or not file.seekable():
        file = io.BytesIO(file.read())
    # With a buffer it would read all of it ahead.
    return import_pyarrow(source.path).parquet.ParquetFile(file, pre_buffer=False)


def import_pyarrow(what: object) -> Any:
    """RETURNS (Any): The package that reads and writes such files. `what` needs it.
    RAISES (ValueError): If it is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ValueError(Errors.D014.format(what=what, package="pyarrow")) from error
    return pyarrow


def to_rows(texts: Sequence[Text]) -> Any:
    """RETURNS (Optional[pyarrow.Table]): The rows of tables that texts are from. None if they are
    not.
    """
    arrow = import_pyarrow("Parquet")
    sources = [text.source for text in texts]
    if not all(isinstance(source, Row) for source in sources):
        return None
    tables = []
    # Rows that follow each other are a slice: `take` has not every type.
    runs = groupby(
        enumerate(sources), key=lambda each: (id(each[1].batch), each[1].number - each[0])
    )
    for _, group in runs:
        rows = [row for _, row in group]
        part = rows[0].batch.slice(rows[0].number, len(rows))
        tables.append(arrow.Table.from_batches([part]))
    # Of several files: one may lack a column, or have another type that fits.
    return arrow.concat_tables(tables, promote_options="permissive")


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
