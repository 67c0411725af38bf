"""`python -m spacy lstm-tagger calibrate`: it fits, reports and saves; tags stay as they are."""

import re
import shutil
from functools import partial

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_lstm_tagger.pipeline import LSTMTagger
from spacy_lstm_tagger.readers import Corpus

from ..util import listening_nlp, train, trained_nlp
from . import is_one_error, run_command


@pytest.fixture(scope="module")
def sure(small_corpus, tmp_path_factory):
    """A tagger that is far too sure: it is trained on half of the data with large weights."""
    nlp, optimizer = trained_nlp(steps=0)
    examples = list(Corpus(small_corpus)(nlp))
    nlp.initialize(lambda: examples)
    for _ in range(15):
        nlp.update(examples[::2], sgd=optimizer)
    softmax = nlp.get_pipe("lstm_tagger").model.get_ref("softmax")
    softmax.set_param("W", softmax.get_param("W") * 5)
    path = tmp_path_factory.mktemp("sure") / "model"
    nlp.to_disk(path)
    return path


@pytest.fixture
def model(sure, tmp_path):
    """A copy, which a test may change."""
    return shutil.copytree(sure, tmp_path / "model")


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
    assert after < before and "Left out" not in printed
    nlp, calibrated = spacy.load(model), spacy.load(output)
    assert calibrated.get_pipe("lstm_tagger").cfg["temperature"] > 1.5
    doc, other = nlp("The dog left."), calibrated("The dog left.")
    assert [token.tag_ for token in doc] == [token.tag_ for token in other]


run = partial(run_command, "calibrate")


def test_in_its_own_place(model, small_corpus, spacy_command):
    (model / "notes.txt").write_text("mine")
    spacy_command("lstm-tagger", "calibrate", model, small_corpus, "--output", model)
    assert spacy.load(model).get_pipe("lstm_tagger").cfg["temperature"] > 1.5
    assert (model / "notes.txt").read_text() == "mine"
    assert [path.name for path in model.parent.iterdir()] == ["model"]


def test_a_tagger_of_any_name(model, small_corpus, spacy_command, tmp_path):
    nlp = spacy.load(model)
    nlp.rename_pipe("lstm_tagger", "tags")
    nlp.to_disk(model)
    spacy_command("lstm-tagger", "calibrate", model, small_corpus, "--output", tmp_path / "out")
    assert spacy.load(tmp_path / "out").get_pipe("tags").cfg["temperature"] > 1.5


def test_a_tagger_that_listens(small_corpus, spacy_command, tmp_path):
    """What comes before it has its say, and what comes behind it is not run."""
    nlp = listening_nlp()
    examples = list(Corpus(small_corpus)(nlp))
    train(nlp, examples, steps=5, optimizer=nlp.initialize(lambda: examples))
    nlp.add_pipe("fails_behind_the_tagger")
    temperatures = []
    for name in ("shared", "own"):
        if name == "own":
            nlp.replace_listeners("tok2vec", "lstm_tagger", ["model.tok2vec"])
        nlp.to_disk(tmp_path / name)
        spacy_command("lstm-tagger", "calibrate", tmp_path / name, small_corpus, "-o", tmp_path)
        pipe = spacy.load(tmp_path).get_pipe("lstm_tagger")
        temperatures.append(pipe.cfg["temperature"])
    assert temperatures[0] == pytest.approx(temperatures[1]) != 1.0


def test_no_tagger_at_all(tmp_path, small_corpus):
    spacy.blank("en").to_disk(tmp_path / "model")
    status, printed = run(tmp_path / "model", small_corpus, "--output", tmp_path / "out")
    assert status == 1 and is_one_error(printed)
    assert "C006" in printed and str(tmp_path / "model") in printed


@pytest.mark.parametrize(
    "name,code", [("sentencizer", "P008"), ("lstm_taggger", "C005"), ("", "C005")]
)
def test_a_component_of_another_kind(tmp_path, small_corpus, name, code):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "model")
    arguments = [tmp_path / "model", small_corpus, "--component", name]
    status, printed = run(*arguments, "--output", tmp_path / "out")
    assert status == 1 and is_one_error(printed) and code in printed and "--component" in printed
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("tag", ["upos", "upos+feats"])
def test_tags_of_another_column(model, small_corpus, tmp_path, tag):
    before = sorted(tmp_path.rglob("*"))
    status, printed = run(model, small_corpus, "--tag", tag, "--output", tmp_path / "out")
    assert status == 1 and is_one_error(printed)
    assert "C004" in printed and "tag = upos" in printed and "Give --tag xpos." in printed
    assert sorted(tmp_path.rglob("*")) == before


def test_data_of_another_tag_set(model, small_corpus, tmp_path):
    path = tmp_path / "dev.conllu"
    rows = [line.split("\t") for line in small_corpus.read_text().splitlines()]
    rows = [[*row[:3], "_", "STTS", *row[5:]] if len(row) > 1 else row for row in rows]
    path.write_text("".join("\t".join(row) + "\n" for row in rows))
    status, printed = run(model, path, "--output", tmp_path / "out")
    assert status == 1 and is_one_error(printed)
    assert "STTS" in printed and "data of the same tag set" in printed


def test_a_rare_tag_that_the_tagger_lacks(model, small_corpus, tmp_path):
    """Its words are left out."""
    path = tmp_path / "dev.conllu"
    path.write_text(small_corpus.read_text().replace("\tIN\t", "\tAPPR\t", 1))
    tokens = {}
    for name, data in (("all", small_corpus), ("less", path)):
        status, printed = run(model, data, "--output", tmp_path / name)
        assert status == 0, printed
        tokens[name] = int(re.search(r"tokens +([0-9]+)", printed)[1])
    assert "Left out" in printed and "APPR" in printed
    assert tokens["less"] == tokens["all"] - 1


@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk_leaves_nothing_half(model, small_corpus, tmp_path, monkeypatch, there):
    def fail(self, path, **options):
        raise OSError("No space left on device")

    if there:
        run(model, small_corpus, "--output", tmp_path / "out")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    monkeypatch.setattr(LSTMTagger, "to_disk", fail)
    status, printed = run(model, small_corpus, "--output", tmp_path / "out")
    assert status == 1 and "✘ No space left on device" in printed
    assert (tmp_path / "out").exists() == there
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
