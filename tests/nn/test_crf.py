"""The CRF computes what enumerating every tag sequence gives, and what pytorch-crf computes."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_lstm_tagger.nn.crf import LinearChainCRF

LENGTHS = st.lists(st.integers(0, 5), min_size=1, max_size=4)
SIZES = st.integers(1, 4)
SEEDS = st.integers(0, 1000)


def random_crf(n_tags, *, scale=1.0, seed=0):
    torch.manual_seed(seed)
    shapes = [(n_tags, n_tags), (n_tags,), (n_tags,)]
    return LinearChainCRF(*(scale * torch.randn(shape) for shape in shapes))


def random_emissions(lengths, n_tags, *, scale=1.0, gaps=False):
    """RETURNS (Tensor): Emissions; with gaps, some tags but not all are not allowed somewhere."""
    emissions = scale * torch.randn(sum(lengths), n_tags)
    if gaps:
        banned = torch.rand_like(emissions) < 0.4
        banned[torch.arange(len(banned)), torch.randint(n_tags, (len(banned),))] = False
        emissions = emissions.masked_fill(banned, -torch.inf)
    return emissions


def sentences(emissions, lengths):
    return zip(range(len(lengths)), lengths, emissions.split(lengths), strict=True)


def score_by_hand(crf, emissions, tags):
    """RETURNS (float): The score of a tag sequence of a sentence."""
    score = sum(float(emissions[t, tag]) for t, tag in enumerate(tags))
    score += sum(float(crf.transitions[pair]) for pair in itertools.pairwise(tags))
    return score + float(crf.start[tags[0]]) + float(crf.end[tags[-1]]) if tags else score


def score_of(crf, emissions, lengths, tags):
    """RETURNS (Tensor): The score of one tag sequence of each sentence."""
    parts = zip(emissions.split(lengths), tags.split(lengths), strict=True)
    scores = [score_by_hand(crf, each, sequence.tolist()) for each, sequence in parts]
    return torch.tensor(scores, dtype=torch.float64)


def enumerate_all(crf, emissions):
    """RETURNS (tuple): Every tag sequence of a sentence and its score, worked out by hand."""
    length, n_tags = emissions.shape
    sequences = list(itertools.product(range(n_tags), repeat=length))
    scores = [score_by_hand(crf, emissions, tags) for tags in sequences]
    tensor = torch.tensor(sequences, dtype=torch.int64).view(n_tags**length, length)
    return tensor, torch.tensor(scores, dtype=torch.float64)


@settings(deadline=None)
@given(LENGTHS, SIZES, SEEDS, st.booleans(), st.sampled_from([1.0, 6.0]))
def test_against_enumeration(lengths, n_tags, seed, gaps, scale):
    crf = random_crf(n_tags, seed=seed)
    emissions = random_emissions(lengths, n_tags, scale=scale, gaps=gaps)
    expected = crf.expectations(emissions, lengths)
    best = crf.viterbi(emissions, lengths)
    scores = score_of(crf, emissions, lengths, best)
    pairs = torch.zeros(n_tags, n_tags)
    for i, length, local in sentences(emissions, lengths):
        sequences, weights = enumerate_all(crf, local)
        assert scores[i] == pytest.approx(float(weights.max()), abs=1e-4)
        total = torch.logsumexp(weights, 0)
        assert expected.log_partition[i] == pytest.approx(float(total), abs=1e-4)
        p = (weights - total).exp().float()
        marginals = torch.zeros(length, n_tags)
        for tags, chance in zip(sequences.tolist(), p, strict=True):
            for t, tag in enumerate(tags):
                marginals[t, tag] += chance
            for pair in itertools.pairwise(tags):
                pairs[pair] += chance
        start = sum(lengths[:i])
        torch.testing.assert_close(
            expected.marginals[start : start + length], marginals, atol=1e-5, rtol=1e-4
        )
    torch.testing.assert_close(expected.transitions, pairs, atol=1e-4, rtol=1e-4)


@settings(deadline=None)
@given(LENGTHS, SIZES, SEEDS, st.integers(1, 7), st.booleans())
def test_n_best_against_enumeration(lengths, n_tags, seed, n, gaps):
    crf = random_crf(n_tags, seed=seed)
    emissions = random_emissions(lengths, n_tags, gaps=gaps)
    tags, scores = crf.n_best(emissions, lengths, n=n)
    assert tags.shape == (n, sum(lengths)) and scores.shape == (n, len(lengths))
    for i, length, local in sentences(emissions, lengths):
        every = enumerate_all(crf, local)[1]
        every = every[every > -torch.inf].sort(descending=True).values[:n]
        found = scores[: len(every), i]
        torch.testing.assert_close(found, every, atol=1e-4, rtol=1e-4)
        assert (scores[len(every) :, i] == -torch.inf).all()
        start = sum(lengths[:i])
        mine = tags[: len(every), start : start + length]
        assert len(set(map(tuple, mine.tolist()))) == len(mine), "distinct"
        for sequence, score in zip(mine, found, strict=True):
            assert score_of(crf, local, [length], sequence) == pytest.approx(float(score), abs=1e-4)


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(2, 20), SEEDS)
def test_properties_on_longer_sequences(lengths, n_tags, seed):
    crf = random_crf(n_tags, seed=seed)
    emissions = random_emissions(lengths, n_tags, scale=3.0)
    expected = crf.expectations(emissions, lengths)
    torch.testing.assert_close(expected.marginals.sum(1), torch.ones(sum(lengths)))
    words = [length for length in lengths if length]
    assert expected.transitions.sum() == pytest.approx(sum(words) - len(words), abs=1e-3)
    assert expected.start.sum() == pytest.approx(len(words), abs=1e-4)
    assert expected.end.sum() == pytest.approx(len(words), abs=1e-4)
    best = crf.viterbi(emissions, lengths)
    tags, scores = crf.n_best(emissions, lengths, n=3)
    torch.testing.assert_close(tags[0], best)
    torch.testing.assert_close(scores[0], score_of(crf, emissions, lengths, best))
    assert (scores[0] >= scores[1]).all() and (scores[1] >= scores[2]).all()
    other = torch.randint(n_tags, (sum(lengths),))
    assert (score_of(crf, emissions, lengths, other) <= scores[0] + 1e-4).all()
    # Alone, each sequence has what it has in the batch.
    for i, length, local in sentences(emissions, lengths):
        rows = slice(sum(lengths[:i]), sum(lengths[: i + 1]))
        assert torch.equal(crf.viterbi(local, [length]), best[rows])
        alone = crf.expectations(local, [length]).marginals
        torch.testing.assert_close(alone, expected.marginals[rows], atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_against_pytorch_crf(seed):
    torchcrf = pytest.importorskip("torchcrf", reason="pytorch-crf is not installed")
    lengths, n_tags = [7, 3, 12, 1], 9
    crf = random_crf(n_tags, seed=seed)
    emissions = random_emissions(lengths, n_tags)
    other = torchcrf.CRF(n_tags, batch_first=True)
    state = {
        "transitions": crf.transitions,
        "start_transitions": crf.start,
        "end_transitions": crf.end,
    }
    other.load_state_dict(state)
    padded = torch.nn.utils.rnn.pad_sequence(emissions.split(lengths), batch_first=True)
    padded.requires_grad_(True)
    tags = torch.randint(n_tags, (sum(lengths),))
    gold = torch.nn.utils.rnn.pad_sequence(tags.split(lengths), batch_first=True)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    loss = -other(padded, gold, mask=mask, reduction="none")
    loss.sum().backward()

    allowed = torch.nn.functional.one_hot(tags, n_tags).bool()
    losses, d_emissions, d_crf = crf.negative_log_likelihood(
        emissions, lengths, allowed=allowed, weights=torch.ones(len(lengths))
    )
    torch.testing.assert_close(losses.float(), loss.detach(), atol=1e-3, rtol=1e-4)
    gradients = [
        (d_emissions, padded.grad[mask]),
        (d_crf.transitions, other.transitions.grad),
        (d_crf.start, other.start_transitions.grad),
        (d_crf.end, other.end_transitions.grad),
    ]
    for ours, theirs in gradients:
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    decoded = other.decode(padded.detach(), mask=mask)
    assert crf.viterbi(emissions, lengths).tolist() == list(itertools.chain(*decoded))


@pytest.mark.parametrize("scale", [1.0, 30.0, 1000.0])
def test_emissions_of_any_size(scale):
    crf = random_crf(5, scale=5.0)
    emissions = random_emissions([60, 2], 5, scale=scale)
    expected = crf.expectations(emissions, [60, 2])
    assert torch.isfinite(expected.log_partition).all()
    torch.testing.assert_close(expected.marginals.sum(1), torch.ones(62))
    # In each sequence, one that is far better than all others has all the probability.
    if scale == 1000.0:
        best = crf.viterbi(emissions, [60, 2])
        assert (expected.marginals[torch.arange(62), best] > 0.5).all()


def test_long_sequences_keep_their_precision():
    """Scores of a million steps do not fit single precision; the tags are those of its parts."""
    crf = random_crf(4)
    part = 100.0 + random_emissions([50], 4, scale=4.0)
    # A last token that is certain separates the copies.
    part[-1] = torch.tensor([1000.0, 0.0, 0.0, 0.0])
    copies = 60
    best = crf.viterbi(part.repeat(copies, 1), [50 * copies]).view(copies, 50)
    assert (best[1:] == best[1]).all()
    marginals = crf.expectations(part.repeat(copies, 1), [50 * copies]).marginals
    marginals = marginals.view(copies, 50, 4)
    torch.testing.assert_close(marginals[1:-1], marginals[1].expand(copies - 2, -1, -1))


@pytest.mark.parametrize("scale", [0.1, 3.0, 20.0])
def test_long_sequences_are_those_of_the_search_step_by_step(monkeypatch, scale):
    lengths = [700, 3, 0, 300]
    crf = random_crf(6)
    emissions = random_emissions(lengths, 6, scale=scale, gaps=True)
    found = crf.viterbi(emissions, lengths)
    monkeypatch.setattr("spacy_lstm_tagger.nn.crf.LONG", 1000)
    assert torch.equal(crf.viterbi(emissions, lengths), found)


@pytest.mark.parametrize("cells", [15, 32])  # less than one sequence, two
def test_the_search_in_parts_finds_the_same(monkeypatch, cells):
    """Of many sequences and a large tag set, a step at once would not fit in memory."""
    lengths = [5, 3, 0, 5, 1, 4]
    crf, emissions = random_crf(4), random_emissions([5, 3, 0, 5, 1, 4], 4)
    found, best = crf.viterbi(emissions, lengths), crf.n_best(emissions, lengths, n=3)
    monkeypatch.setattr("spacy_lstm_tagger.nn.crf.MOST_CELLS", cells)
    assert torch.equal(crf.viterbi(emissions, lengths), found)
    for part, whole in zip(crf.n_best(emissions, lengths, n=3), best, strict=True):
        torch.testing.assert_close(part, whole)


def test_without_transitions_tags_are_independent():
    lengths = [4, 0, 2]
    emissions = random_emissions(lengths, 3)
    crf = LinearChainCRF.independent(emissions)
    assert torch.equal(crf.viterbi(emissions, lengths), emissions.argmax(1))
    found = crf.expectations(emissions, lengths)
    torch.testing.assert_close(found.marginals, emissions.softmax(1))


@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_nothing_but_empty_sequences(lengths):
    crf, emissions = random_crf(3), torch.zeros(0, 3)
    assert crf.viterbi(emissions, lengths).shape == (0,)
    found = crf.expectations(emissions, lengths)
    assert found.log_partition.tolist() == [0.0] * len(lengths)
    assert not found.transitions.any() and found.marginals.shape == (0, 3)
    tags, scores = crf.n_best(emissions, lengths, n=2)
    assert tags.shape == (2, 0) and scores[0].tolist() == [0.0] * len(lengths)


def test_weights_count_sequences():
    lengths = [3, 2]
    crf, emissions = random_crf(3), random_emissions([3, 2], 3)
    each = [crf.expectations(emissions[:3], [3]), crf.expectations(emissions[3:], [2])]
    found = crf.expectations(emissions, lengths, weights=torch.tensor([2.0, -1.0]))
    for name in ("transitions", "start", "end"):
        one, other = (getattr(e, name) for e in each)
        torch.testing.assert_close(getattr(found, name), 2 * one - other)
    torch.testing.assert_close(
        found.marginals, torch.cat([2 * each[0].marginals, -each[1].marginals])
    )


@pytest.mark.parametrize("shift", [0.0, 4000.0])
def test_divided_scores(shift):
    crf, emissions = random_crf(3), random_emissions([4], 3)
    crf = LinearChainCRF(crf.transitions + shift, crf.start, crf.end)
    expected = enumerate_all(crf, emissions)[1].sort(descending=True).values / 2.0
    divided = crf.divided(2.0)
    found = divided.n_best(emissions / 2.0, [4], n=81)[1][:, 0]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-6)
    total = divided.expectations(emissions / 2.0, [4]).log_partition[0]
    assert float(total) == pytest.approx(float(torch.logsumexp(expected, 0)), abs=1e-3)


def test_scores_do_not_grow_with_the_sequence():
    """In single precision the sums of these would tell no tags apart."""
    crf, emissions = random_crf(4), random_emissions([250], 4)
    found = crf.viterbi(10_000.0 + emissions, [250])
    assert torch.equal(found, crf.viterbi(emissions, [250]))
