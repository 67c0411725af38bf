"""Docs of .spacy files, read and made anew."""

import pytest
import spacy
from spacy.attrs import TAG
from spacy.tokens import DocBin

from spacy_lstm_tagger.files.docs import restore
from spacy_lstm_tagger.files.reading import read_texts
from spacy_lstm_tagger.files.texts import Reading

from .test_docbin import make_docs


@pytest.fixture
def stored(tmp_path):
    """RETURNS (list): The docs of two files."""
    paths = [tmp_path / "one.spacy", tmp_path / "two.spacy"]
    for path, count in zip(paths, (20, 10), strict=True):
        DocBin(docs=make_docs(count), store_user_data=True).to_disk(path)
    return [text.source for text in read_texts(paths, Reading(keep=True))]


def test_they_have_all_but_their_tags(stored):
    docs = restore(stored, spacy.blank("en").vocab, without=[TAG])
    for doc, expected in zip(docs, [*make_docs(20), *make_docs(10)], strict=True):
        assert [t.text for t in doc] == [t.text for t in expected]
        assert not any(t.tag for t in doc)
        assert doc.user_data == expected.user_data and doc.cats == expected.cats
        assert [(s.text, s.label_) for group in doc.spans.values() for s in group] == [
            (s.text, s.label_) for group in expected.spans.values() for s in group
        ]


def test_the_strings_of_a_file_are_gone_through_once(stored, monkeypatch):
    """Not once a doc: a file has many of both."""
    calls, get_docs = [], DocBin.get_docs
    monkeypatch.setattr(DocBin, "get_docs", lambda *args: calls.append(1) or get_docs(*args))
    assert len(restore(stored, spacy.blank("en").vocab, without=[TAG])) == 30
    assert len(calls) == 2
