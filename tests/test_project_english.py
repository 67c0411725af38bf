"""The project of `projects/english` makes pipelines from a treebank and labelled text."""

import json
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import spacy
import torch
from spacy.lookups import Lookups
from spacy.tokens import Doc
from spacy.vectors import Vectors
from weasel.util.config import load_project_config

from spacy_lstm_tagger.taggers import layers_of

from .forks import project_run
from .util import CONFIGS, ROOT, copy_project, load_script, overrides, with_lemmas

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
    return load_script(PROJECT / "scripts" / f"{name}.py")


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
    save_vectors(project / "output" / "vectors", ["soup", "stove", "stoves"])
    save_irregular(project / "output" / "irregular", verb={"drank": ["drink"]}, noun={"a_b": ["x"]})
    return project


def save_vectors(folder, words):
    """What a transformer would make, which is not there."""
    nlp = spacy.blank("en")
    data = np.random.default_rng(0).normal(size=(len(words), 32)).astype("f")
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=data, keys=words)
    nlp.to_disk(folder)


def save_irregular(folder, **exceptions):
    """Save a pipeline with spaCy's rules of lemmas."""
    nlp = spacy.blank("en")
    lookups = Lookups()
    lookups.add_table("lemma_rules", {})
    lookups.add_table("lemma_exc", {"adj": {}, **exceptions})
    lookups.add_table("lemma_index", {"verb": ["wipe"], "noun": []})
    nlp.add_pipe("lemmatizer", config={"mode": "rule"}).initialize(lookups=lookups)
    nlp.to_disk(folder)


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
    project_run(project, "heads-accurate", overrides=STEPS | {"vars.irregular": "output/irregular"})
    shutil.copytree(project / "output" / "accurate", project / "output" / "fast")
    for command in ("measure", "package"):
        project_run(project, command)
    for kind in ("fast", "accurate"):
        nlp = spacy.load(project / "output" / f"en_lstm_{kind}")
        assert nlp.pipe_names == ["tok2vec", "lstm_tagger", "morphologizer", "senter", "lemmatizer"]
        assert nlp.meta["license"] == "CC BY-SA 4.0" and len(nlp.meta["sources"]) == 5
        assert not any(nlp.config["paths"].values())
        assert "english." not in nlp.config.to_str()  # what only the project has
        assert not {"tag_acc_sents", "tag_acc_docs"} & nlp.meta["performance"].keys()
        assert "stove" not in nlp.vocab.strings  # nor other words that training met
        modules = [shim.module for layer in layers_of(nlp) for shim in layer.shims]
        for weight in (weight for module in modules for weight in module.parameters()):
            assert torch.equal(weight, weight.bfloat16().float())
        tables = [module.tables for module in modules if hasattr(module, "tables")]
        assert [len(each["pretrained"]) for each in tables if "pretrained" in each] == [3]
        assert nlp.vocab.vectors.shape[0] == 0  # they are in the model
        doc = nlp("What?! BOOKS")
        assert [token.text for token in doc] == ["What", "?!", "BOOKS"]
        assert [token.lemma_ for token in doc] == ["what", "?!", "books"]
        lemmatizer = nlp.get_pipe("lemmatizer")
        tables = json.loads(lemmatizer.to_bytes())
        assert "wipe" in tables["lemmas"] and "a_b" not in tables["exceptions"].get("NNS", {})
        assert lemmatizer(Doc(nlp.vocab, ["Drank"], tags=["VBD"]))[0].lemma_ == "drink"
        assert [sentence.text for sentence in nlp("\n\nBooks\n\nWe").sents][-1] == "We"
        figures = json.loads((project / "output" / f"{kind}.json").read_text())
        card = (project / "output" / f"en_lstm_{kind}" / "README.md").read_text()
        assert f"{100 * figures['en_gum']['sentences']['tag_acc']:.1f}" in card
    assert len(list((project / "packages").glob("*/dist/*.whl"))) == 2
    # Figures of two treebanks under one name would be those of the last.
    shutil.copy(project / "assets/en_gum/dev.conllu", project / "assets/en_ewt/gum.conllu")
    for command in ("measure", "score-teachers"):
        with pytest.raises(SystemExit):
            project_run(project, command, overrides={"vars.other": "assets/en_ewt/gum.conllu"})


def test_a_finished_pipeline_has_nothing_of_an_earlier_one(tmp_path, monkeypatch):
    """Nor is anything lost that is no pipeline."""
    finish = script("finish")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(finish, "card", lambda *_, **__: "card")
    spacy.blank("en").to_disk("trained")
    Path("figures.json").write_text("{}")
    folders = Path("finished"), Path("notes"), Path("packages", "en_x", "build")
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "old").touch()
    (folders[0] / "meta.json").touch()
    for folder in folders[:2]:
        told = {"name": "x", "words": 1, "speed": "", "training": ""}
        finish.main(Path("trained"), Path("figures.json"), folder, **told)
        assert (folder / "README.md").read_text() == "card\n"
    assert [(folder / "old").exists() for folder in folders] == [False, True, False]


class Letters:
    """A tokenizer to whom each letter is a piece, between two marks."""

    def __call__(self, words, **options):
        width = max(map(len, words)) + 2
        ids = [[1, *map(ord, word), 1] + [0] * (width - 2 - len(word)) for word in words]
        ids = torch.tensor(ids)
        return Inputs(input_ids=ids, special_tokens_mask=(ids < 2).long())


class Inputs(dict):
    def to(self, device):
        return self


class Transformer:
    """One whose states are a letter's code, and a one."""

    config = SimpleNamespace(hidden_size=2)
    device = "cpu"

    def __call__(self, input_ids):
        states = torch.stack([input_ids, torch.ones_like(input_ids)], dim=-1).float()
        return SimpleNamespace(last_hidden_state=states)


@pytest.fixture
def vectors(monkeypatch):
    library = ModuleType("wordfreq")  # which makes no tests of its own
    library.top_n_list = None
    monkeypatch.setitem(sys.modules, "wordfreq", library)
    return script("vectors")


def test_vectors_are_the_mean_of_a_words_pieces(vectors, monkeypatch):
    monkeypatch.setattr(vectors, "BATCH", 2)
    words = ["abc", "z", "zz", "az"]
    states = vectors.word_states(words, Letters(), Transformer())
    means = [np.mean([*map(ord, word)]) for word in words]
    np.testing.assert_allclose(states, np.stack([means, np.ones(4)], axis=1), rtol=1e-6)


def test_vectors_are_the_first_principal_components(vectors):
    rng = np.random.default_rng(0)
    states = rng.normal(size=(500, 6)) * [9, 5, 1, 0.1, 0.1, 0.1] + 3.0
    x = vectors.reduce(states.astype("f"), 2)
    assert x.shape == (500, 2) and x.std(0).mean() == pytest.approx(0.5, rel=0.05)
    np.testing.assert_array_equal(x, np.round(x * 32) / 32)  # so that they can be packed
    unit = states - states.mean(0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    expected = np.linalg.svd(unit, full_matrices=False)[0][:, :2]
    correlations = np.corrcoef(x.T, expected.T)[:2, 2:]
    np.testing.assert_allclose(abs(np.diag(correlations)), 1.0, atol=0.01)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What?!! No!!", ["What", "?!!", "No", "!!"]),
        ("Call 713-853-3989 and/or e-mail", ["Call", "713-853-3989", "and", "/", "or", "e-mail"]),
        ("<<a>> ===== Mr. Lee's dog.", ["<<", "a", ">>", "=====", "Mr.", "Lee", "'s", "dog", "."]),
        ("I said no. He sat. On Sat. too.", "I said no . He sat . On Sat. too .".split()),
        ("(Re-elected) #MeToo!", ["(", "Re-elected", ")", "#MeToo", "!"]),
        ("the U.S.? A J.D.! No.?", "the U.S. ? A J.D. ! No .?".split()),
        ("DON'T! WE DON'T.", "DO N'T ! WE DO N'T .".split()),
        ("At 7:30PM or 11AM, 65k.", "At 7:30 PM or 11 AM , 65 k .".split()),
        ("the '90s, ’72, '24/7' and 60's.", "the '90s , ’72 , ' 24/7 ' and 60's .".split()),
        ("good food- great -but well-known", "good food - great - but well - known".split()),
        ("Call 1-800-555-1234 on Mon. too.", "Call 1-800-555-1234 on Mon. too .".split()),
        ("non-smokers' well-known #1.", "non-smokers ' well - known # 1 .".split()),
    ],
)
def test_tokenizer(text, words):
    nlp = script("tokenizer").customize(spacy.blank("en"))
    assert [token.text for token in nlp(text)] == words
    again = spacy.blank("en").from_bytes(nlp.to_bytes())
    assert [token.text for token in again(text)] == words


def test_nouns_in_doubt():
    nouns, verbs = ["virus", "dune", "retiree", "cooke", "stare", "dog"], ["cook", "retire", "star"]
    assert list(script("heads").nouns_in_doubt(nouns, verbs)) == [
        "virus",
        "dune",
        "retiree",
        "stare",
    ]


def test_forms_of_verbs():
    verbs = ["combine", "sing", "singe", "star", "stare", "tie", "agree", "name", "pre-name"]
    found = {(word, tag): lemma for word, tag, lemma in script("heads").forms_of_verbs(verbs)}
    expected = {"combining": "combine", "staring": "stare", "tying": "tie", "agreeing": "agree"}
    assert {word: found.get((word, "VBG")) for word in expected} == expected
    assert found["named", "VBD"] == found["named", "VBN"] == "name"
    assert ("singing", "VBG") not in found


@pytest.mark.parametrize(
    ("name", "config"), [("", "student"), ("heads_", "heads"), ("teacher_", "teacher")]
)
def test_steps_are_those_of_the_configs(name, config):
    training = spacy.util.load_config(PROJECT / "configs" / f"{config}.cfg")["training"]
    variables = load_project_config(PROJECT)["vars"]
    assert variables[f"{name}steps"] == training["max_steps"]
    assert variables[f"{name}steps"] == training["optimizer"]["learn_rate"]["total_steps"]
    assert variables[f"{name}eval_frequency"] == training["eval_frequency"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the person(s) (I like)was", "the person ( s ) ( I like ) was".split()),
        ("both ways-- hard --but so", "both ways -- hard -- but so".split()),
        ("So...I'm fine!It isn`t", "So ... I 'm fine ! It is n`t".split()),
        ("MR. SMITH a.k.a. me, Wed", "MR. SMITH a.k.a. me , Wed".split()),
        ("rule--\"So we´d OK'd it--$5", "rule -- \" So we ´d OK'd it -- $ 5".split()),
        ("so" + "!" * 10_000 + "1", ["so" + "!" * 10_000 + "1"]),  # in no time
    ],
)
def test_words_that_stick_together(text, words):
    nlp = script("tokenizer").customize(spacy.blank("en"))
    assert [token.text for token in nlp(text)] == words
