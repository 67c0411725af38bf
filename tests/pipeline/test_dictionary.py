"""Tag dictionaries, through the public door: what words may have, and what a bad one says."""

import warnings

import numpy as np
import pytest
import spacy
import srsly
import torch
from spacy.tokens import Doc

from spacy_lstm_tagger.pipeline.dictionary import TagDictionary

from ..util import TEXTS, make_examples, small_model, tags_of


def test_words_have_only_their_tags(nlp, pipe):
    before = tags_of(nlp.pipe(TEXTS))
    pipe.set_tag_dictionary({"dog": ["V"], "ate": "ADJ", "the": ["DET", "NN"], "never": ["NN"]})
    pipe.cfg.update(save_probabilities=True, n_best=3)
    doc, *others = nlp.pipe(TEXTS)
    assert [token.tag_ for token in doc][1:3] == ["V", "ADJ"]
    assert doc[1]._.tag_probabilities["V"] == doc[1]._.tag_confidence == 1.0
    assert set(doc[3]._.tag_probabilities.values()) > {0.0}
    assert sum(doc[3]._.tag_probabilities[tag] for tag in ("DET", "NN")) == pytest.approx(1.0)
    for tags, p in doc._.tag_n_best:
        assert tags[1:3] == ["V", "ADJ"] and tags[3] in ("DET", "NN") and p > 0.0
    # A word is compared as it is written, and texts without such words are as before.
    assert tags_of([nlp("Dog")]) != [["V"]]
    assert [token.tag_ for token in others[1]] == before[2]


def test_removed_again(nlp, pipe):
    expected = tags_of(nlp.pipe(TEXTS))
    pipe.set_tag_dictionary({"dog": ["V"]})
    assert tags_of(nlp.pipe(TEXTS)) != expected
    pipe.set_tag_dictionary(None)
    assert tags_of(nlp.pipe(TEXTS)) == expected and pipe.cfg["tag_dictionary"] is None


def test_saved_with_the_pipeline(nlp, pipe, tmp_path):
    pipe.set_tag_dictionary({"dog": ["V"]})
    expected = tags_of(nlp.pipe(TEXTS))
    nlp.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    assert tags_of(again.pipe(TEXTS)) == expected
    assert tags_of(again.pipe(TEXTS, n_process=2, batch_size=2)) == expected
    # A label that is added later leaves it as it is.
    again.get_pipe("lstm_tagger").add_label("NEW")
    assert tags_of(again.pipe(TEXTS)) == expected


def test_loading_what_has_none_takes_it_away(original, nlp, pipe):
    pipe.set_tag_dictionary({"dog": ["V"]})
    pipe.from_bytes(original.get_pipe("lstm_tagger").to_bytes())
    assert tags_of(nlp.pipe(TEXTS)) == tags_of(original.pipe(TEXTS))


@pytest.mark.parametrize(
    "entries,message",
    [
        ({"dog": ["NN", "XYZ"]}, r"P003.*'XYZ' for 'dog'.*DET, NN.*leave the tag out"),
        ({"dog": []}, r"P004.*no tag for 'dog'"),
        (["dog"], r"P018.*is a list"),
        ({1: ["NN"]}, r"P018.*has the word 1"),
        ({"dog": None}, r"P018.*has None for 'dog'"),
        ({"dog": [["NN"]]}, r"P018.*has \[\['NN'\]\] for 'dog'"),
    ],
)
def test_bad_dictionaries(nlp, pipe, entries, message):
    pipe.set_tag_dictionary({"dog": ["V"]})
    expected = tags_of(nlp.pipe(TEXTS))
    with pytest.raises(ValueError, match=message):
        pipe.set_tag_dictionary(entries)
    assert pipe.cfg["tag_dictionary"] == {"dog": ["V"]}, "what was there is there"
    assert tags_of(nlp.pipe(TEXTS)) == expected


def test_from_the_config(tmp_path):
    path = tmp_path / "dictionary.json"
    srsly.write_json(path, {"dog": ["V"]})
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger")
    nlp.config["initialize"]["components"]["lstm_tagger"] = {
        "tag_dictionary": {"@readers": "srsly.read_json.v1", "path": str(path)}
    }
    nlp.initialize(lambda: make_examples(nlp))
    assert nlp("The dog")[1].tag_ == "V"
    for entries, error in (
        ({"dog": ["XYZ"]}, "P003"),
        ({"dog": [1]}, "dog"),
        (["dog"], "dictionary"),
    ):
        srsly.write_json(path, entries)
        with pytest.raises(ValueError, match=error):
            nlp.initialize(lambda: make_examples(nlp))


def test_the_layer():
    vocab = spacy.blank("en").vocab
    docs = [Doc(vocab, words=words) for words in (["a", "b"], [], ["c", "a"])]
    emissions = torch.zeros(4, 3)
    TagDictionary({"a": ["X"], "c": ["X", "Z"], "d": ["Y"]}, ["X", "Y", "Z"]).apply(docs, emissions)
    inf = -np.inf
    assert emissions.tolist() == [[0, inf, inf], [0, 0, 0], [0, inf, 0], [0, inf, inf]]


def test_a_tag_of_no_probability_that_it_demands():
    """As a model that gives probabilities rounds them."""
    config = small_model() | {"@architectures": "spacy.Tagger.v2", "normalize": True}
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger", config={"model": config, "n_best": 2})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    softmax = pipe.model.get_ref("softmax")
    softmax.set_param("b", np.array([1e4, *[0.0] * (len(pipe.labels) - 1)], dtype="f4"))
    pipe.set_tag_dictionary({"dog": [pipe.labels[1]]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nlp("The dog")[1].tag_ == pipe.labels[1]
