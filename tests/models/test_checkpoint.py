"""Checkpoints: what fits a model is loaded, and whatever does not changes nothing."""

import copy

import numpy as np
import pytest
import srsly
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.util import registry
from thinc.api import LayerNorm, Linear, Model, PyTorchWrapper, chain
from torch import nn

from spacy_lstm_tagger.models.checkpoint import Checkpoint
from spacy_lstm_tagger.models.shim import checksum

from ..util import places, scores_of, small_model, trained_nlp


def seal(data):
    return checksum(data).hex().encode()


def check(model, message):
    data = message if isinstance(message, bytes) else srsly.msgpack_dumps(message)
    return Checkpoint(model, data, saved=seal(data))


def new_model(**sizes):
    return registry.resolve({"model": small_model(**sizes)})["model"]


@pytest.fixture(scope="module")
def trained_model():
    return trained_nlp(steps=2)[0].get_pipe("lstm_tagger").model


@pytest.fixture(scope="module")
def good(trained_model):
    return trained_model.to_bytes()


def test_what_fits_is_loaded(trained_model, good):
    model = new_model()
    before = model.to_bytes()
    checkpoint = check(model, good)
    assert model.to_bytes() == before
    assert checkpoint.n_tags == trained_model.get_dim("nO")
    checkpoint.load()
    assert model.to_bytes() == good


def test_a_new_model_takes_any_number_of_tags(good):
    config = small_model() | {"nO": 3}
    model = registry.resolve({"model": config})["model"]
    check(model, good).load()
    assert model.to_bytes() == good


def test_a_model_with_weights_takes_its_own_number(trained_model):
    other = trained_nlp(steps=0)[0].get_pipe("lstm_tagger")
    other.add_label("NEW")
    with pytest.raises(ValueError, match=r"L002.*nO of the layer .* is 7, not 6"):
        check(trained_model, other.model.to_bytes())


def test_a_layer_may_be_named_that_had_no_name(trained_model, good):
    model, message = trained_model.copy(), srsly.msgpack_loads(good)
    message["nodes"][0]["refs"]["new"] = 1
    check(model, message).load()
    assert model.get_ref("new") is model.layers[0]


def test_a_checksum_is_held_against_the_bytes(trained_model, good):
    for data, saved in ((good, b""), (good, seal(b"")), (good[:-1], seal(good))):
        with pytest.raises(ValueError, match=r"L001.*checksum"):
            Checkpoint(trained_model, data, saved=saved)


def replaced(name, value):
    """RETURNS (Callable): Replaces a value of the first layer that has one of that name."""

    def change(message):
        for part in ("nodes", "attrs", "params"):
            for entry in message[part]:
                entry = entry["dims"] if part == "nodes" else entry
                if name in entry:
                    entry[name] = value
                    return

    return change


def moved(message):
    message["nodes"][0]["refs"]["tok2vec"] = 0  # the model itself


def moved_out(message):
    message["nodes"][1]["refs"]["embed"] = 0


def new_outside(message):
    message["nodes"][1]["refs"]["new"] = 0


def renamed(message):
    message["nodes"][-1]["name"] = "maxout"


def more_params(message):
    message["params"][-1]["c"] = np.zeros(3, dtype="f4")


def one_layer_less(message):
    for part in message.values():
        part.pop()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (replaced("nI", 5), "L002.*nI of the layer .* is 5"),
        (replaced("W", np.zeros((2, 2), dtype="f4")), "L002.*W of the layer"),
        (replaced("b", np.full(6, np.inf, dtype="f4")), "L004.*b of the layer"),
        (replaced("dropout_rate", b"\xc1"), "L001"),
        (moved, "L002.*'tok2vec' of the layer"),
        (moved_out, "L002.*'embed' of the layer"),
        (new_outside, "L002.*'new' of the layer"),
        (renamed, "L002.*'maxout' in the place of"),
        (more_params, "L002.*weights of .* are .*c"),
        (one_layer_less, "L002.*layers"),
    ],
)
@pytest.mark.parametrize("fresh", [False, True])
def test_what_does_not_fit(trained_model, good, change, error, fresh):
    model = new_model() if fresh else trained_model
    before = model.to_bytes()
    message = srsly.msgpack_loads(good)
    change(message)
    with pytest.raises(ValueError, match=error):
        check(model, message)
    assert model.to_bytes() == before


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 99), st.floats(), st.text(max_size=3), st.binary(max_size=3),
    st.just([]), st.just({}), st.just([{}]), st.just({"W": 1}), st.just(np.zeros(2, dtype="f4")),
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), fresh=st.booleans())
def test_any_other_message_fits_or_changes_nothing(trained_model, data, fresh):
    """As somebody may write it who knows how the checksum is made."""
    message = srsly.msgpack_loads(trained_model.to_bytes())
    path = data.draw(st.sampled_from([place for place in places(message) if place]))
    owner = message
    for key in path[:-1]:
        owner = owner[key]
    if data.draw(st.booleans()):
        owner[path[-1]] = data.draw(JUNK)
    else:
        del owner[path[-1]]
    model = new_model() if fresh else trained_model.copy()
    before = model.to_bytes()
    try:
        checkpoint = check(model, message)
    except ValueError:
        assert model.to_bytes() == before
    else:
        checkpoint.load()  # nothing can fail any more


@pytest.mark.parametrize("other", [nn.Linear(3, 5), nn.LSTM(3, 4)])
def test_modules_of_others_are_tried_on_a_copy(other):
    def make(module):
        return chain(Linear(3, 3), PyTorchWrapper(module))

    model = make(nn.Linear(3, 4))
    before = copy.deepcopy(model.layers[1].shims[0]._model.state_dict())
    with pytest.raises(ValueError, match="L002"):
        check(model, make(other).to_bytes())
    for name, value in model.layers[1].shims[0]._model.state_dict().items():
        assert (value == before[name]).all()
    check(model, make(nn.Linear(3, 4)).to_bytes()).load()


def test_layers_of_others_that_infer_their_sizes():
    trained, fresh = (chain(Linear(), LayerNorm()) for _ in range(2))
    trained.initialize(X=np.zeros((1, 2), dtype="f4"), Y=np.zeros((1, 3), dtype="f4"))
    check(fresh, trained.to_bytes()).load()
    assert fresh.get_dim("nI") == 2 and fresh.to_bytes() == trained.to_bytes()


def test_models_without_an_output_layer():
    model: Model = Linear(2, 3)
    model.initialize()
    assert check(model, model.to_bytes()).n_tags is None


def test_scores_come_back(good, trained):
    nlp = copy.deepcopy(trained)
    pipe, docs = nlp.get_pipe("lstm_tagger"), [nlp.make_doc("The dog slept")]
    expected = scores_of(pipe, docs)[0]
    data = pipe.model.to_bytes()
    check(pipe.model, good).load()
    assert not np.allclose(scores_of(pipe, docs)[0], expected)
    check(pipe.model, data).load()
    np.testing.assert_array_equal(scores_of(pipe, docs)[0], expected)
