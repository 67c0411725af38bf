import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from spacy_lstm_tagger.distil.vocabulary import create_vocabulary_filler

from ..util import make_examples, small_model, train


def fill(words, **sizes):
    """RETURNS (tuple): A pipeline, and its tables, filled from a corpus of these words."""
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model(**sizes)})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    docs = [Doc(nlp.vocab, words=[word]) for word in words]
    create_vocabulary_filler(corpus=lambda nlp: [Example(doc, doc.copy()) for doc in docs])(nlp)
    model = nlp.get_pipe("lstm_tagger").model
    layer = next(node for node in model.walk() if node.name == "word_char_embed")
    return nlp, layer.shims[0].module.tables


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
