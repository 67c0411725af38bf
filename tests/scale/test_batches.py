"""`TagBatches`, as Ray Data calls it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow
import pytest
import spacy
from ray.data.block import BlockAccessor

from spacy_lstm_tagger import scale
from spacy_lstm_tagger.scale import TagBatches, ship

from ..distil import stock_teacher

TEXTS = ["The dog ate the apple . I slept .", "", None, "Everybody read  that “book”", " x"]


def batch(texts=TEXTS, **columns):
    return pyarrow.table({"id": range(len(texts)), "text": texts, **columns})


def test_columns_are_what_the_pipeline_says(model):
    table = TagBatches(str(model), probabilities=True, pos=True)(batch())
    assert table.column_names == ["id", "text", "tokens", "spaces", "tags", "pos", "probabilities"]
    docs = spacy.load(model).pipe(text or "" for text in TEXTS)
    for row, doc in zip(table.to_pylist(), docs, strict=True):
        assert row["tokens"] == [t.text for t in doc]
        assert row["tags"] == [t.tag_ for t in doc]
        assert row["spaces"] == [bool(t.whitespace_) for t in doc]
        assert row["pos"] == [t.pos_ for t in doc]
        sure = [p for p, t in zip(row["probabilities"], doc, strict=True) if not t.is_space]
        assert all(0 < p <= 1 for p in sure)


def test_types_do_not_depend_on_the_rows(model):
    tag = TagBatches(str(model), probabilities=True, pos=True, error_column="error")
    whole = tag(batch())
    for texts in (TEXTS[:1], TEXTS[1:2], []):
        part = tag(batch(texts).cast(batch().schema))
        assert part.schema == whole.schema and part.num_rows == len(texts)
    assert tag(batch()[:3]).equals(whole[:3])


def test_as_many_docs_at_a_time_as_asked_for(model, monkeypatch):
    tag, sizes = TagBatches(str(model), batch_size=2), []
    pipe = tag.tagger.nlp.get_pipe("lstm_tagger")
    predict = pipe.predict
    monkeypatch.setattr(pipe, "predict", lambda docs: sizes.append(len(docs)) or predict(docs))
    tag(batch(["ate"] * 7))
    assert max(sizes) == 2


def test_a_path(model):
    assert TagBatches(model)(batch()).equals(TagBatches(ship(model))(batch()))


def test_help_tells_what_there_is():
    assert set(scale.__all__) <= set(dir(scale))


def test_words_that_are_given(model):
    words = [["The", "dog", "ate"], []]
    rows = TagBatches(str(model), text_key="tokens")(pyarrow.table({"tokens": words})).to_pylist()
    assert [row["tokens"] for row in rows] == words
    assert list(map(len, (row["tags"] for row in rows))) == [3, 0]
    (row,) = TagBatches(str(model), tokens=True)(batch(["don't  stop."])).to_pylist()
    assert row["tokens"] == ["don't", "stop."]


def test_words_in_a_column_of_the_name_that_is_added(model):
    """Only without a prefix are they the words of the result, too."""
    table = pyarrow.table({"tokens": [["The", "dog"]]})
    (row,) = TagBatches(str(model), text_key="tokens", prefix="x_")(table).to_pylist()
    assert row["tokens"] == row["x_tokens"] == ["The", "dog"]
    with pytest.raises(ValueError, match=r"D016.*'tags'"):
        TagBatches(str(model), text_key="tags")(table.rename_columns(["tags"]))
    with pytest.raises(ValueError, match=r"D016.*'tokens'"):
        TagBatches(str(model), text_key="tokens")(pyarrow.table({"tokens": ["A dog"]}))


def test_texts_that_are_none(model):
    tag = TagBatches(str(model), error_column="error", text_key="t", prefix="x_")
    tag.tagger.nlp.max_length = 20
    texts = pyarrow.array(["The dog", "x" * 21, "ate"])
    first, long, last = tag(pyarrow.table({"t": texts, "n": [1, 2, 3]})).to_pylist()
    assert (first["error"], last["error"]) == (None, None) and last["x_tokens"] == ["ate"]
    assert "21 characters" in long["error"] and long["n"] == 2
    assert long["x_tokens"] is long["x_tags"] is long["x_spaces"] is None
    (row,) = tag(pyarrow.table({"t": [3]})).to_pylist()
    assert row["error"] == "found int as 't'" and row["t"] == 3
    with pytest.raises(ValueError, match=r"D020.*row 2 of the batch.*21 characters"):
        tag.error_column = None
        tag(pyarrow.table({"t": texts}))


def test_each_text_is_told_its_own_error(model):
    """However many of a batch are none."""
    tag = TagBatches(str(model), error_column="error")
    tag.tagger.nlp.max_length = 20
    first, none, last = tag(batch(["x" * 21, "ate", "x" * 22]))["error"].to_pylist()
    assert none is None and "21 characters" in first and "22 characters" in last


@pytest.mark.parametrize(
    "table,code",
    [
        (pyarrow.table({"body": ["x"]}), "D015"),
        (batch(["x"], tags=[1]), "D016"),
        (batch(["x"], error=[1]), "D016"),
        ({"text": np.array(["x"])}, "C014"),
    ],
)
def test_batches_that_do_not_fit(model, table, code):
    with pytest.raises((ValueError, TypeError), match=code):
        TagBatches(str(model), error_column="error")(table)


def test_pipelines_that_do_not_fit(tmp_path):
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(ValueError, match="C006"):
        TagBatches(str(tmp_path / "blank"))


def test_a_pipeline_by_its_uri(model):
    (row,) = TagBatches(model.as_uri())(batch(TEXTS[:1])).to_pylist()
    assert row["tags"] == [t.tag_ for t in spacy.load(model)(TEXTS[0])]


def test_a_name_stays_a_name():
    assert ship("en_core_web_sm").source == "en_core_web_sm"
    assert ship(Path("en_core_web_sm")) == ship("en_core_web_sm")
    assert ship("s3://bucket/model").files is None


def test_other_taggers(tmp_path):
    stock_teacher().to_disk(tmp_path / "stock")
    (row,) = TagBatches(str(tmp_path / "stock"))(batch(TEXTS[:1])).to_pylist()
    assert row["tags"] == [t.tag_ for t in spacy.load(tmp_path / "stock")(TEXTS[0])]


def test_what_went_through_numpy(model):
    """As it does in the batches that Ray Data gives if nothing else is asked for."""
    tag = TagBatches(str(model))
    words = [np.array(["The", "dog"], object), np.array(["ate"], object)]
    table = BlockAccessor.batch_to_block({"text": words})
    assert [row["tokens"] for row in tag(table).to_pylist()] == [["The", "dog"], ["ate"]]
    for nulls in ([None, None], [np.nan, np.nan]):
        table = BlockAccessor.batch_to_block({"text": np.array(nulls)})
        assert [row["tokens"] for row in tag(table).to_pylist()] == [[], []]


def test_each_thread_has_the_gpu(model, monkeypatch):
    """Ray Data calls an actor in another thread than it makes it in, and Thinc knows devices by thread."""
    asked = []
    monkeypatch.setattr("ray.is_initialized", lambda: True)
    monkeypatch.setattr("ray.get_gpu_ids", lambda: [0])
    monkeypatch.setattr(
        "spacy.require_gpu", lambda gpu_id: asked.append((threading.get_ident(), gpu_id))
    )
    tag = TagBatches(str(model))
    assert asked == [(threading.get_ident(), 0)]
    with ThreadPoolExecutor(1) as pool:
        pool.submit(tag, batch()).result()
        assert asked[1:] == [(pool.submit(threading.get_ident).result(), 0)]
