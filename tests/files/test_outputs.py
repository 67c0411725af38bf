"""Files that are written bit by bit."""

import pyarrow.parquet
import pytest

from spacy_lstm_tagger.files.outputs import Output
from spacy_lstm_tagger.files.reading import read_texts
from spacy_lstm_tagger.files.texts import BadTexts, Reading


def test_a_table_loses_no_column(tmp_path):
    output = Output(tmp_path / "a.parquet", ".parquet")
    output.write(pyarrow.table({"a": [1]}))
    with pytest.raises(ValueError, match=r"D017.*those had no b"):
        output.write(pyarrow.table({"a": [2], "b": [3]}))
    output.break_off()


@pytest.mark.parametrize(
    ("kind", "data"),
    [(".jsonl", b'{"text": "One."}\n'), (".parquet", pyarrow.table({"text": ["One."]}))],
)
def test_what_cannot_be_renamed_is_kept(tmp_path, monkeypatch, kind, data):
    """As in stores that are not quite a file system."""
    output = Output(tmp_path / f"a{kind}", kind)
    output.write(data)

    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(PermissionError):
        output.complete()
    kept = output.break_off()
    assert kept == tmp_path / f".a{kind}.tmp"
    assert [text.text for text in read_texts([kept], Reading(kind=kind))] == ["One."]


@pytest.mark.parametrize("place", range(4, 400, 11))
def test_a_damaged_table_names_its_file(tmp_path, place):
    """Whatever pyarrow raises."""
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": ["One.", "Two."]}), path)
    data = bytearray(path.read_bytes())
    data[-place] ^= 0xFF
    path.write_bytes(data)
    try:
        list(read_texts([path], bad=BadTexts(5)))
    except ValueError as error:
        assert "a.parquet" in str(error)
