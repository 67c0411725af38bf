"""Calibration: making a tagger's probabilities as sure as it is right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..nn.lattice import Lattice

BINS = 15
# Temperatures are looked for between these.
COLDEST, HOTTEST = 0.05, 20.0
TOLERANCE = 1e-3  # how near to come, in their logarithm


@dataclass(frozen=True)
class Calibration:
    """The outcome of a calibration.

    temperature (float): What scores are divided by.
    before (float): The expected calibration error with the temperature that was there.
    after (float): The same with the new one, on the same data.
    tokens (int): How many annotated tokens it was measured on.
    """

    temperature: float
    before: float
    after: float
    tokens: int


def calibrate(
    lattices: Sequence[Lattice], labels: NDArray[np.int64], *, temperature: float
) -> Calibration:
    """Fit the temperature that makes the right tags of a dev set most likely (Guo et al., 2017,
    https://arxiv.org/abs/1706.04599): for a CRF, by its marginals.

    lattices (Sequence[Lattice]): The scores of the dev set, batch by batch.
    labels (NDArray[np.int64]): The right tags, negative where there is no single one.
        *Shape:* ``(tokens,)``.
    temperature (float): The temperature so far.
    RETURNS (Calibration): The new temperature and what it does.
    """
    tokens = (labels >= 0).nonzero()[0]
    gold = labels[tokens]
    best = np.concatenate([lattice.best().numpy(force=True) for lattice in lattices])[tokens]

    def probabilities(temperature: float) -> NDArray[np.floating]:
        parts = (lattice.divided(temperature).probabilities() for lattice in lattices)
        return np.concatenate([part.numpy(force=True) for part in parts])[tokens]

    def loss(log_temperature: float) -> float:
        right = probabilities(float(np.exp(log_temperature)))[np.arange(len(gold)), gold]
        # A dictionary may exclude the right tag.
        return float(-np.log(np.maximum(right, 1e-12)).mean())

    def error(temperature: float) -> float:
        sure = probabilities(temperature)[np.arange(len(gold)), best]
        return expected_calibration_error(sure, best == gold)

    fitted = round(float(np.exp(minimize(loss, np.log(COLDEST), np.log(HOTTEST)))), 4)
    return Calibration(fitted, error(temperature), error(fitted), len(tokens))


def expected_calibration_error(confidence: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """How far confidence and accuracy lie apart: the mean over `BINS` bins of equal width, weighted
    by how much is in them (Naeini et al., 2015, https://doi.org/10.1609/aaai.v29i1.9602).

    confidence (NDArray[np.floating]): The probabilities of the chosen tags. *Shape:* ``(tokens,)``.
    right (NDArray[np.bool_]): Whether they are right. *Shape:* ``(tokens,)``.
    RETURNS (float): The error, from 0 to 1.
    """
    if not len(confidence):
        return 0.0
    gaps = np.bincount(bins_of(confidence), confidence - right)
    return float(np.abs(gaps).sum() / len(confidence))


def bins_of(confidence: NDArray[np.floating]) -> NDArray[np.int64]:
    """RETURNS (NDArray[np.int64]): The bin that each probability is in. *Shape:* ``(tokens,)``."""
    return np.minimum((confidence * BINS).astype(np.int64), BINS - 1)


def minimize(function: Callable[[float], float], low: float, high: float) -> float:
    """Golden-section search (Kiefer, 1953, https://doi.org/10.2307/2032161).

    function (Callable[[float], float]): A function with one minimum.
    low (float): A bound of the search.
    high (float): The other.
    RETURNS (float): Where the minimum is, to `TOLERANCE`.
    """
    ratio = (np.sqrt(5.0) - 1.0) / 2.0
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > TOLERANCE:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return float((low + high) / 2)
