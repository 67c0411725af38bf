"""How sure a figure is, and whether two pipelines differ: by drawing sentences anew.

The words of a sentence are right or wrong together, so sentences are drawn rather than words; or
documents, whose sentences are, too. Either is a unit here.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SAMPLES = 1000  # of a bootstrap
ROUNDS = 10_000  # of a paired test
LEVEL = 0.95  # of the intervals
TAIL = (1.0 - LEVEL) / 2.0
SEED = 0  # the same report each time
CHUNK = 4_000_000  # so many random numbers are in memory at a time


class Intervals(NamedTuple):
    """Confidence intervals of figures. NaN: of a figure that no sample has.

    low (NDArray[np.float64]): *Shape:* ``(figures,)``.
    high (NDArray[np.float64]): *Shape:* ``(figures,)``.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def samples_of(units: int, *, samples: int) -> Iterator[NDArray[np.float64]]:
    """Draw units with replacement, as many as there are.

    units (int): How many there are.
    samples (int): How often.
    YIELDS (NDArray[np.float64]): How often each unit is in some of the samples.
        *Shape:* ``(samples, units)``.
    """
    rng = np.random.default_rng(SEED)
    step = max(1, CHUNK // max(1, units))
    for start in range(0, samples, step):
        count = min(step, samples - start)
        drawn = rng.integers(units, size=(count, units))
        drawn += units * np.arange(count)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=count * units)
        yield counts.reshape(count, units).astype(np.float64)


def ratio_intervals(
    numerators: NDArray, denominators: NDArray, *, samples: int = SAMPLES
) -> Intervals:
    """Find the intervals of figures that are a sum over units by another one (percentile
    bootstrap, Efron, 1979).

    numerators (NDArray): *Shape:* ``(units, figures)``.
    denominators (NDArray): *Shape:* ``(units, figures)``.
    samples (int): How many samples are drawn.
    RETURNS (Intervals): The intervals.
    """
    drawn = samples_of(len(numerators), samples=samples)
    values = [_divide(weights @ numerators, weights @ denominators) for weights in drawn]
    return _percentiles(np.concatenate(values))


def share_intervals(right: NDArray, words: NDArray) -> Intervals:
    """Find the intervals of shares of words. Where all are right, or none is, every sample says the
    same: there it is the exact interval of as many units (Clopper & Pearson, 1934,
    https://doi.org/10.1093/biomet/26.4.404). One unit does not tell how units differ: where it is
    right in part, nothing is known.

    right (NDArray): How many words of each unit are right. *Shape:* ``(units, figures)``.
    words (NDArray): How many it has. *Shape:* ``(units, figures)``.
    RETURNS (Intervals): The intervals.
    """
    found = ratio_intervals(right, words)
    n_right, n_words = right.sum(axis=0), words.sum(axis=0)
    n_units = np.count_nonzero(words, axis=0)
    beyond = np.where(n_units > 0, TAIL ** (1.0 / np.maximum(n_units, 1)), np.nan)
    low, high = np.where(n_units == 1, [[0.0], [1.0]], found)
    low = np.where(n_right == n_words, beyond, low)
    high = np.where(n_right == 0, 1.0 - beyond, high)
    return Intervals(low, high)


def difference_interval(gains: NDArray[np.int64], words: NDArray[np.int64]) -> Intervals:
    """Find the interval of a difference in accuracy. With one unit, nothing is known.

    gains (NDArray[np.int64]): How many words more are right in each unit.
    words (NDArray[np.int64]): How many it has.
    RETURNS (Intervals): One interval.
    """
    if len(gains) == 1:
        return Intervals(np.array([-1.0]), np.array([1.0]))
    return ratio_intervals(gains[:, None], words[:, None])


def macro_f1_interval(
    hits: NDArray, counts: NDArray, guesses: NDArray, *, samples: int = SAMPLES
) -> Intervals:
    """Find the interval of the mean F1 of tags: in each sample, of those that it has. With one
    unit, nothing is known.

    hits (NDArray): How many words of each unit have each tag and are given it.
        *Shape:* ``(units, tags)``, as of the others.
    counts (NDArray): How many have it.
    guesses (NDArray): How many are given it.
    samples (int): How many samples are drawn.
    RETURNS (Intervals): One interval.
    """
    if len(hits) == 1:
        return Intervals(np.array([0.0]), np.array([1.0]))
    total = counts + guesses
    values = []
    for weights in samples_of(len(hits), samples=samples):
        f1 = _divide(2.0 * (weights @ hits), weights @ total)
        there = ~np.isnan(f1)
        sums = np.where(there, f1, 0.0).sum(axis=1)
        values.append(_divide(sums, there.sum(axis=1).astype(np.float64)))
    return _percentiles(np.concatenate(values)[:, None])


def randomization_test(differences: NDArray[np.int64], *, rounds: int = ROUNDS) -> float:
    """Test whether two pipelines are equally right (approximate randomization, Noreen, 1989;
    Yeh, 2000, https://aclanthology.org/C00-2137): if they were, it would be by chance which of the
    two tags of a unit are whose.

    differences (NDArray[np.int64]): How many words more the first has right in each unit.
    rounds (int): How often the tags of each unit change hands by chance.
    RETURNS (float): The probability of a difference that is as large in either direction.
    """
    differences = differences[differences != 0]
    observed = abs(int(differences.sum()))
    rng = np.random.default_rng(SEED)
    step = max(1, CHUNK // max(1, len(differences)))
    as_large = 0
    for start in range(0, rounds, step):
        signs = rng.integers(2, size=(min(step, rounds - start), len(differences))) * 2 - 1
        as_large += int((np.abs(signs @ differences) >= observed).sum())
    return (as_large + 1) / (rounds + 1)


def _divide(numerators: NDArray, denominators: NDArray) -> NDArray[np.float64]:
    """RETURNS (NDArray[np.float64]): NaN where there is nothing to divide by."""
    nothing = np.full(np.shape(numerators), np.nan)
    return np.divide(numerators, denominators, out=nothing, where=denominators > 0)


def _percentiles(values: NDArray[np.float64]) -> Intervals:
    """RETURNS (Intervals): Those of each column."""
    found = np.full((2, values.shape[1]), np.nan)
    there = ~np.isnan(values).all(axis=0)
    found[:, there] = np.nanquantile(values[:, there], [TAIL, 1.0 - TAIL], axis=0)
    return Intervals(*found)
