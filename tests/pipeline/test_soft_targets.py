"""Soft targets: the gradient is that of the cross-entropy with a teacher's distribution."""

import numpy as np
import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax, softmax
from spacy.tokens import Doc
from spacy.training import Example

from spacy_lstm_tagger.pipeline.gold import gold_tags
from spacy_lstm_tagger.pipeline.loss import softmax_gradient
from spacy_lstm_tagger.pipeline.notation import Notation
from spacy_lstm_tagger.pipeline.soft_targets import add_soft_targets, soft_targets
from spacy_lstm_tagger.probabilities import TagProbabilities

from ..util import make_examples, small_model, train, trained_nlp

LABELS = ["NN", "V", "DET"]
VOCAB = spacy.blank("en").vocab


def example(words, tags, probabilities, *, labels=LABELS, predicted=None, **options):
    reference = Doc(VOCAB, words=words, tags=tags)
    if probabilities is not None:
        TagProbabilities.of(labels, np.array(probabilities, "f4"), **options).to_doc(reference)
    return Example(Doc(VOCAB, words=predicted or words), reference)


@settings(deadline=None)
@given(
    seed=st.integers(0, 1000),
    share=st.sampled_from([0.0, 0.3, 1.0]),
    smoothing=st.sampled_from([0.0, 0.1]),
)
def test_gradient_is_that_of_the_loss(seed, share, smoothing):
    """Against finite differences: tokens 0 and 1 have a teacher, 1 and 2 have a tag, 3 nothing."""
    random = np.random.default_rng(seed)
    teacher = np.sort(random.dirichlet(np.ones(3), size=2))[:, [0, 2, 1]]  # V is the best
    examples = [
        example(["a", "b"], ["", "V"], teacher),
        example(["c", "d"], ["DET", ""], None),
    ]
    logits = random.normal(size=(4, 3))

    def loss(logits):
        log_p = log_softmax(logits, axis=1)
        hard = np.full((4, 3), smoothing / 2)
        hard[1, 1] = hard[2, 2] = 1.0 - smoothing
        by_tag = -(hard * log_p).sum(axis=1) * [0, 1, 1, 0]
        by_teacher = -(teacher * log_p[:2]).sum(axis=1)
        mixed = share * by_teacher + (1 - share) * by_tag[:2]
        return mixed.sum() + by_tag[2:].sum()

    numeric = np.zeros((4, 3))
    for i in np.ndindex(4, 3):
        step = np.zeros((4, 3))
        step[i] = 1e-5
        numeric[i] = (loss(logits + step) - loss(logits - step)) / 2e-5
    probs = softmax(logits, axis=1)
    gold = gold_tags(examples, LABELS, Notation("!"))
    probs = torch.from_numpy(probs)
    hard = softmax_gradient(probs, gold, label_smoothing=smoothing)
    soft = soft_targets(examples, LABELS)
    ours = add_soft_targets(hard, probs, soft, share=share)
    assert_allclose(ours, numeric, atol=1e-6)


def test_order_of_the_tag_set_may_differ():
    eg = example(["a"], [""], [[0.7, 0.2, 0.1]], labels=["DET", "NN", "V"])
    assert_allclose(soft_targets([eg], LABELS).probabilities, [[0.2, 0.1, 0.7]], atol=1e-6)


def test_best_tags_are_scaled_and_unscored_tokens_left_out():
    rows = [[0.6, 0.3, 0.1], [0, 0, 0], [0.1, 0.1, 0.8]]
    eg = example(["a", "\n", "b"], ["NN", "", "DET"], rows, top=2, half=True)
    soft = soft_targets([example(["x"], ["V"], None), eg], LABELS)
    assert soft.tokens.tolist() == [1, 3]
    assert_allclose(soft.probabilities, [[2 / 3, 1 / 3, 0], [1 / 9, 0, 8 / 9]], atol=1e-3)


def test_a_token_that_was_corrected_is_learned_from_its_tag():
    """As where a tagger's own tags, kept with their probabilities, were gone through by hand."""
    rows = [[0.9, 0.1, 0.0]] * 3
    eg = example(["a", "b", "c"], ["NN", "V", "!NN"], rows)
    assert soft_targets([eg], LABELS).tokens.tolist() == [0]


def test_misaligned_tokens():
    """Tokens that the two docs share are learned from, as with tags."""
    rows = np.eye(3)[[0, 1, 2, 0]]
    words = ["do", "n't", "go", "now"]
    eg = example(words, [""] * 4, rows, predicted=["don't", "go", "n", "ow"])
    soft = soft_targets([eg], LABELS)
    assert soft.tokens.tolist() == [1]
    assert_array_equal(soft.probabilities, rows[2:3])


def test_none():
    assert (
        soft_targets([example(["a"], ["V"], None), Example(Doc(VOCAB), Doc(VOCAB))], LABELS) is None
    )


def test_tag_of_the_teacher_alone():
    eg = example(["a"], [""], [[0.5, 0.5]], labels=["NN", "XYZ"])
    with pytest.raises(ValueError, match=r"P002.*'XYZ'.*NN, V, DET"):
        soft_targets([eg], LABELS)


def silver_examples(nlp, probabilities):
    """RETURNS (list): The shared sentences without tags, with one distribution for each token."""
    examples = make_examples(nlp)
    for eg in examples:
        for token in eg.reference:
            token.tag_ = ""
        rows = np.tile(np.array(probabilities, "f4"), (len(eg.reference), 1))
        TagProbabilities.of(["V", "NN"], rows).to_doc(eg.reference)
    return examples


def test_a_student_learns_the_distribution():
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    config = {"model": small_model(), "label_smoothing": 0.1}
    pipe = nlp.add_pipe("lstm_tagger", config=config)
    gold = make_examples(nlp)
    optimizer = nlp.initialize(lambda: gold)
    optimizer.learn_rate = 0.01
    silver = silver_examples(nlp, [0.7, 0.3])
    train(nlp, silver, steps=60, optimizer=optimizer)
    (logits,) = pipe.model.predict([nlp.make_doc("The dog ate the apple")])
    order = [pipe.labels.index(tag) for tag in ("V", "NN")]
    assert_allclose(softmax(logits, axis=1)[:, order], np.tile([0.7, 0.3], (5, 1)), atol=0.05)


def test_share_of_zero_learns_from_tags_alone():
    losses = []
    for share in (0.0, 1.0):
        spacy.util.fix_random_seed(0)
        nlp = spacy.blank("en")
        nlp.add_pipe("lstm_tagger", config={"model": small_model(), "soft_share": share})
        gold = make_examples(nlp)
        optimizer = nlp.initialize(lambda gold=gold: gold)
        losses.append(train(nlp, silver_examples(nlp, [0.7, 0.3]), steps=1, optimizer=optimizer))
    assert losses[0][0]["lstm_tagger"] == 0.0 < losses[1][0]["lstm_tagger"]


def test_share_of_zero_does_not_read_them():
    nlp, optimizer = trained_nlp(steps=0, config={"soft_share": 0.0})
    examples = make_examples(nlp)
    for eg in examples:
        rows = np.ones((len(eg.reference), 1), "f4")
        TagProbabilities.of(["of another tag set"], rows).to_doc(eg.reference)
    train(nlp, examples, steps=1, optimizer=optimizer)


@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_bad_settings(value):
    nlp = spacy.blank("en")
    with pytest.raises(ValueError, match=f"M001.*soft_share = {value}"):
        nlp.add_pipe("lstm_tagger", config={"model": small_model(), "soft_share": value})


def test_a_crf_does_not_read_them():
    """Not even tags that it lacks."""
    nlp, _ = trained_nlp(steps=1, architecture="CRFTagger")
    (eg, *_) = make_examples(nlp)
    TagProbabilities.of(["X", "Y"], np.full((len(eg.reference), 2), 0.5)).to_doc(eg.reference)
    assert nlp.update([eg])["lstm_tagger"] > 0.0


def test_targets_after_misaligned_tokens():
    """Tokens are counted in the predicted docs, which may have fewer or more."""
    first = example(["do", "n't"], ["", ""], np.eye(3)[[0, 1]], predicted=["don't"])
    second = example(["a", "b"], ["", ""], np.eye(3)[[1, 2]])
    soft = soft_targets([first, second], LABELS)
    assert soft.tokens.tolist() == [1, 2]
    assert_array_equal(soft.probabilities, np.eye(3)[[1, 2]])


def test_white_space_that_a_teacher_has_scored_is_left_out():
    eg = example(["a", "\n", "b"], ["", "", ""], [[0.6, 0.4, 0.0]] * 3)
    assert soft_targets([eg], LABELS).tokens.tolist() == [0, 2]


def test_what_a_tagger_has_kept_teaches_nobody():
    """Else a tag that somebody confirms would be learned as unsurely as it was guessed."""
    nlp, _ = trained_nlp(steps=2)
    nlp.get_pipe("lstm_tagger").cfg["save_probabilities"] = True
    doc = nlp("The dog ate")
    assert (
        soft_targets([Example(nlp.make_doc(doc.text), doc)], nlp.get_pipe("lstm_tagger").labels)
        is None
    )
