"""What the commands print goes into any encoding, such as that of a file on Windows."""

import json
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO, StringIO, TextIOWrapper

import pytest
import spacy
from spacy.cli._util import app
from spacy.tokens import Doc, DocBin
from typer.testing import CliRunner

from spacy_lstm_tagger.cli.messages import clear_errors, tell_done
from spacy_lstm_tagger.cli.report import report_cli

from ..processes import on_posix
from ..util import CONFIGS, write_conllu
from . import run_command


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


def test_a_page_and_json_are_utf_8_wherever_they_go(model, tmp_path):
    """As a page says of itself; its script may not change by a letter."""
    corpus = write_conllu(tmp_path / "dev.conllu", [[("café", "NN"), ("α", "NN")]])
    for kind in ("html", "json"):
        output = tmp_path / f"report.{kind}"
        assert run_command("report", model, corpus, "--output", output)[0] == 0
        arguments = ["report", model, corpus, "--format", kind]
        result = CliRunner(charset="cp1252").invoke(app, ["lstm-tagger", *map(str, arguments)])
        assert output.read_bytes() + b"\n" in result.stdout_bytes.replace(b"\r\n", b"\n")


def test_a_page_where_standard_output_takes_text_alone(model, tmp_path, monkeypatch):
    """As that of a notebook."""
    corpus = write_conllu(tmp_path / "dev.conllu", [[("dog", "NN")]])
    monkeypatch.setattr("sys.stdout", StringIO())
    report_cli([str(model), str(corpus)], format="json", group_by="10")
    assert json.loads(sys.stdout.getvalue())["corpus"]["words"] == 1


@on_posix
def test_work_goes_on_where_its_terminal_is_closed():
    """As `nohup` has it; and signals mean what they meant before."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN), signal.getsignal(signal.SIGTERM)
    try:
        with clear_errors():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) == before[1]
    finally:
        signal.signal(signal.SIGHUP, before[0])


def test_work_in_a_thread():
    """Which may not say what signals do."""

    def work():
        with clear_errors():
            return "done"

    with ThreadPoolExecutor(1) as executor:
        assert executor.submit(work).result() == "done"


def test_what_is_our_own_fault_keeps_its_traceback():
    with pytest.raises(RuntimeError, match="no idea"), clear_errors():
        raise RuntimeError("no idea")


@pytest.mark.parametrize(
    "errors,printed",
    [("strict", rb"\xe9\u6587"), ("surrogateescape", rb"\xe9\u6587"), ("replace", b"??")],
)
def test_any_text_where_the_locale_is_c(monkeypatch, errors, printed):
    stream = TextIOWrapper(BytesIO(), "ascii", errors=errors)
    monkeypatch.setattr("sys.stdout", stream)
    with clear_errors():
        print("é文", flush=True)
    assert stream.buffer.getvalue().strip() == printed


def test_tags_are_escaped(tmp_path, monkeypatch):
    """Also where wasabi prints them, as in a title."""
    path = tmp_path / "train.spacy"
    doc = Doc(spacy.blank("en").vocab, words=["a", "b"], tags=["é", "文"])
    DocBin(docs=[doc] * 20).to_disk(path)
    arguments = ("--paths.train", path, "--paths.dev", path)
    code, printed = run_in_cp1252(monkeypatch, "debug", CONFIGS / "cpu.cfg", *arguments)
    assert code == 0, printed
    assert "é" in printed and r"\u6587" in printed


@on_posix
def test_what_is_said_does_not_go_into_a_stream(tmp_path, capsys):
    tell_done("Saved report", str(tmp_path / "report.json"))
    printed = capsys.readouterr()
    assert "Saved report" in printed.out and not printed.err
    tell_done("Saved report", "/dev/stdout")
    printed = capsys.readouterr()
    assert "Saved report" in printed.err and not printed.out
