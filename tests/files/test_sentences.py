"""Docs as sentences of CoNLL-U: where they end, white space, heads, and what no tag looks like."""

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_lstm_tagger.files.sentences import Sentences
from spacy_lstm_tagger.files.tagged import TaggedTexts
from spacy_lstm_tagger.files.texts import Text

NLP = spacy.blank("en")
NLP.add_pipe("sentencizer")
FORM, UPOS, XPOS, FEATS, HEAD, DEPREL, MISC = 1, 3, 4, 5, 6, 7, 9


def write(*docs, column="xpos", numbers=()):
    """RETURNS (list): The lines of each doc, of words as lists of cells."""
    tagged = TaggedTexts([Text(None, [], [])] * len(docs), docs, numbers)
    sentences = Sentences(tagged, column=column)
    written = [sentences.lines(doc, start) for _, doc, start, _ in tagged]
    return [[line.split("\t") for line in lines if line[:1] != "#"] for lines in written]


def cells(rows, *columns):
    """RETURNS (list): Some cells of each word."""
    return [[row[i] for i in columns] for row in rows if len(row) > 1]


words = st.sampled_from(["a", "B", ".", "!", ",", "”", "\n", "。"])


@given(st.lists(st.lists(words, min_size=1, max_size=8), min_size=1, max_size=4))
def test_sentences_are_those_of_the_sentencizer(texts):
    docs = [Doc(NLP.vocab, words=text) for text in texts]
    for doc, rows in zip(docs, write(*docs), strict=True):
        found = []
        for number, form in cells(rows, 0, FORM):
            if number == "1":
                found.append([])
            assert number == str(len(found[-1]) + 1)
            found[-1].append(form)
        sents = [[t.text for t in sent if not t.is_space] for sent in NLP(doc.copy()).sents]
        assert found == [sent for sent in sents if sent]


def test_a_sentence_of_many_words():
    (rows,) = write(Doc(NLP.vocab, words=["a"] * 1002))
    assert [row[0] for row in rows] == [*map(str, range(1, 1003)), ""]


def test_white_space_is_noted_with_the_word_before_it():
    first = Doc(NLP.vocab, words=["\n", "a", " \t\r\n", "b"], spaces=[False, True, False, False])
    second = Doc(NLP.vocab, words=["\t", "c", "d"], spaces=[False, False, True])
    found = [cells(rows, FORM, MISC) for rows in write(first, second)]
    assert found[0] == [["a", r"SpacesAfter=\s\s\t\r\n"], ["b", "SpaceAfter=No"]]
    assert found[1] == [["c", "SpaceAfter=No"], ["d", "_"]]


def test_white_space_inside_a_word_stays_unless_it_breaks_the_line():
    doc = Doc(NLP.vocab, words=["10\u00a0000", "東\u3000京", "a\u2028\tb", "\u3000"])
    tagged = TaggedTexts([Text(None, [], [])], [doc], ())
    lines = Sentences(tagged, column="xpos").lines(doc, 0)
    assert lines[1] == "# text = 10\u00a0000 東\u3000京 a b \u3000"
    assert [line.split("\t")[FORM] for line in lines[2:-1]] == ["10\u00a0000", "東\u3000京", "a b"]


def test_heads_are_told_by_the_numbers_of_their_sentence():
    doc = Doc(
        NLP.vocab,
        words=["We", "\n", "sleep", "Dogs", "bark", "too"],
        heads=[2, 2, 2, 4, 4, 4],
        deps=["nsubj", "", "ROOT", "nsubj", "ROOT", "advmod"],
    )
    lines = write(Doc(NLP.vocab, words=["before", "it"]), doc)[1]
    assert cells(lines, 0, FORM, HEAD, DEPREL) == [
        ["1", "We", "2", "nsubj"],
        ["2", "sleep", "0", "root"],
        ["1", "Dogs", "2", "nsubj"],
        ["2", "bark", "0", "root"],
        ["3", "too", "2", "advmod"],
    ]


def test_a_head_that_has_no_number():
    """White space has none; and a word may have no head."""
    doc = Doc(NLP.vocab, words=["\n", "sleep", "x"], heads=[0, 0, 2], deps=["ROOT", "dep", ""])
    expected = [["sleep", "0", "dep"], ["x", "_", "_"]]
    assert cells(write(doc)[0], FORM, HEAD, DEPREL) == expected


@pytest.mark.parametrize(
    "column,tags,expected",
    [
        ("xpos", ["", "NN"], [["_", "_", "_"], ["_", "NN", "_"]]),
        ("upos", ["", "NOUN"], [["_", "_", "_"], ["NOUN", "_", "_"]]),
        (
            "upos+feats",
            ["", "|Case=Acc", "NOUN", "NOUN|Case=Acc"],
            [["_"] * 3, ["_", "_", "Case=Acc"], ["NOUN", "_", "_"], ["NOUN", "_", "Case=Acc"]],
        ),
    ],
)
def test_the_columns_of_tags(column, tags, expected):
    doc = Doc(NLP.vocab, words=["a"] * len(tags), tags=tags)
    assert cells(write(doc, column=column)[0], UPOS, XPOS, FEATS) == expected


def test_how_sure_tags_are():
    doc = Doc(NLP.vocab, words=["a", "b", "c"], spaces=[True, False, True])
    (rows,) = write(doc, numbers=["0.9", "0.8", None])
    assert cells(rows, MISC) == [["TagProb=0.9"], ["SpaceAfter=No|TagProb=0.8"], ["_"]]


def test_what_official_tools_expect():
    feats = "NumForm=Combi|NumType=Ord|Number=Sing"
    words = ["\u00a0", "2nd", "\u00a0\u0085\u2028", "b"]
    deps = {"heads": [1, 1, 1, 1], "deps": ["dep", "ROOT", "dep", "dep"]}
    spaces = [False, True, False, False]
    doc = Doc(NLP.vocab, words=words, spaces=spaces, morphs=["", feats, "", ""], **deps)
    (rows,) = write(doc)
    assert cells(rows, FEATS, DEPREL, MISC) == [
        ["Number=Sing|NumForm=Combi|NumType=Ord", "root", r"SpacesAfter=\s\u00A0\u0085\u2028"],
        ["_", "dep", "SpaceAfter=No"],
    ]
