"""Class weights: what they may be, and that rare tags gain by them."""

import warnings

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from spacy_lstm_tagger.pipeline.class_weights import (
    balanced_weights,
    check_class_weights,
    class_weights_array,
)

from ..util import ARCHITECTURES, CORPUS, make_examples, small_model, train, trained_nlp


@pytest.mark.parametrize(
    "value,message",
    [
        ({"NN": -1}, r"M001.*class_weights\['NN'\] = -1.*0 or more"),
        ("equal", r"M001.*class_weights = 'equal'.*\"balanced\""),
    ],
)
def test_bad_weights(value, message):
    with pytest.raises(ValueError, match=message):
        spacy.blank("en").add_pipe("lstm_tagger", config={"class_weights": value})


@pytest.mark.parametrize("weight", [float("inf"), float("nan")])
def test_weights_that_are_no_numbers(weight):
    with pytest.raises(ValueError, match=r"M001.*class_weights"):
        check_class_weights({"NN": weight})


def test_weights_of_unknown_tags():
    with pytest.raises(ValueError, match=r"P005.*'XYZ'.*DET, NN"):
        trained_nlp(steps=0, config={"class_weights": {"XYZ": 2.0}})


def test_balanced_weights_make_all_tags_count_the_same():
    counts = {"A": 90, "B": 9, "C": 1}
    weights = balanced_weights(counts, ["A", "B", "C"])
    assert len({round(counts[tag] * weight, 6) for tag, weight in weights.items()}) == 1
    assert sum(counts[tag] * weights[tag] for tag in counts) == pytest.approx(100)
    assert balanced_weights({"A": 90, "D": 0}, ["A", "D"])["D"] > 1.0
    assert class_weights_array({"B": 2.0}, ["A", "B"]).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_weights_of_one_change_nothing(architecture):
    losses = []
    for weights in (None, {"NN": 1.0}):
        nlp, optimizer = trained_nlp(
            steps=0, architecture=architecture, config={"class_weights": weights}
        )
        losses.append(train(nlp, make_examples(nlp), steps=3, optimizer=optimizer))
    assert losses[0] == losses[1]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_heavy_tag_wins_where_the_data_is_divided(architecture):
    """The same word has one tag three times and another once: the heavier one is learned."""
    data = [("zog", "NN")] * 3 + [("zog", "V")]
    found = []
    for weights in (None, {"V": 30.0}):
        config = {"class_weights": weights}
        nlp, optimizer = trained_nlp(steps=0, architecture=architecture, config=config)
        train(nlp, make_examples(nlp, data), steps=30, optimizer=optimizer)
        found.append(nlp("zog")[0].tag_)
    assert found == ["NN", "V"]


def weights_of(pipe):
    weights = class_weights_array(
        pipe.cfg["class_weights"], pipe.labels, counts=pipe.cfg["tag_counts"]
    )
    return dict(zip(pipe.labels, weights.tolist(), strict=True))


def test_balanced_from_the_sample_or_from_counts():
    nlp, _ = trained_nlp(steps=0, config={"class_weights": "balanced"})
    pipe = nlp.get_pipe("lstm_tagger")
    weights = weights_of(pipe)
    assert weights["ADJ"] > 1.0 > weights["NN"]
    again = spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert weights_of(again.get_pipe("lstm_tagger")) == weights
    counts = [("dog", "NN", 1), ("red", "ADJ", 900), ("old", "ADJ", 100)]
    pipe.initialize(lambda: make_examples(nlp), nlp=nlp, word_tags=counts)
    assert pipe.cfg["tag_counts"]["ADJ"] == 1000
    assert weights_of(pipe)["NN"] > weights_of(pipe)["ADJ"]
    pipe.initialize(lambda: make_examples(nlp), nlp=nlp)  # the tags are counted anew
    assert weights_of(pipe) == weights


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_balanced_is_learned_like_the_weights_that_it_stands_for(architecture):
    losses = []
    for spelled_out in (False, True):
        config = {"class_weights": "balanced"}
        nlp, optimizer = trained_nlp(steps=0, architecture=architecture, config=config)
        pipe = nlp.get_pipe("lstm_tagger")
        if spelled_out:
            pipe.cfg["class_weights"] = weights_of(pipe)
        losses.append(train(nlp, make_examples(nlp), steps=2, optimizer=optimizer))
    assert losses[0] == losses[1]


def test_balanced_in_a_training_config():
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger", config={"class_weights": "balanced"})
    reader = {"@readers": "spacy-lstm-tagger.WordTags.v1", "path": str(CORPUS / "en-dev.conllu")}
    settings = {"labels": ["DT", "IN", "NN"], "word_tags": reader}
    nlp.config["initialize"]["components"]["lstm_tagger"] = settings
    nlp.initialize(lambda: [Example(nlp.make_doc("a"), nlp.make_doc("a"))])
    assert set(pipe.cfg["tag_counts"]) == {"DT", "IN", "NN"}


@pytest.mark.parametrize("given", [True, False])
def test_balanced_counts_what_sets_of_tags_name(given):
    """A word that has one of two tags counts for both; one of which it has not, for none."""
    nlp = spacy.blank("en")
    config = {"model": small_model(), "class_weights": "balanced", "tag_separator": "|"}
    pipe = nlp.add_pipe("lstm_tagger", config=config)
    gold = {"words": list("abcdef"), "tags": ["A", "B|C", "B|C", "A", "!D", "A"]}
    examples = [Example.from_dict(Doc(nlp.vocab, words=gold["words"]), gold)]
    counts = [("a", "A", 3), ("b", "B|C", 2), ("c", "!D", 1)] if given else None
    pipe.initialize(lambda: examples, nlp=nlp, labels=["A", "B", "C", "D"], word_tags=counts)
    assert pipe.cfg["tag_counts"] == {"A": 3, "B": 2, "C": 2, "D": 0}
    pipe.from_bytes(pipe.to_bytes())  # none is a number of tokens, too


def test_a_tag_that_is_added_later_counts_like_a_token_on_average():
    nlp, _ = trained_nlp(steps=0, config={"class_weights": "balanced"})
    pipe = nlp.get_pipe("lstm_tagger")
    before = weights_of(pipe)
    pipe.add_label("NEW")
    assert weights_of(pipe) == before | {"NEW": 1.0}


def test_balanced_too_late():
    nlp, optimizer = trained_nlp(steps=0)
    nlp.get_pipe("lstm_tagger").cfg["class_weights"] = "balanced"
    with pytest.raises(ValueError, match="P006"):
        train(nlp, make_examples(nlp), steps=1, optimizer=optimizer)


def test_is_a_config_value():
    config = {"model": small_model(), "class_weights": {"NN": 2.0}}
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config=config)
    again = spacy.blank("en").from_config(nlp.config).get_pipe("lstm_tagger")
    assert again.cfg["class_weights"] == {"NN": 2.0}


def test_a_streamed_corpus():
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger", config={"model": small_model(), "class_weights": "balanced"})
    nlp.config["training"]["max_epochs"] = -1
    examples = make_examples(nlp)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipe.initialize(lambda: examples, nlp=nlp)  # which are all
        examples = (examples * 100)[:100]  # what spaCy shows of a stream
        pipe.initialize(lambda: examples, nlp=nlp, word_tags=[("dog", "NN", 900)])
    with pytest.warns(UserWarning, match=r"LW005.*lstm_tagger.word_tags\].*WordTags.v1"):
        pipe.initialize(lambda: examples, nlp=nlp)


@pytest.mark.parametrize("tag", ["NOUN|Number=Sing", "#", "a:b"])
def test_tags_that_a_config_cannot_keep(tag, tmp_path):
    nlp = spacy.blank("en")
    config = {"model": small_model(), "class_weights": {tag: 2.0}}
    with pytest.raises(ValueError, match=r"M001.*class_weights\[.*pipe.cfg"):
        nlp.add_pipe("lstm_tagger", config=config)
    pipe = nlp.add_pipe("lstm_tagger", config={"model": small_model()})
    pipe.cfg["class_weights"] = {tag: 2.0}
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path).get_pipe("lstm_tagger").cfg["class_weights"] == {tag: 2.0}
