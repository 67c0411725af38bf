"""The project of `projects/distil` runs from labelling to a wheel. Its teachers are tiny ones here."""

import json
import shutil

import pytest
import spacy
from weasel.cli.run import project_run

from .util import CONFIGS, ROOT, SMALL_HALVES, overrides

pytestmark = pytest.mark.slow

PROJECT = ROOT / "projects" / "distil"


@pytest.fixture(scope="module")
def project(tmp_path_factory, small_corpus, spacy_command):
    """A copy of the project with data, and teachers that are trained already."""
    root = tmp_path_factory.mktemp("root")
    project = root / "projects" / "distil"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("assets", "output", "packages"))
    shutil.copytree(CONFIGS, root / "configs")
    (project / "assets").mkdir()
    for name in ("train", "dev"):
        shutil.copy(small_corpus, project / "assets" / f"{name}.conllu")
    texts = [json.dumps({"text": "I left the soup on the stove. It burned!"})] * 3
    (project / "assets" / "texts.jsonl").write_text("\n".join(texts) + "\n")
    paths = {"paths.train": small_corpus, "paths.dev": small_corpus}
    steps = {"training.max_steps": 3, "training.eval_frequency": 3}
    sizes = overrides(SMALL_HALVES, "components.lstm_tagger.model.tok2vec.")
    arguments = overrides({**paths, **steps})
    for name in ("teacher", "lstm-teacher"):
        target = project / "output" / name
        spacy_command("train", CONFIGS / "cpu.cfg", "--output", target, *arguments, *sizes)
    return project


def test_from_texts_to_a_wheel(project):
    for command in ("label", "student", "evaluate", "package"):
        project_run(project, command, overrides={"vars.steps": 2})
    manifest = json.loads((project / "output" / "silver" / "manifest.json").read_text())
    assert manifest["complete"]
    scores = json.loads((project / "output" / "accuracy.json").read_text())
    assert 0.0 <= scores["tag_acc"] <= 1.0
    assert len(list((project / "packages").glob("*/dist/*.whl"))) == 1
    nlp = spacy.load(project / "output" / "student" / "model-best")
    assert nlp.pipe_names == ["lstm_tagger"]


def test_its_own_files_exist():
    text = (PROJECT / "project.yml").read_text(encoding="utf-8")
    for name in ("configs/teacher.cfg", "../../configs/crf.cfg", "../../configs/distil.cfg"):
        assert name in text and (PROJECT / name).exists()


def test_the_teacher_s_config_is_valid(spacy_command, small_corpus):
    pytest.importorskip("spacy_transformers")
    paths = {"paths.train": small_corpus, "paths.dev": small_corpus, "paths.transformer": "x"}
    config = PROJECT / "configs" / "teacher.cfg"
    assert "Config is valid" in spacy_command("debug", "config", config, *overrides(paths))
