"""What each figure is counted from, beside spaCy's scorer and scikit-learn."""

from itertools import chain, islice, pairwise

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support
from spacy.pipeline.tagger import tagger_score
from spacy.tokens import Doc
from spacy.training import Example

from spacy_lstm_tagger.comparison import Comparison
from spacy_lstm_tagger.lexicon import Lexicon
from spacy_lstm_tagger.report.figures import _by_unit_and_tag
from spacy_lstm_tagger.scorer import score_tags

VOCAB = spacy.blank("en").vocab
TAGS = ["A", "B", "C", "D", "E"]
WORD = st.sampled_from(["the", "old", "man", "saw", "it"])
TOKEN = st.tuples(WORD, st.sampled_from(TAGS), st.sampled_from(TAGS), st.booleans())
DOCS = st.lists(st.lists(TOKEN, min_size=1, max_size=8), min_size=1, max_size=6)
LEXICON = Lexicon({"the": 9, "old": 1, "saw": 4}, ["saw"])


def make_examples(docs):
    examples = []
    for doc in docs:
        words, gold, guessed, starts = zip(*doc, strict=True)
        reference = Doc(VOCAB, words=words, tags=gold, sent_starts=[True, *starts[1:]])
        examples.append(Example(Doc(VOCAB, words=words, tags=guessed), reference))
    return examples


@given(DOCS)
def test_figures_are_those_of_scikit_learn(docs):
    scores = score_tags(make_examples(docs), lexicon=LEXICON)
    columns = zip(*chain.from_iterable(docs), strict=True)
    words, gold, guessed = map(np.array, islice(columns, 3))
    assert scores["tag_acc"] == pytest.approx(accuracy_score(gold, guessed))
    assert scores["tag_macro_f"] == pytest.approx(
        f1_score(gold, guessed, average="macro", zero_division=0)
    )
    tags = list(scores["tag_per_type"])
    assert set(tags) == {*gold, *guessed}
    figures = precision_recall_fscore_support(gold, guessed, labels=tags, zero_division=0)
    for tag, p, r, f, _ in zip(tags, *figures, strict=True):
        assert scores["tag_per_type"][tag] == pytest.approx({"p": p, "r": r, "f": f})
    kinds = {
        "tag_acc_known": ["the", "old", "saw"],
        "tag_acc_unknown": ["man", "it"],
        "tag_acc_ambiguous": ["saw"],
    }
    for name, kind in kinds.items():
        chosen = np.isin(words, kind)
        expected = accuracy_score(gold[chosen], guessed[chosen]) if chosen.any() else None
        assert scores[name] == (None if expected is None else pytest.approx(expected))


@given(DOCS)
def test_whole_sentences(docs):
    right = []
    for eg in make_examples(docs):
        tags = [token.tag_ for token in eg.predicted]
        right += [all(tags[t.i] == t.tag_ for t in sent) for sent in eg.reference.sents]
    found = Comparison(make_examples(docs))
    assert found.whole_sentences() == pytest.approx(np.mean(right))
    assert found.sentences[-1] == len(right) - 1


PARTS = st.lists(st.tuples(st.sampled_from(["ab", "c d", "efg"]), st.sampled_from(["A", "B", "", "_SP"])), min_size=1, max_size=6)  # fmt: skip


@given(PARTS, st.lists(st.sampled_from(["A", "B", ""]), min_size=18, max_size=18), st.data())
def test_other_tokens_count_as_for_spacy(gold, guesses, data):
    """Words are split, or run together, and some have no tag in the reference."""
    text = "".join(word.replace(" ", "") for word, _ in gold)
    cuts = data.draw(st.sets(st.integers(1, max(1, len(text) - 1))))
    bounds = sorted({0, *(cut for cut in cuts if cut < len(text)), len(text)})
    words = [text[a:b] for a, b in pairwise(bounds)]
    reference = Doc(
        VOCAB,
        words=[word.replace(" ", "") for word, _ in gold],
        spaces=[False] * len(gold),
        tags=[tag for _, tag in gold],
    )
    predicted = Doc(VOCAB, words=words, spaces=[False] * len(words), tags=guesses[: len(words)])
    examples = [Example(predicted, reference)] * 2
    missing = {None, 0, "", VOCAB.strings["_SP"]}
    expected = tagger_score(examples, missing_values=missing)["tag_acc"]
    found = Comparison(examples).accuracy()
    # Where no word has a tag in the reference, spaCy may call nothing right of nothing 0.
    assert found == pytest.approx(expected) if found is not None else not expected


def test_empty_tags_are_no_tag():
    """A tagger that abstains: an empty tag is in no figure of tags but the recall."""
    reference = Doc(VOCAB, words=["a", "b"], tags=["A", "A"])
    scores = score_tags([Example(Doc(VOCAB, words=["a", "b"], tags=["A", ""]), reference)])
    assert scores["tag_per_type"] == {"A": {"p": 1.0, "r": 0.5, "f": pytest.approx(2 / 3)}}


def test_what_is_not_known_is_none():
    (example,) = make_examples([[("the", "A", "A", True)]])
    names = ("tag_acc_known", "tag_acc_unknown", "tag_acc_ambiguous")
    assert [score_tags([example])[name] for name in names] == [None] * 3
    assert [score_tags([example], lexicon=LEXICON)[name] for name in names] == [1.0, None, None]
    untagged = Example(Doc(VOCAB, words=["a"], tags=["A"]), Doc(VOCAB, words=["a"]))
    for examples in ([], [untagged]):
        scores = score_tags(examples, lexicon=LEXICON)
        assert set(scores.values()) == {None}


def test_frequencies():
    words = ["saw", "man", "the", "old", "the"]
    hashes = Doc(VOCAB, words=words).to_array("ORTH")
    assert LEXICON.frequencies(hashes).tolist() == [4, 0, 9, 1, 9]
    assert LEXICON.is_ambiguous(hashes).tolist() == [True, False, False, False, False]
    nothing = Lexicon({}, [])
    assert not nothing.frequencies(hashes).any() and not nothing.is_ambiguous(hashes).any()


def test_a_word_of_several_tokens():
    """It has the right tag if each of them has."""
    reference = Doc(VOCAB, words=["don't", "go"], tags=["A", "B"], sent_starts=[True, False])
    for tags, right in ((["A", "A", "B"], [True, True]), (["A", "C", "B"], [False, True])):
        predicted = Doc(VOCAB, words=["do", "n't", "go"], spaces=[False, True, False], tags=tags)
        found = Comparison([Example(predicted, reference)])
        assert found.right.tolist() == right and found.whole_sentences() == all(right)


def test_an_empty_tag_is_no_guess_in_the_intervals_either():
    reference = Doc(VOCAB, words=["a", "b", "c"], tags=["A", "A", "B"])
    found = Comparison([Example(Doc(VOCAB, words=["a", "b", "c"], tags=["A", "", "B"]), reference)])
    scores = found.tag_scores()
    hits, counts, guesses = _by_unit_and_tag(found, found.sentences, scores.tags)
    assert hits.tolist() == [[1.0, 1.0]]
    assert counts.sum(0).tolist() == scores.counts.tolist() == [2, 1]
    assert guesses.sum(0).tolist() == scores.guesses.tolist() == [1, 1]


def test_white_space_of_the_pipeline_is_no_guess():
    """Whatever tag the reference gives it."""
    words, tags = ["a", " ", "b"], ["A", "X", "B"]
    spaces = [False] * 3
    reference, predicted = (Doc(VOCAB, words=words, spaces=spaces, tags=tags) for _ in range(2))
    examples = [Example(predicted, reference)]
    expected = tagger_score(examples)["tag_acc"]
    assert Comparison(examples).accuracy() == pytest.approx(expected) == pytest.approx(0.8)


def test_without_words_there_is_no_sentence():
    found = Comparison([])
    assert len(found.sentences) == len(found.docs) == len(found.right) == 0
