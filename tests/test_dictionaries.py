"""What is read of training data or a file: dictionaries and counts."""

import json

import pytest
import spacy
from spacy.util import registry

from spacy_lstm_tagger.dictionaries import (
    read_conllu_tag_counts,
    read_conllu_tag_dictionary,
    read_tag_dictionary,
)


def row(number, word, tag):
    return "\t".join([str(number), word, "_", "X", tag, "_", "_", "_", "_", "_"])


@pytest.fixture
def corpus(tmp_path):
    """A closed class (the, a, that), an open one (nouns seen once each), and a word of both."""
    rows = [("the", "DT")] * 60 + [("that", "DT")] * 10 + [("that", "IN")] * 10
    rows += [(f"noun{i}", "NN") for i in range(20)] + [("dog", "NN")] * 12
    rows += [("like", "IN")] * 10 + [("like", "NN")] * 10 + [("a", "DT")] * 3 + [("nothing", "_")]
    lines = [row(1, word, tag) + "\n" for word, tag in rows]
    path = tmp_path / "corpus.conllu"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_words_of_closed_classes(corpus):
    assert read_conllu_tag_dictionary(path=corpus) == {"that": ["DT", "IN"], "the": ["DT"]}


def test_all_frequent_words(corpus):
    found = read_conllu_tag_dictionary(path=corpus, max_productivity=None)
    assert found == {"dog": ["NN"], "like": ["IN", "NN"], "that": ["DT", "IN"], "the": ["DT"]}
    every = read_conllu_tag_dictionary(path=corpus, min_count=1, max_productivity=None)
    assert len(every) == 25 and "nothing" not in every


def test_counts(corpus):
    assert read_conllu_tag_counts(path=corpus) == {"DT": 73, "IN": 20, "NN": 42}
    assert read_conllu_tag_counts(path=corpus, tag="upos") == {"X": 136}


@pytest.mark.parametrize("setting,value", [("min_count", 0), ("max_productivity", 1.5)])
def test_values_out_of_range(corpus, setting, value):
    with pytest.raises(ValueError, match=rf"M001.*{setting} = {value}"):
        read_conllu_tag_dictionary(path=corpus, **{setting: value})


def test_a_dictionary_from_a_file(tmp_path):
    path = tmp_path / "dictionary.json"
    entries = {"the": ["DT"], "that": ["DT", "IN"]}
    path.write_text(json.dumps(entries), encoding="utf-8")
    assert read_tag_dictionary(path=path) == entries


@pytest.mark.parametrize(
    "text,found",
    [
        ("{", "no JSON"),
        ('["the"]', "a list"),
        ('{"the": "DT"}', "'DT' for 'the'"),
        ('{"the": [1]}', r"\[1\] for 'the'"),
    ],
)
def test_files_that_are_no_dictionary(tmp_path, text, found):
    path = tmp_path / "dictionary.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"R016.*found {found}.*expected a JSON object"):
        read_tag_dictionary(path=path)


def test_no_path(tmp_path):
    with pytest.raises(FileNotFoundError, match="R015"):
        read_tag_dictionary(path=tmp_path / "nothing.json")
    for read in (read_tag_dictionary, read_conllu_tag_dictionary, read_conllu_tag_counts):
        with pytest.raises(ValueError, match="E913"):
            read(path=None)


@pytest.mark.parametrize("name", ["TagDictionary", "ConlluTagDictionary", "ConlluTagCounts"])
def test_are_registered(name):
    assert registry.readers.get(f"spacy-lstm-tagger.{name}.v1")


def test_in_a_training_config(corpus):
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger", config={"class_weights": "balanced"})
    nlp.config["initialize"]["components"]["lstm_tagger"] = {
        "labels": ["DT", "IN", "NN"],
        "tag_dictionary": {
            "@readers": "spacy-lstm-tagger.ConlluTagDictionary.v1",
            "path": str(corpus),
        },
        "tag_counts": {"@readers": "spacy-lstm-tagger.TagCounts.v1", "path": str(corpus)},
    }
    nlp.initialize(lambda: [spacy.training.Example(nlp.make_doc("a"), nlp.make_doc("a"))])
    assert pipe.cfg["tag_dictionary"]["the"] == ["DT"]
    assert pipe.cfg["class_weights"]["IN"] == pytest.approx(135 / (3 * 20))
    assert nlp("the")[0].tag_ == "DT"
