"""`lstm-tagger debug` at the edges of what it warns of."""

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from spacy_lstm_tagger.cli import debug

from .test_debug import make_config, run


@Language.component("nouns_alone", assigns=["token.tag"])
def nouns_alone(doc):
    for token in doc:
        token.tag_ = "NN"
    return doc


def write(path, *sentences, tag="NN"):
    """Write docs of words that all have one tag.

    RETURNS (Path): The file.
    """
    vocab = spacy.blank("en").vocab
    docs = [Doc(vocab, words=words, tags=[tag] * len(words)) for words in sentences]
    DocBin(docs=docs).to_disk(path)
    return path


def test_each_dev_sentence_that_training_has_counts(tmp_path):
    train = write(tmp_path / "train.spacy", *[["a", "dog"]] * 3, ["the", "end"])
    dev = write(tmp_path / "dev.spacy", *[["a", "dog"]] * 2, ["no", "end"])
    _, printed, _ = run(make_config(tmp_path / "config.cfg", "lstm_tagger", train=train, dev=dev))
    assert "⚠ 2 dev sentence(s) are in the train data as well" in printed
    assert "entropy" not in printed, "there is one tag alone"
    assert "⚠ All words have the tag 'NN': there is nothing to learn" in printed


@pytest.mark.parametrize("window,is_told", [(0, False), (8, False), (7, True)])
def test_docs_that_are_longer_than_the_window(tmp_path, window, is_told):
    """A window of 0 is none."""
    path = write(tmp_path / "train.spacy", ["a"], ["word"] * 8)
    config = make_config(tmp_path / "config.cfg", "lstm_tagger", train=path, dev=path)
    name = "--components.lstm_tagger.model.tok2vec.encode.window"
    code, printed, _ = run(config, name, window)
    told = f"1 doc(s) of the train data are longer than the window of {window} tokens"
    assert code == 0 and (told in printed) == is_told and ("the window" in printed) == is_told
    assert ("(the longest has 8 tokens)" in printed) == is_told


@pytest.mark.parametrize("longest,is_told", [(7, True), (8, False)])
def test_docs_that_are_a_batch_of_their_own(tmp_path, monkeypatch, longest, is_told):
    monkeypatch.setattr(debug, "LONG", longest)
    path = write(tmp_path / "train.spacy", ["a"], ["word"] * 8)
    _, printed, _ = run(make_config(tmp_path / "config.cfg", "lstm_tagger", train=path, dev=path))
    told = f"⚠ 1 doc(s) of the dev data have more than {longest} tokens"
    assert (told in printed) == is_told


@pytest.mark.parametrize("words,fitting", [(6, "small.cfg"), (5, "accurate.cfg")])
def test_small_is_up_to_so_many_words(tmp_path, monkeypatch, words, fitting):
    monkeypatch.setattr(debug, "SMALL", words)
    path = write(tmp_path / "train.spacy", ["word"] * 6)
    _, printed, _ = run(make_config(tmp_path / "config.cfg", "tagger", train=path, dev=path))
    assert f"to take for 6 words with a tag: {fitting}" in printed


@pytest.mark.parametrize("count,is_rare", [(20, True), (21, False)])
def test_few_examples(tmp_path, count, is_rare):
    path = write(tmp_path / "train.spacy", ["word"] * count)
    _, printed, _ = run(make_config(tmp_path / "config.cfg", "tagger", train=path, dev=path))
    assert (f"for 1 label(s): 'NN' ({count})" in printed) == is_rare
    assert (f"'NN' ({count})" in printed) == is_rare, "who wants to know more gives --verbose"
    assert ("Good amount of examples for all labels" in printed) != is_rare


@pytest.mark.parametrize("least,is_told", [(3, False), (4, True)])
def test_few_sentences(tmp_path, monkeypatch, least, is_told):
    monkeypatch.setattr(debug, "BLANK_MODEL_THRESHOLD", least)
    path = write(tmp_path / "train.spacy", *[["a"]] * 3)
    _, printed, _ = run(make_config(tmp_path / "config.cfg", "tagger", train=path, dev=path))
    assert ("Low number of examples to train a new pipeline (3 " in printed) == is_told


def test_one_tagger_of_two_that_cannot_be_trained(tmp_path):
    path = write(tmp_path / "train.spacy", *[["a"]] * 150, ["b"], tag="NN")
    labels = {"lstm_tagger": {"labels": ["NN"]}, "tagger": {"labels": ["VB"]}}
    config = make_config(
        tmp_path / "config.cfg",
        "lstm_tagger",
        "tagger",
        train=path,
        dev=path,
        initialize__components=labels,
    )
    code, printed, _ = run(config)
    assert code == 1 and printed.count("✘ The component lacks 1 label(s)") == 1


def test_a_new_tagger_beside_one_that_goes_on(tmp_path, trained):
    trained.to_disk(tmp_path / "source")
    path = write(tmp_path / "train.spacy", ["The", "dog"])
    config = make_config(tmp_path / "config.cfg", "lstm_tagger", "tagger", train=path, dev=path)
    source = ["--components.lstm_tagger", f'{{"source": "{tmp_path / "source"}"}}']
    _, printed, _ = run(config, *source)
    assert "Low number of examples to train a new pipeline (1 sentences)" in printed


def test_a_tagger_without_labels_is_not_trained(tmp_path):
    path = write(tmp_path / "train.spacy", ["a", "dog"])
    config = make_config(
        tmp_path / "config.cfg", "nouns_alone", "lstm_tagger", train=path, dev=path
    )
    code, printed, _ = run(config)
    assert code == 0 and printed.count("Part-of-speech Tagging") == 1


def test_an_option_that_it_lacks(tmp_path):
    path = write(tmp_path / "train.spacy", ["a", "dog"])
    config = make_config(tmp_path / "config.cfg", "lstm_tagger", train=path, dev=path)
    code, printed, _ = run(config, "--gpu-id", 0)
    assert code == 1 and printed.startswith("✘ No such option") and "--gpu-id" in printed


READER = """
import random
from spacy.util import registry
from spacy_lstm_tagger.readers import Corpus

@registry.readers("test.Repeated.v1")
def repeated(path: str, repeat: int):
    def read(nlp):
        examples = list(Corpus(path)(nlp))
        return [random.choice(examples) for _ in range(repeat)]
    return read
"""


def test_a_reader_of_another_keeps_its_settings(tmp_path):
    """And draws what it draws in training."""
    path = write(tmp_path / "train.spacy", *(["word"] * n for n in range(1, 60)))
    (tmp_path / "code.py").write_text(READER)
    reader = {"@readers": "test.Repeated.v1", "path": str(path), "repeat": 5}
    config = make_config(tmp_path / "config.cfg", "lstm_tagger", dev=path, corpora__train=reader)
    figures = [run(config, "--code", tmp_path / "code.py") for _ in range(2)]
    figures.append(run(config, "--code", tmp_path / "code.py", "--training.seed", "null"))
    assert all(code == 0 and found["docs"][0] == 5 for code, _, found in figures)
    assert figures[0][2] == figures[1][2]


def test_no_word_at_all_is_not_read(tmp_path):
    path = write(tmp_path / "train.spacy", ["a", "dog"])
    config = make_config(tmp_path / "config.cfg", "lstm_tagger", train=path, dev=path)
    code, printed, _ = run(config, "--max-words", 0)
    assert code == 2 and "--max-words" in printed
