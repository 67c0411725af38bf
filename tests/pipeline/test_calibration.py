"""Calibration: the temperature that was there is found, and the error is the textbook's."""

import numpy as np
import pytest
import spacy
import torch
from scipy.optimize import minimize_scalar

from spacy_lstm_tagger.nn.crf import LinearChainCRF
from spacy_lstm_tagger.nn.lattice import Lattice
from spacy_lstm_tagger.pipeline.calibration import (
    calibrate,
    expected_calibration_error,
    minimize,
)

from ..util import ARCHITECTURES, make_examples, small_model, trained_nlp

pytestmark = pytest.mark.usefixtures("one_thread")


def test_expected_calibration_error():
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    right = np.array([True, True, True, False, True, False])
    expected = (4 * abs(0.95 - 0.75) + 2 * abs(0.55 - 0.5)) / 6
    assert expected_calibration_error(confidence, right) == pytest.approx(expected)
    assert expected_calibration_error(np.ones(3), np.ones(3, bool)) == 0.0
    assert expected_calibration_error(np.zeros(0), np.zeros(0, bool)) == 0.0


@pytest.mark.parametrize("sure", [(1.0, 0.97), (0.54, 0.58)])
def test_tokens_of_one_bin(sure):
    """Bins are of equal width; those that are wholly sure are in the last one."""
    expected = abs(sure[0] + (sure[1] - 1.0)) / 2
    found = expected_calibration_error(np.array(sure), np.array([False, True]))
    assert found == pytest.approx(expected)


def test_minimize():
    assert minimize(lambda x: (x - 1.234) ** 2, -5.0, 5.0) == pytest.approx(1.234, abs=1e-3)


@pytest.mark.parametrize("crf", [False, True])
def test_the_temperature_of_a_model_that_is_too_sure(crf):
    """Gold tags are drawn from the model itself, then its scores are multiplied by 3."""
    torch.manual_seed(0)
    lengths = [10] * 200
    emissions = 1.5 * torch.randn(2000, 4)
    chain = LinearChainCRF(*(torch.randn(s) for s in [(4, 4), (4,), (4,)])) if crf else None
    lattice = Lattice(emissions, lengths, chain)
    gold = torch.multinomial(lattice.probabilities(), 1)[:, 0].numpy()
    gold[::7] = -1  # not annotated
    result = calibrate([lattice.divided(1 / 3)], gold, temperature=1.0)
    assert result.temperature == pytest.approx(3.0, rel=0.15)
    assert result.after < 0.05 < result.before
    assert result.tokens == (gold >= 0).sum()
    again = calibrate([lattice.divided(1 / 3)], gold, temperature=result.temperature)
    assert again.before == result.after and again.temperature == pytest.approx(result.temperature)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_through_the_pipe(architecture):
    nlp, _ = trained_nlp(steps=6, architecture=architecture)
    pipe = nlp.get_pipe("lstm_tagger")
    examples = make_examples(nlp, [("The dog ate the apple", "DET NN V DET V")])
    before = [token.tag_ for token in nlp("The dog ate the apple")]
    result = pipe.calibrate(examples)
    assert pipe.cfg["temperature"] == result.temperature
    assert [token.tag_ for token in nlp("The dog ate the apple")] == before
    again = nlp.from_bytes(nlp.to_bytes()).get_pipe("lstm_tagger")
    assert again.cfg["temperature"] == pytest.approx(result.temperature)


def test_nothing_to_calibrate_on():
    nlp, _ = trained_nlp(steps=0)
    for examples in ([], make_examples(nlp, [("The", "!DET")])):
        with pytest.raises(ValueError, match="P007"):
            nlp.get_pipe("lstm_tagger").calibrate(examples)
    assert nlp.get_pipe("lstm_tagger").cfg["temperature"] == 1.0


def test_a_single_token_is_enough():
    nlp, _ = trained_nlp(steps=0)
    pipe = nlp.get_pipe("lstm_tagger")
    for label in pipe.labels:
        assert pipe.calibrate(make_examples(nlp, [("red", label)])).tokens == 1


def test_a_tagger_that_is_not_initialized():
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger", config={"model": small_model()})
    with pytest.raises(ValueError, match="P020"):
        pipe.calibrate(make_examples(nlp))


def test_errors_on_both_sides_do_not_cancel_out():
    """In one bin tags are less sure than they are right, in another one more."""
    confidence, right = np.array([0.95, 0.55]), np.array([False, True])
    expected = (0.95 + 0.45) / 2
    assert expected_calibration_error(confidence, right) == pytest.approx(expected)


def draw_gold(n=2000):
    """RETURNS (tuple): A lattice, and tags drawn from it, of which every seventh is missing."""
    torch.manual_seed(0)
    lattice = Lattice(1.5 * torch.randn(n, 4), [10] * (n // 10), None)
    gold = torch.multinomial(lattice.probabilities(), 1)[:, 0].numpy()
    gold[::7] = -1
    return lattice, gold


@pytest.mark.parametrize("temperature", [0.1, 12.0])
def test_temperatures_far_from_one(temperature):
    lattice, gold = draw_gold()
    result = calibrate([lattice.divided(1 / temperature)], gold, temperature=1.0)
    assert result.temperature == pytest.approx(temperature, rel=0.15)


def test_the_temperature_is_the_best_one():
    lattice, gold = draw_gold()
    chosen = (gold >= 0).nonzero()[0]

    def loss(temperature):
        found = lattice.divided(temperature).probabilities().numpy()
        return -np.log(found[chosen, gold[chosen]]).mean()

    best = minimize_scalar(loss, bounds=(0.1, 10.0), method="bounded").x
    assert calibrate([lattice], gold, temperature=1.0).temperature == pytest.approx(best, rel=2e-3)


def test_the_errors_are_those_of_the_annotated_tokens():
    lattice, gold = draw_gold()
    result = calibrate([lattice], gold, temperature=2.0)
    for temperature, found in ((2.0, result.before), (result.temperature, result.after)):
        sure, best = lattice.divided(temperature).probabilities().numpy().max(1), lattice.best()
        right = (best.numpy() == gold)[gold >= 0]
        assert found == pytest.approx(expected_calibration_error(sure[gold >= 0], right), abs=1e-6)


def test_right_tags_that_a_dictionary_excludes():
    lattice, gold = draw_gold()
    emissions = lattice.emissions * 3.0
    emissions[1, gold[1]] = -torch.inf
    result = calibrate([Lattice(emissions, lattice.lengths, None)], gold, temperature=1.0)
    assert result.temperature == pytest.approx(3.0, rel=0.15)
