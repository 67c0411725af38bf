"""Texts come back from the rows that they go as."""

import pyarrow

from spacy_lstm_tagger.files.parquet import Row
from spacy_lstm_tagger.files.texts import Text
from spacy_lstm_tagger.scale.texts import table_to_texts, texts_to_table


def test_rows_of_texts_that_cannot_be_read():
    """A block may have no others, but the columns of their file."""
    (batch,) = pyarrow.table({"id": [7]}).to_batches()
    text = Text("The dog", [], [], 0.0, "row 1", Row(batch, 0))
    table = texts_to_table([text], ["row 2: it is none"])
    (found,) = table_to_texts(table)
    assert found.text == "The dog" and found.source.as_dict() == {"id": 7}
    assert table_to_texts(table.slice(1)) == []
