"""Distinct words, and their features, are what spaCy's own attributes say."""

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.attrs import LOWER, ORTH, PREFIX
from spacy.strings import get_string_id
from spacy.tokens import Doc

from spacy_lstm_tagger.models.features import FeatureSet, _shape_key, letters
from spacy_lstm_tagger.models.word_types import WordTypes

from . import VOCAB, make_docs

# Any text is a word, but the empty one, which spaCy refuses.
words = st.lists(st.text(min_size=1, max_size=12), max_size=12)
SCRIPTS = ["dog", "Ἀθῆναι", "ΣΟΦΟΣ", "Straße", "İstanbul", "东京", "👩‍🚀", "🇬🇷", "é", "e\u0301", "مرحبا",
           "\U0001d11e", "1.500,00", "#x", " ", "\n", "\x00", "X", "NOUN", "x" * 150,
           "abcde12345ABCDE", "aB3-x0X", "eleven11", "U.S.A.", "McDonald's", "ǅ", "ͅ"]  # fmt: skip


def describe(strings, **features):
    """RETURNS (dict): The key of each string, unsigned, for each feature."""
    types = WordTypes.of(make_docs(strings))
    feature_set = FeatureSet(**features)
    texts = types.strings()
    columns = feature_set.keys(types, texts)
    assert tuple(columns) == feature_set.names
    assert all(-(2**63) <= key < 2**63 for column in columns.values() for key in column)
    return {
        name: {text: key % 2**64 for text, key in zip(texts, column, strict=True)}
        for name, column in columns.items()
    }


@pytest.mark.parametrize("lower", [True, False])
def test_pretrained_vectors_are_those_of_the_lower_cased_word(lower):
    types = WordTypes.of(make_docs(SCRIPTS))
    texts = types.strings()
    features = FeatureSet(lower=lower, pretrained=True)
    columns = features.keys(types, texts)
    assert tuple(columns) == (*features.names, "pretrained")
    expected = [VOCAB.strings.add(text.lower()) for text in texts]
    assert [key % 2**64 for key in columns["pretrained"]] == expected


@settings(max_examples=50, deadline=None)
@given(st.lists(words, min_size=1, max_size=5))
def test_each_type_is_there_once_and_each_token_knows_its_own(batch):
    types = WordTypes.of(make_docs(*batch))
    flat = [word for doc in batch for word in doc]
    assert sorted(types.strings()) == sorted(set(flat))
    assert [types.strings()[i] for i in types.tokens] == flat
    assert types.lengths == [len(doc) for doc in batch]
    assert len(types) == len(set(flat))


@settings(max_examples=50, deadline=None)
@given(words.filter(bool))
def test_features_are_those_of_the_lexeme(strings):
    check_features(strings)


def test_features_of_many_scripts():
    check_features(SCRIPTS)


def check_features(strings):
    found = describe(strings, lower=True, prefixes=(1,), suffixes=(3,), shape=True)
    for string in strings:
        lexeme = VOCAB[string]
        assert found["word"][string] == lexeme.orth
        assert found["lower"][string] == lexeme.lower
        assert found["prefix1"][string] == lexeme.prefix
        assert found["suffix3"][string] == lexeme.suffix
        assert found["shape"][string] == lexeme.shape


def test_long_words_are_not_kept():
    """Their shape is that of all of them."""
    _shape_key.cache_clear()
    strings = [*("b" * n for n in range(100, 120)), *(f"{n}" * 200 for n in range(9))]
    shapes = describe(["a" * 99, *strings], shape=True)["shape"]
    assert {shapes[string] for string in strings} == {get_string_id("LONG")}
    assert shapes["a" * 99] == get_string_id("xxxx") and _shape_key.cache_info().currsize == 3


def test_affixes_of_short_words_are_the_whole_word():
    found = describe(["ab"], prefixes=(3,), suffixes=(2, 5))
    assert found["prefix3"] == found["word"]
    assert found["suffix2"] == found["suffix5"] == found["word"]


def test_names_are_the_features_in_order():
    assert FeatureSet().names == ("word",)
    features = FeatureSet(lower=True, prefixes=(1, 3), suffixes=(2,), shape=True)
    assert features.names == ("word", "lower", "prefix1", "prefix3", "suffix2", "shape")


def test_select_keeps_the_order_that_was_asked_for():
    types = WordTypes.of(make_docs(["a", "b", "c"]))
    some = types.select(np.array([2, 0]))
    texts = types.strings()
    assert some.strings() == [texts[2], texts[0]]


@pytest.mark.parametrize("attr", [ORTH, LOWER, PREFIX])
def test_types_tell_the_static_vectors_their_attributes(attr):
    types = WordTypes.of(make_docs(["Dog", "dog", "Ἀθῆναι", "DOG"]))
    expected = Doc(VOCAB, words=types.strings()).to_array(attr)
    assert types.to_array(attr).tolist() == expected.tolist()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=20)), st.integers(2, 9))
def test_letters(strings, max_length):
    points, lengths = letters(strings, max_length=max_length)
    assert len(lengths) == len(strings) and sum(lengths) == len(points)
    start = 0
    for string, length in zip(strings, lengths, strict=True):
        found = "".join(map(chr, points[start : start + length]))
        start += length
        if not string:
            assert length == 1  # so that the character LSTM has something to read
        elif len(string) <= max_length:
            assert found == string
        else:
            half = max_length // 2
            assert found == string[:half] + string[-half:]


def test_letters_are_code_points_in_every_script():
    # One letter for what UTF-16 writes as a surrogate pair; a lone surrogate is read too.
    points, lengths = letters(["\U0001d11e", "👩‍🚀", "\ud800", "é"], max_length=64)
    assert lengths == [1, 3, 1, 1]
    assert points.tolist() == [0x1D11E, 0x1F469, 0x200D, 0x1F680, 0xD800, 0xE9]


def test_a_very_long_word_is_read_at_both_ends():
    points, lengths = letters(["ab" + "x" * 5000 + "yz"], max_length=4)
    assert lengths == [4]
    assert "".join(map(chr, points)) == "abyz"


def test_docs_of_several_vocabularies():
    """Neither has the words of the other."""
    docs = [Doc(spacy.blank("en").vocab, words=words) for words in (["qab", "x"], ["x", "qcd"])]
    types = WordTypes.of(docs)
    texts = types.strings()
    assert [texts[i] for i in types.tokens] == ["qab", "x", "x", "qcd"]
    assert types.select(np.arange(3)[::-1]).strings() == texts[::-1]
