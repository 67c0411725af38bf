"""`python -m spacy lstm-tagger report`: what it writes, and what it says of bad input."""

import json
import re
import sys
from functools import partial

import pytest
import spacy

from spacy_lstm_tagger import report
from spacy_lstm_tagger.report import Report

from ..report import make_pipeline
from ..util import SENTENCES, write_conllu
from . import is_one_error, run_command

run = partial(run_command, "report")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "model"
    make_pipeline().to_disk(path)
    return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    rows = [list(zip(text.split(), tags.split(), strict=True)) for text, tags in SENTENCES]
    return write_conllu(tmp_path_factory.mktemp("corpus") / "dev.conllu", rows * 3)


def test_formats(model, corpus, tmp_path):
    expected = Report(model, corpus, group_by=4)
    for suffix, text in (
        (".html", expected.to_html()),
        (".json", expected.to_json()),
        (".JSON", expected.to_json()),
        (".txt", expected.to_text()),
    ):
        output = tmp_path / f"report{suffix}"
        code, printed = run(model, corpus, "--output", output, "--group-by", 4)
        assert code == 0, printed
        assert output.read_text(encoding="utf-8") == text
    code, printed = run(model, corpus, "--group-by", 4)
    assert code == 0 and expected.to_text() in printed
    code, printed = run(model, corpus, "--group-by", 4, "--format", "json")
    assert code == 0 and json.loads(printed[printed.index("{") :]) == expected.figures


def test_tags_of_another_column(model, corpus, tmp_path):
    other = tmp_path / "dev.conllu"
    other.write_text(re.sub(r"\t_\t_\t(\w+)", r"\t_\t\1\t_", corpus.read_text()))
    found = []
    for path, tag in ((corpus, "xpos"), (other, "upos")):
        code, printed = run(model, path, "--tag", tag, "--output", tmp_path / "report.json")
        assert code == 0, printed
        found.append(json.loads((tmp_path / "report.json").read_text())["pipelines"][0]["figures"])
    assert found[0] == found[1]


def test_two_pipelines(model, corpus, tmp_path):
    make_pipeline(factory="tagger", steps=2).to_disk(tmp_path / "other")
    output = tmp_path / "report.json"
    code, printed = run(model, tmp_path / "other", corpus, "--output", output, "--train", corpus)
    assert code == 0, printed
    figures = json.loads(output.read_text())
    assert [pipe["name"] for pipe in figures["pipelines"]] == [str(model), str(tmp_path / "other")]
    assert all(pipe["figures"]["tag_acc_known"]["count"] == 54 for pipe in figures["pipelines"])
    assert figures["comparisons"][0]["first"] == str(model)


def test_tags_that_the_pipeline_lacks_are_named(model, tmp_path):
    rows = [[("The", "DET"), ("dog", "NN"), ("ate", "ODD")]]
    path = write_conllu(tmp_path / "dev.conllu", rows)
    code, printed = run(model, path)
    assert code == 0 and "does not give these tags: ODD" in printed
    code, _ = run(model, path, "--output", tmp_path / "report.html")
    assert "does not give these tags: <bdi>ODD<" in (tmp_path / "report.html").read_text()


def test_a_page_needs_matplotlib(model, corpus, tmp_path, monkeypatch):
    """It is missed before the work begins; text and JSON do without."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for name in ("html", "plots"):
        monkeypatch.delitem(sys.modules, f"{report.__name__}.{name}", raising=False)
        monkeypatch.delattr(report, name, raising=False)
    code, printed = run(model, tmp_path / "no file", "--output", tmp_path / "report.html")
    assert code == 1 and is_one_error(printed) and "C021" in printed and "[report]" in printed
    assert run(model, corpus, "--output", tmp_path / "report.json")[0] == 0


CASES = {
    "no corpus": ("C020", "at least one"),
    "same twice": ("C019", "of the same name"),
    "no tagger": ("C006", "no component that sets token.tag_"),
    "no tags": ("R004", "no word with a tag"),
    "empty": ("R003", "no sentence"),
    "other tags": ("C004", "does not give"),
    "no file": ("R001", "expected a file"),
    "bad format": ("M001", '"html", "json" or "text"'),
    "bad suffix": ("C007", ".html"),
}


@pytest.mark.parametrize("kind", CASES)
def test_clear_errors(model, corpus, tmp_path, kind):
    arguments, output = [model, corpus], tmp_path / "report.html"
    if kind == "no corpus":
        arguments = [corpus]
    elif kind == "same twice":
        arguments = [model, model, corpus]
    elif kind == "no tagger":
        nlp = spacy.blank("en")
        nlp.add_pipe("sentencizer")
        nlp.to_disk(tmp_path / "model")
        arguments[0] = tmp_path / "model"
    elif kind == "no tags":
        arguments[1] = write_conllu(tmp_path / "dev.conllu", [[("The", "_")]])
    elif kind == "empty":
        arguments[1] = tmp_path / "dev.conllu"
        arguments[1].write_text("\n")
    elif kind == "other tags":
        arguments[1] = write_conllu(tmp_path / "dev.conllu", [[("The", "X1"), ("dog", "X2")]])
    elif kind == "no file":
        arguments[1] = tmp_path / "dev.conllu"
    elif kind == "bad format":
        arguments += ["--format", "pdf"]
    else:
        output = tmp_path / "report.pdf"
    code, printed = run(*arguments, "--output", output)
    assert code == 1 and is_one_error(printed), printed
    for part in CASES[kind]:
        assert part in printed
    assert not output.exists()
