"""What is settled before the search is right, and of a sure tagger little is left to search."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_lstm_tagger.nn.crf import LinearChainCRF
from spacy_lstm_tagger.nn.settle import settle

from .test_crf import enumerate_all, random_crf, random_emissions


def settle_with(crf, emissions, lengths):
    return settle(emissions, lengths, transitions=crf.transitions, start=crf.start, end=crf.end)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(0, 1000),
    st.sampled_from([0.5, 4.0, 20.0]),
)
def test_settled_tags_and_chains(lengths, n_tags, seed, scale):
    crf = random_crf(n_tags, seed=seed)
    emissions = random_emissions(lengths, n_tags, scale=scale, gaps=seed % 2 == 0)
    rest = settle_with(crf, emissions, lengths)
    is_open = torch.zeros(sum(lengths), dtype=torch.bool)
    is_open[rest.rows] = True
    chains = []
    start = 0
    for length in lengths:
        rows = range(start, start + length)
        sequences, scores = enumerate_all(crf, emissions[start : start + length])
        best = sequences[scores.argmax()]
        closed = [t for t in range(length) if not is_open[rows[t]]]
        assert rest.tags[[rows[t] for t in closed]].tolist() == best[closed].tolist()
        run = 0
        for t in range(length + 1):
            if t < length and is_open[rows[t]]:
                run += 1
            elif run:
                chains.append(run)
                run = 0
        # The potentials of an open token are what a chain of its own needs.
        for t in range(length):
            if is_open[rows[t]]:
                expected = emissions[rows[t]].clone()
                if t == 0:
                    expected += crf.start
                elif not is_open[rows[t - 1]]:
                    expected += crf.transitions[best[t - 1]]
                if t == length - 1:
                    expected += crf.end
                elif not is_open[rows[t + 1]]:
                    expected += crf.transitions[:, best[t + 1]]
                place = rest.rows.tolist().index(rows[t])
                torch.testing.assert_close(rest.potentials[place], expected)
        start += length
    assert rest.lengths == chains


@pytest.mark.parametrize("lengths", [[20_000], [40] * 500])
def test_a_sure_tagger_leaves_little_to_search(lengths):
    """So a long doc is not walked through step by step."""
    crf = random_crf(10)
    emissions = random_emissions(lengths, 10, scale=1.0)
    emissions[torch.arange(20_000), torch.randint(10, (20_000,))] += 8.0
    rest = settle_with(crf, emissions, lengths)
    assert 0 < len(rest.rows) < 2_000 and max(rest.lengths) < 20


def test_close_calls_are_left_open():
    emissions = torch.tensor([[100.0, 100.0 - 1e-5]])
    crf = LinearChainCRF.independent(emissions)
    assert settle_with(crf, emissions, [1]).rows.tolist() == [0]


def test_close_calls_of_large_scores_are_left_open():
    """A rounding error is as large as what it is of."""
    emissions = torch.tensor([[10_000.0, 9_999.9]])
    crf = LinearChainCRF.independent(emissions)
    assert settle_with(crf, emissions, [1]).rows.tolist() == [0]
