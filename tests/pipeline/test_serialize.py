"""A saved tagger is the same tagger; a damaged file is an error and nothing else."""

import copy
import pickle
import pickletools

import pytest
import spacy
import srsly
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from safetensors.torch import load as load_safetensors
from spacy.tokens import Doc

from ..util import SENTENCES, make_examples, scores_of, small_model, train, trained_nlp

TEXTS = [text for text, _ in SENTENCES] + ["Nobody wrote unheard-of words 😀"]


def scores(nlp):
    pipe = nlp.get_pipe("lstm_tagger")
    return scores_of(pipe, [Doc(nlp.vocab, words=text.split()) for text in TEXTS])


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
    config = {"model": model, "overwrite": True, "neg_prefix": "no-", "label_smoothing": 0.1}
    nlp.add_pipe("lstm_tagger", config=config)
    nlp.initialize(lambda: make_examples(nlp))
    other = by_disk(nlp, tmp_path)
    assert other.get_pipe("lstm_tagger").cfg == nlp.get_pipe("lstm_tagger").cfg
    assert_same(nlp, other)


def test_saved_after_training_on(tmp_path):
    """A vocabulary that grew, and rows that moved since the last save, are in the next one."""
    nlp, _ = trained_nlp(steps=3)
    other = by_disk(nlp, tmp_path / "first")
    train(other, make_examples(other, [("New words came", "ADJ NN V")]), steps=3)
    assert_same(other, by_disk(other, tmp_path / "second"))


# Files


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("pipeline")
    trained.to_disk(path)
    return path


@pytest.fixture
def broken(folder, tmp_path):
    """RETURNS (Callable): Makes a copy of the saved pipeline with other bytes as its model."""

    def make(change):
        nlp = spacy.load(folder)
        nlp.to_disk(tmp_path)
        model = tmp_path / "lstm_tagger" / "model"
        model.write_bytes(change(model.read_bytes()))
        return tmp_path

    return make


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


CHANGES = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "all but a byte": lambda data: data[:-1],
    "too long": lambda data: data + b"\0",
    "header": lambda data: bytes([data[0] ^ 0x80]) + data[1:],
    "header of the weights": within_the_weights,
    "text": lambda data: b"<html>404 Not Found</html>",
    "JSON": lambda data: b'{"nodes": []}',
    "other width": lambda data: foreign_weights(width=8),
    "other depth": lambda data: foreign_weights(depth=2),
    "other architecture": lambda data: stock_tagger(),
}


@pytest.mark.parametrize("name", CHANGES)
def test_bad_file_is_a_clear_error(broken, name):
    path = broken(CHANGES[name])
    with pytest.raises(ValueError, match=r"(?s)L003.*lstm_tagger.*damaged or belongs to another"):
        spacy.load(path)


@pytest.mark.parametrize("name", CHANGES)
def test_bad_file_leaves_a_loaded_tagger_as_it_was(folder, broken, name):
    nlp = spacy.load(folder)
    pipe = nlp.get_pipe("lstm_tagger")
    expected, before = scores(nlp), pipe.to_bytes(exclude=["vocab"])
    with pytest.raises(ValueError, match="L003"):
        pipe.from_disk(broken(CHANGES[name]) / "lstm_tagger", exclude=["vocab"])
    assert_same_scores(scores(nlp), expected)
    assert pipe.to_bytes(exclude=["vocab"]) == before


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
def damaged(trained):
    """RETURNS (tuple): A tagger to load into, what it has, and the places that matter: most bytes
    of a model are weights, where no damage can be seen.
    """
    pipe = copy.deepcopy(trained).get_pipe("lstm_tagger")
    message = srsly.msgpack_loads(pipe.to_bytes(exclude=["vocab"]))
    model = message["model"]
    headers = [i for i in range(len(model)) if model[i : i + 2] == b'{"']
    places = {0, *headers}
    places = sorted({p + i for p in places for i in range(-20, 400) if 0 <= p + i < len(model)})
    return pipe, message, places


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), flip=st.integers(1, 255))
def test_any_damage_is_a_clear_error_or_harmless(damaged, data, flip):
    """Whichever byte is hit: the tagger is loaded, or there is an L003 and it is as it was."""
    pipe, message, places = damaged
    before, good = pipe.to_bytes(exclude=["vocab"]), message["model"]
    place = data.draw(st.sampled_from(places))
    bad = {**message, "model": good[:place] + bytes([good[place] ^ flip]) + good[place + 1 :]}
    try:
        pipe.from_bytes(srsly.msgpack_dumps(bad), exclude=["vocab"])
    except ValueError as error:
        assert "L003" in str(error)
        assert pipe.to_bytes(exclude=["vocab"]) == before


def test_missing_model_file(folder, tmp_path):
    nlp = spacy.load(folder)
    nlp.to_disk(tmp_path)
    (tmp_path / "lstm_tagger" / "model").unlink()
    with pytest.raises(FileNotFoundError, match="model"):
        spacy.load(tmp_path)


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
        spacy.load(broken(plant))
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
