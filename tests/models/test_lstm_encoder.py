"""The encoding layer, as Thinc sees it: arrays of any length in, gradients back."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from thinc.api import Adam, set_dropout_rate

from spacy_lstm_tagger.models.flat import FlatList
from spacy_lstm_tagger.models.lstm_encoder import followed_rows
from spacy_lstm_tagger.nn.buckets import Buckets
from spacy_lstm_tagger.nn.kernel import LSTMLayer

from . import assert_same, make_batch, small_encoder

pytestmark = pytest.mark.usefixtures("one_thread")

batch = partial(make_batch, width=5)

some_lengths = st.lists(st.integers(0, 9), min_size=1, max_size=6)


def make(**sizes):
    torch.manual_seed(0)
    return small_encoder(**sizes)


def run(model, X):
    return [array.copy() for array in model.begin_update(X)[0]]


@settings(max_examples=25, deadline=None)
@given(some_lengths, st.sampled_from([8, 16384]))
def test_a_doc_does_not_depend_on_its_neighbours(lengths, max_batch_items):
    model, X = make(max_batch_items=max_batch_items), batch(lengths)
    together = model.predict(X)
    assert [y.shape for y in together] == [(length, 6) for length in lengths]
    assert_same(together, [model.predict([x])[0] for x in X])


@pytest.mark.parametrize(("max_batch_items", "allowed"), [(16384, 4096), (200, 200)])
def test_large_buckets_leave_the_cache_of_a_cpu(max_batch_items, allowed, monkeypatch):
    cells = []
    run = LSTMLayer.run

    def record(self, x, weights):
        cells.append(x.shape[0] * x.shape[1])
        return run(self, x, weights)

    monkeypatch.setattr(LSTMLayer, "run", record)
    make(max_batch_items=max_batch_items).predict(batch([100] * 60))
    assert allowed // 2 < max(cells) <= allowed


@pytest.mark.parametrize("bidirectional", [True, False])
def test_training_and_tagging_compute_the_same_without_dropout(bidirectional):
    model, X = make(bidirectional=bidirectional), batch([3, 0, 5])
    assert_same(run(model, X), model.predict(X))


def test_a_flat_list_and_a_plain_one_are_read_alike():
    model, X = make(), batch([3, 0, 5])
    assert_same(model.predict(FlatList(np.concatenate(X), [3, 0, 5])), model.predict(X))


def test_gradients_are_those_of_autograd():
    model, X = make(), batch([3, 0, 5, 1])
    module = model.shims[0].module
    _, backprop = model.begin_update(X)
    d_Y = batch([3, 0, 5, 1], width=6)
    d_X = backprop(d_Y)
    found = {name: p.grad.clone() for name, p in module.named_parameters()}
    assert [d.shape for d in d_X] == [x.shape for x in X]
    # The same by hand, a doc at a time.
    module.zero_grad()
    for x, d_x, d_y in zip(X, d_X, d_Y, strict=True):
        if len(x):
            x = torch.tensor(x, requires_grad=True)
            module(x, Buckets.of([len(x)])).vectors.backward(torch.tensor(d_y))
            np.testing.assert_allclose(d_x, x.grad, atol=1e-5)
    for name, p in module.named_parameters():
        torch.testing.assert_close(found[name], p.grad, atol=1e-4, rtol=1e-4)


def test_gradients_of_the_input_agree_with_finite_differences():
    model, X = make(), batch([4, 2])
    d_Y, direction = batch([4, 2], width=6), [np.cos(7 * x) for x in X]
    _, backprop = model.begin_update(X)
    slope = sum((d * v).sum() for d, v in zip(backprop(d_Y), direction, strict=True))

    def loss(step):
        Y = model.predict([x + step * v for x, v in zip(X, direction, strict=True)])
        return sum((y * d).sum(dtype="d") for y, d in zip(Y, d_Y, strict=True))

    assert slope == pytest.approx((loss(1e-2) - loss(-1e-2)) / 2e-2, rel=0.01)


def test_the_input_is_left_as_it_is():
    model, X = make(dropout=0.5), batch([4, 2])
    Y, backprop = model.begin_update(X)
    backprop(Y)
    assert_same(X, batch([4, 2]), atol=0)


def test_dropout_follows_the_training_config():
    model, X = make(), batch([3, 5])
    before = run(model, X)
    set_dropout_rate(model, 0.5)
    assert abs(run(model, X)[0] - before[0]).max() > 1e-3
    assert_same(model.predict(X), before)


def test_dropout_of_its_own_overrides_the_config():
    X = batch([3, 5])
    model = make(dropout=0.0)
    before = run(model, X)
    set_dropout_rate(model, 0.9)
    assert_same(run(model, X), before)
    model = make(dropout=0.9)
    assert abs(run(model, X)[0] - before[0]).max() > 1e-3
    assert_same(model.predict(X), before)


def test_another_width_than_the_embeddings_is_an_error():
    model, X = make(), batch([3, 5], width=7)
    with pytest.raises(ValueError, match=r"M002.* width 7.* input_width = 5"):
        model.predict(X)
    with pytest.raises(ValueError, match="M002"):
        model.initialize(X=X)
    model.initialize(X=batch([3, 5]))
    model.initialize()


@pytest.mark.parametrize("lengths", [[0], [0, 0], [0, 3, 0]])
def test_empty_docs(lengths):
    model, X = make(), batch(lengths)
    assert [y.shape for y in model.predict(X)] == [(length, 6) for length in lengths]
    Y, backprop = model.begin_update(X)
    assert [y.shape for y in Y] == [(length, 6) for length in lengths]
    assert [d.shape for d in backprop(Y)] == [(length, 5) for length in lengths]
    model.finish_update(Adam(0.1))


@pytest.mark.parametrize("lengths", [[3, 0, 5], [1, 1], [0]])
def test_neighbours_are_learned_in_training_alone(lengths):
    model, plain, X = make(lm_weight=0.1), make(), batch(lengths)
    plain.shims[0].module.load_state_dict(model.shims[0].module.state_dict(), strict=False)
    assert_same(model.predict(X), plain.predict(X))
    Y, backprop = model.begin_update(X)
    assert_same(Y, plain.predict(X))
    dX = np.concatenate(backprop([np.zeros_like(y) for y in Y]))
    # The task asks for nothing here, so what is learned is the neighbours.
    assert bool(np.abs(dX).sum() > 0) == (max(lengths) > 1)


def test_followed_rows():
    assert followed_rows([3, 0, 1, 2]).tolist() == [0, 1, 4]
    assert followed_rows([0]).tolist() == followed_rows([]).tolist() == []


def test_learning_neighbours_lowers_their_loss():
    model, X = make(lm_weight=0.1), batch([6, 4])
    module, optimizer, losses = model.shims[0].module, Adam(0.01), []
    x, followed = torch.from_numpy(np.concatenate(X)), torch.from_numpy(followed_rows([6, 4]))
    for _ in range(30):
        losses.append(module(x, Buckets.of([6, 4]), followed=followed).loss.item())
        Y, backprop = model.begin_update(X)
        backprop([np.zeros_like(y) for y in Y])
        model.finish_update(optimizer)
    assert losses[-1] < 0.8 * losses[0]


def test_a_model_that_is_learning_can_be_copied():
    model, X = make(lm_weight=0.1), batch([6, 4])
    model.begin_update(X)
    copied = copy.deepcopy(model)
    assert_same(copied.predict(X), model.predict(X))
    assert pickle.loads(pickle.dumps(model)).predict(X)
