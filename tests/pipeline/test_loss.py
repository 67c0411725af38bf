"""The loss is spaCy's, whatever is missing, misaligned, negated or smoothed."""

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import NumpyOps, SequenceCategoricalCrossentropy

from spacy_lstm_tagger.pipeline.loss import MISSING, gold_tags, softmax_gradient

LABELS = ["NN", "V", "DET"]
ANNOTATIONS = ["", "!NN", "!V", *LABELS]
OPS = NumpyOps()
VOCAB = Vocab()


@st.composite
def texts(draw):
    """An example whose two docs cut a text of their own each, and may differ in case."""
    letters = draw(st.text("abc", min_size=1, max_size=8))

    def cut(letters):
        words = [letters[0]]
        for letter in letters[1:]:
            if draw(st.booleans()):
                words.append(letter)
            else:
                words[-1] += letter
        return words

    predicted = cut(letters)
    reference = predicted
    if draw(st.booleans()):
        reference = cut(draw(st.sampled_from([letters, letters.upper()])))
    tags = [draw(st.sampled_from(ANNOTATIONS)) for _ in reference]
    spaces = [False] * len(reference)
    return Example(
        Doc(VOCAB, words=predicted, spaces=[False] * len(predicted)),
        Doc(VOCAB, words=reference, spaces=spaces, tags=tags),
    )


def random_scores(examples, seed=0, *, n_tags=3):
    generator = np.random.default_rng(seed)
    lengths = [len(eg.predicted) for eg in examples]
    return [generator.dirichlet(np.ones(n_tags), size=n).astype("f") for n in lengths]


def by_thinc(examples, scores, labels, neg_prefix, label_smoothing):
    loss = SequenceCategoricalCrossentropy(
        names=labels, normalize=False, neg_prefix=neg_prefix, label_smoothing=label_smoothing
    )
    truths = [[tag or None for tag in eg.get_aligned("TAG", as_string=True)] for eg in examples]
    return np.concatenate(loss.get_grad(scores, truths))


def by_us(examples, scores, labels, neg_prefix, label_smoothing):
    gold = gold_tags(examples, labels, neg_prefix=neg_prefix)
    return softmax_gradient(OPS, np.concatenate(scores), gold, label_smoothing=label_smoothing)


@settings(deadline=None)
@given(
    examples=st.lists(texts(), min_size=1, max_size=4),
    label_smoothing=st.sampled_from([0.0, 0.05, 0.6]),
    seed=st.integers(0, 1000),
)
def test_gradient_is_that_of_thinc(examples, label_smoothing, seed):
    if label_smoothing:
        # Thinc raises an error on negative tags with label smoothing, see below for ours.
        for eg in examples:
            for token in eg.reference:
                token.tag_ = token.tag_.removeprefix("!")
    arguments = (examples, random_scores(examples, seed), LABELS, "!", label_smoothing)
    assert_allclose(by_us(*arguments), by_thinc(*arguments), atol=1e-6)


@settings(deadline=None)
@given(examples=st.lists(texts(), min_size=1, max_size=4))
def test_gradient_without_negative_tags(examples):
    labels = ANNOTATIONS[1:]
    arguments = (examples, random_scores(examples, n_tags=len(labels)), labels, None, 0.1)
    assert_allclose(by_us(*arguments), by_thinc(*arguments), atol=1e-6)


def test_label_smoothing_leaves_negative_tags_alone():
    words, tags = ["a", "b", "c"], ["!V", "NN", ""]
    examples = [Example(Doc(VOCAB, words=words), Doc(VOCAB, words=words, tags=tags))]
    scores = random_scores(examples)
    p = scores[0]
    expected = [[0, p[0, 1], 0], [p[1, 0] - 0.8, p[1, 1] - 0.1, p[1, 2] - 0.1], [0, 0, 0]]
    assert_allclose(by_us(examples, scores, LABELS, "!", 0.2), expected, atol=1e-6)


def test_single_tag():
    nlp = spacy.blank("en")
    example = Example.from_dict(nlp.make_doc("a b"), {"words": ["a", "b"], "tags": ["NN", ""]})
    scores = [np.ones((2, 1), dtype="f")]
    assert not by_us([example], scores, ["NN"], "!", 0.0).any()


def test_missing_misaligned_and_negative():
    predicted = Doc(VOCAB, words=["don't", "go", "ab", "x", "y"])
    reference = Doc(
        VOCAB,
        words=["do", "n't", "go", "ab", "x", "y"],
        spaces=[False, True, True, True, True, True],
        tags=["V", "DET", "V", "", "!NN", "DET"],
    )
    gold = gold_tags([Example(predicted, reference)], LABELS, neg_prefix="!")
    assert gold.labels.tolist() == [MISSING, 1, MISSING, 0, 2]
    assert gold.negative.tolist() == [False, False, False, True, False]


def test_empty_docs_are_no_rows():
    empty = Example(Doc(VOCAB), Doc(VOCAB))
    one = Example(Doc(VOCAB, words=["a"]), Doc(VOCAB, words=["a"], tags=["V"]))
    gold = gold_tags([empty, one, empty], LABELS, neg_prefix="!")
    assert gold.labels.tolist() == [1]
    assert gold_tags([empty], LABELS, neg_prefix="!").labels.tolist() == []


def test_docs_of_different_vocabularies():
    examples = []
    for tag in ("NN", "DET"):
        vocab = Vocab()
        words = Doc(vocab, words=["a"])
        examples.append(Example(words, Doc(vocab, words=["a"], tags=[tag])))
    assert gold_tags(examples, LABELS, neg_prefix="!").labels.tolist() == [0, 2]


@pytest.mark.parametrize("tag", ["XYZ", "!XYZ"])
def test_unknown_tag(tag):
    example = Example(Doc(VOCAB, words=["a"]), Doc(VOCAB, words=["a"], tags=[tag]))
    with pytest.raises(ValueError, match=r"P001.*'!?XYZ'.*NN, V, DET.*correct the data"):
        gold_tags([example], LABELS, neg_prefix="!")
