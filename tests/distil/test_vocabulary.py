"""The rows of a vocabulary that is filled from a corpus, with vectors or without."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vectors import Vectors

from spacy_lstm_tagger.distil.vocabulary import create_vocabulary_filler, fill_pretrained

from ..util import make_examples, scores_of, small_model, train


def layer_of(nlp):
    model = nlp.get_pipe("lstm_tagger").model
    return next(node for node in model.walk() if node.name == "word_char_embed")


def fill(words, **sizes):
    """RETURNS (tuple): A pipeline, and its tables, filled from a corpus of these words."""
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model(**sizes)})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    docs = [Doc(nlp.vocab, words=[word]) for word in words]
    create_vocabulary_filler(corpus=lambda nlp: [Example(doc, doc.copy()) for doc in docs])(nlp)
    return nlp, layer_of(nlp).shims[0].module.tables


def known(nlp, table, words):
    keys = [nlp.vocab.strings.add(word) for word in words]
    signed = [key - 2**64 if key >= 2**63 else key for key in keys]
    return [word for word, row in zip(words, table.lookup(signed), strict=True) if row]


def test_the_most_frequent_get_the_rows():
    words = ["rare", "Often", "often", "rare2", "Often", "some", "often", "some", "often"]
    nlp, tables = fill(words, word_rows=2, feature_rows=2)
    distinct = ["rare", "Often", "often", "rare2", "some"]
    assert set(known(nlp, tables["word"], distinct)) <= {"Often", "often", "some"}
    assert known(nlp, tables["word"], ["often"]) == ["often"]
    # Features are counted over all words that have them: "rar" is met twice, "oft" thrice.
    assert known(nlp, tables["lower"], ["often", "some", "rare"]) == ["often", "some"]
    assert known(nlp, tables["prefix3"], ["oft", "som", "rar", "Oft"])[0] == "oft"
    assert known(nlp, tables["shape"], ["xxxx", "Xxxxx", "xxxxd"]) == ["xxxx", "Xxxxx"]


def test_what_was_tagged_before_is_not_kept():
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model()})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    pipe, docs = nlp.get_pipe("lstm_tagger"), [eg.predicted for eg in examples]
    before = scores_of(pipe, docs)
    create_vocabulary_filler(corpus=lambda nlp: examples)(nlp)
    found = scores_of(pipe, docs)
    pipe.from_bytes(pipe.to_bytes())
    for old, new, reloaded in zip(before, found, scores_of(pipe, docs), strict=True):
        assert np.allclose(new, reloaded, atol=1e-6) and not np.allclose(old, new)


def test_training_goes_on_from_there():
    nlp, tables = fill(["the"] * 3, word_rows=4)
    examples = make_examples(nlp)
    train(nlp, examples, steps=2, optimizer=nlp.create_optimizer())
    assert len(tables["word"]) == 4
    assert known(nlp, tables["word"], ["the"]) == ["the"]


def test_a_word_without_letters():
    assert len(fill([" ", "\n"])[1]["word"]) == 2


def test_a_pipeline_without_such_a_layer():
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    with pytest.raises(ValueError, match="D010"):
        create_vocabulary_filler(corpus=lambda nlp: [])(nlp)


def test_nothing_is_filled_while_all_components_are_disabled():
    """As in `spacy pretrain`, which fills the rows from its raw text."""
    nlp, tables = fill(["the"], word_rows=4)
    doc = Doc(nlp.vocab, words=["of"])
    filler = create_vocabulary_filler(corpus=lambda nlp: [Example(doc, doc.copy())])
    with nlp.select_pipes(enable=[]):
        filler(nlp)
    assert known(nlp, tables["word"], ["the", "of"]) == ["the"]
    filler(nlp)
    assert known(nlp, tables["word"], ["the", "of"]) == ["the", "of"]


NEW = ["zog", "Zog", "zug"]  # which training does not have; the first has a vector


def save_vectors(folder, *, words=("the", "zog"), width=3, scale=1.0):
    nlp = spacy.blank("en")
    data = np.random.default_rng(0).normal(size=(len(words), width)).astype("f") * scale
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=data, keys=list(words))
    nlp.to_disk(folder)
    return folder, data


def with_vectors(folder, **sizes):
    """RETURNS (Language): A pipeline that has these vectors, and has learned for some steps."""
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model(**sizes)})
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    create_vocabulary_filler(corpus=lambda nlp: examples, vectors=folder)(nlp)
    train(nlp, examples, steps=5, optimizer=optimizer)
    return nlp


def embed(nlp):
    return layer_of(nlp).predict([Doc(nlp.vocab, words=NEW)])[0]


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    folder, data = save_vectors(tmp_path_factory.mktemp("vectors"))
    return with_vectors(folder, pretrained_width=3, lower=False), data


def test_pretrained_vectors_become_a_part_of_the_model(pretrained):
    nlp, data = pretrained
    table = layer_of(nlp).shims[0].module.tables["pretrained"]
    assert known(nlp, table, [*NEW, "the"]) == ["zog", "the"]
    assert table.weight[1:3].numpy() == pytest.approx(data, rel=1e-3)  # training left them alone
    docs, layer = [Doc(nlp.vocab, words=NEW)], layer_of(nlp).copy()
    before = layer.predict(docs)[0].copy()
    fill_pretrained(layer, Vectors(data=data + 1.0, keys=["the", "zog"]), name="others")
    assert (layer.predict(docs)[0] != before).any(axis=1).tolist() == [True, True, False]


def test_pretrained_vectors_go_wherever_the_tagger_goes(pretrained, tmp_path):
    nlp, _ = pretrained
    nlp.to_disk(tmp_path)
    other = spacy.blank("en")  # without vectors
    other.add_pipe("lstm_tagger", source=spacy.load(tmp_path))
    assert embed(other) == pytest.approx(embed(nlp))


def test_pretrained_vectors_for_spacy_pretrain(tmp_path):
    """There all components are disabled, and rows are left to the words of the raw text."""
    folder, _ = save_vectors(tmp_path)
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model(pretrained_width=3)})
    nlp.disable_pipe("lstm_tagger")
    create_vocabulary_filler(corpus=lambda nlp: [], vectors=folder)(nlp)
    tables = layer_of(nlp).shims[0].module.tables
    assert len(tables["pretrained"]) == 2 and len(tables["word"]) == 0


@pytest.mark.parametrize(
    ("vectors", "sizes", "error"),
    [
        ({}, {}, "D021"),
        ({}, {"pretrained_width": 4}, r"D022.*\(2, 3\), expected \(at least 1, 4\)"),
        ({"words": ()}, {"pretrained_width": 3}, "D022"),
        ({"scale": 1e6}, {"pretrained_width": 3}, r"D023.*value \d+.*65504"),
        ({"scale": -1.2e5, "words": ("the",)}, {"pretrained_width": 3}, r"D023.*value \d+.*65504"),
        ({"scale": np.nan}, {"pretrained_width": 3}, r"D023.*value nan"),
    ],
)
def test_vectors_that_do_not_fit(vectors, sizes, error, tmp_path):
    with pytest.raises(ValueError, match=error):
        with_vectors(save_vectors(tmp_path, **vectors)[0], **sizes)


def test_training_without_the_vectors_it_was_built_for():
    with pytest.raises(ValueError, match=r"M006.*pretrained_width = 3"):
        with_vectors(None, pretrained_width=3)


def test_a_frozen_tagger_keeps_its_vectors(pretrained, tmp_path):
    """spaCy disables frozen and sourced components while it initializes the others."""
    trained, _ = pretrained
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", name="new", config={"model": small_model(pretrained_width=3)})
    nlp.add_pipe("lstm_tagger", source=trained)
    before = nlp.get_pipe("lstm_tagger").model.to_bytes()
    with nlp.select_pipes(disable=["lstm_tagger"]):
        nlp.initialize(lambda: make_examples(nlp))
        folder, _ = save_vectors(tmp_path, scale=2.0)
        create_vocabulary_filler(corpus=lambda nlp: make_examples(nlp), vectors=folder)(nlp)
    assert nlp.get_pipe("lstm_tagger").model.to_bytes() == before
