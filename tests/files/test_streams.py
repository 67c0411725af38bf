"""What names of files say, and files that change while they are read."""

import io
from pathlib import Path

import pytest

from spacy_lstm_tagger.files.outputs import Output
from spacy_lstm_tagger.files.streams import kind_of, open_sink, open_source, split_name


def test_names_in_capitals_say_the_same():
    assert kind_of(Path("A.JSONL.GZ")) == kind_of(Path("a.jsonl")) == ".jsonl"
    assert split_name(Path("A.JSONL.GZ")) == ("A", ".JSONL.GZ")


def test_other_suffixes_of_the_same():
    assert kind_of(Path("a.ndjson.gz")) == ".jsonl"
    assert kind_of(Path("a.CONLL")) == kind_of(Path("a.conllu"))


def test_a_file_that_grows_while_it_is_read(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\n")
    with open_source(path) as source:
        path.write_bytes(b"one\ntwo\n")
        assert source.stream.read() == b"one\ntwo\n"


def test_the_same_data_make_the_same_file(tmp_path):
    """Whatever its name is."""
    for name in ("a.gz", "b.gz"):
        with (tmp_path / name).open("wb") as raw, open_sink(tmp_path / name, raw) as sink:
            sink.write(b"one\n")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


@pytest.mark.parametrize("name", ["stdin", "stdout"])
@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_a_process_without_standard_streams(monkeypatch, name, stream):
    """Or, as in a notebook, with one for text alone."""
    monkeypatch.setattr(f"sys.{name}", stream)
    with pytest.raises(OSError, match=r"standard (in|out)put is closed"):
        if name == "stdin":
            with open_source(Path("-")):
                pass
        else:
            Output(Path("-"), ".tsv")
