"""The wheels of `pipelines/` install, and tag as they did when they were made."""

import json
import re
import subprocess
import sys
from zipfile import ZipFile

import pytest
import spacy
import srsly
from spacy.tokens import DocBin
from spacy.util import is_compatible_version, registry
from thinc.api import Config

from benchmarks.machines import find, read_reports
from spacy_lstm_tagger import __version__

from .forks import run_python
from .golden.make import FOLDER, TEXTS, lines, read_texts
from .util import ROOT, load_script

PIPELINES = ROOT / "pipelines"
WHEELS = sorted(PIPELINES.glob("*.whl"))
# What the rows of the page are called in the figures; for others it is "texts".
KINDS = {"lone sentences": "sentences", "raw text": "raw text", "new words": "new words"}
KINDS["sentences of raw text (F1)"] = "raw text"
# Another CPU may add up in another order, and where two tags are as likely, give the other one.
MOST_CHANGED = 0.001

pytestmark = pytest.mark.slow

TAG = """
import json, sys
import spacy
from spacy.tokens import DocBin
name, path, output = sys.argv[1:]
nlp = spacy.load(name)
docs = list(nlp.pipe(DocBin().from_disk(path).get_docs(nlp.vocab)))
DocBin(attrs=["TAG", "POS", "MORPH", "LEMMA", "SENT_START"], docs=docs).to_disk(output)
(text,) = nlp.pipe(["She didn't send the two letters. They were too old!"])
found = [(t.tag_, t.pos_, str(t.morph), t.lemma_, t.is_sent_start) for t in text]
known = nlp.get_pipe("morphologizer").label_data["tags"]
apart = [str(t) for doc in docs for t in doc if t.pos_ not in known[t.tag_]]
print(json.dumps({"text": found, "apart": apart}))
"""


def test_there_are_some():
    if not WHEELS and not (ROOT / ".github").exists():
        pytest.skip("a source distribution has no wheels")
    assert len(WHEELS) >= 2


@pytest.mark.parametrize("wheel", WHEELS, ids=lambda path: path.name.split("-")[0])
def test_a_wheel_installs_beside_this_version(wheel):
    name, version = wheel.name.split("-")[:2]
    with ZipFile(wheel) as archive:
        text = archive.read(f"{name}-{version}.dist-info/METADATA").decode("utf-8")
    (allowed,) = re.findall(r"^Requires-Dist: spacy-lstm-tagger(.+)$", text, re.M)
    assert is_compatible_version(__version__, allowed.strip())


@pytest.mark.parametrize("wheel", WHEELS, ids=lambda path: path.name.split("-")[0])
def test_a_wheel_needs_nothing_of_its_project(wheel):
    name, version = wheel.name.split("-")[:2]
    with ZipFile(wheel) as archive:
        text = archive.read(f"{name}/{name}-{version}/config.cfg").decode("utf-8")
    training = Config().from_str(text)["training"]
    registry.resolve({"training": training}, validate=False)
    assert training["max_steps"] > 0


@pytest.mark.parametrize("wheel", WHEELS, ids=lambda path: path.name.split("-")[0])
def test_a_wheel_has_its_card(wheel):
    name, version = wheel.name.split("-")[:2]
    with ZipFile(wheel) as archive:
        text = archive.read(f"{name}/{name}-{version}/README.md").decode("utf-8")
    assert text == (PIPELINES / f"{name}.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder in which all of them are installed, and a script that tags with one."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["--no-deps", "--no-index", "--target", folder]
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *options, *WHEELS], check=True)
    (folder / "tag.py").write_text(TAG)
    return folder


@pytest.mark.parametrize("wheel", WHEELS, ids=lambda path: path.name.split("-")[0])
def test_what_is_said_is_that_of_the_release(wheel, installed, tmp_path):
    name, version = wheel.name.split("-")[:2]
    nlp = spacy.blank("en")
    DocBin(docs=read_texts(nlp)).to_disk(tmp_path / "texts.spacy")
    with (tmp_path / "found.json").open("w") as file:
        command = [installed / "tag.py", name, tmp_path / "texts.spacy", tmp_path / "said.spacy"]
        assert run_python(command, stdout=file.fileno()) == 0
    found = json.loads((tmp_path / "found.json").read_text().splitlines()[-1])
    said = lines(DocBin().from_disk(tmp_path / "said.spacy").get_docs(nlp.vocab))
    golden = (FOLDER / f"{name}-{version}.txt").read_text(encoding="utf-8").splitlines()
    assert len(golden) > 2000 and golden.count("") == TEXTS
    changed = [pair for pair in zip(golden, said, strict=True) if pair[0] != pair[1]]
    assert len(changed) <= MOST_CHANGED * len(golden), changed
    # With the same tag it has the same lemma.
    tagged = [[line.split("\t") for line in pair] for pair in changed]
    assert not [(old, new) for old, new in tagged if old[1] == new[1] and old[4] != new[4]]
    assert found["apart"] == []  # no word has a pos_ that does not go with its tag_
    tags, pos, morphs, lemmas, starts = zip(*found["text"], strict=True)
    assert tags == ("PRP", "VBD", "RB", "VB", "DT", "CD", "NNS", ".", "PRP", "VBD", "RB", "JJ", ".")
    assert pos[:4] == ("PRON", "AUX", "PART", "VERB")
    assert morphs[6] == "Number=Plur" and lemmas[6] == "letter"
    assert [i for i, start in enumerate(starts) if start] == [0, 8]


def read_tables():
    """RETURNS (list[tuple]): The head and the rows of each table of the page."""
    page = (PIPELINES / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^\|.*\n)+", page, re.M)
    tables = ([line.strip("| ").split(" | ") for line in block.splitlines()] for block in blocks)
    return [(head, rows) for head, _, *rows in tables]


def test_the_page_has_the_figures_of_the_teachers():
    found = json.loads((PIPELINES / "teachers.json").read_text())
    _, rows = read_tables()[2]
    for (title, *cells), each in zip(rows, [*found.values()], strict=True):
        expected = [100 * each[bank]["sentences"] for bank in ("en_ewt", "en_gum")]
        assert cells == [f"{value:.1f}" for value in expected], title
    assert rows[3][0].strip("`") == [*found][3] == "en_core_web_sm"


def test_the_page_has_the_figures_of_the_seeds_and_of_vectors():
    found = json.loads((PIPELINES / "seeds.json").read_text())
    project = srsly.read_yaml(ROOT / "projects" / "english" / "project.yml")["vars"]
    head, rows = read_tables()[3]
    assert head[1:] == ["without", "with"]
    for title, *cells in rows:
        name, bank, kind = title.replace("`", "").split(", ")
        bank, key = f"en_{bank.lower()}", "texts" if kind.startswith("texts") else "sentences"
        for cell, runs in zip(cells, (found["without"], found["with"]), strict=True):
            values = [run[bank][key] for run in runs[name].values()]
            assert cell == ", ".join(f"{100 * value:.2f}" for value in values), title
        card = json.loads((PIPELINES / f"{name}.json").read_text())  # of the one that is here
        seed = str(project[f"seed_{name.removeprefix('en_lstm_')}"])
        assert card[bank][key]["tag_acc"] == pytest.approx(
            found["with"][name][seed][bank][key], abs=1e-5
        )


def test_the_readme_has_the_figures_of_the_fast_one():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"([\d.]+) % are right .*\n([\d.]+) % on GUM.*: ([\d.]+), ([\d.]+);", page)
    figures = [
        100 * json.loads((PIPELINES / f"{name}.json").read_text())[bank]["sentences"]["tag_acc"]
        for name in ("en_lstm_fast", "en_core_web_sm")
        for bank in ("en_ewt", "en_gum")
    ]
    assert list(found.groups()) == [f"{value:.1f}" for value in figures]


def test_the_page_has_the_figures_of_the_cards():
    head, rows = read_tables()[0]
    names = [name.strip("`") for name in head[1:]]
    figures = [json.loads((PIPELINES / f"{name}.json").read_text()) for name in names]
    scores = {"`pos_`": "pos_acc", "lemmas": "lemma_acc"}
    for title, *cells in rows:
        bank, kind = title.split(", ")
        score = scores.get(kind, "sents_f" if "F1" in kind else "tag_acc")
        key = KINDS.get(kind, "texts")
        expected = [100 * each[f"en_{bank.lower()}"][key][score] for each in figures]
        assert cells == [f"{value:.1f}" for value in expected], title


@pytest.mark.parametrize("name", ["fast", "accurate"])
def test_a_card_is_what_the_project_makes_of_the_figures(name):
    """And what it says of speed was measured."""
    finish = load_script(ROOT / "projects" / "english" / "scripts" / "finish.py")
    project = srsly.read_yaml(ROOT / "projects" / "english" / "project.yml")["vars"]
    figures = json.loads((PIPELINES / f"en_lstm_{name}.json").read_text())
    told = {each: project[f"{each}_{name}"].strip() for each in ("speed", "training")}
    components = ["tok2vec", "lstm_tagger", "morphologizer", "senter", "lemmatizer"]
    text = finish.card(f"en_lstm_{name}", components, figures, words=project["words"], **told)
    assert (PIPELINES / f"en_lstm_{name}.md").read_text() == f"{text.rstrip()}\n"
    for report in read_reports().values():
        kinds = ("", ", tags alone")
        found = [find(report, "words a second", f"en_lstm_{name}{kind}") for kind in kinds]
        for words, times in filter(None, found):
            assert f" {times:.1f} times" in told["speed"]
            if all(found):  # of one machine it says how many words, too
                assert f" {round(words, -3):,.0f}" in told["speed"]


def test_the_page_has_the_speeds_of_the_machines():
    head, rows = read_tables()[1]
    names = [name.strip("`") for name in head[1:]]
    for title, *cells in rows:
        kind, machine = title.split(", ")
        (report,) = [each for name, each in read_reports().items() if name.startswith(machine)]
        for name, cell in zip(names, cells, strict=True):
            row = name if kind == "all components" else f"{name}, {kind}"
            found = find(report, "words a second", row)
            assert cell == (f"{round(found[0], -3):,.0f} ({found[1]:.1f})" if found else ""), row
