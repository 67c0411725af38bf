"""Options that several commands have: an empty path is none, rather than this folder."""

import pytest

from . import is_one_error, run_command


@pytest.mark.parametrize("command", ["tag", "label", "calibrate"])
def test_an_empty_path(model, texts, small_corpus, tmp_path, monkeypatch, command):
    """As of a variable that is not set: what is in this folder was replaced."""
    monkeypatch.chdir(tmp_path)
    here = tmp_path / texts["jsonl"].name
    here.write_text("mine")
    before = sorted(tmp_path.iterdir())
    data = {"tag": [texts["jsonl"]], "label": ["--texts", texts["jsonl"]]}
    data["calibrate"] = [small_corpus]
    code, printed = run_command(command, model, *data[command], "--output", "")
    assert code == 1 and is_one_error(printed) and "--output = '' is not allowed" in printed
    if command != "calibrate":
        empty = {"tag": [""], "label": ["--texts", ""]}[command]
        code, printed = run_command(command, model, *empty, "--output", tmp_path / "out.jsonl")
        assert code == 1 and is_one_error(printed) and "= '' is not allowed" in printed
    assert here.read_text() == "mine" and sorted(tmp_path.iterdir()) == before
