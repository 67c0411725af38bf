"""The `paragraph_senter`: sentences of texts of several lines."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Model

from spacy_lstm_tagger.pipeline.paragraph_senter import move_from_marks, move_from_spaces
from spacy_lstm_tagger.whitespace import is_space

from ..util import small_model
from .test_serialize import by_bytes, by_deepcopy, by_disk, by_pickle

FACTORIES = ("paragraph_senter", "senter")
TEXT = "We slept . They slept too ."


def make_pipelines():
    """RETURNS (list[Language]): Both components with the same weights, trained on a text without line breaks."""
    pipelines = []
    for factory in FACTORIES:
        nlp = spacy.blank("en")
        nlp.add_pipe(factory, name="senter", config={"model": small_model()})
        pipelines.append(nlp)
    ours, theirs = pipelines
    words = TEXT.split()
    starts = [i in (0, 3) for i in range(len(words))]
    examples = [Example.from_dict(ours.make_doc(TEXT), {"words": words, "sent_starts": starts})]
    optimizer = ours.initialize(lambda: examples)
    optimizer.learn_rate = 0.02
    for _ in range(40):
        ours.update(examples, sgd=optimizer)
    theirs.initialize(lambda: examples)
    theirs.get_pipe("senter").from_bytes(ours.get_pipe("senter").to_bytes())
    return pipelines


@pytest.fixture(scope="module")
def trained():
    return make_pipelines()


def sentences(doc):
    return [sentence.text for sentence in doc.sents]


def test_texts_without_line_breaks_are_cut_as_by_spacy(trained):
    texts = [TEXT, TEXT + " " + TEXT, "", "We", "They slept"]
    ours, theirs = ([sentences(doc) for doc in nlp.pipe(texts)] for nlp in trained)
    assert ours == theirs and ours[0] == ["We slept .", "They slept too ."]


@pytest.mark.parametrize("gap", ["\n", "\n\n", "  ", " \n \n ", "\r\n\r\n"])
def test_no_sentence_is_white_space_alone_or_begins_with_it(trained, gap):
    nlp = trained[0]
    text = gap.join(["We slept .", "They slept too .", "We slept .", ""])
    found = [sentence.strip() for sentence in sentences(nlp(text))]
    assert found[:1] == ["We slept ."] and all(found)
    assert not any(sentence[0].isspace() for sentence in sentences(nlp(text)))
    for sentence in sentences(nlp(gap + text))[1:]:
        assert not sentence[0].isspace()


def test_a_blank_line_ends_a_sentence(trained):
    ours, theirs = (sentences(nlp("We slept\n\nslept too .")) for nlp in trained)
    assert ours == ["We slept\n\n", "slept too ."] != theirs


def test_empty_docs_beside_white_space(trained):
    docs = list(trained[0].pipe(["", "We\n\nslept", ""]))
    assert [sentences(doc) for doc in docs] == [[], ["We\n\n", "slept"], []]


@pytest.mark.parametrize(
    ("words", "found", "right"),
    [
        (["Hi", ".", "\n", "He", "left"], [0, 2], [0, 3]),
        (["Hi", ".", "\n", "He", "left"], [0, 3], [0, 3]),
        (["Hi", "\n", "there"], [0], [0]),
        (["Hi", "\n\n", "He", "left"], [0], [0, 2]),
        (["Hi", "\n", "\n", "He", "left"], [0], [0, 3]),
        (["\n\n", "Hi", "\n", "He"], [0, 1], [0]),
        (["\n", "Hi", "He", "left"], [0, 1, 2], [0, 2]),
        (["Hi", ".", "\n", "\n\n"], [0, 2, 3], [0]),
        (["\n", "\n"], [1], [0]),
        (["Hi", "\r\n", "He"], [0], [0]),
        (["Hi", "\r\n\r\n", "He"], [0], [0, 2]),
        (["Hi", "\r \r", "He"], [0], [0, 2]),
        (["Hi", "\n\f", "He"], [0], [0]),
        (["Hi", "\u2028\u2028", "He"], [0], [0, 2]),
        (["Hi", ".", "He"], [2], [2]),
    ],
)
def test_white_space(words, found, right):
    starts = np.isin(np.arange(len(words)), found).astype(np.int64)
    doc = Doc(spacy.blank("en").vocab, words=words)
    move_from_spaces(doc, is_space([doc]), starts)
    assert np.flatnonzero(starts).tolist() == right


def test_boundaries_that_are_there_stay(trained):
    nlp = trained[0]
    make = lambda: Doc(nlp.vocab, ["We", "\n\n", "slept"], sent_starts=[True, True, False])  # noqa: E731
    assert sentences(nlp(make())) == ["We", "\n\n slept"]
    pipe = nlp.get_pipe("senter")
    pipe.cfg["overwrite"] = True
    assert sentences(nlp(make())) == ["We \n\n", "slept"]
    pipe.cfg["overwrite"] = False


@pytest.mark.parametrize("way", [by_disk, by_bytes, by_pickle, by_deepcopy])
def test_a_saved_one_is_the_same(trained, way, tmp_path):
    text = "We slept\n\nThey slept too ."
    assert sentences(way(trained[0], tmp_path)(text)) == sentences(trained[0](text))


def test_score(trained):
    nlp = trained[0]
    example = Example.from_dict(
        nlp.make_doc(TEXT), {"words": TEXT.split(), "sent_starts": [1, 0, 0, 1, 0, 0, 0]}
    )
    assert nlp.evaluate([example])["sents_f"] == 1.0


@pytest.mark.parametrize(
    ("text", "begun", "moved"),
    [
        ('"Stop!" she said. "Go." Then', [0, 3, 10], ['"', "she", "Then"]),
        ("He (she) left . Why ?", [0, 3, 5], ["He", "left", "."]),
        ('One."\nTwo."', [0, 2, 6], ["One", "\n"]),
        ("One.\n* Two", [0, 3], ["One", "*"]),
    ],
)
def test_no_sentence_begins_with_a_closing_mark(text, begun, moved):
    doc = spacy.blank("en")(text)
    starts = np.isin(range(len(doc)), begun).astype(np.int64)
    move_from_marks(doc, starts)
    assert [doc[i].text for i in np.flatnonzero(starts)] == moved


@pytest.mark.parametrize(
    ("text", "begun", "moved"),
    [
        ('One. "Two." (Three) $4', [0, 3, 7, 10], ["One", '"', "(", "$"]),
        ('One. "Two."', [0, 2, 3], ["One", '"']),
        ('"One."', [1], ['"']),
        ("One.\n*Two", [0, 4], ["One", "*"]),
        ("One. - Two. \nThree", [0, 2, 3, 6], ["One", "-", "Two", "Three"]),
    ],
)
def test_a_sentence_begins_with_its_opening_mark(text, begun, moved):
    doc = spacy.blank("en")(text)
    starts = np.isin(range(len(doc)), begun).astype(np.int64)
    move_from_marks(doc, starts)
    assert [doc[i].text for i in np.flatnonzero(starts)] == moved


def test_a_closing_mark_belongs_to_the_sentence_before(trained, monkeypatch):
    """Whatever the network says: here, that each mark begins a sentence."""
    nlp = trained[0]

    def forward(model, docs, is_train):
        return [np.eye(2)[[int(token.text == '"') for token in doc]] for doc in docs], None

    monkeypatch.setattr(nlp.get_pipe("senter"), "model", Model("marks", forward))
    assert sentences(nlp('We slept ." They slept')) == ['We slept ."', "They slept"]
