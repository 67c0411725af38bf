"""The labels of a whole corpus, and how often each is met."""

import pytest
from spacy.util import registry

from spacy_lstm_tagger.readers import read_tag_counts


def read_labels(path, **values):
    return registry.readers.get("spacy-lstm-tagger.TagLabels.v1")(path=path, **values)


def test_labels_are_sorted_and_distinct(german):
    assert read_labels(german) == ["$.", "APPR", "ART", "NN", "PPER", "VVFIN", "X"]
    assert read_labels(german, tag="upos") == [
        "ADP", "DET", "EMOJI", "NOUN", "PRON", "PUNCT", "VERB",
    ]  # fmt: skip


def test_labels_with_features(german):
    labels = read_labels(german, tag="upos+feats")
    assert labels == sorted(set(labels))
    assert {"DET|Case=Dat", "PRON|Case=Nom|Number=Plur", "PRON", "VERB"} <= set(labels)
    assert "" not in labels and "_" not in labels


def test_labels_are_those_of_the_whole_folder(fifty):
    assert read_labels(fifty) == ["T1", "T2", "T3", "T4"]


def test_labels_of_no_path():
    with pytest.raises(ValueError, match="E913"):
        read_labels(None)


def test_labels_need_tags(tmp_path):
    path = tmp_path / "untagged.conllu"
    path.write_text("1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n\n")
    with pytest.raises(ValueError, match="R005"):
        read_labels(path)


def test_counts(tmp_path):
    path = tmp_path / "corpus.conllu"
    rows = [("the", "DT")] * 3 + [("dog", "NN"), ("that", "IN"), ("dog", "NN"), ("nothing", "_")]
    path.write_text("\n".join(f"1\t{word}\t_\tX\t{tag}" + "\t_" * 5 + "\n" for word, tag in rows))
    assert read_tag_counts(path=path) == {"DT": 3, "IN": 1, "NN": 2}
    assert read_tag_counts(path=path, tag="upos") == {"X": 7}
    with pytest.raises(ValueError, match="E913"):
        read_tag_counts(path=None)
