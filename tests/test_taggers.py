"""How sure the taggers of any pipeline are."""

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.language import Language
from spacy.pipeline import Tagger
from spacy.util import registry

from spacy_lstm_tagger.taggers import (
    as_probabilities,
    keeping_probabilities,
    prepare_process,
    read_confidence,
    read_probabilities,
    tagger_name,
    tokenize,
)

from .util import make_examples, train, trained_nlp

LISTENING = {
    "@architectures": "spacy.Tagger.v2",
    "tok2vec": {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"},
}


def test_probabilities_of_logits_and_of_probabilities():
    logits = np.array([[1.0, 2.0, 3.0], [1000.0, 0.0, -1000.0]], dtype="f4")
    of_one = np.array([[2.0, -1.0, 0.0]], dtype="f4")  # whose sum is that of probabilities
    assert_allclose(as_probabilities(of_one), np.exp(of_one) / np.exp(of_one).sum(), rtol=1e-5)
    expected = np.array([np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum(), [1, 0, 0]])
    assert_allclose(as_probabilities(logits), expected, atol=1e-6)
    assert_allclose(as_probabilities(expected.astype("f4")), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("overwrite", "name"),
    [((False, False), "a"), ((True, False), "a"), ((False, True), "b"), ((True, True), "b")],
)
def test_whose_tags_are_in_docs(overwrite, name):
    nlp = spacy.blank("en")
    for each, value in zip("ab", overwrite, strict=True):
        nlp.add_pipe("tagger", name=each, config={"overwrite": value})
    assert tagger_name(nlp) == name
    nlp.disable_pipes("a", "b")
    with pytest.raises(ValueError, match=r"C006.* pipeline has no component .* only none"):
        tagger_name(nlp)
    with pytest.raises(ValueError, match=r"C006.* mine has no component"):
        tagger_name(nlp, pipeline="mine")


@Language.component("tags_anew", assigns=["token.tag"])
def tags_anew(doc):
    return doc


def test_a_tagger_without_settings_overwrites():
    nlp = spacy.blank("en")
    for factory in ("tagger", "tags_anew"):
        nlp.add_pipe(factory)
    nlp.add_pipe("tagger", name="last")
    assert tagger_name(nlp) == "tags_anew"


def make_listening():
    """RETURNS (tuple): A pipeline of spaCy's with a tagger that listens to an encoder, and the
    tagger.
    """
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    pipe = nlp.add_pipe("tagger", config={"model": LISTENING})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    train(nlp, examples, steps=5)
    return nlp, pipe


@pytest.mark.parametrize("what", ["nothing", "another encoder", "doc_cleaner"])
def test_how_sure_a_tagger_of_spacy_is_does_not_depend_on_what_follows(what):
    """Each changes what the tagger's model reads."""
    nlp, pipe = make_listening()
    text = "The dog ate"
    expected = as_probabilities(pipe.model.predict([nlp(text)])[0])
    tags = [token.tag_ for token in nlp(text)]
    if what == "another encoder":
        nlp.add_pipe("tok2vec", name="other").initialize(lambda: make_examples(nlp), nlp=nlp)
    elif what == "doc_cleaner":
        nlp.add_pipe("doc_cleaner")
    with keeping_probabilities(nlp, "tagger"):
        docs, nothing = list(nlp.pipe([text, ""])), list(nlp.pipe([""]))
    assert read_probabilities(nothing, pipe.labels).shape == (0, len(pipe.labels))
    assert_allclose(read_probabilities(docs, pipe.labels), expected, atol=1e-6)
    assert [token.tag_ for token in docs[0]] == tags
    assert read_probabilities([nlp(text)], pipe.labels) is None, "only where it is asked for"


class LastLabel(Tagger):
    """Gives all words the last tag, whatever their scores are."""

    def _scores2guesses(self, scores):
        return [np.full(len(each), len(self.labels) - 1) for each in scores]


class LastLabelButOne(Tagger):
    """The same without scores, and another one."""

    def predict(self, docs):
        return [np.full(len(doc), len(self.labels) - 2) for doc in docs]


@pytest.mark.parametrize(("kind", "label"), [(LastLabel, 5), (LastLabelButOne, 4)])
def test_a_tagger_that_chooses_otherwise(kind, label):
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("tagger")
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    pipe.__class__ = kind
    docs = [nlp.make_doc("The dog ate"), nlp.make_doc("")]
    with keeping_probabilities(nlp, "tagger"):
        assert [list(tags) for tags in pipe.predict(docs)] == [[label] * 3, []]


def test_a_stock_tagger_behind_what_splits_tokens():
    """spaCy leaves a row too many in `doc.tensor`."""
    nlp, pipe = make_listening()
    nlp.add_pipe("token_splitter", after="tok2vec", config={"min_length": 7, "split_length": 4})
    texts = ["He quickly ate", "The dog slept"]
    expected = [[token.tag_ for token in nlp(text)] for text in texts]
    alone = as_probabilities(pipe.model.predict([nlp(texts[1])])[0])
    with keeping_probabilities(nlp, "tagger"):
        docs = list(nlp.pipe(texts))
    assert [[token.tag_ for token in doc] for doc in docs] == expected
    assert_allclose(read_probabilities(docs[1:], pipe.labels), alone, atol=1e-6)


def test_a_doc_that_has_other_tokens_by_now():
    nlp, _ = trained_nlp(steps=2)
    pipe = nlp.get_pipe("lstm_tagger")
    with keeping_probabilities(nlp, "lstm_tagger"):
        merged, same = nlp.pipe(["The dog ate", "I slept"])
    with merged.retokenize() as retokenizer:
        retokenizer.merge(merged[:2])
    found = read_probabilities([merged, same], pipe.labels)
    assert np.isnan(found[:2]).all() and not np.isnan(found[2:]).any() and len(found) == 4
    assert np.isnan(read_probabilities([merged], pipe.labels)).all()


def test_how_sure_a_tagger_is_of_the_tags_that_docs_have():
    nlp, _ = trained_nlp(steps=2)
    pipe = nlp.get_pipe("lstm_tagger")
    with keeping_probabilities(nlp, "lstm_tagger"):
        (doc,), nothing = nlp.pipe(["The dog ate"]), list(nlp.pipe([""]))
    assert read_confidence(nothing, pipe.labels).shape == (0,)
    expected = [token._.tag_confidence for token in doc]
    assert read_confidence([doc], pipe.labels).tolist() == expected
    doc[1].tag_ = "another's"
    found = read_confidence([doc], pipe.labels)
    assert np.isnan(found).tolist() == [False, True, False] and found[0] == expected[0]
    doc.user_data.clear()
    assert read_confidence([doc], pipe.labels) is None


@pytest.mark.parametrize("error", [MemoryError, ImportError])
def test_a_text_is_not_to_blame_for_a_lack_of_memory_or_of_a_package(error):
    def tokenizer(text):
        raise error

    with pytest.raises(error):
        tokenize(tokenizer, "The dog", place="line 1")


@pytest.mark.parametrize("gpu_id,required", [(-1, []), (0, [0]), (1, [1])])
def test_a_process_is_prepared_for_pipelines(tmp_path, monkeypatch, gpu_id, required):
    """With its own share of the cores, and what the user has registered."""
    threads, found = [], []
    monkeypatch.setattr("torch.set_num_threads", threads.append)
    monkeypatch.setattr("spacy.require_gpu", found.append)
    name = f"test.prepared{gpu_id}.v1"
    code = f"from spacy.util import registry\nregistry.misc({name!r})(dict)\n"
    (tmp_path / "code.py").write_text(code)
    prepare_process(tmp_path / "code.py", gpu_id)
    assert threads == [1] and found == required and registry.has("misc", name)


def test_how_sure_the_first_of_two_taggers_is():
    """Though the other one, of another tag set, keeps its probabilities."""
    nlp, _ = trained_nlp(steps=20)
    pipe = nlp.get_pipe("lstm_tagger")
    with keeping_probabilities(nlp, "lstm_tagger"):
        expected = read_confidence([nlp("The dog ate")], pipe.labels)
    other = nlp.add_pipe("lstm_tagger", name="b", config={"save_probabilities": True})
    other.initialize(lambda: make_examples(nlp, [("I slept", "PRON VERB")]))
    with keeping_probabilities(nlp, "lstm_tagger"):
        assert_allclose(read_confidence([nlp("The dog ate")], pipe.labels), expected, atol=1e-6)
    assert other.cfg["save_probabilities"] and not pipe.cfg["save_probabilities"]
