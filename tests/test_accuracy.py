"""The accuracy harness: its statistics, and one run from training to table."""

import json
import sys
from contextlib import nullcontext
from itertools import chain

import pytest
import spacy
from spacy.language import Language
from spacy.util import load_config, registry
from thinc.api import ConfigValidationError

from benchmarks import accuracy, variants
from spacy_lstm_tagger.readers import Corpus

from .util import CONFIGS, CORPUS, ROOT


def test_known_and_unknown_words(trained):
    path = CORPUS / "en-dev.conllu"
    every = accuracy.score(trained, path, "xpos", {"the", "."})
    expected = 100 * trained.evaluate(Corpus(path)(trained))["tag_acc"]
    assert every["sentences"] == pytest.approx(expected, abs=0.01)
    low, high = sorted([every["known"], every["unknown"]])
    assert low <= every["sentences"] <= high


@Language.component("only_full_stops")
def only_full_stops(doc):
    for token in doc:
        token.tag_ = "." if token.text == "." else "X"
    return doc


def test_noise():
    nlp = spacy.blank("en")
    nlp.add_pipe("only_full_stops")
    path = CORPUS / "en-dev.conllu"
    clean = accuracy.score(nlp, path, "xpos", set())["sentences"]
    noisy = accuracy.score_noisy(nlp, path, "xpos")
    assert set(noisy) == set(accuracy.NOISE)
    assert noisy["lower"] == noisy["upper"] == noisy["typos"] == clean > noisy["no_final"]


def test_a_run_is_kept_and_not_repeated(tmp_path, monkeypatch, capsys):
    ud = tmp_path / "ud" / "tiny"
    ud.mkdir(parents=True)
    text = (CORPUS / "tutorial.conllu").read_text()
    for split in ("train", "dev"):
        (ud / f"{split}.conllu").write_text(text)
    small = {"components.lstm_tagger.model.tok2vec.encode.width": 8, **variants.steps(4)}
    small["training.eval_frequency"] = 4
    variant = variants.Variant(treebank="tiny", overrides=small)
    monkeypatch.setitem(variants.VARIANTS, "accurate", variant)
    results = tmp_path / "results.json"
    folders = ["--ud", str(ud.parent), "--output", str(tmp_path / "out"), "--results", str(results)]
    accuracy.main(["--variants", "accurate", "--seeds", "0", *folders])
    tables = capsys.readouterr().out
    row, noise = (table.splitlines()[-1] for table in tables.split("\n\n"))
    assert row.startswith("| accurate | 1 |") and noise.startswith("| accurate | 1 |")
    (run,) = json.loads(results.read_text()).values()
    assert run["overrides"]["training.max_steps"] == 4
    (*_, (seconds, value)) = run["curve"]
    assert 0 < seconds <= run["train_seconds"] + 1
    assert value == pytest.approx(run["sentences"], abs=0.01)
    monkeypatch.setattr(accuracy, "run", None)  # would fail if it were called
    accuracy.main(["--variants", "accurate", "--seeds", "0", *folders])
    assert capsys.readouterr().out == tables


def test_a_learning_curve_is_a_line():
    run = {"tag": "xpos", "sentences": 95.5, "curve": [[1, 90.0], [2, 95.5]]}
    text = accuracy.as_json({"b/0": run, "a/0": run})
    assert json.loads(text) == {"a/0": run, "b/0": run} and text.index("a/0") < text.index("b/0")
    assert '  "curve": [[1, 90.0], [2, 95.5]]\n' in text
    published = (ROOT / "benchmarks" / "results" / "accuracy.json").read_text(encoding="utf-8")
    assert accuracy.as_json(json.loads(published)) == published


def test_what_is_published_is_printed_without_a_treebank(monkeypatch, capsys):
    monkeypatch.delenv("UD_FOLDER", raising=False)
    published = ROOT / "benchmarks" / "results" / "accuracy.json"
    before = published.read_bytes()
    accuracy.main(["--variants", "cnn", "accurate", "--results", str(published)])
    assert "| accurate | 3 | 95.48 ± 0.06 |" in capsys.readouterr().out
    assert published.read_bytes() == before


def test_where_treebanks_are_is_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("UD_FOLDER", raising=False)
    given = ["--variants", "accurate", "--output", str(tmp_path / "out")]
    with pytest.raises(SystemExit):
        accuracy.main(given)
    error = capsys.readouterr().err
    assert "--ud is missing" in error and "set UD_FOLDER" in error
    monkeypatch.setenv("UD_FOLDER", str(tmp_path))
    with pytest.raises(SystemExit):
        accuracy.main(given)
    assert f"no file {tmp_path / 'en_ewt' / 'train.conllu'}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_file_that_a_variant_needs_is_asked_for(tmp_path, capsys):
    folder = tmp_path / "en_ewt"
    folder.mkdir()
    for split in ("train", "dev"):
        (folder / f"{split}.conllu").touch()
    with pytest.raises(SystemExit):
        given = ["--ud", str(tmp_path), "--output", str(tmp_path / "out")]
        accuracy.main([*given, "--variants", "pretrained"])
    assert "--pretrained" in capsys.readouterr().err
    assert accuracy.needed(variants.VARIANTS["pretrained"]) == {"pretrained": "paths.init_tok2vec"}


def test_pretrained_weights_are_loaded(tmp_path):
    """spaCy reads them only with a [pretraining] block, which no config of ours has."""
    config = CONFIGS / "accurate.cfg"
    path = accuracy.with_pretraining(config, tmp_path / "run" / "pretrain.cfg")
    corpus = CORPUS / "en-dev.conllu"
    overrides = dict.fromkeys(["paths.train", "paths.dev"], str(corpus))
    overrides["paths.init_tok2vec"] = str(tmp_path / "missing.bin")
    for each, error in ((path, pytest.raises(ConfigValidationError)), (config, nullcontext())):
        loaded = spacy.util.load_config(each, overrides, interpolate=True)
        nlp = spacy.util.load_model_from_config(loaded, auto_fill=True)
        with error:
            nlp.initialize(lambda nlp=nlp: Corpus(corpus, tag="xpos", limit=5)(nlp))


def test_failed_training_is_an_error(tmp_path):
    log = tmp_path / "log"
    command = [sys.executable, "-c", "print('what went wrong'); raise SystemExit(3)"]
    with pytest.raises(RuntimeError, match=r"exit code 3.*log"):
        accuracy.follow(command, log)
    assert "what went wrong" in log.read_text()


@pytest.mark.parametrize("name", [n for n, v in variants.VARIANTS.items() if v.config])
def test_variants_set_what_their_config_has(name):
    """A variant whose override is misspelt would silently be the config itself."""
    variant = variants.VARIANTS[name]
    path = CONFIGS / variant.config
    config = load_config(path, overrides=dict(variant.overrides))
    registry.fill({"model": config["components"]["lstm_tagger"]["model"]}, validate=True)
    training = load_config(path)["training"]
    blocks = (training, training["batcher"], training["optimizer"])
    known = {"learn_rate", *training["optimizer"]["learn_rate"], *chain(*blocks)}
    for key in variant.overrides:
        assert not key.startswith("training.") or key.split(".")[-1] in known


def test_time_to_the_accuracy_of_the_reference():
    runs = {"0": {"treebank": "x", "curve": [[10, 90.0], [20, 95.0]]}}
    reference = {"0": {"treebank": "x", "curve": [[10, 80.0], [50, 94.0], [60, 93.0]]}}
    assert accuracy.time_share(runs, reference) == "40%"
    assert accuracy.time_share(reference, runs) == ""  # never reached
    assert accuracy.time_share(runs | {"1": reference["0"]}, reference | {"1": runs["0"]}) == ""
