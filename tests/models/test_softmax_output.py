"""The output layer: probabilities in training, logits in tagging, the gradient of the logits."""

from functools import partial

import numpy as np
import pytest
from thinc.api import SGD

from spacy_lstm_tagger.models.flat import FlatList
from spacy_lstm_tagger.models.softmax_output import softmax_output

from . import assert_same, make_batch

batch = partial(make_batch, width=3)


def make(nO=4, nI=3):
    model = softmax_output(nO, nI)
    model.initialize()
    return model


def test_probabilities_in_training_and_logits_in_tagging():
    model, X = make(), batch([3, 0, 5])
    softmax = model.layers[0]
    probabilities, _ = model.begin_update(X)
    scores = model.predict(X)
    expected = [x @ softmax.get_param("W").T + softmax.get_param("b") for x in X]
    assert_same(scores, expected)
    assert_same(probabilities, [np.exp(s) / np.exp(s).sum(1, keepdims=True) for s in expected])


def test_the_weights_start_at_random():
    """At zero, nothing would come back to the layers below in the first step."""
    W = make().layers[0].get_param("W")
    assert abs(W).max() > 0.05 and W.std() > 0.05


def test_the_gradient_is_that_of_the_logits():
    model, X, d_Y = make(), batch([3, 0, 5]), batch([3, 0, 5], width=4)
    W, b = (model.layers[0].get_param(name).copy() for name in "Wb")
    _, backprop = model.begin_update(X)
    assert_same(backprop(d_Y), [d @ W for d in d_Y])
    model.finish_update(SGD(1.0, grad_clip=0.0))
    flat, d_flat = np.concatenate(X), np.concatenate(d_Y)
    np.testing.assert_allclose(model.layers[0].get_param("W"), W - d_flat.T @ flat, atol=1e-5)
    np.testing.assert_allclose(model.layers[0].get_param("b"), b - d_flat.sum(0), atol=1e-5)


def test_a_flat_list_and_a_plain_one_are_read_alike():
    model, X = make(), batch([2, 4])
    assert_same(model.predict(FlatList(np.concatenate(X), [2, 4])), model.predict(X))


def test_sizes_are_inferred_from_the_data():
    model = softmax_output()
    model.initialize(X=batch([0, 2]), Y=batch([0, 2], width=6))
    assert (model.get_dim("nI"), model.get_dim("nO")) == (3, 6)
    assert model.predict(batch([2]))[0].shape == (2, 6)


@pytest.mark.parametrize("lengths", [[0], [0, 0], [0, 3, 0]])
def test_empty_docs(lengths):
    model, X = make(), batch(lengths)
    Y, backprop = model.begin_update(X)
    assert [y.shape for y in Y] == [(length, 4) for length in lengths]
    assert [y.shape for y in model.predict(X)] == [(length, 4) for length in lengths]
    assert [d.shape for d in backprop(Y)] == [(length, 3) for length in lengths]
    model.finish_update(SGD(0.1))
