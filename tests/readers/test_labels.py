"""The labels of a whole corpus, and how often each is met."""

import pytest
import spacy
from spacy.util import registry

from spacy_lstm_tagger.readers import (
    Corpus,
    read_morph_labels,
    read_tag_counts,
    read_word_lemmas,
    read_word_tags,
)

from ..util import CORPUS
from .test_docbin import to_spacy


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
    with pytest.raises(ValueError, match="R004"):
        read_labels(path)


@pytest.mark.parametrize("read", [read_labels, read_word_lemmas, read_morph_labels])
def test_labels_need_sentences(tmp_path, read):
    path = tmp_path / "empty.conllu"
    path.write_text("# text = nothing\n")
    with pytest.raises(ValueError, match=r"R003.*empty\.conllu"):
        read(path=path)


def test_counts(tmp_path):
    path = tmp_path / "corpus.conllu"
    rows = [("the", "DT")] * 3 + [("dog", "NN"), ("that", "IN"), ("dog", "NN"), ("nothing", "_")]
    path.write_text("\n".join(f"1\t{word}\t_\tX\t{tag}" + "\t_" * 5 + "\n" for word, tag in rows))
    assert read_tag_counts(path=path) == {"DT": 3, "IN": 1, "NN": 2}
    assert read_tag_counts(path=path, tag="upos") == {"X": 7}
    assert list(read_word_tags(path=path)) == [
        ("the", "DT", 3),
        ("dog", "NN", 2),
        ("that", "IN", 1),
    ]
    with pytest.raises(ValueError, match="E913"):
        read_tag_counts(path=None)


def test_what_is_frequent_comes_first(tmp_path):
    path = tmp_path / "corpus.conllu"
    rows = ["dog\tdog\tX\tNN"] + ["the\tthe\tX\tDT"] * 2
    path.write_text("\n".join(f"1\t{row}" + "\t_" * 5 + "\n" for row in rows))
    assert list(read_word_tags(path=path)) == [("the", "DT", 2), ("dog", "NN", 1)]
    assert [each[-1] for each in read_word_lemmas(path=path)] == [2, 1]


def test_lemmas(tmp_path):
    path = tmp_path / "corpus.conllu"
    rows = ["dogs\tdog\tNOUN\tNNS", "dogs\tdog\tNOUN\tNNS", "a\t_\tDET\tDT", "the\tthe\t_\t_"]
    path.write_text("\n".join(f"1\t{row}" + "\t_" * 5 + "\n" for row in rows))
    assert list(read_word_lemmas(path=path)) == [("dogs", "NNS", "dog", 2)]
    assert list(read_word_lemmas(path=path, tag="upos")) == [("dogs", "NOUN", "dog", 2)]
    path.write_text(f"1\t{rows[2]}" + "\t_" * 5 + "\n\n")
    with pytest.raises(ValueError, match=r"R018.*corpus.conllu.*Give data with lemmas"):
        read_word_lemmas(path=path)
    path.write_text("1\tdogs\tdog\tNOUN" + "\t_" * 6 + "\n\n")
    with pytest.raises(ValueError, match=r"R004.*tag = 'upos'"):
        read_word_lemmas(path=path)
    with pytest.raises(ValueError, match="E913"):
        read_word_lemmas(path=None)


def morph_labels(path):
    return registry.readers.get("spacy-lstm-tagger.MorphLabels.v1")(path=path)


@pytest.mark.parametrize("path", [CORPUS / "en-train.conllu", None])
def test_labels_of_a_morphologizer(tmp_path, german, path):
    """Those that spaCy's component finds when it is shown all examples."""
    path, nlp = path or german, spacy.blank("en")
    pipe = nlp.add_pipe("morphologizer")
    examples = list(Corpus(path)(nlp))
    nlp.initialize(lambda: examples)
    # It takes a word with neither for another label, which it never learns.
    expected = {
        kind: {label: value for label, value in values.items() if label != "_"}
        for kind, values in pipe.label_data.items()
    }
    labels = morph_labels(path)
    assert {kind: labels[kind] for kind in expected} == expected
    assert list(labels["morph"]) == list(labels["pos"]) == sorted(expected["pos"])
    assert morph_labels(to_spacy(path, tmp_path / "a.spacy")) == labels


def test_labels_of_words_with_one_or_neither(german):
    labels = morph_labels(german)
    assert {"POS=VERB", "POS=PRON", "Foo=Bar", "Case=Dat|POS=DET"} <= set(labels["morph"])
    assert labels["morph"]["POS=VERB"] == "" and labels["pos"]["Foo=Bar"] == 0
    assert "" not in labels["morph"] and "_" not in labels["morph"]


def test_coarse_tags_of_each_tag(tmp_path):
    """Of words that have both."""
    path = tmp_path / "a.conllu"
    pairs = [("SCONJ", "IN"), ("DET", "DT"), ("ADP", "IN"), ("_", "FW"), ("NOUN", "_")]
    rows = (f"1\ta\t_\t{pos}\t{tag}" + "\t_" * 5 + "\n" for pos, tag in pairs)
    path.write_text("\n".join(rows))
    assert morph_labels(path)["tags"] == {"DT": ["DET"], "IN": ["ADP", "SCONJ"]}


def test_no_labels_of_a_morphologizer(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text("1\ta\t_\t_\tT\t_\t_\t_\t_\t_\n\n")
    with pytest.raises(ValueError, match=r"R017.*a\.conllu.*pos_ \(UPOS\) or features"):
        read_morph_labels(path=path)
    with pytest.raises(ValueError, match="E913"):
        read_morph_labels(path=None)


def test_a_morphologizer_on_a_streamed_corpus(german):
    path = german
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("morphologizer")
    nlp.config["initialize"]["components"]["morphologizer"] = {
        "labels": {"@readers": "spacy-lstm-tagger.MorphLabels.v1", "path": str(path)}
    }
    first, second = Corpus(path)(nlp)
    nlp.initialize(lambda: [second])
    assert "Case=Dat|POS=DET" in pipe.labels and "Foo=Bar" in pipe.labels
    assert nlp.update([first, second])["morphologizer"] > 0
