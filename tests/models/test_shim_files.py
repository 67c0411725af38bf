"""The shim's files: what comes back, and what is refused without harm."""

import pickle

import pytest
import srsly
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save
from thinc.api import PyTorchShim

from spacy_lstm_tagger.models.shim import TorchShim, checksum
from spacy_lstm_tagger.nn.vocabulary import VocabularyEmbedding

from . import learn_vocabulary, small_embed, small_encoder
from .test_shim import Affine, assert_equal, make, weights


def test_round_trip():
    for model in [learn_vocabulary(small_embed()), small_encoder()]:
        shim, data = model.shims[0], model.shims[0].to_bytes()
        torch.manual_seed(1)
        loaded = (small_embed() if model.name == "word_char_embed" else small_encoder()).shims[0]
        loaded.from_bytes(data)
        assert_equal(loaded.module.state_dict(), shim.module.state_dict())
        assert loaded.to_bytes() == data


def test_a_file_goes_through_the_disk(tmp_path):
    shim, loaded = make(), TorchShim(Affine())
    shim.to_disk(tmp_path / "shim")
    loaded.from_disk(tmp_path / "shim")
    assert_equal(weights(loaded), weights(shim))


EMBED = learn_vocabulary(small_embed()).shims[0]
GOOD = EMBED.to_bytes()


def refuses(shim, data, code):
    """Check that the data are an error, and that the shim is as it was."""
    before, rows = weights(shim), state_of_vocabularies(shim)
    with pytest.raises(ValueError, match=code):
        shim.from_bytes(data)
    assert state_of_vocabularies(shim) == rows
    assert_equal(weights(shim), before)


def state_of_vocabularies(shim):
    tables = [m for m in shim.module.modules() if isinstance(m, VocabularyEmbedding)]
    return [dict(table._rows) for table in tables]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, len(GOOD) - 1))
def test_a_truncated_file_is_damaged(length):
    refuses(EMBED, GOOD[:length], "L001")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_foreign_bytes_are_damaged(data):
    refuses(EMBED, data, "L001")


@pytest.mark.parametrize(
    "message",
    [
        {},
        [],
        None,
        7,
        "text",
        {"config": {}},
        {"config": {}, "state": None, "checksum": b""},
        {"config": {}, "state": 3, "checksum": b""},
        {"config": {}, "state": "text", "checksum": b""},
        {"config": {}, "state": b"", "checksum": checksum(b"")},
        {"config": {}, "state": b"\xff" * 100, "checksum": checksum(b"\xff" * 100)},
        {"state": save({}), "checksum": checksum(save({}))},
    ],
)
def test_other_messages_are_damaged(message):
    refuses(EMBED, srsly.msgpack_dumps(message), "L001")


def test_a_file_of_thincs_shim_is_refused():
    refuses(make(), PyTorchShim(Affine()).to_bytes(), "L001")


class Executed(Exception):
    pass


class Payload:
    """Raises when it is unpickled."""

    def __reduce__(self):
        return exec, ("from tests.models.test_shim_files import Executed; raise Executed",)


def test_a_pickle_is_not_executed():
    payload = pickle.dumps(Payload())
    with pytest.raises(Executed):
        pickle.loads(payload)
    refuses(EMBED, payload, "L001")
    message = {"config": {}, "state": payload, "checksum": checksum(payload)}
    refuses(EMBED, srsly.msgpack_dumps(message), "L001")


def repacked(shim, **changes):
    """RETURNS (bytes): The shim's file with some tensors changed; None takes one away."""
    msg = srsly.msgpack_loads(shim.to_bytes())
    state = {**load(msg["state"]), **changes}
    msg["state"] = save({name: value for name, value in state.items() if value is not None})
    msg["checksum"] = checksum(msg["state"])
    return srsly.msgpack_dumps(msg)


@pytest.mark.parametrize(
    "change",
    [
        {"projection.weight": None},
        {"projection.weight": torch.zeros(3, 3)},
        {"tables.word.keys": None},
        {"tables.word.keys": torch.zeros(2, dtype=torch.int64)},
        {"tables.word.keys": torch.tensor(2)},
        {"tables.word.weight": None},
        {"tables.word.weight": torch.zeros(())},
        {"something.else": torch.zeros(3)},
    ],
    ids=lambda change: "-".join(
        f"{k}:{None if v is None else list(v.shape)}" for k, v in change.items()
    ),
)
def test_weights_that_do_not_fit(change):
    refuses(EMBED, repacked(EMBED, **change), "L002")


@pytest.mark.parametrize(
    "sizes", [{"width": 9}, {"char_hidden_width": 7}, {"characters": False}, {"word_rows": 2}]
)
def test_weights_of_another_architecture(sizes):
    # The smaller vocabulary is in the one that loads.
    shim = small_embed(**sizes).shims[0]
    refuses(shim, GOOD, "L002")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 8 * len(GOOD) - 1))
def test_a_flipped_bit_is_found(place):
    data = bytearray(GOOD)
    data[place // 8] ^= 1 << place % 8
    try:
        found = small_embed().shims[0].from_bytes(bytes(data))
    except ValueError as error:
        assert "L001" in str(error)
    else:  # in Thinc's configuration, which means nothing to us
        assert_equal(found.module.state_dict(), EMBED.module.state_dict())


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_weights_that_are_no_numbers(value):
    weight = EMBED.module.projection.weight.detach().clone()
    weight[1, 1] = value
    refuses(EMBED, repacked(EMBED, **{"projection.weight": weight}), "L004.*projection.weight")


def test_a_refused_file_does_not_stop_the_next():
    shim = small_embed().shims[0]
    refuses(shim, GOOD[:-5], "L001")
    shim.from_bytes(GOOD)
    assert_equal(shim.module.state_dict(), EMBED.module.state_dict())
