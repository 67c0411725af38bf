"""Probabilities of tags on docs: kept, saved, and refused where they do not fit."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from spacy_lstm_tagger.probabilities import TagProbabilities, TagSequences, forget
from spacy_lstm_tagger.whitespace import SPACE_TAG

LABELS = ["A", "B", "C"]
PROBABILITIES = np.array([[0.1, 0.7, 0.2], [0.25, 0.5, 0.25]], dtype="f4")


@pytest.fixture
def doc():
    doc = Doc(spacy.blank("en").vocab, words=["one", "two"])
    TagProbabilities.of(LABELS, PROBABILITIES).to_doc(doc)
    return doc


def test_best_tags_come_first_and_ties_in_the_order_of_the_tag_set():
    scores = TagProbabilities.of(LABELS, PROBABILITIES)
    assert scores.tags.tolist() == [[1, 2, 0], [1, 0, 2]]
    np.testing.assert_array_equal(scores.dense(), PROBABILITIES)


def test_ties_of_many_tags_are_in_the_order_of_the_tag_set():
    """A sort that is not stable keeps it for a few alone."""
    probabilities = np.tile(np.float32([0.2, 0.1, 0.2, 0.1]), (3, 20))
    expected = [*range(0, 80, 2), *range(1, 80, 2)]
    scores = TagProbabilities.of([str(i) for i in range(80)], probabilities)
    assert scores.tags.tolist() == [expected] * 3


def test_only_the_best_are_kept_in_half_precision():
    scores = TagProbabilities.of(LABELS, PROBABILITIES, top=2, half=True)
    assert scores.probabilities.dtype == np.float16
    np.testing.assert_allclose(scores.dense(), [[0, 0.7, 0.2], [0.25, 0.5, 0]], atol=1e-3)


@pytest.mark.parametrize("size,kind", [(256, np.uint8), (257, np.uint16), (65_537, np.uint32)])
def test_every_tag_of_a_large_tag_set_can_be_named(size, kind):
    labels = [str(i) for i in range(size)]
    probabilities = np.zeros((1, size), dtype="f4")
    probabilities[0, -1] = 1.0
    scores = TagProbabilities.of(labels, probabilities)
    assert scores.tags.dtype == kind
    assert scores.tags[0, 0] == size - 1


def test_scores_travel_with_the_doc(doc):
    by_bytes = Doc(doc.vocab).from_bytes(doc.to_bytes())
    data = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    (by_bin,) = DocBin().from_bytes(data).get_docs(doc.vocab)
    for copy in (doc, doc.copy(), by_bytes, by_bin):
        scores = TagProbabilities.from_doc(copy)
        assert scores is not None and scores.labels == tuple(LABELS)
        np.testing.assert_array_equal(scores.dense(), PROBABILITIES)


def test_no_scores_where_none_were_kept_or_tokens_changed(doc):
    assert TagProbabilities.from_doc(Doc(doc.vocab, words=["one", "two"])) is None
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[:2])
    assert TagProbabilities.from_doc(doc) is None


def test_no_scores_where_as_many_tokens_are_others():
    doc = Doc(Vocab(), words=["New", "York", "LosAngeles"])
    TagProbabilities.of(LABELS, np.eye(3, len(LABELS))).to_doc(doc)
    TagSequences.of(LABELS, np.zeros((1, 3), np.int64), np.ones(1)).to_doc(doc)
    assert TagProbabilities.from_doc(doc) and TagSequences.from_doc(doc)
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[:2])
        retokenizer.split(doc[2], ["Los", "Angeles"], heads=[(doc[2], 1), doc[2]])
    assert len(doc) == 3
    assert not any(map(TagProbabilities.from_token, doc))
    assert TagProbabilities.from_doc(doc) is None and TagSequences.from_doc(doc) is None


def test_no_scores_of_the_word_before_where_words_are_repeated():
    """Merging and splitting can leave as many tokens, and the same word at a place."""
    doc = Doc(Vocab(), words=["New", "York", "very", "very", "LosAngeles"])
    TagProbabilities.of(LABELS, np.ones((5, len(LABELS)))).to_doc(doc)
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[:2])
        retokenizer.split(doc[4], ["Los", "Angeles"], heads=[(doc[4], 1), doc[4]])
    assert [token.text for token in doc][1:3] == ["very", "very"]
    assert not any(map(TagProbabilities.from_token, doc))


def test_in_the_order_of_another_tag_set():
    scores = TagProbabilities.of(LABELS, PROBABILITIES)
    dense = scores.dense(["C", "X", "A", "B"])
    np.testing.assert_array_equal(dense, np.float32([[0.2, 0, 0.1, 0.7], [0.25, 0, 0.25, 0.5]]))
    with pytest.raises(KeyError, match="C"):
        scores.dense(["A", "B"])


def test_another_tag_set_may_lack_the_tag_of_white_space():
    scores = TagProbabilities.of(["A", SPACE_TAG, "B"], np.float32([[0.1, 0.2, 0.7]]))
    np.testing.assert_array_equal(scores.dense(["B", "A"]), np.float32([[0.7, 0.1]]))


def test_what_an_older_version_kept(doc):
    doc.user_data[TagProbabilities.key]["words"] = 123
    assert TagProbabilities.from_doc(doc) is None and TagProbabilities.from_token(doc[0]) is None


def test_a_doc_keeps_no_more_labels_than_it_has():
    """A tag set with morphology may have a thousand."""
    labels, doc = [f"T{i}" for i in range(1000)], Doc(Vocab(), words=["one", "two"])
    probabilities = np.zeros((2, 1000), dtype="f4")
    probabilities[0, [7, 900]], probabilities[1, 900] = [0.4, 0.6], 1.0
    TagProbabilities.of(labels, probabilities, top=2).to_doc(doc)
    kept = TagProbabilities.from_doc(doc)
    assert kept.labels == ("T0", "T7", "T900")
    np.testing.assert_array_equal(kept.dense(labels), probabilities)
    TagProbabilities.of(labels, probabilities[:0]).to_doc(empty := Doc(Vocab(), words=[]))
    assert TagProbabilities.from_doc(empty).dense(labels).shape == (0, 1000)


@pytest.mark.parametrize("top", [1, 3, 9])
def test_the_best_are_the_first_of_all(top):
    probabilities = np.random.default_rng(0).random((50, 7)).round(1)
    expected = TagProbabilities.of("ABCDEFG", probabilities).tags[:, :top]
    found = TagProbabilities.of("ABCDEFG", probabilities, top=top)
    np.testing.assert_array_equal(found.tags, expected)


def test_what_is_forgotten(doc):
    TagSequences.of(LABELS, np.zeros((1, 2), np.int64), np.ones(1)).to_doc(doc)
    forget(doc)
    assert TagProbabilities.from_doc(doc) is None and TagSequences.from_doc(doc) is None


def test_scores_of_some_tokens():
    scores = TagProbabilities.of(LABELS, PROBABILITIES)
    np.testing.assert_array_equal(scores[1:].dense(), PROBABILITIES[1:])


def test_one_token_is_read_without_the_others(doc, monkeypatch):
    """A loop over a long doc would be slow."""
    monkeypatch.setattr("spacy_lstm_tagger.probabilities._words", None)
    kept = TagProbabilities.from_token(doc[1])
    np.testing.assert_array_equal(kept.dense(), PROBABILITIES[1:])


def test_they_can_be_looked_for():
    one, other = (TagProbabilities.of(["A", "B"], np.array([[0.75, 0.25]])) for _ in range(2))
    assert one in [other, one] and one != other
