"""The project of `projects/ud` makes a tagger of a treebank, with or without a dev set."""

import json
import shutil

import pytest
import spacy
from weasel.cli.run import project_run

from .util import ROOT, SMALL_HALVES, copy_project, overrides, with_lemmas

pytestmark = pytest.mark.slow

PROJECT = ROOT / "projects" / "ud"
CODE = "xx_small"


@pytest.fixture
def project(tmp_path, small_corpus):
    """A copy of the project, with a treebank that has no dev set."""
    project = copy_project("ud", tmp_path)
    folder = project / "assets" / CODE
    folder.mkdir(parents=True)
    for name in ("train", "test"):
        shutil.copy(small_corpus, folder / f"{name}.conllu")
    return project


def test_from_a_treebank_to_a_wheel(project):
    steps = overrides({"training.max_steps": 2, "training.eval_frequency": 2})
    steps += overrides(SMALL_HALVES, "components.lstm_tagger.model.tok2vec.")
    variables = {"vars.code": CODE, "vars.lang": "en", "vars.tag": "upos"}
    variables |= {"vars.treebank": "UD_Small", "vars.options": " ".join(map(repr, steps))}
    project_run(project, "all", overrides=variables)
    folder = project / "output" / CODE
    sizes = [
        len((folder / f"{name}.conllu").read_text().split("\n\n")) for name in ("train", "dev")
    ]
    assert sizes[0] > 5 * sizes[1] > 0
    nlp = spacy.load(folder / "model-best")
    assert nlp.get_pipe("lstm_tagger").cfg["tag_set"] == "upos"
    assert nlp.config["paths"]["train"] is None and "UD_Small" in nlp.meta["sources"][0]["name"]
    figure = json.loads((folder / "accuracy.json").read_text())["sentences"]["all"]["tag_acc"]
    assert f"| {100 * figure:.1f} % |" in (folder / "model-best" / "README.md").read_text()
    assert list((project / "packages").glob("*/dist/*.whl"))
    assert nlp.pipe_names == ["lstm_tagger"]
    # The same treebank with lemmas.
    for path in (folder / "train.conllu", project / "assets" / CODE / "test.conllu"):
        path.write_text(with_lemmas(path.read_text(encoding="utf-8")), encoding="utf-8")
    project_run(project, "package", overrides=variables, force=True)
    nlp = spacy.load(folder / "model-best")
    assert [token.lemma_ for token in nlp("He SLEEPS")] == ["he", "sleeps"]
    assert "Of its lemmas 100.0 % are right" in (folder / "model-best" / "README.md").read_text()


def test_a_dev_set_that_is_there_is_taken(project, small_corpus):
    shutil.copy(small_corpus, project / "assets" / CODE / "dev.conllu")
    project_run(project, "split", overrides={"vars.code": CODE})
    for name in ("train", "dev"):
        made = project / "output" / CODE / f"{name}.conllu"
        assert made.read_text() == small_corpus.read_text()
