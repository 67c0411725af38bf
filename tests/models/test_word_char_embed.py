"""The embedding layer, as Thinc sees it: vectors, gradients, dropout, docs of any length."""

import copy
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.vectors import Vectors
from thinc.api import Adam, set_dropout_rate

from spacy_lstm_tagger.models.word_types import WordTypes

from . import assert_same, learn_vocabulary, make_docs, small_embed

some_docs = st.lists(
    st.lists(
        st.sampled_from(["The", "dog", "ate", "the", "apple", "Dogs", "zz", "👩\u200d🚀", "1,5"]),
        max_size=6,
    ),
    min_size=1,
    max_size=5,
)


def still(**sizes):
    """RETURNS (Model): A layer that learned its words and draws nothing at random."""
    torch.manual_seed(0)
    return learn_vocabulary(small_embed(word_dropout=0.0, **sizes))


def run(model, docs):
    return [array.copy() for array in model.begin_update(docs)[0]]


@pytest.mark.parametrize("char_attention", [False, True])
@settings(max_examples=25, deadline=None)
@given(batch=some_docs)
def test_a_doc_does_not_depend_on_its_neighbours(char_attention, batch):
    model = still(cache_size=0, char_attention=char_attention)
    docs = make_docs(*batch)
    together = model.predict(docs)
    assert [len(array) for array in together] == [len(doc) for doc in docs]
    assert_same(together, [model.predict([doc])[0] for doc in docs])


def test_training_and_tagging_compute_the_same_without_dropout():
    for sizes in [{}, {"width": None}, {"characters": False}, {"char_bidirectional": False},
                  {"char_attention": True, "char_lm_weight": 0.1}]:  # fmt: skip
        model, docs = still(**sizes), make_docs()
        found = run(model, docs)
        assert_same(found, model.predict(docs))
        assert all(array.dtype == np.float32 for array in found)
        assert found[0].shape == (5, model.get_dim("nO"))


@pytest.mark.parametrize("char_attention", [False, True])
def test_gradients_agree_with_finite_differences(char_attention):
    """Along a random direction in the space of all weights at once."""
    model, docs = still(char_attention=char_attention), make_docs()
    Y, backprop = model.begin_update(docs)
    rng = np.random.default_rng(0)
    d_Y = [rng.normal(size=y.shape).astype("f") for y in Y]
    assert backprop(d_Y) == []
    weights = list(model.shims[0].module.parameters())
    torch.manual_seed(0)
    directions = [torch.randn_like(p) for p in weights]
    slope = sum((p.grad * d).sum().item() for p, d in zip(weights, directions, strict=True))

    def loss(step):
        with torch.no_grad():
            for p, d in zip(weights, directions, strict=True):
                p.add_(d, alpha=step)
        return sum((y * d).sum(dtype="d") for y, d in zip(run(model, docs), d_Y, strict=True))

    difference = (loss(1e-3) - loss(-2e-3)) / 2e-3
    assert slope == pytest.approx(difference, rel=0.02)


def test_guessing_letters_is_learned_in_training_alone():
    model, docs = still(char_lm_weight=0.1), make_docs()
    module, optimizer, losses = model.shims[0].module, Adam(0.01), []
    module.characters.register_forward_hook(lambda _, inputs, output: losses.append(output.loss))
    model.predict(docs)
    assert losses.pop() is None
    for _ in range(100):
        Y, backprop = model.begin_update(docs)
        # The task asks for nothing here, so what is learned is the letters.
        backprop([np.zeros_like(y) for y in Y])
        model.finish_update(optimizer)
    assert losses[-1].item() < 0.8 * losses[0].item()
    copied = copy.deepcopy(model)
    assert_same(copied.predict(docs), model.predict(docs))


def test_gradients_of_a_word_are_those_of_all_its_tokens():
    model = still(width=None)
    Y, backprop = model.begin_update(make_docs(["dog", "dog"], ["dog"]))
    backprop([np.ones_like(y) for y in Y])
    table = model.shims[0].module.tables["word"]
    row = table.lookup(model.attrs["settings"].features.keys(*describe("dog"))["word"])[0]
    assert row > 0
    assert table.weight.grad[row].tolist() == [3.0] * table.width


def describe(word):
    types = WordTypes.of(make_docs([word]))
    return types, types.strings()


def test_dropout_follows_the_training_config():
    model, docs = still(), make_docs()
    before, tagged = run(model, docs), [array.copy() for array in model.predict(docs)]
    set_dropout_rate(model, 0.5)
    assert abs(run(model, docs)[0] - before[0]).max() > 1e-3
    assert_same(model.predict(docs), tagged)
    set_dropout_rate(model, 0.0)
    assert_same(run(model, docs), before)


def test_dropout_of_its_own_overrides_the_config():
    docs = make_docs()
    model = still(dropout=0.0)
    before = run(model, docs)
    set_dropout_rate(model, 0.9)
    assert_same(run(model, docs), before)
    model = still(dropout=0.9)
    assert abs(run(model, docs)[0] - run(model, docs)[0]).max() > 1e-3


def test_word_dropout_makes_words_unknown_in_training_only():
    sizes = {"characters": False, "width": None, "lower": False, "shape": False}
    model = still(prefixes=(), suffixes=(), **sizes)
    docs = make_docs(["dog", "apple"])
    model.attrs["settings"] = replace(model.attrs["settings"], word_dropout=0.999999)
    unknown = model.shims[0].module.tables["word"].unknown.tolist()
    assert run(model, docs)[0].tolist() == [unknown, unknown]
    dog, apple = model.predict(docs)[0]
    assert not np.allclose(dog, apple)


def test_the_vocabulary_fills_in_training_only():
    model = still()
    module = model.shims[0].module
    tables = (module.tables["word"], module.characters.embedding)
    words, letters = map(len, tables)
    unseen = make_docs(["λέξη", "ψωμί"])
    model.predict(unseen)
    assert list(map(len, tables)) == [words, letters]
    run(model, unseen)
    assert list(map(len, tables)) == [words + 2, letters + len("λέξηψωμί")]


def test_unseen_words_differ_by_their_letters():
    with_letters = still(lower=False, prefixes=(), suffixes=(), shape=False)
    without = still(lower=False, prefixes=(), suffixes=(), shape=False, characters=False)
    docs = make_docs(["bog", "dag"])
    one, two = with_letters.predict(docs)[0]
    assert not np.allclose(one, two, atol=1e-4)
    one, two = without.predict(docs)[0]
    assert np.array_equal(one, two)


def test_only_the_ends_of_a_long_word_are_read():
    model = still(lower=False, prefixes=(), suffixes=(), shape=False, char_max_length=4)
    docs = make_docs(["Ths" + "x" * 5000 + "le", "The" + "y" * 40 + "le", "Thle", "Thxle"])
    one, two, three, four = model.predict(docs)[0]
    assert np.allclose(one, two, atol=1e-6) and np.allclose(one, three, atol=1e-6)
    assert np.allclose(one, four, atol=1e-6)
    assert not np.allclose(one, model.predict(make_docs(["dole"]))[0][0], atol=1e-4)


@pytest.mark.parametrize("batch", [[[]], [[], []], [[], ["dog"], []]])
def test_empty_docs(batch):
    model, docs = still(), make_docs(*batch)
    shapes = [(len(words), 8) for words in batch]
    assert [y.shape for y in model.predict(docs)] == shapes
    Y, backprop = model.begin_update(docs)
    assert [y.shape for y in Y] == shapes
    assert backprop(Y) == []
    model.finish_update(Adam(0.1))


def test_backprop_takes_any_list():
    """Other layers give plain lists of arrays that lie anywhere."""
    model, docs = still(), make_docs()
    Y, backprop = model.begin_update(docs)
    backprop([np.asfortranarray(y) for y in Y])
    assert model.shims[0].module.projection.weight.grad.abs().sum() > 0


# Static vectors


def vocabulary(**kwargs):
    nlp = spacy.blank("en")
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, shape=(3, 5), **kwargs)
    rng = np.random.default_rng(0)
    for word in ["dog", "cat"]:
        key = nlp.vocab.strings.add(word)
        nlp.vocab.vectors.add(key, vector=rng.normal(size=5).astype("f"))
    return nlp.vocab


def test_static_vectors_are_added():
    vocab = vocabulary()
    docs = make_docs(["dog", "fish", "dog", "cat"], ["cat"], vocab=vocab)
    model = small_embed(include_static_vectors=True, word_dropout=0.0)
    model.initialize(X=docs)
    found = run(model, docs)
    assert_same(model.predict(docs), found)
    static = model.layers[0]
    plain = static.get_param("W").copy()
    static.set_param("W", plain * 0)
    static.finish_update(Adam(0.0))
    without = run(model, docs)
    vectors = np.stack([vocab.get_vector(token.text) for token in docs[0]])
    np.testing.assert_allclose(found[0] - without[0], vectors @ plain.T, atol=1e-5)
    assert not np.allclose(found[0][0], without[0][0], atol=1e-3)


def test_static_vectors_of_lower_cased_words():
    """`Vectors(attr="LOWER")`, which `spacy init vectors --attr LOWER` makes."""
    vocab = vocabulary(attr="LOWER")
    docs = [Doc(vocab, words=["Dog", "fish"])]
    model = small_embed(include_static_vectors=True, word_dropout=0.0)
    model.initialize(X=docs)
    found = run(model, docs)
    assert_same(model.predict(docs), found)
    static = model.layers[0]
    static.set_param("W", static.get_param("W") * 0)
    moved = abs(run(model, docs)[0] - found[0]).max(axis=1)
    assert moved[0] > 1e-3 and moved[1] < 1e-6


def test_the_projection_of_static_vectors_learns():
    docs = [Doc(vocabulary(), words=["dog", "dog", "cat"])]
    model = small_embed(include_static_vectors=True)
    model.initialize(X=docs)
    Y, backprop = model.begin_update(docs)
    backprop([np.ones_like(y) for y in Y])
    dog, cat = docs[0][0].vector, docs[0][2].vector
    expected = 2 * dog + cat
    for row in model.layers[0].get_grad("W"):
        np.testing.assert_allclose(row, expected, rtol=1e-4)


def test_the_cache_follows_the_static_vectors():
    vocab = vocabulary()
    docs = [Doc(vocab, words=["dog", "fish"])]
    model = small_embed(include_static_vectors=True)
    model.initialize(X=docs)
    found = [model.predict(docs)[0].copy()]
    # A word gets its first vector; another word gets another; the projection changes.
    vocab.set_vector("fish", np.full(5, 3.0, dtype="f"))
    found.append(model.predict(docs)[0].copy())
    vocab.set_vector("dog", np.full(5, 7.0, dtype="f"))
    found.append(model.predict(docs)[0].copy())
    model.layers[0].set_param("W", model.layers[0].get_param("W") * 2)
    found.append(model.predict(docs)[0].copy())
    moved = [(abs(a - b).max(axis=1) > 1e-3).tolist() for a, b in pairwise(found)]
    assert moved == [[False, True], [True, False], [True, True]]


def test_static_vectors_with_empty_docs():
    vocab = vocabulary()
    docs = [Doc(vocab), Doc(vocab, words=["dog"]), Doc(vocab)]
    model = small_embed(include_static_vectors=True)
    model.initialize(X=docs)
    Y, backprop = model.begin_update(docs)
    backprop(Y)
    assert [y.shape for y in model.predict(docs)] == [(0, 8), (1, 8), (0, 8)]
