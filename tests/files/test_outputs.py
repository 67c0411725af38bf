"""Files that are written bit by bit."""

import pyarrow
import pytest

from spacy_lstm_tagger.files.outputs import Output


def test_a_table_loses_no_column(tmp_path):
    output = Output(tmp_path / "a.parquet", ".parquet")
    output.write(pyarrow.table({"a": [1]}))
    with pytest.raises(ValueError, match=r"D017.*those had no b"):
        output.write(pyarrow.table({"a": [2], "b": [3]}))
    output.break_off()
