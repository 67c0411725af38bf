"""Noise changes the words as it says, and no annotation."""

import random

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import registry

from spacy_lstm_tagger.augmenters import create_noise_augmenter, mistype
from spacy_lstm_tagger.readers import Corpus

from .util import CORPUS

QUIET = {"lower": 0.0, "upper": 0.0, "no_final": 0.0, "typos": 0.0}
WORDS = ["Strange", "letters", "from", "Paris", "arrived", "."]
TAGS = ["JJ", "NNS", "IN", "NNP", "VBD", "."]


@pytest.fixture
def nlp():
    return spacy.blank("en")


@pytest.fixture
def example(nlp):
    spaces = [True, True, True, True, False, False]
    doc = Doc(nlp.vocab, words=WORDS, spaces=spaces, tags=TAGS, lemmas=[w.lower() for w in WORDS])
    doc.set_ents([Span(doc, 3, 4, label="GPE")])
    doc.spans["all"] = [Span(doc, 1, 4, label="NP"), Span(doc, 0, 6, label="S")]
    doc.cats = {"news": 1.0}
    return Example(Doc(nlp.vocab, words=WORDS, spaces=spaces), doc)


def augment(nlp, example, **chances):
    (made,) = create_noise_augmenter(**{**QUIET, **chances})(nlp, example)
    return made


def test_without_chances_the_example_stays(nlp, example):
    assert augment(nlp, example) is example


@pytest.mark.parametrize("case", ["lower", "upper"])
def test_case(nlp, example, case):
    made = augment(nlp, example, **{case: 1.0})
    expected = [getattr(word, case)() for word in WORDS]
    assert [t.text for t in made.predicted] == [t.text for t in made.reference] == expected
    assert made.reference.text == getattr(example.reference.text, case)()
    assert made.get_aligned("TAG", as_string=True) == TAGS


def test_annotation_stays_with_its_words(nlp, example):
    made = augment(nlp, example, lower=1.0, no_final=1.0).reference
    assert [t.text for t in made] == ["strange", "letters", "from", "paris", "arrived"]
    assert [t.tag_ for t in made] == TAGS[:-1]
    assert [t.lemma_ for t in made] == [t.lemma_ for t in example.reference[:-1]]
    assert [(e.text, e.label_) for e in made.ents] == [("paris", "GPE")]
    # The second span reached beyond the new end.
    assert [(s.text, s.label_) for s in made.spans["all"]] == [("letters from paris", "NP")]
    assert made.cats == {"news": 1.0}
    assert [t.text for t in example.reference] == WORDS  # not changed in place


def test_heads_stay(nlp):
    heads = [1, 1, 1]
    doc = Doc(nlp.vocab, words=["Dogs", "bark", "."], heads=heads, deps=["nsubj", "ROOT", "punct"])
    example = Example(Doc(nlp.vocab, words=["Dogs", "bark", "."]), doc)
    made = augment(nlp, example, upper=1.0).reference
    assert [t.head.i for t in made] == heads
    shorter = augment(nlp, example, no_final=1.0).reference
    assert [t.head.i for t in shorter] == heads[:2]


@pytest.mark.parametrize("words", [["Stop"], ["Stop", "now"], ["."], ["Really", "?", ")"]])
def test_only_final_punctuation_is_dropped(nlp, words):
    example = Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words))
    assert augment(nlp, example, no_final=1.0) is example


def test_punctuation_with_a_dependent_stays(nlp):
    doc = Doc(nlp.vocab, words=["Hm", "!"], heads=[1, 1], deps=["dep", "ROOT"])
    example = Example(Doc(nlp.vocab, words=["Hm", "!"]), doc)
    assert augment(nlp, example, no_final=1.0) is example


@settings(deadline=None)
@given(st.text(min_size=1, max_size=12).filter(str.strip), st.integers(0, 99))
def test_a_typo_is_one_edit_and_keeps_the_first_letter(word, seed):
    random.seed(seed)
    typed = mistype(word, "xyz")
    if len(word) < 4 or not word.isalpha():
        assert typed == word
        return
    assert typed[0] == word[0]
    assert abs(len(typed) - len(word)) <= 1
    if len(typed) == len(word):
        differ = [i for i, (a, b) in enumerate(zip(word, typed, strict=True)) if a != b]
        assert len(differ) <= 2
        if len(differ) == 2:
            assert sorted(word) == sorted(typed) and differ[1] == differ[0] + 1


def test_text_that_the_tokenizer_splits_is_split_anew(nlp, example):
    example = Example(nlp.make_doc(example.reference.text), example.reference)
    example.predicted = nlp.make_doc("Strange letters from Paris arrived.".replace(" ", "  "))
    made = augment(nlp, example, lower=1.0)
    assert made.predicted.text == made.reference.text == "strange letters from paris arrived."


def test_chances_are_kept(nlp):
    random.seed(0)
    corpus = CORPUS / "en-train.conllu"
    chances = {**QUIET, "lower": 0.3, "upper": 0.1}
    noisy = Corpus(corpus, augmenter=create_noise_augmenter(**chances))
    texts = [eg.reference.text for _ in range(3) for eg in noisy(nlp)]
    texts = [text for text in texts if sum(map(str.isalpha, text)) > 5]
    assert sum(map(str.islower, texts)) / len(texts) == pytest.approx(0.3, abs=0.06)
    assert sum(map(str.isupper, texts)) / len(texts) == pytest.approx(0.1, abs=0.04)


def test_it_is_registered():
    made = registry.resolve({"a": {"@augmenters": "spacy-lstm-tagger.NoiseAugmenter.v1"}})
    assert callable(made["a"])


@pytest.mark.parametrize(
    "chances,named",
    [({"typos": -0.1}, "typos = -0.1"), ({"lower": 0.6, "upper": 0.6}, r"lower \+ upper = 1.2")],
)
def test_bad_chances(chances, named):
    with pytest.raises(ValueError, match=named):
        create_noise_augmenter(**chances)
