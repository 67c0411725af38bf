"""Texts as rows of a table, on their way between the nodes of a cluster."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow

from ..files.parquet import Row, to_rows
from ..files.texts import Text

# The columns. Those of the file that a text is from stand beside them.
PLACE, ERROR = "lstm_tagger.place", "lstm_tagger.error"
TEXT, WORDS, SPACES = "lstm_tagger.text", "lstm_tagger.words", "lstm_tagger.spaces"
SOURCE = "lstm_tagger.source"
SCHEMA = pyarrow.schema(
    {
        PLACE: pyarrow.string(),
        ERROR: pyarrow.string(),
        TEXT: pyarrow.string(),
        WORDS: pyarrow.list_(pyarrow.string()),
        SPACES: pyarrow.list_(pyarrow.bool_()),
        SOURCE: pyarrow.string(),
    }
)


def texts_to_table(texts: Sequence[Text], bad: Sequence[str]) -> pyarrow.Table:
    """Make rows of texts.

    texts (Sequence[Text]): The texts.
    bad (Sequence[str]): Those that cannot be read: where they are, and why.
    RETURNS (pyarrow.Table): A row for each.
    """
    rows = [
        {
            PLACE: text.place,
            TEXT: text.text,
            WORDS: text.words,
            SPACES: text.spaces,
            SOURCE: None if isinstance(text.source, Row) else json.dumps(text.source),
        }
        for text in texts
    ]
    table = pyarrow.Table.from_pylist(rows, SCHEMA)
    columns = to_rows(texts) if texts else None
    if columns is not None:
        for name in columns.column_names:
            table = table.append_column(columns.field(name), columns[name])
    left_out = [{PLACE: error, ERROR: error} for error in bad]
    return join([table, pyarrow.Table.from_pylist(left_out, SCHEMA)])


def table_to_texts(table: pyarrow.Table) -> list[Text]:
    """RETURNS (list[Text]): The texts of rows that `texts_to_table` made, without those that
    cannot be read.
    """
    table = table.filter(table[ERROR].is_null()).combine_chunks()
    columns = table.drop_columns(SCHEMA.names)
    (batch,) = columns.to_batches() if columns.num_columns and len(table) else (None,)
    texts = []
    for number, row in enumerate(table.select(SCHEMA.names).to_pylist()):
        source: Any = Row(batch, number)
        if row[SOURCE] is not None:
            source = json.loads(row[SOURCE])
        texts.append(Text(row[TEXT], row[WORDS], row[SPACES], 0.0, row[PLACE], source))
    return texts


def join(tables: Sequence[pyarrow.Table]) -> pyarrow.Table:
    """RETURNS (pyarrow.Table): Tables as one. A column that some lack is null there; of numbers
    with fractions and without, all have them.
    """
    return pyarrow.concat_tables(tables, promote_options="permissive")
