"""The project of `projects/distil` runs from labelling to a wheel. Its teachers are tiny ones here."""

import json
import shlex
import shutil
from zipfile import ZipFile

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from weasel.util.config import load_project_config

from .forks import project_run
from .util import CONFIGS, ROOT, copy_project, overrides

pytestmark = pytest.mark.slow

PROJECT = ROOT / "projects" / "distil"


@pytest.fixture(scope="module")
def project(tmp_path_factory, small_corpus, short_training):
    """A copy of the project with data, and teachers that are trained already."""
    root = tmp_path_factory.mktemp("root")
    project = copy_project("distil", root)
    (project / "assets").mkdir()
    for name in ("train", "dev"):
        shutil.copy(small_corpus, project / "assets" / f"{name}.conllu")
    texts = [json.dumps({"text": "I left the soup on the stove. It burned!"})] * 3
    (project / "assets" / "texts.jsonl").write_text("\n".join(texts) + "\n")
    shutil.copytree(short_training[0], project / "output" / "teacher")
    return project


def test_from_texts_to_a_wheel(project):
    variables = {"vars.steps": 4, "vars.eval_frequency": 2}
    variables |= {"vars.lstm_teacher_steps": 3, "vars.lstm_teacher_eval_frequency": 3}
    for command in ("lstm-teacher", "label", "student", "evaluate", "package"):
        project_run(project, command, overrides=variables)
    # A lost shard is made again.
    (shard,) = (project / "output" / "silver").glob("*.spacy")
    shard.unlink()
    project_run(project, "label", overrides=variables)
    assert shard.is_file()
    manifest = json.loads((project / "output" / "silver" / "manifest.json").read_text())
    assert manifest["complete"]
    scores = json.loads((project / "output" / "accuracy.json").read_text())
    assert scores["tag"] == "xpos" and scores["missing_tags"] == []
    (wheel,) = (project / "packages").glob("*/dist/*.whl")
    # A build that was interrupted, and is done again.
    (model,) = (project / "packages").glob("*/build/lib/**/lstm_tagger/model")
    model.write_bytes(b"half of it")
    wheel.unlink()
    project_run(project, "package", force=True)
    with ZipFile(wheel) as archive:
        sizes = [each.file_size for each in archive.infolist() if each.filename.endswith("/model")]
    assert sizes == [(project / "output/student/model-best/lstm_tagger/model").stat().st_size]
    nlp = spacy.load(project / "output" / "student" / "model-best")
    assert nlp.pipe_names == ["lstm_tagger"]
    assert nlp.config["training"]["max_steps"] == 4

    # The other column is no score of 0.00.
    with pytest.raises(SystemExit):
        project_run(project, "evaluate", overrides={"vars.tag": "upos"})


def test_an_untrained_student_is_not_packaged(project, capfd):
    """The student of 60 steps that are scored at step 0 alone would be one."""
    shutil.rmtree(project / "output" / "student", ignore_errors=True)
    silver = project / "output" / "silver"
    silver.mkdir(parents=True, exist_ok=True)
    (silver / "manifest.json").write_text('{"options": {}, "shards": [], "complete": true}')
    DocBin(docs=[Doc(Vocab(), words=["a"])]).to_disk(silver / "shard-00000.spacy")
    with pytest.raises(SystemExit):
        project_run(project, "student", overrides={"vars.steps": 60})
    assert "T001" in capfd.readouterr().err
    assert not (project / "output" / "student" / "model-best").exists()


@pytest.mark.parametrize("path", sorted(PROJECT.parent.glob("*/project.yml")))
def test_no_command_is_code_in_quotes(path):
    """On Windows the quotes stay: Python takes it for a string, of which nothing comes."""
    for command in load_project_config(path.parent)["commands"]:
        for line in command["script"]:
            assert "-c" not in shlex.split(line, posix=False)


def test_every_number_of_steps_is_a_variable(project, capfd):
    steps = {"teacher_steps": 21, "lstm_teacher_steps": 22, "steps": 23}
    every = {"teacher_eval_frequency": 31, "lstm_teacher_eval_frequency": 32, "eval_frequency": 33}
    variables = {f"vars.{name}": value for name, value in (steps | every).items()}
    for command in ("teacher", "lstm-teacher", "student"):
        project_run(project, command, overrides=variables, dry=True)
    printed = capfd.readouterr().out
    for n in steps.values():
        assert f"--training.max_steps {n}" in printed
        assert f"--training.optimizer.learn_rate.total_steps {n}" in printed
    for n in every.values():
        assert f"--training.eval_frequency {n}" in printed


def test_every_training_has_the_tokenizer_of_the_language(project, capfd):
    variables = {"vars.lang": "zh", "vars.tokenizer": "spacy.zh.ChineseTokenizer"}
    for command in ("teacher", "lstm-teacher", "student"):
        project_run(project, command, overrides=variables, dry=True)
        printed = capfd.readouterr().out
        assert "--nlp.lang zh --nlp.tokenizer.@tokenizers spacy.zh.ChineseTokenizer" in printed


@pytest.mark.parametrize("name", ["", "lstm_teacher_", "teacher_"])
def test_steps_are_those_of_the_configs(name):
    """What the variables say if nobody sets them."""
    files = {"": "distil", "lstm_teacher_": "crf"}
    path = CONFIGS / f"{files[name]}.cfg" if name in files else PROJECT / "configs" / "teacher.cfg"
    training = spacy.util.load_config(path)["training"]
    variables = load_project_config(PROJECT)["vars"]
    assert variables[f"{name}steps"] == training["max_steps"]
    assert variables[f"{name}eval_frequency"] == training["eval_frequency"]


def test_its_own_files_exist():
    text = (PROJECT / "project.yml").read_text(encoding="utf-8")
    for name in ("configs/teacher.cfg", "../../configs/crf.cfg", "../../configs/distil.cfg"):
        assert name in text and (PROJECT / name).exists()


def test_the_teacher_s_config_is_valid(spacy_command, small_corpus):
    pytest.importorskip("spacy_transformers")
    paths = {"paths.train": small_corpus, "paths.dev": small_corpus, "paths.transformer": "x"}
    config = PROJECT / "configs" / "teacher.cfg"
    assert "Config is valid" in spacy_command("debug", "config", config, *overrides(paths))
