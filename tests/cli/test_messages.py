"""What the commands print goes into any encoding, such as that of a file on Windows."""

import spacy
from spacy.cli._util import app
from spacy.tokens import Doc, DocBin
from typer.testing import CliRunner

from ..util import CONFIGS


def run_in_cp1252(monkeypatch, *arguments):
    """RETURNS (tuple): The exit status of a command, and what it printed."""
    monkeypatch.setattr("wasabi.util.ENCODING", "cp1252")
    runner = CliRunner(charset="cp1252")
    result = runner.invoke(app, ["lstm-tagger", *map(str, arguments)])
    return result.exit_code, result.output


def test_names_are_escaped(model, texts, tmp_path, monkeypatch):
    output = tmp_path / "é文.tsv"
    code, printed = run_in_cp1252(monkeypatch, "tag", model, texts["txt"], "--output", output)
    assert code == 0 and output.exists() and r"é\u6587.tsv" in printed
    bad = tmp_path / "é文.txt"
    bad.write_bytes(b"I slept\n\xff\n")
    arguments = ("tag", model, bad, "--output", tmp_path / "out.tsv")
    code, printed = run_in_cp1252(monkeypatch, *arguments)
    assert code == 1 and r"é\u6587.txt, line 2" in printed and "Traceback" not in printed
    code, printed = run_in_cp1252(monkeypatch, *arguments, "--skip-bad", 1)
    assert code == 0 and "Left out 1 text(s)" in printed


def test_tags_are_escaped(tmp_path, monkeypatch):
    """Also where wasabi prints them, as in a title."""
    path = tmp_path / "train.spacy"
    doc = Doc(spacy.blank("en").vocab, words=["a", "b"], tags=["é", "文"])
    DocBin(docs=[doc] * 20).to_disk(path)
    arguments = ("--paths.train", path, "--paths.dev", path)
    code, printed = run_in_cp1252(monkeypatch, "debug", CONFIGS / "cpu.cfg", *arguments)
    assert code == 0, printed
    assert "é" in printed and r"\u6587" in printed
