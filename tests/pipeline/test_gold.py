"""What the annotation says: tags, sets of tags, tags that a token does not have, nothing."""

import pytest
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_lstm_tagger.pipeline.gold import MISSING, SEVERAL, count_tags, gold_tags
from spacy_lstm_tagger.pipeline.notation import Notation

LABELS = ["NN", "V", "DET"]
VOCAB = Vocab()


def make_example(tags):
    words = ["a"] * len(tags)
    return Example(Doc(VOCAB, words=words), Doc(VOCAB, words=words, tags=tags))


def read(tags, labels=LABELS, *, neg_prefix="!", separator=None):
    """RETURNS (tuple): The labels, and for each token the tags that it may have."""
    gold = gold_tags([make_example(tags)], labels, Notation(neg_prefix, separator))
    allowed = [[labels[i] for i in row.nonzero()[0]] for row in gold.allowed()]
    return gold.tags.tolist(), allowed


def test_missing_misaligned_and_negative():
    predicted = Doc(VOCAB, words=["don't", "go", "ab", "x", "y"])
    reference = Doc(
        VOCAB,
        words=["do", "n't", "go", "ab", "x", "y"],
        spaces=[False, True, True, True, True, True],
        tags=["V", "DET", "V", "", "!NN", "DET"],
    )
    gold = gold_tags([Example(predicted, reference)], LABELS, Notation("!"))
    assert gold.tags.tolist() == [MISSING, 1, MISSING, SEVERAL, 2]
    assert gold.allowed()[3].tolist() == [False, True, True]


def test_empty_docs_are_no_rows():
    empty = Example(Doc(VOCAB), Doc(VOCAB))
    one = Example(Doc(VOCAB, words=["a"]), Doc(VOCAB, words=["a"], tags=["V"]))
    gold = gold_tags([empty, one, empty], LABELS, Notation("!"))
    assert gold.tags.tolist() == [1]
    assert gold_tags([empty], LABELS, Notation("!")).tags.tolist() == []


def test_docs_of_different_vocabularies():
    examples = []
    for tag in ("NN", "DET"):
        vocab = Vocab()
        words = Doc(vocab, words=["a"])
        examples.append(Example(words, Doc(vocab, words=["a"], tags=[tag])))
    assert gold_tags(examples, LABELS, Notation("!")).tags.tolist() == [0, 2]


@pytest.mark.parametrize("tag", ["XYZ", "!XYZ"])
def test_unknown_tag(tag):
    example = Example(Doc(VOCAB, words=["a"]), Doc(VOCAB, words=["a"], tags=[tag]))
    with pytest.raises(ValueError, match=r"P001.*'!?XYZ'.*NN, V, DET.*correct the data"):
        gold_tags([example], LABELS, Notation("!"))


def test_sets_of_tags_are_opt_in():
    with pytest.raises(ValueError, match=r"P001.*'NN\|V'"):
        read(["NN|V"])
    assert read(["NN|V", "V"], separator="|") == ([SEVERAL, 1], [["NN", "V"], ["V"]])


def test_sets_of_one_tag_and_of_all():
    labels, allowed = read(["NN|NN|", "NN|V|DET"], separator="|")
    assert labels == [0, SEVERAL] and allowed == [["NN"], LABELS]


def test_a_tag_with_the_separator_in_it_is_itself():
    labels = ["NOUN|Case=Acc", "NOUN", "Case=Acc"]
    assert read(["NOUN|Case=Acc", "!NOUN|Case=Acc"], labels, separator="|") == (
        [0, SEVERAL],
        [labels[:1], labels[1:]],
    )


def test_negative_sets():
    labels, allowed = read(["!NN|V", "!NN"], separator="|")
    assert labels == [2, SEVERAL] and allowed == [["DET"], ["V", "DET"]]


def test_an_annotation_that_excludes_everything_says_nothing():
    assert read(["!NN"], ["NN"])[0] == [MISSING]


def test_without_a_prefix_a_tag_is_itself():
    assert read(["!NN"], ["NN", "!NN"], neg_prefix=None)[0] == [1]
    assert read(["!"], ["!", "NN"])[0] == [0]


def test_unknown_tags_in_a_set():
    with pytest.raises(ValueError, match=r"P001.*'XYZ'"):
        read(["NN|XYZ"], separator="|")


def test_counts_and_names():
    counts = count_tags([make_example(["NN", "V", "NN|X", "", "!Y", "V"])])
    assert counts == {"NN": 1, "V": 2, "NN|X": 1, "!Y": 1}
    assert Notation("!", "|").named(sorted(counts)) == ["Y", "NN", "X", "V"]
    assert Notation("!").named(["NN|X"]) == ["NN|X"]
    assert Notation().named(["!NN", "NN|X", "NN X"]) == ["!NN", "NN|X", "NN X"]


def test_tags_of_nothing_but_notation():
    options = {"neg_prefix": "!", "separator": "|"}
    tags = ["NN", "|", "!!", "!", "!NN", "NN||"]
    labels = Notation(**options).named(tags)
    assert labels == ["NN", "|", "!!", "!"]
    assert read(tags, labels, **options)[0] == [0, 1, 2, 3, SEVERAL, 0]
    assert read(["not-to"], ["to", "NN"], neg_prefix="not-")[1] == [["NN"]]


def test_the_tag_of_white_space_is_a_tag_if_it_is_in_the_tag_set():
    assert read(["_SP", "NN"], ["NN", "_SP"])[0] == [1, 0]
    assert read(["_SP", "NN"], ["NN", "V"])[0] == [MISSING, 0]
