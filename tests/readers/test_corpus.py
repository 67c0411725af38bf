"""The reader of corpora, through a config: its settings, and how sentences become docs."""

import inspect
import pickle
import random
from importlib.metadata import entry_points
from itertools import islice
from pathlib import Path

import pytest
from spacy.training import Example

from spacy_lstm_tagger.readers import Corpus

from .util import resolve, sizes, words, write


@pytest.mark.parametrize("group_by", [1, 2, "document", [1, 10]])
def test_config_block(nlp, german, group_by):
    corpus = resolve(german, group_by=group_by, also_group_by=2, augmenter=None)
    assert isinstance(corpus, Corpus)
    assert corpus.group_by == group_by
    examples = list(corpus(nlp))
    assert all(isinstance(eg, Example) for eg in examples)
    assert len(words(examples)) == 20


READERS = [each for each in entry_points(group="spacy_readers") if "spacy-lstm-tagger" in each.name]
# MixedCorpus.v1 is made of others.
READERS = [each for each in READERS if "MixedCorpus" not in each.name]


@pytest.mark.parametrize("reader", READERS, ids=lambda each: each.name)
def test_paths_may_be_strings(reader):
    """In programs, whose types are checked. In a config they are."""
    assert inspect.signature(reader.load()).parameters["path"].annotation == str | Path | None


def test_config_augmenter(nlp, german):
    lower = {"@augmenters": "spacy.lower_case.v1", "level": 1.0}
    examples = list(resolve(german, augmenter=lower)(nlp))
    assert len(examples) == 2
    assert {"wir", "see", "geht"} <= set(words(examples))
    assert examples[0].reference[4].tag_ == "NN"


@pytest.mark.parametrize(
    "name, value, allowed",
    [
        ("tag", "pos", '"xpos", "upos" or "upos+feats"'),
        ("group_by", 0, "a number from 1 on"),
        ("group_by", [5, 2], "[low, high] with 1 <= low <= high"),
        ("group_by", [0, 2], "[low, high]"),
        ("group_by", [1, 2, 3], "[low, high]"),
        ("group_by", [], "[low, high]"),
        ("group_by", "paragraph", '"document"'),
        ("also_group_by", 0, "or null"),
        ("also_group_by", "2", "or null"),
        ("shuffle_buffer", -1, "0 turns it off"),
        ("limit", -1, "0 turns it off"),
        ("max_length", -5, "0 turns it off"),
    ],
)
def test_config_value_not_allowed(german, name, value, allowed):
    with pytest.raises(ValueError) as error:
        resolve(german, **{name: value})
    assert f"{name} = {value!r} " in str(error.value)
    assert allowed in str(error.value)


@pytest.mark.parametrize("value", [True, 1.5, [1, True], None])
def test_value_of_wrong_type_from_python(german, value):
    with pytest.raises(ValueError, match="group_by"):
        Corpus(german, group_by=value)


def test_path(nlp, tmp_path):
    with pytest.raises(ValueError, match="E913"):
        Corpus(None)
    with pytest.raises(ValueError, match="E913"):
        Corpus("")
    with pytest.raises(FileNotFoundError, match=r"R001.*nowhere\.conllu"):
        resolve(tmp_path / "nowhere.conllu")
    with pytest.raises(ValueError, match="R002"):
        next(resolve(tmp_path)(nlp))
    (tmp_path / "comments.conllu").write_text("# nothing here\n\n")
    for group_by in (1, "document"):
        with pytest.raises(ValueError, match="R003"):
            next(resolve(tmp_path, group_by=group_by)(nlp))


# Grouping


def test_group_by_number_stays_in_a_file(nlp, fifty):
    examples = list(resolve(fifty, group_by=8)(nlp))
    assert sizes(examples) == [8, 8, 8, 6, 8, 8, 4]
    assert words(examples) == [f"w{i}" for i in range(70)] + [f"w{i}" for i in range(20)]


def test_group_by_document(nlp, fifty):
    assert sizes(resolve(fifty, group_by="document")(nlp)) == [10, 15, 5, 20]


def test_sentences_before_the_first_document_are_one(nlp, tmp_path):
    path = write(tmp_path / "a.conllu", [[1, 1], [1]])
    path.write_text(path.read_text().replace("# newdoc", "# newdocument", 1))
    assert sizes(resolve(path, group_by="document")(nlp)) == [2, 1]


def test_group_by_document_needs_documents(nlp, fifty):
    path = fifty / "b" / "b.conllu"
    path.write_text(path.read_text().replace("# newdoc", "# new"))
    with pytest.raises(ValueError, match=r"R005.*b\.conllu.*# newdoc.*20 sentences.*number"):
        list(resolve(fifty, group_by="document")(nlp))


def test_group_by_range_is_drawn_anew(nlp, fifty):
    corpus = resolve(fifty, group_by=[2, 5])
    random.seed(1)
    first, second = list(corpus(nlp)), list(corpus(nlp))
    assert words(first) == words(second) == words(resolve(fifty)(nlp))
    assert sizes(first) != sizes(second)
    assert {2, 3, 4, 5} <= set(sizes(first) + sizes(second)) <= {1, 2, 3, 4, 5}
    random.seed(1)
    assert sizes(corpus(nlp)) == sizes(first)
    assert sizes(resolve(fifty, group_by=[2, 2])(nlp)) == sizes(resolve(fifty, group_by=2)(nlp))


def test_also_group_by(nlp, fifty):
    examples = list(resolve(fifty, also_group_by=10)(nlp))
    assert sizes(examples) == [1] * 50 + [10] * 5
    assert words(examples[:50]) == words(examples[50:])
    examples = list(resolve(fifty, group_by=10, also_group_by="document")(nlp))
    assert sizes(examples) == [10] * 5 + [10, 15, 5, 20]


@pytest.mark.parametrize("group_by, fifth", [(10, 3), ("document", 2), ([9, 12], 3)])
def test_max_length_closes_a_doc_early(nlp, fifty, group_by, fifth):
    examples = list(resolve(fifty, group_by=group_by, max_length=6)(nlp))
    # 3 + 1 words, another 3 would be too many; at last 3 + 1 and the 2 of the next document
    assert sizes(examples)[:6] == [2, 2, 2, 2, fifth, 3]
    assert all(len(eg.reference) <= 6 for eg in examples)
    assert words(examples) == words(resolve(fifty)(nlp))


def test_sentence_longer_than_max_length_is_whole(nlp, fifty):
    examples = list(resolve(fifty, group_by=10, max_length=2)(nlp))
    assert [len(eg.reference) for eg in examples][:4] == [3, 1, 3, 1]
    assert words(examples) == words(resolve(fifty)(nlp))


def test_limit_counts_sentences(nlp, fifty):
    assert sizes(resolve(fifty, limit=33, group_by=8)(nlp)) == [8, 8, 8, 6, 3]
    assert sizes(resolve(fifty, limit=30, group_by=8)(nlp)) == [8, 8, 8, 6]
    assert sizes(resolve(fifty, limit=3, also_group_by=2)(nlp)) == [1, 1, 1, 2, 1]
    assert sizes(resolve(fifty, limit=12, group_by="document")(nlp)) == [10, 2]
    assert sum(sizes(resolve(fifty, limit=99)(nlp))) == 50


@pytest.mark.parametrize("shuffle_buffer", [7, 1000])
def test_shuffle_buffer(nlp, fifty, shuffle_buffer):
    random.seed(0)
    corpus = resolve(fifty, shuffle_buffer=shuffle_buffer, also_group_by=10)
    in_order = [eg.reference.text for eg in resolve(fifty)(nlp)]
    first, second = ([eg.reference.text for eg in corpus(nlp)] for _ in range(2))
    assert sorted(first[:50]) == sorted(second[:50]) == sorted(in_order)
    assert len(first) == 55
    assert first != second
    assert first[:50] != in_order


def test_shuffle_buffer_bounds_how_early_a_doc_comes(nlp, tmp_path):
    path = write(tmp_path / "a.conllu", [[1] * 100])
    order = [int(text[1:]) for text in words(resolve(path, shuffle_buffer=7)(nlp))]
    assert sorted(order) == list(range(100))
    # The doc at place i was in the buffer by then, so it is one of the first i + 7.
    assert all(number < i + 7 for i, number in enumerate(order))


def test_streams(nlp, tmp_path):
    path = write(tmp_path / "long.conllu", [[1] * 30])
    path.write_text(path.read_text() + "broken\n")
    examples = resolve(path, group_by=3, shuffle_buffer=4)(nlp)
    # Docs come out before the end of the file has been seen.
    assert sum(sizes(islice(examples, 5))) == 15
    with pytest.raises(ValueError, match="line 62"):
        list(examples)


def test_pickle(nlp, fifty):
    corpus = resolve(fifty, group_by=[1, 4], shuffle_buffer=5, limit=20)
    copy = pickle.loads(pickle.dumps(corpus))
    assert vars(copy) == vars(corpus)
    random.seed(3)
    expected = words(corpus(nlp))
    random.seed(3)
    assert words(copy(nlp)) == expected


@pytest.mark.parametrize(
    "tag, column, remedy",
    [("xpos", "XPOS", "upos"), ("upos", "UPOS", "xpos"), ("upos+feats", "UPOS", "xpos")],
)
def test_no_tags(nlp, german, fifty, tag, column, remedy):
    text = "1\ta\t_\t_\t_\tA=B\t_\t_\t_\t_\n\n"
    (german.parent / "untagged.conllu").write_text(text * 5)
    # Tags in one of the files are enough.
    assert list(resolve(german.parent, tag=tag)(nlp))
    examples = resolve(german.parent / "untagged.conllu", tag=tag, also_group_by=2)(nlp)
    # Only a whole pass can tell.
    assert sizes(islice(examples, 5)) == [1] * 5
    with pytest.raises(ValueError, match=f"R004.* in {column}.*--vars.tag {remedy}"):
        next(examples)
