"""The loss of guessing the words beside each word: against a plain loop, and nobody peeps."""

import pytest
import torch

from spacy_lstm_tagger.nn import language_models
from spacy_lstm_tagger.nn.buckets import Buckets
from spacy_lstm_tagger.nn.language_models import WordLanguageModel
from spacy_lstm_tagger.nn.lstm import BucketedLSTM

LENGTHS = [3, 1, 4]
FOLLOWED = torch.tensor([0, 1, 4, 5, 6])


def make_loss(bidirectional=True):
    torch.manual_seed(0)
    return WordLanguageModel(hidden_width=3, word_width=2, bidirectional=bidirectional).double()


def make_lstm(**sizes):
    torch.manual_seed(0)
    return BucketedLSTM(input_width=2, hidden_width=3, depth=2, lm_weight=0.5, **sizes)


def by_hand(loss, words, states, pairs):
    """The loss, pair by pair."""
    total = 0.0
    for t in pairs:
        guess = loss.following(states[t, :3])
        scores = torch.stack([guess @ words[s + 1] for s in pairs])
        total -= scores.log_softmax(0)[pairs.index(t)]
        if loss.preceding is not None:
            guess = loss.preceding(states[t + 1, 3:])
            scores = torch.stack([guess @ words[s] for s in pairs])
            total -= scores.log_softmax(0)[pairs.index(t)]
    return total


@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_loss_is_the_cross_entropy_of_the_right_word(bidirectional):
    loss = make_loss(bidirectional)
    words = torch.randn(8, 2, dtype=torch.float64)
    states = torch.randn(8, 6 if bidirectional else 3, dtype=torch.float64)
    expected = by_hand(loss, words, states, FOLLOWED.tolist())
    torch.testing.assert_close(loss(words, states, FOLLOWED), expected)


def test_candidates_are_bounded(monkeypatch):
    monkeypatch.setattr(language_models, "CANDIDATES", 3)
    loss = make_loss()
    words = torch.randn(8, 2, dtype=torch.float64)
    states = torch.randn(8, 6, dtype=torch.float64)
    expected = by_hand(loss, words, states, [0, 1, 4]) + by_hand(loss, words, states, [5, 6])
    torch.testing.assert_close(loss(words, states, FOLLOWED), expected)


def test_gradients():
    loss = make_loss()
    words = torch.randn(8, 2, dtype=torch.float64, requires_grad=True)
    states = torch.randn(8, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda w, s: loss(w, s, FOLLOWED), (words, states))


def test_tokens_of_one_type_are_scored_once():
    loss = make_loss()
    of = torch.tensor([0, 1, 0, 2, 1, 1, 0, 1])

    def results(score):
        torch.manual_seed(1)
        types = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
        states = torch.randn(8, 6, dtype=torch.float64, requires_grad=True)
        total = score(types[of], states)
        return [total, *torch.autograd.grad(total, (types, states))]

    found = results(lambda words, states: loss(words, states, FOLLOWED))
    pairs = FOLLOWED.tolist()
    expected = results(lambda words, states: by_hand(loss, words, states, pairs))
    torch.testing.assert_close(found, expected)


def test_without_pairs_there_is_no_loss():
    words, states = torch.randn(2, 2).double(), torch.randn(2, 6).double()
    assert make_loss()(words, states, torch.empty(0).long()) == 0.0


@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_a_guess_has_not_seen_the_word(merge):
    seen = []
    module = make_lstm(merge=merge)
    module.language_model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    x = torch.randn(8, 2)
    other = x.clone()
    other[2] += 1.0  # the last word of the first sequence
    for words in (x, other):
        module(words, Buckets.of(LENGTHS), followed=FOLLOWED)
    ahead, back = (seen[0] != seen[1]).view(8, 2, 3).any(dim=2).T
    assert ahead.tolist() == [False, False, True] + [False] * 5
    assert back.tolist() == [True, True, True] + [False] * 5


def test_the_module_returns_its_loss_if_asked():
    module, buckets = make_lstm(), Buckets.of(LENGTHS)
    x = torch.randn(8, 2)
    y, loss = module(x, buckets, followed=FOLLOWED)
    assert loss.item() > 0.0
    states = module.forward_lstms[0], module.backward_lstms[0]
    assert all(p.grad is None for layer in states for p in layer.parameters())
    loss.backward()
    for layer in states:
        assert all(p.grad.abs().sum() > 0 for p in layer.parameters())
    assert all(p.grad is None for p in module.forward_lstms[1].parameters())
    again, none = module(x, buckets)
    assert torch.equal(again, y) and none is None


def test_the_weight_multiplies_the_loss():
    x, buckets = torch.randn(8, 2), Buckets.of(LENGTHS)
    module = make_lstm()
    half = module(x, buckets, followed=FOLLOWED).loss.item()
    module.lm_weight = 1.0
    assert module(x, buckets, followed=FOLLOWED).loss.item() == pytest.approx(2 * half)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_it_reads_the_states_of_the_first_layer_whatever_the_last_one_is(bidirectional):
    module = make_lstm(last_width=2, bidirectional=bidirectional)
    assert module.language_model.following.in_features == 3
    assert module(torch.randn(8, 2), Buckets.of(LENGTHS), followed=FOLLOWED).loss.item() > 0.0


def test_the_loss_in_half_precision_stays_close():
    module, x, buckets = make_lstm(), torch.randn(8, 2), Buckets.of(LENGTHS)
    with torch.no_grad():
        exact = module(x, buckets, followed=FOLLOWED).loss
        rough = module(x, buckets, followed=FOLLOWED, precision=torch.bfloat16).loss
    assert rough.dtype == torch.float32
    torch.testing.assert_close(rough, exact, atol=0.1, rtol=0.03)
