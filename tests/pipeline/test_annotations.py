"""What the tagger writes: tags of words and of white space, and what universal tags say."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import spacy
import torch
from spacy.symbols import SPACE
from spacy.tokens import Doc
from spacy.training import Example

from spacy_lstm_tagger.models.lattice import predict_lattice
from spacy_lstm_tagger.nn.lattice import Lattice
from spacy_lstm_tagger.pipeline import lstm_tagger
from spacy_lstm_tagger.pipeline.annotations import annotate, check_tags
from spacy_lstm_tagger.whitespace import SPACE as IS_SPACE

from ..util import (
    ARCHITECTURES,
    SENTENCES,
    TAGS,
    TEXTS,
    make_examples,
    small_model,
    tags_of,
    train,
    trained_nlp,
)


def spaced(text):
    """RETURNS (list): Its words, with white space at the start, at the end and between some."""
    first, *rest = text.split()
    return ["\n\n", first, " ", *rest, "\t"]


# White space


def test_white_space_has_its_own_tag(nlp):
    docs = [Doc(nlp.vocab, words=spaced(text)) for text in TEXTS]
    for doc in nlp.pipe([*docs, Doc(nlp.vocab), Doc(nlp.vocab, words=["\n", " "])]):
        for token in doc:
            assert (token.tag_ == "_SP") == token.is_space
            assert token.pos_ == ("SPACE" if token.is_space else "")
    assert tags_of([nlp(" \n ")]) == [["_SP"]]
    assert "_SP" not in nlp.get_pipe("lstm_tagger").labels


def test_indices_of_any_kind(nlp):
    """Lists, as spaCy's tagger takes them, too."""
    doc, pipe = Doc(nlp.vocab, words=["a", "b"]), nlp.get_pipe("lstm_tagger")
    pipe.set_annotations([doc], [[0, 1]])
    assert [token.tag_ for token in doc] == list(pipe.labels[:2])


def test_a_doc_alone(nlp):
    """As spaCy's tagger takes it, too."""
    doc, pipe = nlp.make_doc(TEXTS[0]), nlp.get_pipe("lstm_tagger")
    pipe.set_annotations(doc, pipe.predict([doc]))
    assert [token.tag_ for token in doc] == [token.tag_ for token in nlp(TEXTS[0])]


@pytest.mark.parametrize(
    "setting", [{"threshold": 1.0}, {"n_best": 3}, {"save_probabilities": True}]
)
def test_white_space_under_all_settings(nlp, setting):
    nlp.get_pipe("lstm_tagger").cfg.update(setting)
    doc = nlp(Doc(nlp.vocab, words=spaced(TEXTS[0])))
    assert [token.tag_ for token in doc if token.is_space] == ["_SP"] * 3
    for token in doc:
        if "save_probabilities" in setting:
            chances = token._.tag_probabilities
            assert (chances == {"_SP": 1.0}) == token.is_space
            assert sum(chances.values()) == pytest.approx(1.0, abs=1e-5)
            assert token._.tag_confidence == chances[token.tag_]
    if "n_best" in setting:
        sequences = doc._.tag_n_best
        assert len({tuple(tags) for tags, _ in sequences}) == 3  # they differ in words
        assert all((tags[0], tags[2], tags[-1]) == ("_SP",) * 3 for tags, _ in sequences)


def test_a_crf_ties_words_across_white_space(nlp, monkeypatch):
    """Its transitions lead from word to word: with the scores of a text, they give its tags."""
    pipe = nlp.get_pipe("lstm_tagger")
    words = Doc(nlp.vocab, words=TEXTS[0].split())
    doc = Doc(nlp.vocab, words=spaced(TEXTS[0]))
    is_space = [token.is_space for token in doc]

    def scores_of_words(model, docs):
        lattice = predict_lattice(model, [words])
        full = torch.full((len(doc), len(pipe.labels)), 9.0)
        full[[not each for each in is_space]] = lattice.emissions
        return Lattice(full, [len(doc)], lattice.crf)

    pipe.cfg.update(n_best=4, save_probabilities=True)
    expected = nlp(words.copy())
    monkeypatch.setattr(lstm_tagger, "predict_lattice", scores_of_words)
    nlp(doc)
    for (tags, p), (others, q) in zip(doc._.tag_n_best, expected._.tag_n_best, strict=True):
        assert [tag for tag in tags if tag != "_SP"] == others and p == pytest.approx(q, rel=1e-4)
    found = [token._.tag_probabilities for token in doc if not token.is_space]
    for chances, token in zip(found, expected, strict=True):
        assert chances == pytest.approx(token._.tag_probabilities, abs=1e-5)


def with_spaces(nlp, tag="_SP"):
    """RETURNS (list): The sentences with white space in them, and its tags."""
    examples = []
    for text, tags in SENTENCES:
        words, rest = spaced(text), iter(tags.split())
        tags = [tag if word.isspace() else next(rest) for word in words]
        doc = Doc(nlp.vocab, words=words)
        examples.append(Example(doc, Doc(nlp.vocab, words=words, tags=tags)))
    return examples


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("tag", ["_SP", "", "NN", "ODD"])
def test_nothing_is_learned_of_white_space(architecture, tag):
    """Whatever the data call it: the gradient of its scores is zero, and it is no label."""
    nlp, _ = trained_nlp(steps=3, architecture=architecture)
    pipe, examples = nlp.get_pipe("lstm_tagger"), with_spaces(nlp, tag)
    scores, _ = pipe.model.begin_update([eg.predicted for eg in examples])
    loss, gradient = pipe.get_loss(examples, scores)
    for eg, rows in zip(examples, gradient, strict=True):
        for token, row in zip(eg.predicted, rows, strict=True):
            assert bool(row.any()) != token.is_space
    assert loss > 0.0


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_training_with_white_space_and_without(architecture):
    nlp = spacy.blank("en")
    model = small_model() | {"@architectures": f"spacy-lstm-tagger.{architecture}.v1"}
    pipe = nlp.add_pipe("lstm_tagger", config={"model": model})
    examples = with_spaces(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    assert "_SP" not in pipe.labels and pipe.model.get_dim("nO") == len(pipe.labels) == 6
    train(nlp, examples, steps=40, optimizer=optimizer)
    assert tags_of(nlp.pipe(eg.predicted.copy() for eg in examples)) == tags_of(
        eg.reference for eg in examples
    )
    assert nlp.evaluate(examples)["tag_acc"] == 1.0


def test_labels_of_a_file_may_have_it(nlp):
    pipe = nlp.create_pipe("lstm_tagger")
    pipe.initialize(lambda: make_examples(nlp), labels=["_SP", "NN", "V"])
    assert pipe.labels == ("NN", "V")
    assert pipe.add_label("_SP") == 0 and pipe.labels == ("NN", "V")


def test_calibration_with_white_space(nlp):
    pipe = nlp.get_pipe("lstm_tagger")
    plain, spaces = pipe.calibrate(make_examples(nlp)), pipe.calibrate(with_spaces(nlp))
    assert plain.tokens == spaces.tokens == sum(map(len, TAGS))


# Universal tags


UNIVERSAL = [
    ("The dog ate the apple", "DET NOUN VERB DET NOUN"),
    ("I slept", "PRON VERB"),
]
FEATURES = [
    ("The dogs ate", "DET NOUN|Number=Plur VERB|Tense=Past|VerbForm=Fin"),
    ("I slept", "PRON|Case=Nom VERB|Tense=Past|VerbForm=Fin"),
]


def universal_nlp(tag_set, data, **settings):
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"tag_set": tag_set, "model": small_model(), **settings})
    examples = make_examples(nlp, data)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    train(nlp, examples, steps=40, optimizer=optimizer)
    return nlp


@pytest.fixture(scope="module")
def upos():
    return universal_nlp("upos", UNIVERSAL)


def test_universal_tags(upos, tmp_path):
    upos.to_disk(tmp_path)
    for each in (upos, spacy.load(tmp_path)):
        for text, tags in UNIVERSAL:
            doc = each(text)
            assert [t.pos_ for t in doc] == [t.tag_ for t in doc] == tags.split()
            assert not doc.has_annotation("MORPH")
        doc = each("The dog \n")
        assert (doc[2].tag_, doc[2].pos, doc[2].pos_) == ("_SP", SPACE, "SPACE")


def test_features():
    nlp = universal_nlp("upos+feats", FEATURES)
    docs = list(nlp.pipe([text for text, _ in FEATURES]))
    for doc, (_, tags) in zip(docs, FEATURES, strict=True):
        for token, tag in zip(doc, tags.split(), strict=True):
            pos, _, features = tag.partition("|")
            assert (token.tag_, token.pos_, str(token.morph)) == (tag, pos, features)
    assert docs[0][1].morph.get("Number") == ["Plur"]
    assert docs[0].has_annotation("MORPH", require_complete=True)
    assert str(nlp("I  slept")[1].morph) == ""


def test_other_tags_say_nothing_of_it(nlp):
    doc = nlp(TEXTS[0])
    assert not doc.has_annotation("POS") and not doc.has_annotation("MORPH")


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_there_stays_unless_overwrite(upos, overwrite):
    nlp = copy.deepcopy(upos)
    nlp.get_pipe("lstm_tagger").cfg["overwrite"] = overwrite
    words, tags = UNIVERSAL[0][0].split(), UNIVERSAL[0][1].split()
    doc = nlp(Doc(nlp.vocab, words=words, pos=["X", "", "", "", ""], tags=["", "Y", "", "", ""]))
    pos = [token.pos_ for token in doc]
    assert pos == (tags if overwrite else ["X", *tags[1:]])
    assert doc[1].tag_ == (tags[1] if overwrite else "Y")


def test_an_abstaining_tagger_writes_neither(upos):
    nlp = copy.deepcopy(upos)
    nlp.get_pipe("lstm_tagger").cfg["threshold"] = 1.0
    doc = nlp("zzz qqq")
    assert {(token.tag_, token.pos_) for token in doc} == {("", "")}


@pytest.mark.parametrize(
    ("tag_set", "tag"),
    [("upos", "NN"), ("upos", "NOUN|Case=Acc"), ("upos+feats", "NN|Case=Acc"), ("upos+feats", "NOUN|Acc"), ("upos", "")],
)  # fmt: skip
def test_tags_of_another_set(tag_set, tag):
    with pytest.raises(
        ValueError, match=rf"P010.*tag {tag!r}.*'{tag_set}'".replace("|", r"\|").replace("+", r"\+")
    ):
        check_tags(["NOUN", tag], tag_set)
    if tag:  # others may be tags of other sets
        check_tags([tag, "NOUN"], "xpos")


def test_other_tags_are_an_error_at_once(upos):
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"tag_set": "upos"})
    with pytest.raises(ValueError, match=r"P010.*'NN'.*'upos'.*--vars.tag"):
        nlp.initialize(lambda: make_examples(nlp))
    with pytest.raises(ValueError, match=r"P010.*'FOO'"):
        copy.deepcopy(upos).get_pipe("lstm_tagger").add_label("FOO")
    with pytest.raises(
        ValueError, match=r"M001.*tag_set = 'ptb'.*\"xpos\", \"upos\" or \"upos\+feats\""
    ):
        nlp.add_pipe("lstm_tagger", name="other", config={"tag_set": "ptb"})


def test_a_tag_set_that_is_set_in_vain():
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model()})
    nlp.initialize(lambda: make_examples(nlp))
    nlp.get_pipe("lstm_tagger").cfg["tag_set"] = "upos"
    with pytest.raises(ValueError, match=r"P010.*tag_set = 'upos' of"):
        nlp("the dog")


def test_parts_of_speech_that_nobody_learns_from():
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"tag_set": "upos", "model": small_model()})
    example = Example.from_dict(nlp.make_doc("It ran"), {"pos": ["PRON", "VERB"]})
    with pytest.raises(ValueError, match=r"P019.*token.pos_.*token.tag_.*\"tags\""):
        nlp.initialize(lambda: [example])


def test_is_declared():
    assigns = set(spacy.blank("en").get_factory_meta("lstm_tagger").assigns)
    assert {"token.tag", "token.pos", "token.morph"} < assigns


# Several taggers, several vocabularies


def test_a_tagger_after_another_one_says_that_it_does_nothing(trained):
    nlp = copy.deepcopy(trained)
    second = nlp.add_pipe("lstm_tagger", name="second", config={"model": small_model()})
    second.initialize(lambda: make_examples(nlp))
    with pytest.warns(UserWarning, match=r"LW001.*'second'.*overwrite = true") as caught:
        for _ in range(3):
            list(nlp.pipe(TEXTS))
    assert len(caught) == 1
    second.cfg["overwrite"] = True
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(nlp.pipe(TEXTS))


def test_docs_that_it_has_tagged_itself_are_no_reason(trained):
    nlp = copy.deepcopy(trained)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        docs = list(nlp.pipe(list(nlp.pipe(TEXTS))))
    assert tags_of(docs) == tags_of(trained.pipe(TEXTS))


def test_docs_that_are_tagged_in_part_or_empty_are_no_reason(trained):
    nlp = copy.deepcopy(trained)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(nlp.pipe([Doc(nlp.vocab, words=["The", "dog"], tags=["X", ""]), Doc(nlp.vocab)]))
        nlp("")


def test_docs_of_several_vocabularies(trained):
    """Whose strings the tagger's vocabulary does not have, nor they those of its tags."""
    vocabs = [trained.vocab, spacy.blank("en").vocab, spacy.blank("el").vocab]
    words = [TEXTS[0].split(), ["Blorks", "zorked"], ["Καλή", "μέρα", "Blorks"]]
    docs = [Doc(vocab, words=w) for vocab, w in zip(vocabs, words, strict=True)]
    alone = [[token.tag_ for token in trained(Doc(trained.vocab, words=w))] for w in words]
    assert tags_of(trained.pipe(docs)) == alone
    examples = [Example(doc.copy(), doc) for doc in docs]
    nlp, optimizer = trained_nlp(steps=1)
    train(nlp, examples, steps=1, optimizer=optimizer)


def test_a_tag_that_comes_between(nlp):
    """A label that is added while docs are tagged is not that of white space."""
    pipe, doc = nlp.get_pipe("lstm_tagger"), Doc(nlp.vocab, words=["The", "\n", "dog"])
    guesses = pipe.predict([doc])
    pipe.add_label("NEW")
    pipe.set_annotations([doc], guesses)
    assert doc[1].tag_ == "_SP" and "NEW" not in {token.tag_ for token in doc}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_nothing_is_rehearsed_of_white_space(architecture):
    nlp, _ = trained_nlp(steps=3, architecture=architecture)
    pipe, examples = nlp.get_pipe("lstm_tagger"), with_spaces(nlp)
    nlp.resume_training()
    train(nlp, make_examples(nlp), steps=2)
    scores, _ = pipe.model.begin_update([eg.predicted for eg in examples])
    _, gradient = pipe._rehearsal_loss(examples, scores)
    for eg, rows in zip(examples, gradient, strict=True):
        for token, row in zip(eg.predicted, rows, strict=True):
            assert bool(row.any()) != token.is_space


@pytest.mark.parametrize("tag_set", ["upos", "upos+feats"])
def test_universal_tags_are_scored_where_they_are_written(tag_set):
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model(), "tag_set": tag_set})
    noun = "NOUN|Number=Sing" if tag_set == "upos+feats" else "NOUN"
    reference = Doc(nlp.vocab, words=["dogs", "bark"], tags=[noun, "VERB"], pos=["NOUN", "NOUN"])
    reference[0].set_morph("Number=Sing")
    nlp.initialize(lambda: [Example(nlp.make_doc("dogs bark"), reference)])
    guessed = Doc(nlp.vocab, words=["dogs", "bark"])
    pipe = nlp.get_pipe("lstm_tagger")
    pipe.set_annotations(
        [guessed], [np.array([pipe.labels.index(noun), pipe.labels.index("VERB")])]
    )
    scores = pipe.score([Example(guessed, reference)])
    assert scores["tag_acc"] == 1.0 and scores["pos_acc"] == 0.5
    assert ("morph_acc" in scores) == (tag_set == "upos+feats")


def test_a_tagger_of_another_column_is_not_in_vain(trained):
    """It writes the part of speech where there was none."""
    nlp = pickle.loads(pickle.dumps(trained))
    nlp.add_pipe("lstm_tagger", name="upos", config={"model": small_model(), "tag_set": "upos"})
    nlp.get_pipe("upos").initialize(lambda: make_examples(nlp, [("I slept", "PRON VERB")]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        doc = nlp("I slept")
    assert doc[0].tag_ == "PRP" and doc[0].pos_ in ("PRON", "VERB")


def test_what_is_known_of_white_space_stays():
    for overwrite, pos in ((False, "X"), (True, "SPACE")):
        doc = Doc(spacy.blank("en").vocab, words=["a", "\n"], pos=["NOUN", "X"])
        guesses = [np.array([0, IS_SPACE])]
        annotate([doc], guesses, ["NN"], tag_set="xpos", overwrite=overwrite)
        assert [t.tag_ for t in doc] == ["NN", "_SP"] and doc[1].pos_ == pos
