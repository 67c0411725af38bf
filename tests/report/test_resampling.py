"""Intervals and the paired test, beside scipy and scikit-learn."""

import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap, permutation_test
from sklearn.metrics import f1_score

from spacy_lstm_tagger.report.resampling import (
    difference_interval,
    macro_f1_interval,
    randomization_test,
    ratio_intervals,
    samples_of,
    share_intervals,
)

RNG = np.random.default_rng(0)


def test_intervals_are_those_of_scipy():
    words = RNG.integers(1, 20, size=300)
    right = RNG.binomial(words, 0.9)
    found = ratio_intervals(right[:, None], words[:, None], samples=4000)
    expected = bootstrap(
        (right, words),
        lambda right, words, axis: right.sum(axis=axis) / words.sum(axis=axis),
        paired=True,
        method="percentile",
        n_resamples=4000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert found.low[0] == pytest.approx(expected.low, abs=0.003)
    assert found.high[0] == pytest.approx(expected.high, abs=0.003)


def test_intervals_of_several_figures_and_of_none():
    numerators, denominators = RNG.integers(0, 2, size=(2, 50, 3))
    denominators = np.maximum(numerators, denominators)
    denominators[:, 2] = numerators[:, 2] = 0
    both = ratio_intervals(numerators, denominators)
    alone = ratio_intervals(numerators[:, 1:2], denominators[:, 1:2])
    assert (both.low[1], both.high[1]) == (alone.low[0], alone.high[0])
    assert np.isnan(both.low[2]) and np.isnan(both.high[2])


def test_each_sentence_is_drawn_as_often():
    (drawn,) = samples_of(4, samples=2000)
    assert (drawn.sum(axis=1) == 4).all()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(4), abs=0.1)


@pytest.mark.parametrize("n", [1, 3, 30])
def test_where_all_is_right_or_nothing_the_interval_is_exact(n):
    """That of as many sentences as have such words. Between them it is the bootstrap's."""
    words = np.tile([[2, 2, 2, 0]], (n, 1))
    words[0, 0] = 0
    right = words * [1, 0, 1, 1]
    right[0, 2] = 1
    found = share_intervals(right, words)
    for figure, (successes, trials) in enumerate([(n - 1, n - 1), (0, n)]):
        if trials:
            exact = binomtest(successes, trials).proportion_ci(method="exact")
            assert found.low[figure] == pytest.approx(exact.low)
            assert found.high[figure] == pytest.approx(exact.high)
    drawn = ratio_intervals(right, words)
    expected = (drawn.low[2], drawn.high[2]) if n > 1 else (0.0, 1.0)
    assert (found.low[2], found.high[2]) == expected
    assert np.isnan(found.low[3]) and np.isnan(found.high[3])


def test_one_unit_does_not_tell_how_units_differ():
    """Nothing is known, rather than all."""
    right, words = np.array([[3, 3]]), np.array([[4, 3]])
    found = share_intervals(right, words)
    assert (found.low.tolist(), found.high.tolist()) == ([0.0, pytest.approx(0.025)], [1.0, 1.0])
    found = difference_interval(right[:, 0], words[:, 0])
    assert (found.low.tolist(), found.high.tolist()) == ([-1.0], [1.0])
    found = macro_f1_interval(right, words, words)
    assert (found.low.tolist(), found.high.tolist()) == ([0.0], [1.0])


def test_a_difference_is_a_ratio():
    gains, words = RNG.integers(-2, 3, size=20), RNG.integers(3, 9, size=20)
    found = difference_interval(gains, words)
    assert found == ratio_intervals(gains[:, None], words[:, None])


def test_tags_that_a_sample_lacks_are_not_in_its_mean():
    each = np.eye(3)  # three sentences, each with a tag of its own, all right
    found = macro_f1_interval(each, each, each)
    assert found.low.tolist() == found.high.tolist() == [1.0]


def test_a_large_corpus_is_drawn_in_parts(monkeypatch):
    whole = ratio_intervals(np.arange(60)[:, None], np.full((60, 1), 60))
    monkeypatch.setattr("spacy_lstm_tagger.report.resampling.CHUNK", 200)
    assert [len(part) for part in samples_of(60, samples=7)] == [3, 3, 1]
    assert ratio_intervals(np.arange(60)[:, None], np.full((60, 1), 60)) == whole


def test_mean_f1_is_that_of_scikit_learn():
    """In each sample: of the sentences that are drawn, as often as they are."""
    sentences = np.repeat(np.arange(12), 5)
    gold, guesses = RNG.integers(0, 4, size=(2, 60))
    guesses = np.where(RNG.random(60) < 0.7, gold, guesses)

    def count(values, chosen=True):
        table = np.zeros((12, 4))
        np.add.at(table, (sentences, values), np.broadcast_to(chosen, values.shape))
        return table

    found = macro_f1_interval(count(gold, gold == guesses), count(gold), count(guesses), samples=50)
    values = []
    for (weights,) in (part for part in [*zip(*samples_of(12, samples=50), strict=True)]):
        drawn = np.repeat(np.arange(60), weights[sentences].astype(int))
        values.append(f1_score(gold[drawn], guesses[drawn], average="macro", zero_division=0))
    expected = np.quantile(values, [0.025, 0.975])
    assert [found.low[0], found.high[0]] == pytest.approx(list(expected))


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_the_paired_test_is_that_of_scipy(shift):
    differences = np.array([1, -2, 3, 0, 0, 1, -1, 2, 1, -1, 2, 1]) + shift
    expected = permutation_test(
        (differences, np.zeros_like(differences)),
        lambda a, b, axis: np.sum(a - b, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
    ).pvalue
    assert randomization_test(differences) == pytest.approx(expected, abs=0.015)


def test_pipelines_that_are_equally_right():
    assert randomization_test(np.zeros(9, dtype=np.int64)) == 1.0


def test_no_difference_is_certain():
    """What was observed is itself one of the outcomes, so p is never 0."""
    assert randomization_test(np.full(200, 5), rounds=99) == 1 / 100


def test_many_sentences_are_tested_in_parts(monkeypatch):
    differences = np.array([1, -2, 3, 1, -1, 2])
    whole = randomization_test(differences)
    monkeypatch.setattr("spacy_lstm_tagger.report.resampling.CHUNK", 600)
    assert randomization_test(differences) == pytest.approx(whole, abs=0.02)
    assert randomization_test(np.array([1, -1]), rounds=750) == 1.0  # the last part is smaller


def test_the_paired_test_finds_the_same_twice():
    found = [
        [randomization_test(np.arange(-40, 41) + shift, rounds=500) for shift in range(5)]
        for _ in range(2)
    ]
    assert found[0] == found[1]
