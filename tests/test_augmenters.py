"""Noise changes the words as it says, and no annotation."""

import random
import unicodedata

import hypothesis
import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_lstm_tagger.augmenters import NoiseAugmenter, mistype
from spacy_lstm_tagger.probabilities import TagProbabilities
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
    (made,) = NoiseAugmenter(**{**QUIET, **chances})(nlp, example)
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
@hypothesis.example("\u0301abc", 0)
def test_a_typo_is_one_edit_and_keeps_the_first_letter(word, seed):
    random.seed(seed)
    typed = mistype(word, "xyz")
    kinds = {unicodedata.category(sign)[0] for sign in word}
    if len(word) < 4 or not kinds <= {"L", "M"} or not word[0].isalpha():
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


def test_probabilities_are_carried_along(nlp, example):
    scores = np.arange(12, dtype="f4").reshape(6, 2)
    TagProbabilities.of(["A", "B"], scores).to_doc(example.reference)
    made = augment(nlp, example, lower=1.0, no_final=1.0).reference
    assert TagProbabilities.from_doc(made).dense().tolist() == scores[:5].tolist()


@pytest.mark.parametrize(
    "words",
    [
        ["我们", "昨天", "读书", "。"],
        ["هل", "قرأت", "الكتاب", "؟"],
        ["Նա", "գիրք", "կարդաց", "։"],
        ["वह", "किताब", "पढ़ता", "।"],
        ["წიგნი", "წაიკითხა", "."],
    ],
    ids=["Chinese", "Arabic", "Armenian", "Hindi", "Georgian"],
)
def test_other_scripts(nlp, words):
    tags = [f"T{i}" for i in range(len(words))]
    doc = Doc(nlp.vocab, words=words, tags=tags)
    example = Example(Doc(nlp.vocab, words=words), doc)
    shorter = augment(nlp, example, no_final=1.0)
    assert [t.text for t in shorter.predicted] == words[:-1]
    for case in ("lower", "upper"):
        made = augment(nlp, example, **{case: 1.0})
        assert [t.text for t in made.reference] == [getattr(word, case)() for word in words]
    for seed in range(20):
        random.seed(seed)
        made = augment(nlp, example, typos=1.0)
        assert [t.tag_ for t in made.reference] == tags
        assert [t.text[0] for t in made.predicted] == [word[0] for word in words]


@pytest.mark.parametrize("values", [{}, {"group_by": 4}, {"group_by": 3, "tag": "upos"}], ids=str)
def test_noise_in_the_reader_is_that_of_finished_examples(nlp, values):
    noise = NoiseAugmenter(lower=0.2, upper=0.2, no_final=0.4, typos=0.05)
    corpus = Corpus(CORPUS / "en-train.conllu", **values, limit=300)
    random.seed(0)
    expected = [made for eg in corpus(nlp) for made in noise(nlp, eg)]
    random.seed(0)
    found = list(Corpus(corpus.path, **values, limit=300, augmenter=noise)(nlp))
    for name in ("predicted", "reference"):
        ours, theirs = ([getattr(eg, name).to_json() for eg in egs] for egs in (found, expected))
        assert ours == theirs
    words = [t.text for eg in corpus(nlp) for t in eg.reference]
    assert [t.text for eg in found for t in eg.reference] != words


def test_punctuation_with_a_dependent_stays_in_the_reader(nlp, tmp_path):
    docs = [
        Doc(nlp.vocab, words=["Hm", "!"], tags=["A", "B"], heads=heads, deps=["dep", "ROOT"])
        for heads in ([1, 1], [0, 1])
    ]
    DocBin(docs=docs).to_disk(tmp_path / "a.spacy")
    noise = NoiseAugmenter(**{**QUIET, "no_final": 1.0})
    corpus = Corpus(tmp_path / "a.spacy", group_by="document", augmenter=noise)
    found = [len(eg.reference) for eg in corpus(nlp)]
    assert found == [2, 1]


def test_the_seed_decides(nlp):
    corpus = Corpus(CORPUS / "en-train.conllu", augmenter=NoiseAugmenter(), limit=200)
    runs = []
    for seed in (1, 1, 2):
        fix_random_seed(seed)
        runs.append([eg.reference.text for eg in corpus(nlp)])
    assert runs[0] == runs[1] != runs[2]


def test_chances_are_kept(nlp):
    random.seed(0)
    corpus = CORPUS / "en-train.conllu"
    chances = {**QUIET, "lower": 0.3, "upper": 0.1}
    noisy = Corpus(corpus, augmenter=NoiseAugmenter(**chances))
    texts = [eg.reference.text for _ in range(3) for eg in noisy(nlp)]
    texts = [text for text in texts if sum(map(str.isalpha, text)) > 5]
    assert sum(map(str.islower, texts)) / len(texts) == pytest.approx(0.3, abs=0.06)
    assert sum(map(str.isupper, texts)) / len(texts) == pytest.approx(0.1, abs=0.04)


@pytest.mark.parametrize(
    "chances,named",
    [
        ({"typos": -0.1}, "typos = -0.1"),
        ({"lower": "0.3"}, "lower = '0.3'"),
        ({"lower": 0.6, "upper": 0.6}, r"lower \+ upper = 1.2"),
    ],
)
def test_bad_chances(chances, named):
    with pytest.raises(ValueError, match=named):
        NoiseAugmenter(**chances)


@pytest.mark.parametrize("word", ["abcd", "abcdef"])
def test_every_kind_of_typo_is_made(word):
    random.seed(0)
    found, expected = {mistype(word, ["z"]) for _ in range(500)}, set()
    for i in range(1, len(word) - 1):
        head, tail = word[:i], word[i + 1 :]
        expected |= {head + word[i + 1] + word[i] + word[i + 2 :], head + tail}
        expected |= {head + word[i] * 2 + tail, head + "z" + tail}
    assert found == expected


@pytest.mark.parametrize("word", ["किताब", "পড়াশোনা", "படித்தான்", "e\u0301te\u0301"])
def test_words_that_are_spelt_with_marks_get_typos(word):
    random.seed(0)
    assert len({mistype(word, ["कख"]) for _ in range(100)}) > 5


def test_entities_keep_their_ids(nlp, example):
    doc = example.reference
    doc.set_ents([Span(doc, 3, 4, label="GPE", kb_id="Q90", span_id="paris")])
    made = augment(nlp, example, lower=1.0).reference
    (ent,) = made.ents
    assert (ent.label_, ent.kb_id_, ent.ent_id_) == ("GPE", "Q90", "paris")


def test_spans_and_categories_stay_whole(nlp, example):
    doc = example.reference
    doc.spans["all"] = [Span(doc, 1, 4, label="NP", kb_id="Q90", span_id="s1")]
    made = augment(nlp, example, lower=1.0).reference
    (span,) = made.spans["all"]
    assert (span.label_, span.kb_id_, span.id_) == ("NP", "Q90", "s1")
    made.cats["news"] = 0.0
    assert doc.cats == {"news": 1.0}


def test_the_tokenizer_splits_the_noisy_text(nlp):
    reference = Doc(nlp.vocab, words=["Don't", "stop"], tags=["A", "B"])
    made = augment(nlp, Example(nlp.make_doc("Don't stop"), reference), lower=1.0)
    assert [t.text for t in made.reference] == ["don't", "stop"]
    assert [t.text for t in made.predicted] == ["do", "n't", "stop"]


def test_a_typo_takes_a_letter():
    """No digit, and no sign."""
    for seed in range(200):
        random.seed(seed)
        assert set(mistype("abcd", ["1234567890", ".", "xy"])) <= set("abcdxy")
