"""The tagger model: how it scores when tagging is that of its layers, one after the other."""

import copy

import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.ml.models.tok2vec import MultiHashEmbed, build_Tok2Vec_model
from thinc.api import Model, with_debug

from spacy_lstm_tagger.models.architectures import build_crf_tagger, build_tagger
from spacy_lstm_tagger.nn.lstm import BucketedLSTM

from . import assert_same, learn_vocabulary, make_docs, small_embed, small_encoder

SENTENCES = st.lists(st.lists(st.sampled_from("the dog Dogs ate zebras".split())), max_size=6)


def make(build=build_tagger, embed=None, **sizes):
    torch.manual_seed(0)
    embed = embed or small_embed(width=5, word_dropout=0.0)
    tok2vec = build_Tok2Vec_model(embed, small_encoder(**sizes))
    model = build(tok2vec=tok2vec, nO=4)
    if build is build_crf_tagger:
        model.get_ref("crf").attrs["decoded"] = True
    model.initialize(X=make_docs())
    model.get_ref("output_layer").set_param("b", model.ops.xp.arange(4, dtype="f"))
    return learn_vocabulary(model)


def one_after_the_other(model, docs):
    tok2vec, output = model.layers
    return output.predict(tok2vec.predict(docs))


@pytest.fixture
def encoded(monkeypatch):
    """The shape of all that leaves the encoder."""
    shapes = []
    run = BucketedLSTM.forward

    def record(self, *args, **kwargs):
        y = run(self, *args, **kwargs)
        shapes.append(tuple(y.vectors.shape))
        return y

    monkeypatch.setattr(BucketedLSTM, "forward", record)
    return shapes


@pytest.mark.parametrize("build", [build_tagger, build_crf_tagger])
@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"depth": 1},
        {"bidirectional": False},
        {"all_layers": True, "last_width": 4, "merge": "sum"},
        {"window": 3, "context": 1},
        {"max_batch_items": 4},
    ],
)
@settings(max_examples=15, deadline=None)
@given(words=SENTENCES)
def test_scores_are_those_of_the_layers(build, sizes, words):
    model, docs = make(build, **sizes), make_docs(*words) if words else []
    scores = model.predict(docs)
    assert [s.shape for s in scores] == [(len(doc), 4) for doc in docs]
    assert_same(scores, one_after_the_other(model, docs))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_token_vectors_do_not_leave_the_encoder(precision, encoded):
    model = make(precision=precision)
    encoded.clear()
    scores = model.predict(make_docs())
    assert encoded == [(12, 4)]
    expected = one_after_the_other(model, make_docs())
    assert encoded[1:] == [(12, 6)]
    assert_same(scores, expected, atol=1e-6)
    model.layers[0].predict(make_docs())  # nor are they kept from those who ask for them
    assert encoded[2:] == [(12, 6)]


def test_static_vectors():
    vocab = spacy.blank("xx").vocab
    for i, word in enumerate(("dog", "book")):
        vocab.set_vector(word, torch.full((3,), i + 1.0).numpy())
    docs = make_docs(vocab=vocab)
    torch.manual_seed(0)
    embed = small_embed(width=5, include_static_vectors=True)
    tok2vec = build_Tok2Vec_model(embed, small_encoder())
    model = build_tagger(tok2vec=tok2vec, nO=4)
    model.initialize(X=docs)
    for _ in range(2):  # with words that are new, then with those that are kept
        assert_same(model.predict(docs), one_after_the_other(model, docs))
    before = [scores.copy() for scores in model.predict(docs)]
    vocab.vectors.data[:] *= 2
    assert_same(model.predict(docs), one_after_the_other(model, docs))
    assert abs(model.predict(docs)[0] - before[0]).max() > 1e-4


def test_other_embeddings_hand_on_vectors(encoded):
    embed = MultiHashEmbed(5, ["NORM"], [50], include_static_vectors=False)
    model = make(embed=embed)
    encoded.clear()
    scores = model.predict(make_docs())
    assert encoded == [(12, 6)]
    assert_same(scores, one_after_the_other(model, make_docs()))


def test_a_changed_output_layer_counts_at_once():
    model, docs = make(), make_docs()
    before = [scores.copy() for scores in model.predict(docs)]
    model.get_ref("output_layer").set_param("W", -model.get_ref("output_layer").get_param("W"))
    after = model.predict(docs)
    assert_same(after, one_after_the_other(model, docs))
    assert abs(after[0] - before[0]).max() > 1e-2


def test_copies_score_with_their_own_weights():
    model, docs = make(), make_docs()
    expected = [scores.copy() for scores in model.predict(docs)]
    for other in (model.copy(), copy.deepcopy(model), make().from_bytes(model.to_bytes())):
        model.get_ref("output_layer").get_param("b")[:] += 1.0
        assert_same(other.predict(docs), expected)
        model.get_ref("output_layer").get_param("b")[:] -= 1.0


def test_a_model_of_ones_own_with_our_layers_in_it():
    """What it does between them is done in tagging too."""

    def forward(tok2vec, docs, is_train):
        embed, encode = tok2vec.layers
        return encode.predict([-3.0 * vectors for vectors in embed.predict(docs)]), None

    model, docs = make(), make_docs()
    before = [scores.copy() for scores in model.predict(docs)]
    model.layers[0] = Model("tok2vec", forward, layers=model.layers[0].layers)
    assert_same(model.predict(docs), one_after_the_other(model, docs))
    assert abs(model.predict(docs)[0] - before[0]).max() > 1e-2


@pytest.mark.parametrize("i", range(4))
def test_a_layer_that_somebody_looks_into_runs(i):
    model, docs, runs = make(), make_docs(), []
    tok2vec, output = model.layers
    with_debug([tok2vec, *tok2vec.layers, output][i], on_forward=lambda *_: runs.append(i))
    expected = one_after_the_other(model, docs)
    assert_same(model.predict(docs), expected)
    assert runs == [i, i]
