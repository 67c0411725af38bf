"""The project of `projects/english` makes pipelines from a treebank and labelled text."""

import importlib.util
import json
import shutil

import pytest
import spacy
from weasel.cli.run import project_run
from weasel.util.config import load_project_config

from .util import CONFIGS, ROOT, copy_project, overrides, with_lemmas

pytestmark = pytest.mark.slow

PROJECT = ROOT / "projects" / "english"
TINY = "--components.tok2vec.model.embed.word_rows 50 --components.tok2vec.model.embed.width 16"
TINY += (
    " --components.tok2vec.model.encode.input_width 16 --components.tok2vec.model.encode.width 8"
)
STEPS = dict.fromkeys(["vars.steps", "vars.eval_frequency"], 2)
STEPS |= dict.fromkeys(["vars.heads_steps", "vars.heads_eval_frequency"], 2)


def script(name):
    """RETURNS (ModuleType): A script of the project."""
    spec = importlib.util.spec_from_file_location(name, PROJECT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def project(tmp_path_factory, small_corpus, spacy_command):
    """A copy of the project, with a treebank, and a teacher that is trained already."""
    root = tmp_path_factory.mktemp("root")
    project = copy_project("english", root)
    treebank = with_lemmas(small_corpus.read_text(encoding="utf-8"))
    for path in ("en_ewt/train", "en_ewt/dev", "en_gum/dev"):
        target = project / "assets" / f"{path}.conllu"
        target.parent.mkdir(parents=True, exist_ok=True)
        named = f"# newdoc id = weblog-1\n{treebank}"
        target.write_text(named, encoding="utf-8")
    texts = [json.dumps({"text": "I left the soup on the stove. It burned!"})] * 3
    (project / "assets" / "texts.jsonl").write_text("\n".join(texts) + "\n")
    paths = {"paths.train": small_corpus, "paths.dev": small_corpus, "training.max_steps": 2}
    paths |= {"training.eval_frequency": 2}
    for name, config in (("teacher", "shared"), ("lstm-teacher", "cpu")):
        target = project / "output" / name
        spacy_command("train", CONFIGS / f"{config}.cfg", "--output", target, *overrides(paths))
    return project


def test_from_teachers_to_wheels(project):
    sizes = {"vars.accurate": f"{TINY} --vars.width 16 --components.tok2vec.model.encode.width 16"}
    code = (project / "scripts" / "teacher.py").read_text()
    (project / "scripts" / "teacher.py").write_text('"""A teacher that needs no code."""\n')
    third = {"vars.third_teacher": "output/lstm-teacher/model-best"}
    for command in ("score-teachers", "label", "student-accurate"):
        project_run(project, command, overrides=STEPS | sizes | third)
    (project / "scripts" / "teacher.py").write_text(code)
    scores = json.loads((project / "output" / "teachers.json").read_text())
    assert set(scores["together"]) == {"en_ewt", "en_gum"}
    assert 0.0 < scores["together"]["en_ewt"]["texts"] <= 1.0
    project_run(project, "heads-accurate", overrides=STEPS)
    shutil.copytree(project / "output" / "accurate", project / "output" / "fast")
    for command in ("measure", "package"):
        project_run(project, command)
    for kind in ("fast", "accurate"):
        nlp = spacy.load(project / "output" / f"en_lstm_{kind}")
        assert nlp.pipe_names == ["tok2vec", "lstm_tagger", "morphologizer", "senter", "lemmatizer"]
        assert nlp.meta["license"] == "CC BY-SA 4.0" and len(nlp.meta["sources"]) == 4
        assert not any(nlp.config["paths"].values())
        doc = nlp("What?! BOOKS")
        assert [token.text for token in doc] == ["What", "?!", "BOOKS"]
        assert [token.lemma_ for token in doc] == ["what", "?!", "books"]
        figures = json.loads((project / "output" / f"{kind}.json").read_text())
        card = (project / "output" / f"en_lstm_{kind}" / "README.md").read_text()
        assert f"{100 * figures['en_gum']['sentences']['tag_acc']:.1f}" in card
    assert len(list((project / "packages").glob("*/dist/*.whl"))) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What?!! No!!", ["What", "?!!", "No", "!!"]),
        ("Call 713-853-3989 and/or e-mail", ["Call", "713-853-3989", "and", "/", "or", "e-mail"]),
        ("<<a>> ===== Mr. Lee's dog.", ["<<", "a", ">>", "=====", "Mr.", "Lee", "'s", "dog", "."]),
    ],
)
def test_tokenizer(text, words):
    nlp = script("tokenizer").customize(spacy.blank("en"))
    assert [token.text for token in nlp(text)] == words
    again = spacy.blank("en").from_bytes(nlp.to_bytes())
    assert [token.text for token in again(text)] == words


@pytest.mark.parametrize(
    ("name", "config"), [("", "student"), ("heads_", "heads"), ("teacher_", "teacher")]
)
def test_steps_are_those_of_the_configs(name, config):
    training = spacy.util.load_config(PROJECT / "configs" / f"{config}.cfg")["training"]
    variables = load_project_config(PROJECT)["vars"]
    assert variables[f"{name}steps"] == training["max_steps"]
    assert variables[f"{name}steps"] == training["optimizer"]["learn_rate"]["total_steps"]
    assert variables[f"{name}eval_frequency"] == training["eval_frequency"]
