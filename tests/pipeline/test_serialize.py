"""A saved tagger is the same tagger; a damaged file is an error and nothing else."""

import copy
import pickle
import pickletools
from hashlib import blake2b

import numpy as np
import pytest
import spacy
import srsly
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from safetensors.torch import load as load_safetensors
from spacy.tokens import Doc
from thinc.api import Model

from spacy_lstm_tagger.models.shim import TorchShim

from ..util import SENTENCES, TEXTS, make_examples, scores_of, small_model, train, trained_nlp

HARD = [*TEXTS, "Nobody wrote unheard-of words 😀"]


def scores(nlp):
    pipe = nlp.get_pipe("lstm_tagger")
    return scores_of(pipe, [Doc(nlp.vocab, words=text.split()) for text in HARD])


def assert_same(nlp, other):
    for ours, theirs in zip(scores(nlp), scores(other), strict=True):
        assert_allclose(ours, theirs, atol=1e-5)
    labels = nlp.get_pipe("lstm_tagger").labels
    assert labels and other.get_pipe("lstm_tagger").labels == labels


def by_disk(nlp, path):
    nlp.to_disk(path)
    return spacy.load(path)


def by_disk_from_config(nlp, path):
    nlp.to_disk(path)
    return spacy.blank("en").from_config(nlp.config).from_disk(path)


def by_bytes(nlp, path):
    return spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())


def by_pipe_bytes(nlp, path):
    other = spacy.blank("en").from_config(nlp.config)
    other.get_pipe("lstm_tagger").from_bytes(nlp.get_pipe("lstm_tagger").to_bytes())
    return other


def by_pickle(nlp, path):
    return pickle.loads(pickle.dumps(nlp))


def by_deepcopy(nlp, path):
    return copy.deepcopy(nlp)


def by_source(nlp, path):
    other = spacy.blank("en")
    other.add_pipe("lstm_tagger", source=nlp)
    return other


def by_source_in_config(nlp, path):
    nlp.to_disk(path)
    config = copy.deepcopy(nlp.config)
    config["components"]["lstm_tagger"] = {"source": str(path)}
    return spacy.util.load_model_from_config(config)


WAYS = [
    by_disk,
    by_disk_from_config,
    by_bytes,
    by_pipe_bytes,
    by_pickle,
    by_deepcopy,
    by_source,
    by_source_in_config,
]


@pytest.mark.parametrize("way", WAYS)
def test_same_scores(trained, way, tmp_path):
    assert_same(trained, way(trained, tmp_path))


def test_loaded_in_inference_mode(trained, folder):
    """As by a server that loads when it is first asked."""
    expected = [token.tag_ for token in trained(TEXTS[0])]
    with torch.inference_mode():
        nlp = spacy.load(folder)
        assert [token.tag_ for token in nlp(TEXTS[0])] == expected
    assert [token.tag_ for token in nlp(TEXTS[0])] == expected


@pytest.mark.parametrize("way", [by_disk, by_pickle, by_deepcopy, by_source])
def test_copy_trains_on_without_its_original(way, tmp_path):
    nlp, optimizer = trained_nlp(steps=3)
    other = way(nlp, tmp_path)
    before = scores(nlp)
    examples = make_examples(other, [(TEXTS[0], "V V V V V")])
    # The same optimizer, so that states with the same keys would mix.
    train(other, examples, steps=10, optimizer=optimizer)
    if way is not by_source:  # which is the same object under two pipelines
        assert_same_scores(before, scores(nlp))
    assert [token.tag_ for token in other(TEXTS[0])] == ["V"] * 5


def assert_same_scores(first, second):
    for ours, theirs in zip(first, second, strict=True):
        assert_allclose(ours, theirs, atol=1e-5)


def test_settings_are_saved(tmp_path):
    nlp = spacy.blank("en")
    model = small_model(char_max_length=6)
    config = {"overwrite": True, "neg_prefix": "no-", "label_smoothing": 0.1, "soft_share": 0.5}
    nlp.add_pipe("lstm_tagger", config={"model": model, **config})
    nlp.initialize(lambda: make_examples(nlp))
    other = by_disk(nlp, tmp_path)
    assert other.get_pipe("lstm_tagger").cfg == nlp.get_pipe("lstm_tagger").cfg
    assert config.items() <= other.get_pipe("lstm_tagger").cfg.items()
    assert_same(nlp, other)


def test_saved_after_training_on(tmp_path):
    """A vocabulary that grew, and rows that moved since the last save, are in the next one."""
    nlp, _ = trained_nlp(steps=3)
    other = by_disk(nlp, tmp_path / "first")
    train(other, make_examples(other, [("New words came", "ADJ NN V")]), steps=3)
    assert_same(other, by_disk(other, tmp_path / "second"))


# Files


@pytest.fixture
def broken(folder, tmp_path):
    """RETURNS (Callable): Makes a copy of the saved pipeline with other bytes as its model, with
    their checksum or not.
    """

    def make(change, *, sealed=False):
        nlp = spacy.load(folder)
        nlp.to_disk(tmp_path)
        model = tmp_path / "lstm_tagger" / "model"
        data = change(model.read_bytes())
        model.write_bytes(data)
        if sealed:
            (tmp_path / "lstm_tagger" / "checksum").write_bytes(seal(data))
        return tmp_path

    return make


def seal(data):
    """RETURNS (bytes): The checksum of some bytes."""
    return blake2b(data, digest_size=16).hexdigest().encode()


def foreign_weights(**sizes):
    other, _ = trained_nlp(steps=0, **sizes)
    return other.get_pipe("lstm_tagger").model.to_bytes()


def stock_tagger():
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("tagger")
    nlp.initialize(lambda: make_examples(nlp))
    return pipe.model.to_bytes()


def within_the_weights(data):
    """Flip a bit of the header of the safetensors, which starts with its length in JSON."""
    start = data.index(b'{"')
    return data[: start + 1] + bytes([data[start + 1] ^ 0x40]) + data[start + 2 :]


def changed(change):
    """RETURNS (Callable): From a model file to one that was changed as a message."""

    def apply(data):
        message = srsly.msgpack_loads(data)
        change(message)
        return srsly.msgpack_dumps(message)

    return apply


def without_shims(message):
    message["shims"] = [[] for _ in message["shims"]]


def not_finite(message):
    params = next(params for params in message["params"] if "W" in params)
    params["W"] = params["W"] * np.nan


DAMAGES = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "all but a byte": lambda data: data[:-1],
    "too long": lambda data: data + b"\0",
    "header": lambda data: bytes([data[0] ^ 0x80]) + data[1:],
    "header of the weights": within_the_weights,
    "text": lambda data: b"<html>404 Not Found</html>",
    "JSON": lambda data: b'{"nodes": []}',
}
OTHERS = {
    "other width": (lambda data: foreign_weights(width=8), "L002"),
    "other depth": (lambda data: foreign_weights(depth=2), "L002"),
    "other architecture": (lambda data: stock_tagger(), "L002.*layers"),
    "no shims": (changed(without_shims), "L002.*modules"),
    "not a number": (changed(not_finite), "L004.*W of the layer 'softmax'"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_file(broken, name):
    """With a checksum that somebody has made for it or without: never loaded."""
    with pytest.raises(ValueError, match=r"(?s)L003.*lstm_tagger.*L001.*checksum.*Copy"):
        spacy.load(broken(DAMAGES[name]))
    with pytest.raises(ValueError, match=r"(?s)L003.*lstm_tagger.*L00[12]"):
        spacy.load(broken(DAMAGES[name], sealed=True))


@pytest.mark.parametrize("name", OTHERS)
def test_file_of_another_tagger(broken, name):
    change, error = OTHERS[name]
    with pytest.raises(ValueError, match=rf"(?s)L003.*lstm_tagger.*{error}"):
        spacy.load(broken(change, sealed=True))


@pytest.mark.parametrize("name", [*DAMAGES, *OTHERS])
@pytest.mark.parametrize("sealed", [False, True])
def test_bad_file_leaves_a_loaded_tagger_as_it_was(folder, broken, name, sealed):
    nlp = spacy.load(folder)
    pipe = nlp.get_pipe("lstm_tagger")
    expected, before = scores(nlp), pipe.to_bytes(exclude=["vocab"])
    path = broken(DAMAGES[name] if name in DAMAGES else OTHERS[name][0], sealed=sealed)
    with pytest.raises(ValueError, match="L003"):
        pipe.from_disk(path / "lstm_tagger", exclude=["vocab"])
    assert_same_scores(scores(nlp), expected)
    assert pipe.to_bytes(exclude=["vocab"]) == before


def test_nothing_is_serialized_or_copied_to_load(folder, monkeypatch):
    """Not even a part of the model: what was loaded before stays without a backup."""
    nlp = spacy.load(folder)
    for owner, name in ((Model, "to_bytes"), (Model, "copy"), (TorchShim, "to_bytes")):
        monkeypatch.setattr(owner, name, None)
    monkeypatch.setattr(copy, "deepcopy", None)
    nlp.get_pipe("lstm_tagger").from_disk(folder / "lstm_tagger", exclude=["vocab"])


@pytest.mark.parametrize("sizes", [{}, {"char_width": 4}, {"depth": 2}], ids=str)
def test_foreign_bytes_leave_a_loaded_tagger_as_it_was(folder, sizes):
    """Whichever part of the model it is that does not fit, no part is overwritten."""
    pipe = spacy.load(folder).get_pipe("lstm_tagger")
    before = pipe.to_bytes(exclude=["vocab"])
    nlp = spacy.blank("en")
    other = nlp.add_pipe("lstm_tagger", config={"model": small_model(**sizes), "overwrite": True})
    tags = [*SENTENCES, ("Oh yes", "UH INTJ")] if not sizes else SENTENCES
    nlp.initialize(lambda: make_examples(nlp, tags))
    with pytest.raises(ValueError, match="L003"):
        pipe.from_bytes(other.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    assert pipe.to_bytes(exclude=["vocab"]) == before


@pytest.fixture(scope="module")
def whole(trained):
    """RETURNS (tuple): A tagger to load into, and what it has, as bytes."""
    pipe = copy.deepcopy(trained).get_pipe("lstm_tagger")
    return pipe, srsly.msgpack_loads(pipe.to_bytes(exclude=["vocab"]))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), flip=st.integers(1, 255), name=st.sampled_from(["model", "checksum"]))
def test_no_damage_loads(whole, data, flip, name):
    """Whichever byte is hit, be it that of a weight."""
    pipe, message = whole
    before, good = pipe.to_bytes(exclude=["vocab"]), message[name]
    place = data.draw(st.integers(0, len(good) - 1))
    bad = {**message, name: good[:place] + bytes([good[place] ^ flip]) + good[place + 1 :]}
    with pytest.raises(ValueError, match=r"L003.*L001"):
        pipe.from_bytes(srsly.msgpack_dumps(bad), exclude=["vocab"])
    assert pipe.to_bytes(exclude=["vocab"]) == before


@pytest.mark.parametrize("data", [b"", b"\xc1", b"text", srsly.msgpack_dumps([1])])
def test_bytes_that_are_no_component(whole, data):
    with pytest.raises(ValueError, match=r"L003.*bytes.*L001"):
        whole[0].from_bytes(data, exclude=["vocab"])


@pytest.mark.parametrize("name", ["model", "cfg", "checksum"])
def test_missing_file(folder, tmp_path, name):
    nlp = spacy.load(folder)
    nlp.to_disk(tmp_path)
    (tmp_path / "lstm_tagger" / name).unlink()
    with pytest.raises(ValueError, match=rf"L003.*no file '{name}'"):
        spacy.load(tmp_path)


def test_fields_can_be_left_out(folder):
    nlp = spacy.load(folder)
    pipe, path = nlp.get_pipe("lstm_tagger"), folder / "lstm_tagger"
    expected = scores(nlp)
    pipe.cfg["threshold"] = 0.5
    pipe.from_disk(path, exclude=["vocab", "cfg"])
    assert pipe.cfg["threshold"] == 0.5
    pipe.model.get_ref("softmax").set_param("W", -pipe.model.get_ref("softmax").get_param("W"))
    pipe.from_disk(path, exclude=["vocab", "model"])
    assert pipe.cfg["threshold"] is None
    assert not np.allclose(scores(nlp)[0], expected[0])


@pytest.mark.parametrize("field", ["model", "cfg"])
def test_bytes_without_a_field_leave_it_as_it_is(folder, field):
    nlp = spacy.load(folder)
    pipe = nlp.get_pipe("lstm_tagger")
    expected = scores(nlp)
    pipe.from_bytes(pipe.to_bytes(exclude=[field]))
    assert_same_scores(scores(nlp), expected)


def test_numbers_of_numpy_are_saved(folder):
    pipe = spacy.load(folder).get_pipe("lstm_tagger")
    pipe.cfg.update(threshold=np.float32(0.5), n_best=np.int64(2))
    other = spacy.load(folder).get_pipe("lstm_tagger").from_bytes(pipe.to_bytes())
    assert (other.cfg["threshold"], other.cfg["n_best"]) == (0.5, 2)


# Pickle


class Bomb:
    """Executes code when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("place", ["file", "shim", "weights"])
def test_pickle_is_not_executed(broken, tmp_path, place):
    bomb = pickle.dumps(Bomb(tmp_path / "boom"))

    def plant(data):
        if place == "file":
            return bomb
        message = srsly.msgpack_loads(data)
        i = next(i for i, shims in enumerate(message["shims"]) if shims)
        if place == "shim":
            message["shims"][i] = [bomb]
        else:
            shim = srsly.msgpack_loads(message["shims"][i][0])
            shim["state"] = bomb
            message["shims"][i] = [srsly.msgpack_dumps(shim)]
        return srsly.msgpack_dumps(message)

    with pytest.raises(ValueError, match="L003"):
        spacy.load(broken(plant, sealed=True))
    assert not (tmp_path / "boom").exists()
    pickle.loads(bomb)
    assert (tmp_path / "boom").exists()  # it would have been seen


def test_no_pickle_in_saved_files(folder):
    message = srsly.msgpack_loads((folder / "lstm_tagger" / "model").read_bytes())
    shims = [shim for shims in message["shims"] for shim in shims]
    assert len(shims) == 2
    for shim in shims:
        state = srsly.msgpack_loads(shim)["state"]
        assert load_safetensors(state)
        with pytest.raises(ValueError):
            list(pickletools.genops(state))
    for path in folder.rglob("*"):
        if path.is_file():
            # the start of a pickle, and of a zip archive as torch.save writes it
            assert not path.read_bytes().startswith((b"\x80\x02", b"\x80\x04", b"\x80\x05", b"PK"))


def test_files_are_small(tmp_path):
    """Rows that no word has taken are not saved."""
    nlp, _ = trained_nlp(steps=1, word_rows=100_000)
    nlp.to_disk(tmp_path)
    assert (tmp_path / "lstm_tagger" / "model").stat().st_size < 200_000
