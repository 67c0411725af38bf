"""`python -m spacy lstm-tagger calibrate`: it fits, reports and saves; tags stay as they are."""

import subprocess
import sys

import pytest
import spacy
from spacy.tokens import DocBin

import spacy_lstm_tagger.cli  # noqa: F401
from spacy_lstm_tagger.readers import Corpus

from ..util import trained_nlp


@pytest.fixture
def model(small_corpus, tmp_path):
    """A tagger that is far too sure: it is trained on half of the data with large weights."""
    nlp, optimizer = trained_nlp(steps=0)
    examples = list(Corpus(small_corpus)(nlp))
    nlp.initialize(lambda: examples)
    for _ in range(15):
        nlp.update(examples[::2], sgd=optimizer)
    softmax = nlp.get_pipe("lstm_tagger").model.get_ref("softmax")
    softmax.set_param("W", softmax.get_param("W") * 5)
    nlp.to_disk(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("kind", ["conllu", "spacy"])
def test_calibrate(model, small_corpus, spacy_command, tmp_path, kind):
    path, output = small_corpus, tmp_path / "calibrated"
    if kind == "spacy":
        path = tmp_path / "dev.spacy"
        docs = [eg.reference for eg in Corpus(small_corpus)(spacy.blank("en"))]
        DocBin(docs=docs).to_disk(path)
    printed = spacy_command("lstm-tagger", "calibrate", model, path, "--output", output)
    before, after = (
        float(line.split()[-1]) for line in printed.splitlines() if "calibration error" in line
    )
    assert after < before
    nlp, calibrated = spacy.load(model), spacy.load(output)
    assert calibrated.get_pipe("lstm_tagger").cfg["temperature"] > 1.5
    doc, other = nlp("The dog left."), calibrated("The dog left.")
    assert [token.tag_ for token in doc] == [token.tag_ for token in other]


def test_a_component_of_another_kind(tmp_path, small_corpus, spacy_command):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "model")
    arguments = [tmp_path / "model", small_corpus, "--name", "sentencizer"]
    with pytest.raises(AssertionError) as error:
        spacy_command("lstm-tagger", "calibrate", *arguments, "--output", tmp_path / "out")
    assert "P016" in str(error.value.__cause__)
    assert not (tmp_path / "out").exists()


def test_spacy_finds_the_command():
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "--help"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0 and "calibrate" in result.stdout
