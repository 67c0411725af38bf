"""The softmax's loss is spaCy's, whatever is missing, misaligned or smoothed, and its gradient
that of the logarithm where several tags are possible; the CRF's is that of its likelihood."""

import numpy as np
import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import SequenceCategoricalCrossentropy

from spacy_lstm_tagger.nn.crf import LinearChainCRF
from spacy_lstm_tagger.pipeline.gold import SEVERAL, GoldTags, gold_tags, select
from spacy_lstm_tagger.pipeline.loss import crf_loss, softmax_gradient, softmax_loss, token_weights
from spacy_lstm_tagger.pipeline.notation import Notation
from spacy_lstm_tagger.whitespace import word_lengths

pytestmark = pytest.mark.usefixtures("one_thread")

LABELS = ["NN", "V", "DET"]
ANNOTATIONS = ["", *LABELS]
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


def gradient_of(probs, gold, **options):
    return softmax_gradient(torch.from_numpy(probs), gold, **options).numpy()


def by_us(examples, scores, labels, neg_prefix, label_smoothing):
    gold = gold_tags(examples, labels, Notation(neg_prefix))
    return gradient_of(np.concatenate(scores), gold, label_smoothing=label_smoothing)


@settings(deadline=None)
@given(
    examples=st.lists(texts(), min_size=1, max_size=4),
    label_smoothing=st.sampled_from([0.0, 0.05, 0.6]),
    seed=st.integers(0, 1000),
)
def test_gradient_is_that_of_thinc(examples, label_smoothing, seed):
    arguments = (examples, random_scores(examples, seed), LABELS, "!", label_smoothing)
    assert_allclose(by_us(*arguments), by_thinc(*arguments), atol=1e-6)


def test_single_tag():
    nlp = spacy.blank("en")
    example = Example.from_dict(nlp.make_doc("a b"), {"words": ["a", "b"], "tags": ["NN", ""]})
    scores = [np.ones((2, 1), dtype="f")]
    assert not by_us([example], scores, ["NN"], "!", 0.0).any()


LENGTHS = [3, 0, 1, 4]


def random_gold(seed, *, n_tags=4):
    """RETURNS (GoldTags): Single tags, sets of tags and missing ones."""
    generator = np.random.default_rng(seed)
    sets = generator.random((sum(LENGTHS), n_tags)) < 0.4
    sets[:3] = np.eye(n_tags, dtype=bool)[:3]  # single ones
    sets[~sets.any(axis=1)] = True
    counts = sets.sum(axis=1)
    labels = np.where(counts == 1, sets.argmax(axis=1), SEVERAL)
    labels[counts == n_tags] = -1
    return GoldTags(labels, np.arange(len(sets)), sets)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weighted", [False, True])
def test_softmax_gradient_where_several_tags_are_possible(seed, weighted):
    """By automatic differentiation of −log of their summed probability."""
    gold = random_gold(seed)
    weights = np.arange(1, 9, dtype="f") / 4 if weighted else None
    logits = torch.randn(8, 4, dtype=torch.float64, requires_grad=True)
    losses = -(logits.softmax(1) * torch.from_numpy(gold.allowed())).sum(1).log()
    (losses * torch.from_numpy(weights if weighted else np.ones(8))).sum().backward()
    probs = logits.detach().softmax(1).numpy()
    found = gradient_of(probs, gold, label_smoothing=0.0, weights=weights)
    assert_allclose(found, logits.grad, atol=1e-6)


def test_impossible_sets_give_a_finite_gradient():
    gold = GoldTags(np.array([SEVERAL]), np.array([0]), np.array([[False, True, True]]))
    found = gradient_of(np.array([[1.0, 0.0, 0.0]], "f"), gold, label_smoothing=0.0)
    assert np.isfinite(found).all() and found[0, 0] == 1.0


WORDS = np.zeros(8, dtype=bool)
SPACED = np.array([False, True, False, True, False, True, False, False])  # a doc has no word


def loss_of_crf(values, gold, spaces=WORDS, **options):
    emissions, *crf = values
    crf = LinearChainCRF(*crf)
    return crf_loss(emissions, LENGTHS, crf, gold, spaces=spaces, **options)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("spaces", [WORDS, SPACED], ids=["words", "spaced"])
def test_crf_gradient_against_finite_differences(label_smoothing, weighted, spaces):
    torch.manual_seed(0)
    shapes = [(8, 4), (4, 4), (4,), (4,)]
    values = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    gold = random_gold(0)
    weights = np.arange(1, 9, dtype="f") / 4 if weighted else None
    options = {"label_smoothing": label_smoothing, "weights": weights, "spaces": spaces}
    gradient = loss_of_crf(values, gold, **options).gradient
    crf = gradient.crf
    gradients = [gradient.flat, crf.transitions, crf.start, crf.end]
    for value, d_value in zip(values, gradients, strict=True):
        flat, d_flat = value.view(-1), np.asarray(d_value).ravel()
        for i in range(len(flat)):
            flat[i] += 1e-5
            up = loss_of_crf(values, gold, **options).value
            flat[i] -= 2e-5
            down = loss_of_crf(values, gold, **options).value
            flat[i] += 1e-5
            assert (up - down) / 2e-5 == pytest.approx(d_flat[i], abs=1e-5)
    assert not gradient.flat[spaces].any()


def test_a_crf_reads_words_as_if_there_were_no_white_space():
    values = [torch.randn(shape) for shape in [(8, 4), (4, 4), (4,), (4,)]]
    gold, words, lengths = random_gold(3), ~SPACED, [2, 0, 0, 3]
    loss = loss_of_crf(values, gold, SPACED, label_smoothing=0.1)
    emissions, *crf = values
    without = crf_loss(
        emissions[torch.from_numpy(words)],
        lengths,
        LinearChainCRF(*crf),
        select(gold, words),
        spaces=np.zeros(5, dtype=bool),
        label_smoothing=0.1,
    )
    assert loss.value == pytest.approx(without.value) and loss.surprisal == without.surprisal
    assert_allclose(loss.gradient.flat[words], without.gradient.flat, atol=1e-6)
    assert_allclose(loss.gradient.crf.transitions, without.gradient.crf.transitions, atol=1e-6)


def test_a_crf_without_transitions_learns_emissions_as_a_softmax_does():
    gold = random_gold(1)
    emissions = torch.randn(8, 4)
    crf = LinearChainCRF.independent(emissions)
    values = [emissions, crf.transitions, crf.start, crf.end]
    gradient = loss_of_crf(values, gold, label_smoothing=0.0).gradient
    probs = emissions.softmax(1).numpy()
    expected = gradient_of(probs, gold, label_smoothing=0.0)
    assert_allclose(gradient.flat, expected, atol=1e-6)


def test_docs_without_annotation_teach_a_crf_nothing():
    gold = GoldTags(np.full(8, -1), np.zeros(8, dtype=np.int64), np.ones((1, 4), dtype=bool))
    values = [torch.randn(shape) for shape in [(8, 4), (4, 4), (4,), (4,)]]
    loss, surprisal, gradient = loss_of_crf(values, gold, label_smoothing=0.2)
    assert loss == pytest.approx(0.0, abs=1e-9) and surprisal == 0.0
    crf = gradient.crf
    for array in (gradient.flat, crf.transitions, crf.start, crf.end):
        assert_allclose(array, 0.0, atol=1e-6)


def test_tokens_count_as_the_tags_that_they_may_have():
    gold = GoldTags(
        np.array([1, SEVERAL]), np.array([0, 1]), np.array([[0, 1, 0], [1, 0, 1]], bool)
    )
    found = token_weights(gold, np.array([1.0, 5.0, 2.0], "f"))
    assert found.tolist() == [5.0, 1.5]


def test_surprisal_is_that_of_tokens_with_a_single_tag():
    gold, probs = random_gold(2), np.random.default_rng(0).dirichlet(np.ones(4), 8).astype("f")
    single = (gold.tags >= 0).nonzero()[0]
    expected = -np.log(probs[single, gold.tags[single]]).mean()
    d_logits = gradient_of(probs, gold, label_smoothing=0.1)
    loss = softmax_loss(*map(torch.from_numpy, (probs, d_logits)), LENGTHS, gold)
    assert loss.surprisal == pytest.approx(expected, rel=1e-5)
    assert loss.value == pytest.approx(np.square(d_logits).sum(), rel=1e-5)
    assert [len(array) for array in loss.gradient] == LENGTHS


def test_surprisal_of_what_seems_impossible_is_finite():
    gold = GoldTags(np.array([0]), np.array([0]), np.eye(1, 2, dtype=bool))
    loss = softmax_loss(torch.tensor([[0.0, 1.0]]), torch.zeros(1, 2), [1], gold)
    assert 50.0 < loss.surprisal < np.inf


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weight", [None, 3.0])
def test_surprisal_of_a_crf_depends_on_neither_smoothing_nor_weights(label_smoothing, weight):
    gold = GoldTags(np.arange(8) % 4, np.arange(8), np.eye(4, dtype=bool)[np.arange(8) % 4])
    emissions = torch.randn(8, 4)
    crf = LinearChainCRF.independent(emissions)
    expected = -emissions.log_softmax(1)[torch.arange(8), torch.arange(8) % 4].mean()
    weights = None if weight is None else np.full(8, weight, dtype="f")
    options = {"label_smoothing": label_smoothing, "weights": weights}
    loss = loss_of_crf([emissions, crf.transitions, crf.start, crf.end], gold, **options)
    assert loss.surprisal == pytest.approx(float(expected), rel=1e-5)


def test_a_crf_is_smoothed_where_there_is_a_single_tag_alone():
    """Elsewhere it would be led away from the tags that are possible."""
    sets = np.array([[True, True, False, False]])
    gold = GoldTags(np.full(8, SEVERAL), np.zeros(8, dtype=np.int64), sets)
    values = [torch.randn(shape) for shape in [(8, 4), (4, 4), (4,), (4,)]]
    plain, smoothed = (loss_of_crf(values, gold, label_smoothing=s) for s in (0.0, 0.2))
    assert smoothed.value == pytest.approx(0.8 * plain.value, rel=1e-5)


def test_words_of_docs_are_counted():
    """Also of a last one that has none."""
    spaces = np.array([False, True, False, True, True])
    assert word_lengths([3, 0, 2], spaces) == [2, 0, 0]


def test_a_crf_weighs_a_last_doc_without_words():
    gold = GoldTags(np.array([0, 1]), np.array([0, 1]), np.eye(2, dtype=bool))
    emissions, weights = torch.randn(2, 2), np.array([1.0, 3.0], "f")
    options = {"label_smoothing": 0.0, "spaces": np.zeros(2, dtype=bool), "weights": weights}
    crf = LinearChainCRF.independent(emissions)
    losses = [crf_loss(emissions, lengths, crf, gold, **options) for lengths in ([1, 1], [1, 1, 0])]
    assert losses[0].value == losses[1].value and len(losses[1].gradient) == 3
