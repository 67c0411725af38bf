"""A .spacy file that is written bit by bit is one that spaCy reads, and has the same."""

import io
import zlib

import numpy as np
import pytest
import spacy
import srsly
from spacy.tokens import Doc, DocBin, Span

from spacy_lstm_tagger.files.docbin import StreamedDocBin
from spacy_lstm_tagger.files.docs import pack

NLP = spacy.blank("en")


def make_docs(count):
    docs = []
    for i in range(count):
        words = [f"word{j}" for j in range(i % 5)]
        doc = Doc(NLP.vocab, words=words, tags=[f"T{j}" for j in range(len(words))])
        doc.user_data["number"] = i
        doc.cats = {"even": float(i % 2 == 0)}
        if words:
            doc.spans["all"] = [Span(doc, 0, len(doc), label=f"L{i % 3}")]
        docs.append(doc)
    return docs


def stream(parts, folder):
    collected, file = StreamedDocBin(folder), io.BytesIO()
    for part in parts:
        collected.add(part)
    collected.write(file)
    collected.close()
    return file.getvalue()


@pytest.mark.parametrize("size", [1, 7, 15, 16, 100])
def test_it_has_what_docbin_has(tmp_path, size):
    docs = make_docs(40)
    parts = [pack(docs[i : i + size]) for i in range(0, len(docs), size)]
    data = stream(parts, tmp_path)
    expected = DocBin(docs=docs, store_user_data=True).to_bytes()
    assert srsly.msgpack_loads(zlib.decompress(data)) == srsly.msgpack_loads(
        zlib.decompress(expected)
    )
    for doc, found in zip(
        docs, DocBin().from_bytes(data).get_docs(spacy.blank("en").vocab), strict=True
    ):
        assert [(t.text, t.tag_) for t in found] == [(t.text, t.tag_) for t in doc]
        assert found.user_data["number"] == doc.user_data["number"] and found.cats == doc.cats
        assert [span.label_ for spans in found.spans.values() for span in spans] == [
            span.label_ for spans in doc.spans.values() for span in spans
        ]
    assert not list(tmp_path.iterdir())


def test_what_is_collected_is_beside_the_output(tmp_path, monkeypatch):
    """Where the system has its temporary files there may be no room."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    assert len(DocBin().from_bytes(stream([pack(make_docs(3))], tmp_path))) == 3


def test_no_docs(tmp_path):
    assert len(DocBin().from_bytes(stream([], tmp_path))) == 0


def test_many_docs_at_once(tmp_path):
    """Lists of msgpack have three kinds of heads."""
    part = pack(make_docs(2)[1:])
    for name in ("tokens", "spaces", "cats", "flags", "span_groups", "user_data"):
        setattr(part, name, getattr(part, name) * 70_000)
    assert len(DocBin().from_bytes(stream([part, part], tmp_path))) == 140_000


def test_too_many_words(tmp_path):
    part = pack(make_docs(2)[1:])
    part.tokens = [np.broadcast_to(np.uint64(0), (2**26, len(part.attrs)))]
    with pytest.raises(ValueError, match=r"D018.*41,297,762 words at most"):
        stream([part], tmp_path)


def test_too_many_words_in_several_parts(tmp_path, monkeypatch):
    part = pack(make_docs(2)[1:])
    monkeypatch.setattr("spacy_lstm_tagger.files.docbin.LARGEST", 2 * part.tokens[0].nbytes)
    assert len(DocBin().from_bytes(stream([part] * 2, tmp_path))) == 2
    with pytest.raises(ValueError, match="D018"):
        stream([part] * 3, tmp_path)


def test_spans_have_their_strings():
    doc = Doc(NLP.vocab, words=["Ann"])
    doc.spans["all"] = [Span(doc, 0, 1, label="a label", kb_id="an entry", span_id="an id")]
    (found,) = pack([doc]).get_docs(spacy.blank("en").vocab)
    (span,) = found.spans["all"]
    assert (span.label_, span.kb_id_, span.id_) == ("a label", "an entry", "an id")


def test_docs_without_user_data_cost_no_call_each(monkeypatch):
    """A call of msgpack looks for plugins among all that is installed."""
    calls = []
    dumps = srsly.msgpack_dumps
    monkeypatch.setattr(srsly, "msgpack_dumps", lambda data: calls.append(data) or dumps(data))
    docs = [Doc(NLP.vocab, words=["a", "b"]) for _ in range(50)]
    packed = pack(docs)
    assert len(calls) == 1
    assert packed.to_bytes() == DocBin(docs=docs, store_user_data=True).to_bytes()
