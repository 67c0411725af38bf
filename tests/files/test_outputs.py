"""Files that are written bit by bit."""

import sys

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


def test_what_cannot_be_begun_leaves_nothing(tmp_path, monkeypatch):
    """Nor does it keep others from writing there."""
    path = tmp_path / "a.jsonl.zst"
    with monkeypatch.context() as patch, pytest.raises(ValueError, match="D014") as found:
        patch.setitem(sys.modules, "zstandard", None)
        Output(path, ".jsonl")
    assert found.value and not list(tmp_path.iterdir())  # its traceback has the output
    Output(path, ".jsonl").complete()
    assert list(tmp_path.iterdir()) == [path]


def test_half_a_table_is_not_kept(tmp_path, monkeypatch):
    """As on a disk that is full."""
    output = Output(tmp_path / "a.parquet", ".parquet")
    output.write(pyarrow.table({"text": ["One."]}))

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    assert output.break_off() is None and not list(tmp_path.iterdir())


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
