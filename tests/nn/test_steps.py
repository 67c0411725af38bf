"""The steps of a ragged batch: every element once, in time, and the ways between neighbours."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_lstm_tagger.nn.steps import Steps


@settings(deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=6))
def test_steps(lengths):
    steps = Steps(lengths)
    total = sum(lengths)
    assert sorted(steps.order.tolist()) == list(range(total))
    assert steps.sizes == [sum(n > t for n in lengths) for t in range(max(lengths))]
    flat = [(i, t) for i, n in enumerate(lengths) for t in range(n)]
    places = [flat[row] for row in steps.order.tolist()]
    assert [t for _, t in places] == sorted(t for _, t in places)
    assert steps.sequence.tolist() == [i for i, _ in places]
    assert all(t == 0 for _, t in places[steps.first])
    assert len(places[steps.first]) == sum(n > 0 for n in lengths)
    last = [places[i] for i in steps.last.tolist()]
    assert sorted(last) == [(i, n - 1) for i, n in enumerate(lengths) if n]
    for place, before in zip(places[steps.first.stop :], steps.before.tolist(), strict=True):
        assert places[before] == (place[0], place[1] - 1)
    seen = list(range(total))[steps.first]
    for previous, now in steps.forwards():
        seen += range(total)[now]
        assert [(i, t + 1) for i, t in places[previous]] == places[now]
    assert seen == list(range(total))
    assert list(steps.backwards()) == list(steps.forwards())[::-1]
    seen = list(range(total))[steps.first]
    for previous, now in steps.forwards(most=2):
        seen += range(total)[now]
        assert len(range(total)[now]) <= 2
        assert [(i, t + 1) for i, t in places[previous]] == places[now]
    assert seen == list(range(total))


@pytest.mark.parametrize("lengths", [[100_000, *[3] * 255]])
def test_a_long_sequence_beside_short_ones_takes_no_padding(lengths):
    steps = Steps(lengths)
    assert len(steps.order) == sum(lengths)
    assert torch.equal(steps.order[:2], torch.tensor([0, 100_000]))
