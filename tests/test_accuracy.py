"""The accuracy harness: its statistics, and one run from training to table."""

import json

import pytest

from benchmarks import accuracy

from .conftest import ROOT


def test_mcnemar():
    assert accuracy.mcnemar([1, 0, 1], [1, 0, 1]) == 1.0
    # Ten tokens that only the first gets right: as rare as ten heads or ten tails.
    assert accuracy.mcnemar([1] * 10 + [0], [0] * 11) == pytest.approx(2 / 2**10)
    assert accuracy.mcnemar([1, 0], [0, 1]) == 1.0


def test_known_and_unknown_words(trained):
    path = ROOT / "corpus" / "en-dev.conllu"
    every, correct = accuracy.score(trained, path, "xpos", {"the", "."})
    assert len(correct) == sum(1 for s in accuracy.read(path, "xpos") for _ in s.words)
    assert every["sentences"] == pytest.approx(100 * sum(correct) / len(correct), abs=0.01)
    low, high = sorted([every["known"], every["unknown"]])
    assert low <= every["sentences"] <= high


def test_a_run_is_kept_and_not_repeated(tmp_path, monkeypatch, capsys):
    ud = tmp_path / "ud" / "tiny"
    ud.mkdir(parents=True)
    text = (ROOT / "corpus" / "tutorial.conllu").read_text()
    for split in ("train", "dev"):
        (ud / f"{split}.conllu").write_text(text)
    small = {"components.lstm_tagger.model.tok2vec.width": 8, **accuracy.steps(4)}
    variant = accuracy.Variant(treebank="tiny", overrides=small)
    monkeypatch.setitem(accuracy.VARIANTS, "ewt", variant)
    results = tmp_path / "results.json"
    folders = ["--ud", str(ud.parent), "--output", str(tmp_path / "out"), "--results", str(results)]
    accuracy.main(["--variants", "ewt", "--seeds", "0", *folders])
    row = capsys.readouterr().out.splitlines()[-1]
    assert row.startswith("| ewt | 1 |")
    (run,) = json.loads(results.read_text()).values()
    assert run["overrides"]["training.max_steps"] == 4
    monkeypatch.setattr(accuracy, "run", None)  # would fail if it were called
    accuracy.main(["--variants", "ewt", "--seeds", "0", *folders])
    assert capsys.readouterr().out.splitlines()[-1] == row
