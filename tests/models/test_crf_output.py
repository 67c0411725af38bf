"""The output layer of a CRF: logits, the gradient of all its weights, and who may use it."""

from functools import partial

import numpy as np
import pytest
import spacy
import torch
from thinc.api import SGD

from spacy_lstm_tagger.models.architectures import build_crf_tagger
from spacy_lstm_tagger.models.crf_output import TRANSITIONS, CRFGradient, crf_of, crf_output
from spacy_lstm_tagger.nn.crf import LinearChainCRF

from ..util import make_examples, small_model
from . import assert_same, make_batch, small_tok2vec

batch = partial(make_batch, width=3)


def make(nO=4, nI=3):
    model = crf_output(nO, nI)
    model.attrs["decoded"] = True
    model.initialize()
    return model


def test_scores_are_logits_in_training_and_tagging():
    model, X = make(), batch([3, 0, 5])
    expected = [x @ model.get_param("W").T + model.get_param("b") for x in X]
    assert_same(model.predict(X), expected)
    assert_same(model.begin_update(X)[0], expected)


def test_every_weight_gets_its_gradient():
    model, X, d_Y = make(), batch([3, 0, 5]), batch([3, 0, 5], width=4)
    before = {name: model.get_param(name).copy() for name in model.param_names}
    assert set(before) == {"W", "b", *TRANSITIONS}
    _, backprop = model.begin_update(X)
    d_flat = np.concatenate(d_Y)
    d_crf = LinearChainCRF(torch.full((4, 4), 2.0), torch.full((4,), 3.0), torch.full((4,), 4.0))
    d_X = backprop(CRFGradient(d_flat, [3, 0, 5], d_crf))
    assert_same(d_X, [d @ before["W"] for d in d_Y])
    model.finish_update(SGD(1.0, grad_clip=0.0))
    steps = {name: before[name] - model.get_param(name) for name in before}
    np.testing.assert_allclose(steps["W"], d_flat.T @ np.concatenate(X), atol=1e-5)
    np.testing.assert_allclose(steps["b"], d_flat.sum(0), atol=1e-5)
    for name, value in zip(TRANSITIONS, (2.0, 3.0, 4.0), strict=True):
        np.testing.assert_allclose(steps[name], value)


def test_the_crf_has_the_weights_of_the_layer():
    model = make()
    crf = crf_of(model)
    assert not crf.transitions.any() and not crf.start.any() and not crf.end.any()
    model.get_param("transitions")[1, 2] = 5.0
    assert crf.transitions[1, 2] == 5.0


def test_sizes_are_inferred_and_travel():
    model = crf_output()
    model.attrs["decoded"] = True
    model.initialize(X=batch([0, 2]), Y=batch([0, 2], width=6))
    model.get_param("transitions")[1, 2] = 5.0
    again = crf_output().from_bytes(model.to_bytes())
    assert (again.get_dim("nI"), again.get_dim("nO")) == (3, 6)
    assert again.get_param("transitions")[1, 2] == 5.0


def test_the_architecture():
    model = build_crf_tagger(tok2vec=small_tok2vec(), nO=4)
    assert model.get_ref("crf") is model.get_ref("output_layer")
    assert model.get_ref("tok2vec").get_dim("nO") == 8


def test_another_component_is_told_that_it_cannot_use_it():
    nlp = spacy.blank("en")
    model = {**small_model(), "@architectures": "spacy-lstm-tagger.CRFTagger.v1"}
    nlp.add_pipe("tagger", config={"model": model})
    with pytest.raises(ValueError, match=r"M004.*factory = \"lstm_tagger\""):
        nlp.initialize(lambda: make_examples(nlp))
