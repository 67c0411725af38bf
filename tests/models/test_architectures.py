"""The architectures that a config names: found, checked, composed with spaCy's, saved."""

import importlib.metadata
import inspect
import math
import re

import numpy as np
import pytest
import spacy
import torch
from spacy.training import Example
from spacy.util import fix_random_seed, registry
from spacy.vectors import Vectors
from thinc.api import Config

from spacy_lstm_tagger.models import architectures
from spacy_lstm_tagger.models.architectures import (
    build_crf_tagger,
    build_lstm_encoder,
    build_tagger,
    build_word_char_embed,
)

from . import SMALL_EMBED, TAGS, WORDS, assert_same, make_docs, small_tagger, small_tok2vec

ENTRY_POINTS = [
    entry
    for entry in importlib.metadata.distribution("spacy-lstm-tagger").entry_points
    if entry.group.startswith("spacy_")
]
# Those in the source, whether others can find them or not.
NAMES = re.findall(
    r'registry\.architectures\("spacy-lstm-tagger\.(.+)"\)', inspect.getsource(architectures)
)


@pytest.mark.parametrize("entry", ENTRY_POINTS, ids=lambda entry: entry.name)
def test_entry_points_resolve(entry):
    found = registry.get(entry.group.removeprefix("spacy_"), entry.name)
    assert found is entry.load()


@pytest.mark.parametrize("name", NAMES)
def test_every_architecture_has_an_entry_point(name):
    names = {e.name for e in ENTRY_POINTS if e.group == "spacy_architectures"}
    assert f"spacy-lstm-tagger.{name}" in names and len(names) == len(NAMES)


# Values out of range. The error names the setting and its value, and says what is allowed.

WIDTHS = ["width", "word_width", "char_width", "char_hidden_width", "feature_width"]
ROWS = ["word_rows", "char_rows", "feature_rows"]
BAD_EMBED = [
    *[(name, value, "from 1 to 8192") for name in WIDTHS for value in (0, -1, 10**9)],
    *[(name, value, "from 1 to 10000000") for name in ROWS for value in (0, -1, 10**9)],
    ("prefixes", (3, 0), "1 or more"),
    ("suffixes", (-2,), "1 or more"),
    ("word_dropout", 1.0, "below 1"),
    ("word_dropout", -0.1, "below 1"),
    ("dropout", 1.5, "below 1"),
    ("dropout", math.nan, "below 1"),
    ("char_lm_weight", -1.0, "0 or more"),
    ("char_max_length", 1, "2 or more"),
    ("cache_size", -1, "0 or more"),
    ("cache_size", 10**100, "2147483647 or less"),
    ("cache_size", "5", "0 or more"),
    ("precision", "int8", "fp32.*bf16.*fp16"),
]
BAD_ENCODER = [
    ("width", 0, "from 1 to 8192"),
    ("depth", 0, "from 1 to 64"),
    ("depth", 10**5, "from 1 to 64"),
    ("max_batch_items", 0, "1 or more"),
    ("input_width", -5, "from 1 to 8192"),
    ("last_width", 0, "from 1 to 8192"),
    ("last_width", 7, "even"),
    ("lm_weight", -0.1, "0 or more"),
    ("merge", "mean", "concat.*sum"),
    ("width", 7, "even"),
    ("dropout", 1.0, "below 1"),
    ("precision", "int8", "fp32.*bf16.*fp16"),
]


def refuses(build, name, value, allowed):
    bad = min(value) if isinstance(value, tuple) else value
    with pytest.raises(ValueError, match=rf"\[M001\] {name}\S* = {bad!r} .*{allowed}"):
        build(**{name: value})


@pytest.mark.parametrize(("name", "value", "allowed"), BAD_EMBED)
def test_bad_values_for_the_embedding(name, value, allowed):
    refuses(build_word_char_embed, name, value, allowed)


@pytest.mark.parametrize(("name", "value", "allowed"), BAD_ENCODER)
def test_bad_values_for_the_encoder(name, value, allowed):
    refuses(build_lstm_encoder, name, value, allowed)


def test_a_table_that_no_memory_could_hold():
    with pytest.raises(ValueError, match=r"M001.*word_rows = 200000 .*122070 or less.* 8192 wide"):
        build_word_char_embed(word_width=8192, word_rows=200_000)


@pytest.mark.parametrize("build", [build_tagger, build_crf_tagger])
@pytest.mark.parametrize("value", [0, -1, "3", 10**19])
def test_bad_numbers_of_tags(build, value):
    with pytest.raises(ValueError, match=rf"M001.*nO = {value!r} .*from 1 to 10000000"):
        build(tok2vec=small_tok2vec(), nO=value)


@pytest.mark.parametrize(("name", "value"), [("prefixes", [3, 3]), ("suffixes", [2, 3, 2])])
def test_a_repeated_affix_is_embedded_once(name, value):
    sizes = {**SMALL_EMBED, "width": None}
    repeated = build_word_char_embed(**{**sizes, name: value})
    once = build_word_char_embed(**{**sizes, name: sorted(set(value))})
    assert repeated.get_dim("nO") == once.get_dim("nO")
    assert len(repeated.predict(make_docs())) == len(WORDS)


def test_widths_of_parts():
    sizes = {**SMALL_EMBED, "width": None}
    states, width = SMALL_EMBED["char_hidden_width"], build_word_char_embed(**sizes).get_dim("nO")
    for settings, more in (
        ({"char_bidirectional": False}, -states),
        ({"characters": False}, -2 * states),
        ({"char_attention": True}, 2 * states),
        ({"shape": False}, -SMALL_EMBED["feature_width"]),
        ({"pretrained_width": 5}, 5),
    ):
        assert build_word_char_embed(**sizes, **settings).get_dim("nO") == width + more


@pytest.mark.parametrize(("merge", "expected"), [("sum", 4), ("concat", 8)])
def test_what_the_next_layer_reads_of_two_directions(merge, expected):
    model = build_lstm_encoder(width=8, last_width=None, merge=merge)
    assert model.shims[0].module.forward_lstms[1].input_size == expected


def test_widths_of_layers():
    sizes = {"width": 12, "last_width": 8}
    assert build_lstm_encoder(**sizes).get_dim("nO") == 20
    assert build_lstm_encoder(**sizes, all_layers=False).get_dim("nO") == 8
    assert build_lstm_encoder(**sizes, depth=3).get_dim("nO") == 32
    # A single layer has no other last one, so that `depth = 1` is enough to say in a config.
    assert build_lstm_encoder(**sizes, depth=1).get_dim("nO") == 12


def test_an_odd_width_is_fine_in_one_direction():
    assert build_lstm_encoder(width=7, depth=1, bidirectional=False).get_dim("nO") == 7


def test_static_vectors_need_a_width():
    with pytest.raises(ValueError, match=r"M001.* width = None .*include_static_vectors"):
        build_word_char_embed(width=None, include_static_vectors=True)


# In a pipeline

OURS = """
[tok2vec]
@architectures = "spacy.Tok2Vec.v2"

[tok2vec.encode]
@architectures = "spacy-lstm-tagger.LSTMEncoder.v1"
width = 16
depth = 1
input_width = 8

[tok2vec.embed]
@architectures = "spacy-lstm-tagger.WordCharEmbed.v1"
width = 8
word_width = 8
"""
OUR_EMBED = """
[tok2vec]
@architectures = "spacy.Tok2Vec.v2"

[tok2vec.embed]
@architectures = "spacy-lstm-tagger.WordCharEmbed.v1"
width = 16

[tok2vec.encode]
@architectures = "spacy.MaxoutWindowEncoder.v2"
width = 16
depth = 1
window_size = 1
maxout_pieces = 2
"""
OUR_ENCODER = """
[tok2vec]
@architectures = "spacy.Tok2Vec.v2"

[tok2vec.embed]
@architectures = "spacy.MultiHashEmbed.v2"
width = 16
attrs = ["NORM", "SUFFIX"]
rows = [200, 200]
include_static_vectors = false

[tok2vec.encode]
@architectures = "spacy-lstm-tagger.LSTMEncoder.v1"
width = 12
input_width = 16
depth = 1
lm_weight = 0.1
"""


def pipeline(tok2vec, tagger="spacy-lstm-tagger.Tagger.v1", vectors=False):
    """RETURNS (tuple): A pipeline with the stock tagger, untrained, and its examples."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    if vectors:
        rng = np.random.default_rng(0)
        for word in WORDS[0]:
            nlp.vocab.set_vector(word, rng.normal(size=5).astype("f"))
    config = Config().from_str(tok2vec)
    nlp.add_pipe("tagger", config={"model": {"@architectures": tagger, **config}})
    examples = [
        Example.from_dict(doc, {"tags": tags})
        for doc, tags in zip(make_docs(vocab=nlp.vocab), TAGS, strict=True)
    ]
    nlp.initialize(lambda: examples)
    return nlp, examples


def train(nlp, examples, steps=30):
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.02
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer)


def tags_of(nlp):
    return [[token.tag_ for token in doc] for doc in nlp.pipe(make_docs(vocab=nlp.vocab))]


@pytest.mark.parametrize("tagger", ["spacy-lstm-tagger.Tagger.v1", "spacy.Tagger.v2"])
@pytest.mark.parametrize(
    "tok2vec", [OURS, OUR_EMBED, OUR_ENCODER], ids=["ours", "our embed", "our encoder"]
)
def test_the_stock_tagger_learns(tok2vec, tagger):
    nlp, examples = pipeline(tok2vec, tagger)
    assert tags_of(nlp) != TAGS
    train(nlp, examples)
    assert tags_of(nlp) == TAGS
    data = nlp.to_bytes()
    loaded = spacy.blank("en").from_config(nlp.config).from_bytes(data)
    assert tags_of(loaded) == TAGS
    assert_same(scores(loaded), scores(nlp))


def scores(nlp):
    return nlp.get_pipe("tagger").model.predict(make_docs(vocab=nlp.vocab))


def test_static_vectors():
    config = OURS + "include_static_vectors = true\n"
    nlp, examples = pipeline(config, vectors=True)
    train(nlp, examples)
    assert tags_of(nlp) == TAGS
    loaded = spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert_same(scores(loaded), scores(nlp))
    loaded.vocab.vectors = Vectors(strings=loaded.vocab.strings)
    with pytest.raises(ValueError, match=r"M003.*the vectors of its own pipeline"):
        loaded("The dog")
    with pytest.raises(ValueError, match="M003"):
        loaded.update([Example.from_dict(loaded.make_doc("The dog"), {"tags": TAGS[0][:2]})])


def test_static_vectors_without_vectors():
    with pytest.raises(ValueError, match="M003"):
        pipeline(OURS + "include_static_vectors = true\n")


def test_the_size_is_that_of_the_tutorial():
    """Embeddings of 6 for 9 words, an LSTM of 6, an affine map to 3 tags; ours adds a vector for
    unknown words."""
    model = small_tagger(
        3, width=6, embed_width=None, word_width=6, word_rows=9, word_dropout=0.0,
        characters=False, bidirectional=False, lower=False, prefixes=(), suffixes=(), shape=False,
    )  # fmt: skip
    model.begin_update(make_docs(*WORDS[:1], ["Everybody", "read", "that", "book"]))
    embed, encode = (model.get_ref("tok2vec").layers[i] for i in range(2))
    sizes = {
        name: value.numel()
        for node in [embed, encode]
        for shim in node.shims
        for name, value in shim.module.state_dict().items()
        if not re.search("keys|unknown", name)
    }
    assert sum(sizes.values()) == 9 * 6 + 4 * 6 * (6 + 6 + 2)
    softmax = model.get_ref("softmax")
    assert softmax.get_param("W").size + softmax.get_param("b").size == 3 * 6 + 3


# Serialization of a model alone


@pytest.mark.parametrize("sizes", [{}, {"characters": False}, {"embed_width": None}, {"depth": 2}])
def test_round_trip(sizes):
    model, docs = small_tagger(**sizes), make_docs()
    model.begin_update(docs)
    loaded = small_tagger(**sizes)
    assert abs(loaded.predict(docs)[0] - model.predict(docs)[0]).max() > 1e-3
    data = model.to_bytes()
    loaded.from_bytes(data)
    assert_same(loaded.predict(docs), model.predict(docs))
    assert loaded.to_bytes() == data


def test_random_numbers_are_left_to_the_program():
    """Making and loading a model takes none, as with spaCy's own layers: initializing it does."""
    data = small_tagger().to_bytes()
    fix_random_seed(0)
    expected = torch.rand(3)
    fix_random_seed(0)
    build_tagger(tok2vec=small_tok2vec(), nO=4).from_bytes(data)
    assert torch.equal(torch.rand(3), expected)


def test_references_that_tools_look_for():
    model = small_tagger()
    assert model.get_ref("tok2vec").get_dim("nO") == 8
    assert model.get_ref("output_layer") is model.get_ref("softmax")
    assert model.get_ref("output_layer").name == "softmax"


def test_a_doc_does_not_depend_on_its_neighbours():
    model, docs = small_tagger(depth=2, cache_size=0), make_docs(*WORDS, [], ["dog"])
    model.begin_update(docs)
    assert_same(model.predict(docs), [model.predict([doc])[0] for doc in docs])


@pytest.mark.parametrize("batch", [[[]], [[], []], [[], ["dog"], []]])
def test_empty_docs_train(batch):
    """A shared tok2vec is trained on batches of empty docs alone; a tagger is not."""
    model, docs = small_tagger(), make_docs(*batch)
    Y, backprop = model.begin_update(docs)
    backprop(Y)
    assert [len(y) for y in model.predict(docs)] == [len(doc) for doc in docs]


def test_a_shared_tok2vec():
    """The listener hands on what the shared layer computes, and gradients come back to it."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    tok2vec = Config().from_str(OURS)["tok2vec"]
    nlp.add_pipe("tok2vec", config={"model": tok2vec})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 16, "upstream": "*"}
    model = {"@architectures": "spacy-lstm-tagger.Tagger.v1", "tok2vec": listener}
    nlp.add_pipe("tagger", config={"model": model})
    examples = [
        Example.from_dict(doc, {"tags": tags})
        for doc, tags in zip(make_docs(*WORDS, [], vocab=nlp.vocab), [*TAGS, []], strict=True)
    ]
    nlp.initialize(lambda: examples[:3])
    shared = nlp.get_pipe("tok2vec").model
    before = [array.copy() for array in shared.predict(make_docs(vocab=nlp.vocab))]
    train(nlp, examples)
    assert tags_of(nlp) == TAGS
    assert abs(shared.predict(make_docs(vocab=nlp.vocab))[0] - before[0]).max() > 1e-2


@pytest.mark.parametrize("name", ["WordCharEmbed", "LSTMEncoder", "Tagger", "CRFTagger"])
def test_spacy_finds_where_they_are(name):
    """`spacy find-function` tells the file and the line."""
    found = registry.find("architectures", f"spacy-lstm-tagger.{name}.v1")
    assert found["file"].endswith("architectures.py")
