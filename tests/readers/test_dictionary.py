"""Tag dictionaries from JSON files."""

import json

import pytest
import spacy
from spacy.training import Example

from spacy_lstm_tagger.readers import read_tag_dictionary

from ..util import CORPUS


def test_a_dictionary_from_a_file(tmp_path):
    path = tmp_path / "dictionary.json"
    entries = {"the": ["DT"], "that": ["DT", "IN"]}
    path.write_text(json.dumps(entries), encoding="utf-8")
    assert read_tag_dictionary(path=path) == entries
    path.write_text(json.dumps(entries), encoding="utf-8-sig")
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
    with pytest.raises(ValueError, match=rf"R015.*found {found}.*expected a JSON object"):
        read_tag_dictionary(path=path)


def test_no_path(tmp_path):
    with pytest.raises(FileNotFoundError, match="R014"):
        read_tag_dictionary(path=tmp_path / "nothing.json")
    with pytest.raises(ValueError, match="E913"):
        read_tag_dictionary(path=None)


def test_in_a_training_config(tmp_path):
    path, corpus = tmp_path / "dictionary.json", CORPUS / "en-dev.conllu"
    path.write_text('{"the": ["DT"]}', encoding="utf-8")
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger", config={"class_weights": "balanced"})
    nlp.config["initialize"]["components"]["lstm_tagger"] = {
        "labels": ["DT", "IN", "NN"],
        "tag_dictionary": {"@readers": "spacy-lstm-tagger.TagDictionary.v1", "path": str(path)},
        "word_tags": {"@readers": "spacy-lstm-tagger.WordTags.v1", "path": str(corpus)},
    }
    nlp.initialize(lambda: [Example(nlp.make_doc("a"), nlp.make_doc("a"))])
    assert set(pipe.cfg["tag_counts"]) == {"DT", "IN", "NN"}
    assert nlp("the")[0].tag_ == "DT"
