"""Weights that are no numbers, bits that flip, seeds that should give the same bits."""

import copy

import numpy as np
import pytest
import srsly

from spacy_lstm_tagger.models.shim import TorchShim

from ..util import ARCHITECTURES, trained_nlp


@pytest.fixture(scope="module", params=ARCHITECTURES)
def pipe(request):
    return trained_nlp(steps=5, architecture=request.param)[0].get_pipe("lstm_tagger")


def to_bytes(pipe):
    return pipe.to_bytes(exclude=["vocab"])


def test_flipped_bits(campaign, pipe):
    """None loads in silence: each is an error, and what was loaded stays."""
    message, before = srsly.msgpack_loads(to_bytes(pipe)), to_bytes(pipe)
    random, model = campaign.random("bits"), message["model"]
    for _ in range(campaign.times(400)):
        place = random.randrange(8 * len(model))
        bad = bytearray(model)
        bad[place // 8] ^= 1 << place % 8
        with pytest.raises(ValueError, match="L001"):
            pipe.from_bytes(
                srsly.msgpack_dumps({**message, "model": bytes(bad)}), exclude=["vocab"]
            )
            pytest.fail(f"bit {place} of the model file was flipped, and it loaded")
    assert to_bytes(pipe) == before


def weights(model):
    """YIELDS (tuple): A name of each weight, and its numbers, which may be changed in place."""
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name):
                yield f"{node.name} {name}", np.asarray(node.get_param(name))
        for shim in node.shims:
            if isinstance(shim, TorchShim):
                for name, value in shim.module.state_dict().items():
                    if value.is_floating_point():
                        yield f"{node.name} {name}", value.numpy()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_each_weight_that_is_no_number(campaign, pipe, value):
    """Wherever it is, the pipeline that was saved with it does not load."""
    random, good = campaign.random(f"weights {value}"), to_bytes(pipe)
    places = [(i, name) for i, (name, array) in enumerate(weights(pipe.model)) if array.size]
    assert len(places) > 10
    for i, name in places[:: max(1, round(1 / campaign.size)) if campaign.size < 1 else 1]:
        bad = copy.deepcopy(pipe)
        array = list(weights(bad.model))[i][1]
        array.reshape(-1)[random.randrange(array.size)] = value
        with pytest.raises(ValueError, match="L004"):
            pipe.from_bytes(to_bytes(bad), exclude=["vocab"])
            pytest.fail(f"{name} has {value}, and it loaded")
    assert to_bytes(pipe) == good


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_seed_gives_the_same_bits(campaign, architecture, precision):
    random = campaign.random("seeds")
    for _ in range(campaign.times(10)):
        seed = random.randrange(2**32)
        options = {"seed": seed, "architecture": architecture, "precision": precision}
        first, second = (trained_nlp(steps=10, **options)[0].get_pipe("lstm_tagger") for _ in "ab")
        assert to_bytes(first) == to_bytes(second), f"seed {seed}"
