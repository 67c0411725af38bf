"""Parquet files: a column of texts, and the others."""

import io
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..errors import Errors
from .streams import Source
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
    stream = source.stream
    try:
        # It has to go back and forth in the file, which a stream cannot.
        file = arrow.parquet.ParquetFile(
            stream if stream is source.raw else io.BytesIO(stream.read())
        )
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
            for i, value in enumerate(batch.column(key).to_pylist()):
                number += 1
                place = f"{source.path}, row {number}"
                try:
                    yield reading.make(value, size, place, Row(batch, i))
                except ValueError as error:
                    bad.add(place, error, key=key)
    except (arrow.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None:  # of the system; what is damaged has none
            raise
        raise ValueError(
            Errors.D011.format(path=source.path, error=error, format=FORMAT)
        ) from error


def import_pyarrow(what: object) -> Any:
    """RETURNS (Any): The package that reads and writes such files. `what` needs it.
    RAISES (ValueError): If it is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ValueError(Errors.D014.format(what=what, package="pyarrow")) from error
    return pyarrow
