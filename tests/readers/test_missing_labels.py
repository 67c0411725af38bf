"""One warning of labels that the data has and a component lacks."""

import warnings

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from spacy_lstm_tagger.readers import Corpus, read_morph_labels

from ..util import CORPUS, small_model

TRAIN, DEV = CORPUS / "en-train.conllu", CORPUS / "en-dev.conllu"


def pipeline(*factories, limit=0, **config):
    """RETURNS (Language): A pipeline that was initialized on a part of the training data."""
    nlp = spacy.blank("en")
    for factory in factories:
        settings = {"model": small_model()} if factory == "lstm_tagger" else {}
        nlp.add_pipe(factory, config=settings | config.get(factory, {}))
    examples = list(Corpus(TRAIN, limit=limit)(spacy.blank("en")))
    nlp.initialize(lambda: examples)
    return nlp


def messages(corpus, nlp):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        list(corpus(nlp))
    return [str(warning.message) for warning in found]


def test_tags_that_training_lacks():
    nlp, corpus = pipeline("lstm_tagger", limit=3), Corpus(DEV)
    tags = {t.tag_ for eg in Corpus(DEV)(spacy.blank("en")) for t in eg.reference}
    (message,) = messages(corpus, nlp)
    missing = sorted(tags - set(nlp.get_pipe("lstm_tagger").labels))
    assert f"LW003] {DEV} has {len(missing)} label(s) that 'lstm_tagger' lacks" in message
    assert ": " + ", ".join(map(repr, missing[:10])) in message
    assert messages(corpus, nlp) == []  # once


def test_all_components_with_labels():
    nlp = pipeline("tagger", "morphologizer", "senter", limit=3)
    found = messages(Corpus(TRAIN), nlp)
    assert [message.split("'")[1] for message in found] == ["tagger", "morphologizer"]
    labels = set(read_morph_labels(path=TRAIN)["morph"]) - set(nlp.get_pipe("morphologizer").labels)
    assert f"has {len(labels)} label(s)" in found[1]


def test_no_warning_where_nothing_is_missing():
    assert messages(Corpus(TRAIN), pipeline("lstm_tagger", "morphologizer", "senter")) == []
    assert messages(Corpus(TRAIN), spacy.blank("en")) == []


def test_a_component_that_has_no_labels_yet_lacks_none():
    nlp, corpus = spacy.blank("en"), Corpus(DEV)
    nlp.add_pipe("tagger")
    assert messages(corpus, nlp) == []
    examples = list(Corpus(TRAIN, limit=3)(nlp))
    nlp.initialize(lambda: examples)
    assert len(messages(corpus, nlp)) == 1


def test_frozen_components_are_not_asked():
    nlp = pipeline("lstm_tagger", limit=3)
    nlp.config["training"]["frozen_components"] = ["lstm_tagger"]
    assert messages(Corpus(DEV), nlp) == []


def test_annotations_that_name_several_tags(tmp_path):
    nlp = pipeline("lstm_tagger", lstm_tagger={"tag_separator": "/"})
    vocab = spacy.blank("en").vocab
    docs = [Doc(vocab, words=["a", "b", "c"], tags=["NN/JJ", "!NN", "NN/OTHER"])]
    path = tmp_path / "a.spacy"
    DocBin(docs=docs).to_disk(path)
    (message,) = messages(Corpus(path), nlp)
    assert "has 1 label(s) that 'lstm_tagger' lacks" in message and ": 'OTHER'. If" in message


def test_white_space_has_its_tag_untold(tmp_path):
    vocab = spacy.blank("en").vocab
    path = tmp_path / "a.spacy"
    DocBin(docs=[Doc(vocab, words=["a", "\n"], tags=["NN", "_SP"])]).to_disk(path)
    assert messages(Corpus(path), pipeline("lstm_tagger")) == []
    (message,) = messages(Corpus(path), pipeline("tagger"))
    assert "'tagger' lacks" in message and ": '_SP'. If" in message


def test_entities(tmp_path):
    nlp, other = spacy.blank("en"), spacy.blank("en")
    docs = [
        Doc(other.vocab, words=["Ann", "Lee"], tags=["N", "N"], ents=[f"B-{label}", "O"])
        for label in ("PER", "ORG")
    ]
    ner = nlp.add_pipe("ner")
    DocBin(docs=docs[:1]).to_disk(tmp_path / "a.spacy")
    examples = list(Corpus(tmp_path / "a.spacy")(nlp))
    nlp.initialize(lambda: examples)
    assert ner.labels == ("PER",)
    DocBin(docs=docs).to_disk(tmp_path / "b.spacy")
    (message,) = messages(Corpus(tmp_path / "b.spacy"), nlp)
    assert "'ner' lacks" in message and ": 'ORG'. If" in message


@pytest.mark.parametrize("max_epochs, given, warns", [(-1, False, 1), (0, False, 0), (-1, True, 0)])
def test_labels_of_a_streamed_corpus_that_cannot_be_compared(tmp_path, max_epochs, given, warns):
    nlp = spacy.blank("en")
    lemmatizer = nlp.add_pipe("trainable_lemmatizer", config={"min_tree_freq": 1})
    nlp.config["training"]["max_epochs"] = max_epochs
    doc = Doc(nlp.vocab, words=["Dogs", "bark"], tags=["N", "V"], lemmas=["dog", "bark"])
    DocBin(docs=[doc]).to_disk(tmp_path / "a.spacy")
    examples = list(Corpus(tmp_path / "a.spacy")(nlp))
    nlp.initialize(lambda: examples)
    labels = lemmatizer.label_data if given else None
    nlp.config["initialize"]["components"]["trainable_lemmatizer"] = {"labels": labels}
    found = messages(Corpus(tmp_path / "a.spacy"), nlp)
    assert len(found) == warns
    assert all("LW004" in each and "'trainable_lemmatizer'" in each for each in found)


def test_patterns_are_not_to_be_had_from_a_reader():
    """Of a streamed corpus, either."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "ORG", "pattern": "Apple"}])
    nlp.config["training"]["max_epochs"] = -1
    assert messages(Corpus(TRAIN), nlp) == []


def test_a_pipeline_without_a_training(fifty):
    """Its config has no block for it."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger").add_label("T1")
    nlp.config["training"] = {}
    with pytest.warns(UserWarning, match=r"LW003.*'tagger'"):
        assert list(Corpus(fifty)(nlp))


def test_white_space_is_no_label_of_a_morphologizer(tmp_path):
    vocab = spacy.blank("en").vocab
    doc = Doc(vocab, words=["a", "\n"], tags=["NN", "_SP"], pos=["NOUN", "SPACE"])
    DocBin(docs=[doc]).to_disk(tmp_path / "a.spacy")
    nlp = spacy.blank("en")
    nlp.add_pipe("tag_morphologizer", config={"model": small_model()})
    nlp.initialize(lambda: [Example(nlp.make_doc("a"), doc[:1].as_doc())])
    assert messages(Corpus(tmp_path / "a.spacy"), nlp) == []
