"""Settings and labels in a saved tagger: what is wrong is an error, and the tagger as it was."""

import subprocess
import sys

import pytest
import spacy
import srsly

from ..util import make_examples, small_model
from .test_serialize import assert_same_scores, by_disk, scores

BAD_SETTINGS = {
    "temperature": ("warm", "M001.*temperature = 'warm'.*more than 0"),
    "threshold": (2, "M001.*threshold = 2.*from 0 to 1"),
    "n_best": (1.5, "M001.*n_best = 1.5.*null or from 1 to 10000"),
    "overwrite": ("yes", "M001.*overwrite = 'yes'.*true or false"),
    "save_probabilities": (None, "M001.*save_probabilities"),
    "label_smoothing": (None, "M001.*label_smoothing = None.*below 1"),
    "neg_prefix": (None, "M001.*neg_prefix"),
    "tag_separator": (1, "M001.*tag_separator"),
    "class_weights": ([1, 2], "M001.*class_weights"),
    "soft_share": ([], "M001.*soft_share"),
    "tag_counts": ({"NN": "many"}, r"M001.*tag_counts\['NN'\] = 'many'"),
    "tag_dictionary": (["the"], r"M001.*tag_dictionary = \['the'\].*table"),
    "word_counts": ({"the": 0}, r"M001.*word_counts\['the'\] = 0"),
    "ambiguous_words": ("that", "M001.*ambiguous_words = 'that'.*list of words"),
    "labels": ({"NN": 1}, "M001.*labels"),
}
BAD_ENTRIES = [
    ({"the": 5}, r"M001.*tag_dictionary\['the'\] = 5.*list of tags"),
    ({"the": [None]}, r"M001.*tag_dictionary\['the'\]"),
    ({"the": ["XYZ"]}, "P003.*XYZ"),
    ({"the": []}, "P004.*the"),
]


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [(name, *bad) for name, bad in BAD_SETTINGS.items()]
    + [("tag_dictionary", *bad) for bad in BAD_ENTRIES],
)
def test_bad_settings_in_the_file(folder, tmp_path, name, value, error):
    nlp = spacy.load(folder)
    pipe, expected = nlp.get_pipe("lstm_tagger"), scores(nlp)
    nlp.to_disk(tmp_path)
    path, before = tmp_path / "lstm_tagger", dict(pipe.cfg)
    srsly.write_json(path / "cfg", {**pipe.cfg, name: value})
    with pytest.raises(ValueError, match=rf"(?s)L003.*lstm_tagger.*{error}"):
        pipe.from_disk(path, exclude=["vocab"])
    assert pipe.cfg == before
    assert_same_scores(scores(nlp), expected)


@pytest.mark.parametrize("text", ["", "{", "[]", "\udcff", "[" * 100_000])
def test_settings_that_are_no_json(folder, tmp_path, text):
    spacy.load(folder).to_disk(tmp_path)
    (tmp_path / "lstm_tagger" / "cfg").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=r"L003.*L006"):
        spacy.load(tmp_path)


@pytest.mark.parametrize("count", [0, 3, 5])
def test_labels_are_as_many_as_the_model_scores(folder, tmp_path, count):
    nlp = spacy.load(folder)
    labels = nlp.get_pipe("lstm_tagger").labels
    nlp.to_disk(tmp_path)
    path = tmp_path / "lstm_tagger" / "cfg"
    srsly.write_json(path, {**srsly.read_json(path), "labels": labels[:count]})
    with pytest.raises(ValueError, match=rf"L003.*L005.*{count} labels.*{len(labels)} tags"):
        spacy.load(tmp_path)
    with pytest.raises(ValueError, match="L005"):
        nlp.get_pipe("lstm_tagger").from_disk(path.parent, exclude=["vocab", "model"])


@pytest.mark.parametrize("n_tags", [None, 4])
def test_before_it_is_trained(tmp_path, n_tags):
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": {**small_model(), "nO": n_tags}})
    other = by_disk(nlp, tmp_path)
    assert other.get_pipe("lstm_tagger").labels == ()
    data = [("a b c d", "A B C D")]
    other.initialize(lambda: make_examples(other, data))
    assert len(other.get_pipe("lstm_tagger").labels) == 4


def test_what_could_not_be_loaded_is_not_saved(folder):
    nlp = spacy.load(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    pipe = nlp.get_pipe("lstm_tagger")
    pipe.cfg["threshold"] = 90
    for save in (lambda: pipe.to_disk(folder / "lstm_tagger"), nlp.to_bytes):
        with pytest.raises(ValueError, match=r"M001.*threshold = 90"):
            save()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


BAD_INITIALIZE = [
    ("word_tags", 5, r"word_tags = 5 .*null or a list"),
    ("word_tags", [("a", "A", 0)], r"word_tags\[0\] = \('a', 'A', 0\).*number of tokens"),
    ("word_tags", [("a", "A", 1), ("a", "A")], r"word_tags\[1\] = .*a word, a tag"),
    ("word_tags", [("a", "b", "A", 1)], r"word_tags\[0\] = .*a word, a tag"),
    ("word_tags", [(1, "A", 1)], r"word_tags\[0\] = .*a word, a tag"),
]


@pytest.mark.parametrize(("name", "value", "error"), BAD_INITIALIZE)
def test_bad_settings_of_initialize(name, value, error):
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger", config={"model": small_model()})
    with pytest.raises(ValueError, match=f"M001.*{error}"):
        pipe.initialize(lambda: make_examples(nlp), nlp=nlp, **{name: value})


def test_bad_settings_are_told_before_it_learns():
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger", config={"model": small_model()})
    pipe.cfg["threshold"] = 2
    with pytest.raises(ValueError, match=r"M001.*threshold = 2"):
        nlp.initialize(lambda: make_examples(nlp))
    assert pipe.labels == ()


BAD_CFG = {
    "tag_set": ("UPOS", "M001.*tag_set = 'UPOS'.*upos"),
    "tag_dictionary": ({"the": 5}, "P018.*has 5 for 'the'"),
    "n_best": (10**400, "M001.*n_best = 1000.*from 1 to 10000"),
}
BAD_CFG_IN_TRAINING = {
    "class_weights": (5, "M001.*class_weights = 5.*weight for each tag"),
    "label_smoothing": (2.5, "M001.*label_smoothing = 2.5.*below 1"),
}


@pytest.mark.parametrize("name", [*BAD_CFG, *BAD_CFG_IN_TRAINING])
def test_bad_settings_of_a_tagger_at_work(folder, name):
    nlp = spacy.load(folder)
    cfg, examples = nlp.get_pipe("lstm_tagger").cfg, make_examples(nlp)
    cfg[name], error = {**BAD_CFG, **BAD_CFG_IN_TRAINING}[name]
    with pytest.raises(ValueError, match=error):
        nlp("the dog") if name in BAD_CFG else nlp.update(examples)


def test_a_python_that_takes_bytes_for_text_as_an_error(folder):
    """As developers run theirs."""
    script = f"""import spacy
nlp = spacy.load({str(folder)!r})
nlp.add_pipe("tag_lemmatizer").initialize(lambda: [], lemmas=[("a", "DT", "a", 1)])
nlp.from_bytes(nlp.to_bytes())("A text")
"""
    subprocess.run([sys.executable, "-bb", "-c", script], check=True)


def test_settings_that_somebody_holds_stay_those_of_the_pipe(folder):
    """As those of spaCy's tagger do."""
    nlp = spacy.load(folder)
    cfg = nlp.get_pipe("lstm_tagger").cfg
    nlp.from_disk(folder)
    cfg["save_probabilities"] = True
    assert nlp("the dog")[1]._.tag_confidence > 0.0


def test_an_error_handler_hears_of_bad_settings(folder):
    nlp, heard = spacy.load(folder), []
    nlp.set_error_handler(lambda name, pipe, docs, error: heard.append(str(error)))
    nlp.get_pipe("lstm_tagger").cfg["n_best"] = 0
    assert list(nlp.pipe(["the dog"])) == []
    assert len(heard) == 1 and "n_best = 0" in heard[0]
