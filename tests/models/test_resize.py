"""Output layers that grow keep what they know."""

import numpy as np
import pytest
import torch
from thinc.api import LayerNorm, Linear, PyTorchWrapper, chain

from spacy_lstm_tagger.models.architectures import build_crf_tagger, build_tagger
from spacy_lstm_tagger.models.crf_output import crf_of
from spacy_lstm_tagger.models.resize import can_resize, resize_output

from . import make_docs, small_tok2vec


@pytest.fixture(params=[build_tagger, build_crf_tagger])
def model(request):
    model = request.param(tok2vec=small_tok2vec(), nO=4)
    if model.has_ref("crf"):
        model.get_ref("crf").attrs["decoded"] = True
    model.initialize(X=make_docs())
    output = model.get_ref("output_layer")
    rng = np.random.default_rng(0)
    for name in output.param_names:
        output.set_param(name, rng.normal(size=output.get_param(name).shape).astype("f"))
    return model


def test_old_scores_stay_and_new_ones_are_their_mean(model):
    before, tok2vec = model.predict(make_docs()), model.get_ref("tok2vec")
    widths = [node.maybe_get_dim("nO") for node in tok2vec.walk()]
    assert can_resize(model) and resize_output(model, 6) is model
    assert model.get_dim("nO") == model.get_ref("output_layer").get_dim("nO") == 6
    assert [node.maybe_get_dim("nO") for node in tok2vec.walk()] == widths
    for old, new in zip(before, model.predict(make_docs()), strict=True):
        np.testing.assert_allclose(new[:, :4], old, atol=1e-5)
        np.testing.assert_allclose(new[:, 4:], old.mean(1, keepdims=True).repeat(2, 1), atol=1e-5)


def test_new_tags_are_in_no_best_sequence(model):
    if not model.has_ref("crf"):
        pytest.skip("this model has no sequences")
    crf = crf_of(model.get_ref("crf"))
    emissions = 0.1 * torch.randn(200, 4)
    expected = crf.viterbi(emissions, [150, 50])
    resize_output(model, 6)
    grown = crf_of(model.get_ref("crf"))
    torch.testing.assert_close(grown.transitions[:4, :4], crf.transitions)
    wide = torch.cat([emissions, emissions.mean(1, keepdim=True).expand(-1, 2)], dim=1)
    assert torch.equal(grown.viterbi(wide, [150, 50]), expected)


def test_the_optimizer_takes_grown_weights_for_new_ones(model):
    ids = {node.id for node in model.walk()}
    resize_output(model, 5)
    assert model.get_ref("output_layer").id not in ids


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (Linear(), True),
        (chain(Linear(), Linear()), False),
        (PyTorchWrapper(torch.nn.Linear(2, 2)), False),
        (LayerNorm(), False),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_output_layers_of_others(output, expected):
    model = chain(Linear(), output)
    assert not can_resize(model)  # as it has none that is called so
    model.set_ref("output_layer", output)
    assert can_resize(model) == expected


def test_before_initialization():
    model = build_tagger(tok2vec=small_tok2vec(), nO=4)
    resize_output(model, 5)
    model.initialize(X=make_docs())
    assert model.predict(make_docs())[0].shape[1] == 5
