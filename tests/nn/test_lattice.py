"""What is read off scores, with and without a CRF."""

import pytest
import torch

from spacy_lstm_tagger.nn.crf import LinearChainCRF
from spacy_lstm_tagger.nn.lattice import Lattice

LENGTHS = [3, 0, 1, 4]


@pytest.fixture(params=["softmax", "crf"])
def lattice(request):
    torch.manual_seed(0)
    crf = LinearChainCRF(torch.randn(3, 3), torch.randn(3), torch.randn(3))
    return Lattice(torch.randn(8, 3), LENGTHS, crf if request.param == "crf" else None)


def test_the_first_of_the_n_best_is_the_best(lattice):
    tags, chances = lattice.n_best(200)
    assert torch.equal(tags[0], lattice.best())
    # All sequences of a sentence together are certain.
    torch.testing.assert_close(chances.nansum(0), torch.ones(4, dtype=torch.float64))
    assert (~chances.isnan()).sum(0).tolist() == [27, 1, 3, 81]


def test_probabilities_are_those_of_all_sequences_together(lattice):
    tags, chances = lattice.n_best(81)
    chances = chances.nan_to_num().repeat_interleave(torch.tensor(LENGTHS), dim=1)
    expected = torch.stack([(chances * (tags == tag)).sum(0) for tag in range(3)], dim=1)
    torch.testing.assert_close(lattice.probabilities().double(), expected, atol=1e-6, rtol=1e-5)


def test_a_temperature_changes_probabilities_but_no_tag(lattice):
    cold, hot = lattice.divided(0.05), lattice.divided(1000.0)
    assert torch.equal(cold.best(), lattice.best()) and torch.equal(hot.best(), lattice.best())
    torch.testing.assert_close(hot.probabilities(), torch.full((8, 3), 1 / 3), atol=0.01, rtol=0)
    best = cold.probabilities()[torch.arange(8), lattice.best()]
    assert (best >= lattice.probabilities()[torch.arange(8), lattice.best()]).all()
    assert lattice.divided(1.0) is lattice


def test_excluded_tags_have_no_probability(lattice):
    lattice.emissions[:, 1] = -torch.inf
    assert (lattice.best() != 1).all()
    assert not lattice.probabilities()[:, 1].any()
    tags, chances = lattice.n_best(16)
    there = (~chances.isnan()).repeat_interleave(torch.tensor(LENGTHS), dim=1)
    assert (tags[there] != 1).all()
    assert (~chances.isnan()).sum(0).tolist() == [8, 1, 2, 16]
