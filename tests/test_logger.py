"""What a training prints, shows and keeps."""

import json
from io import StringIO

import numpy as np
import pytest
import spacy
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config, load_config_from_str

from spacy_lstm_tagger.logger import (
    FILE,
    TrainingLog,
    TrainingProgress,
    create_progress_logger,
    read_training_log,
)

from .util import CONFIGS, SMALL_SETTINGS, Terminal


def make_info(step=0, score=0.5, **values):
    info = {"step": step, "epoch": 1, "words": 1000 * step, "seconds": step, "score": score}
    info |= {
        "losses": {"lstm_tagger": 12.5},
        "other_scores": {"tag_acc": score, "tag_acc_known": 0.9},
    }
    return info | values


@pytest.fixture(scope="module")
def nlp():
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger")
    nlp.config["training"]["max_steps"] = 40
    return nlp


def test_a_training_keeps_its_figures_beside_the_model(short_training):
    folder, printed = short_training
    records = read_training_log(folder / FILE)
    assert [record["step"] for record in records] == [0, 2, 4]
    meta = json.loads((folder / "model-last" / "meta.json").read_text())["performance"]
    last = records[-1]
    assert meta["tag_acc"] == pytest.approx(last["scores"]["tag_acc"])
    assert meta["lstm_tagger_loss"] == pytest.approx(last["losses"]["lstm_tagger"])
    assert last["words"] > records[1]["words"] > 0
    rows = [line.split() for line in printed.splitlines() if line.strip()[:1].isdigit()]
    assert [row[1] for row in rows] == ["0", "2", "4"]
    assert "words/s" not in printed, "no live line in a file"


def test_the_scores_of_a_trained_pipeline(short_training, small_docs, spacy_command, tmp_path):
    """The words of its training are known: they are in its meta and in what spaCy evaluates."""
    folder, _ = short_training
    meta = json.loads((folder / "model-last" / "meta.json").read_text())["performance"]
    assert meta["tag_acc_known"] == pytest.approx(meta["tag_acc"])
    assert 0.0 < meta["tag_macro_f"] < 1.0 and "NN" in meta["tag_per_type"]
    data, figures = tmp_path / "dev.spacy", tmp_path / "figures.json"
    spacy.tokens.DocBin(docs=small_docs).to_disk(data)
    spacy_command("evaluate", folder / "model-last", data, "--output", figures, "--gold-preproc")
    scores = json.loads(figures.read_text())
    assert scores["tag_acc_known"] == pytest.approx(scores["tag_acc"])
    assert scores["tag_acc_unknown"] is None and scores["tag_acc_ambiguous"] is not None
    assert scores["tag_per_type"]["NN"]["f"] > 0.0


def test_a_live_line_on_a_terminal(nlp, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    stdout, stderr = StringIO(), Terminal()
    log_step, finalize = create_progress_logger(path=tmp_path / "log.jsonl")(nlp, stdout, stderr)
    for info in (make_info(), None, None, make_info(3, score=0.75), None):
        log_step(info)
    finalize()
    shown = stderr.getvalue().split("\r")[2::2]
    assert "step 2 of 40" in shown[1] and "loss 12.50" in shown[1]
    assert "best 0.5000  at step 0" in shown[1] and "best 0.7500  at step 3" in shown[3]
    assert shown[2] == shown[-1] == "", "it is gone before a row is printed, and at the end"
    table = stdout.getvalue().splitlines()
    assert len(table) == 4 and table[0].startswith("E ") and "50.00" in table[2]
    assert len(read_training_log(tmp_path / "log.jsonl")) == 2


def test_what_the_line_tells():
    """The evaluation at step 0 took 60 seconds, each step since then two."""
    now = iter([60.0, 62.0, 64.0, 66.0, 66.0])
    progress = TrainingProgress(100, clock=lambda: next(now))
    progress.update(make_info(words=3000))
    for _ in range(3):
        progress.update(None)
    line = "step 3 of 100  loss 12.50  1,500 words/s  0:03:14 left  best 0.5000  at step 0"
    assert str(progress) == line


def test_of_two_best_steps_the_later_one_is_told():
    """Which is the one that spaCy saves."""
    progress = TrainingProgress(0, clock=lambda: 0.0)
    for step, score in enumerate((0.25, 0.75, 0.75, 0.5)):
        progress.update(make_info(step, score))
    assert "best 0.7500  at step 2" in str(progress)


def test_speed_is_that_of_steps_without_an_evaluation():
    """Where there are none, evaluations are in it."""
    now = iter([0.0, 1.0, 2.0, 50.0, 60.0, 61.0, 61.0])
    progress = TrainingProgress(0, clock=lambda: next(now))
    for info in (make_info(words=1000), None, None, make_info(3, words=4000), None, None):
        progress.update(info)
    assert "1,000 words/s" in str(progress)
    now = iter([0.0, 10.0, 20.0, 20.0])
    for step in range(3):
        if not step:
            progress = TrainingProgress(0, clock=lambda: next(now))
        progress.update(make_info(step, words=1000 * (step + 1)))
    assert "100 words/s" in str(progress)


def test_what_the_line_does_not_tell():
    progress = TrainingProgress(0, clock=lambda: 1.0)
    progress.update(None)
    assert str(progress) == "step 0"
    progress.update(make_info(1, words=2000))  # too soon for the clock
    assert str(progress) == "step 1  loss 12.50  best 0.5000  at step 1"


def test_at_the_first_step_no_time_is_known():
    progress = TrainingProgress(100, clock=lambda: 1.0)
    progress.update(None)
    assert str(progress) == "step 0 of 100"


def test_two_losses_have_names():
    progress = TrainingProgress(0, clock=lambda: 0.0)
    progress.update(make_info(losses={"tagger": 1.5, "ner": 2000.0}))
    assert "loss tagger 1.50, ner 2,000.00" in str(progress)


def test_a_narrow_terminal(nlp, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    stderr = Terminal()
    log_step, _ = create_progress_logger(console_output=False)(nlp, StringIO(), stderr)
    log_step(make_info())
    log_step(None)
    assert stderr.getvalue().split("\r")[-1] == "step 1 of 40"


CHAIN = """
[logger]
@loggers = "spacy.ChainLogger.v1"

[logger.logger1]
@loggers = "spacy-lstm-tagger.ProgressLogger.v1"
console_output = false
path = {path}

[logger.logger2]
@loggers = "spacy.ConsoleLogger.v3"
output_file = {other}
"""


def test_a_chain_with_loggers_of_spacy(small_corpus, tmp_path):
    paths = {"path": json.dumps(str(tmp_path / "a")), "other": json.dumps(str(tmp_path / "b"))}
    chain = load_config_from_str(CHAIN.format(**paths))["logger"]
    values = {"paths.train": str(small_corpus), "paths.dev": str(small_corpus)}
    values |= {"training.max_steps": 2, "training.eval_frequency": 2, **SMALL_SETTINGS}
    config = load_config(CONFIGS / "cpu.cfg", overrides=values)
    config["training"]["logger"] = chain
    stdout = StringIO()
    train(init_nlp(config), None, stdout=stdout, stderr=StringIO())
    ours, theirs = (tmp_path / "a").read_text(), (tmp_path / "b").read_text()
    for line, other in zip(ours.splitlines(), theirs.splitlines(), strict=True):
        our, their = json.loads(line), json.loads(other)
        assert our["step"] == their["step"] and our["losses"] == pytest.approx(their["losses"])
        assert 100 * our["scores"]["tag_acc"] == pytest.approx(their["scores"]["tag_acc"])
    assert stdout.getvalue().count(" TAG_ACC ") == 1


def test_what_has_no_figure_is_no_zero(tmp_path):
    """A dev set of lone sentences says nothing of texts."""
    nlp = spacy.blank("en")
    nlp.config["training"]["score_weights"] = {"tag_acc": 1.0, "tag_acc_docs": 0.0}
    stdout = StringIO()
    log_step, _ = create_progress_logger(path=tmp_path / FILE)(nlp, stdout, StringIO())
    log_step(make_info(score=0.5))
    header, _, row = stdout.getvalue().splitlines()
    assert "ACC_DOCS" in header and row.split()[-3:] == ["50.00", "nan", "0.50"]
    (record,) = read_training_log(tmp_path / FILE)
    assert "tag_acc_docs" not in record["scores"]


def test_without_an_output_nothing_is_kept(nlp, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log_step, finalize = create_progress_logger()(nlp, StringIO(), StringIO())
    log_step(make_info())
    finalize()
    assert not list(tmp_path.iterdir())


def test_a_log_is_where_it_is_wanted(tmp_path):
    """Rather than beside the model."""
    TrainingLog(tmp_path / "a").add(make_info(output_path=tmp_path / "out" / "model-last"))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_log_replaces_that_of_another_training(tmp_path):
    path = tmp_path / "new" / "log.jsonl"
    for steps in ([0, 2, 4], [0, 3]):
        log = TrainingLog(path)
        for step in steps:
            log.add(make_info(step))
    assert [record["step"] for record in read_training_log(path)] == [0, 3]


def test_a_full_disk_leaves_the_log_of_another_training(tmp_path, monkeypatch):
    """And no half one, which the next training would take for another file."""
    path = tmp_path / FILE
    TrainingLog(path).add(make_info(7))

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        TrainingLog(path).add(make_info(0))
    assert [record["step"] for record in read_training_log(path)] == [7]


THEIRS = '{"epoch": 0, "step": 0, "score": 0.1, "losses": {}, "scores": {}}\n'  # spaCy's logger


@pytest.mark.parametrize(
    "text", ['{"text": "A dog."}\n', "step 5\n", "[1]\n", '{"step": 1}', THEIRS]
)
def test_other_files_are_not_replaced(tmp_path, text):
    path = tmp_path / FILE
    path.write_text(text)
    with pytest.raises(ValueError, match=r"T002.*line 1: expected the figures"):
        TrainingLog(path)
    with pytest.raises(ValueError, match="T002"):
        TrainingLog(None).add(make_info(output_path=str(tmp_path / "model-last")))
    assert path.read_text() == text


def test_an_empty_file_becomes_the_log(tmp_path):
    (tmp_path / FILE).touch()
    TrainingLog(tmp_path / FILE).add(make_info(2))
    assert [record["step"] for record in read_training_log(tmp_path / FILE)] == [2]


def test_figures_of_numpy(tmp_path):
    """As the losses of spaCy's parser are."""
    TrainingLog(tmp_path / FILE).add(make_info(losses={"ner": np.float32(1.5)}))
    (record,) = read_training_log(tmp_path / FILE)
    assert record["losses"] == {"ner": 1.5}


def test_a_log_that_was_cut(tmp_path):
    path = tmp_path / FILE
    log = TrainingLog(path)
    log.add(make_info())
    log.add(make_info(2))
    path.write_bytes(path.read_bytes()[:-5])
    assert [record["step"] for record in read_training_log(path)] == [0]
    TrainingLog(path)


def test_scores_that_are_no_numbers_are_left_out(tmp_path):
    scores = {"tag_acc": None, "speed": float("inf"), "note": "x", "tag_acc_known": 0.5}
    record = {"step": 1, "words": 9, "losses": {}, "scores": scores}
    (tmp_path / FILE).write_text(json.dumps(record) + "\n")
    assert read_training_log(tmp_path / FILE)[0]["scores"] == {"tag_acc_known": 0.5}


def test_steps_are_numbers(tmp_path):
    record = {"step": "1", "words": 9.0, "losses": {}, "scores": {}}
    (tmp_path / FILE).write_text(json.dumps(record) + "\n")
    (found,) = read_training_log(tmp_path / FILE)
    assert (found["step"], found["words"]) == (1, 9)
    (tmp_path / FILE).write_text(json.dumps({**record, "step": float("inf")}) + "\n")
    with pytest.raises(ValueError, match=r"T002.*line 1"):
        read_training_log(tmp_path / FILE)


def test_a_path_that_is_no_file(tmp_path):
    with pytest.raises(ValueError, match=r"M001.*\[training.logger\] path.*the name of a file"):
        TrainingLog(tmp_path)
    (tmp_path / FILE).mkdir()
    with pytest.raises(ValueError, match=rf"M001.*{FILE}.*the name of a file"):
        TrainingLog(None).add({**make_info(), "output_path": tmp_path / "model-last"})
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        TrainingLog(tmp_path / "file" / "log.jsonl")
