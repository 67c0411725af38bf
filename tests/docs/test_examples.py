"""The Python and config blocks of the pages do what the pages say."""

import re
import shutil
import subprocess
import sys
import zipfile

import pytest
import spacy
from spacy.util import registry
from thinc.api import Config

from spacy_lstm_tagger.readers import Corpus

from ..util import ROOT, small_model, with_lemmas
from . import PAGES, blocks

PIPELINES = ROOT / "pipelines"
ELSEWHERE = {"docs/scale.md"}  # tests/scale runs it
EXAMPLES = [name for name in PAGES if blocks(PAGES[name], "python") and name not in ELSEWHERE]


def train(path, corpus, architecture):
    """Train a pipeline for a moment, with Penn tags, and save it."""
    nlp = spacy.blank("en")
    model = small_model() | {"@architectures": f"spacy-lstm-tagger.{architecture}.v1"}
    nlp.add_pipe("lstm_tagger", config={"model": model})
    examples = list(Corpus(corpus)(nlp))
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(40):  # after 20, one of 80 tags "the" as another word
        nlp.update(examples, sgd=optimizer)
    path.mkdir(parents=True)
    nlp.to_disk(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory, small_corpus):
    """The folder of what the examples load."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("cpu", "accurate"):
        train(folder / "output" / name / "model-best", small_corpus, "Tagger")
    train(folder / "output" / "crf" / "model-best", small_corpus, "CRFTagger")
    (folder / "corpus").mkdir()
    shutil.copy(small_corpus, folder / "corpus" / "en-dev.conllu")
    treebank = with_lemmas(small_corpus.read_text(encoding="utf-8"))
    (folder / "en_ewt-ud-train.conllu").write_text(treebank, encoding="utf-8")
    other = spacy.blank("en")
    other.add_pipe("tagger").add_label("X")
    ruler = other.add_pipe("attribute_ruler")
    other.initialize()
    ruler.add([[{"TAG": "DT"}]], {"POS": "DET"})
    other.to_disk(folder / "en_core_web_sm")
    if not any(PIPELINES.glob("*.whl")) and not (ROOT / ".github").exists():
        pytest.skip("a source distribution has no wheels")
    for name in ("en_lstm_fast", "en_lstm_accurate"):
        (wheel,) = PIPELINES.glob(f"{name}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "wheels")
        (data,) = (folder / "wheels" / name).glob(f"{name}-*")
        data.rename(folder / name)
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """A copy, in which an example is run."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", EXAMPLES)
def test_python(name, folder, capsys):
    names = {}
    for code in blocks(PAGES[name], "python"):
        exec(code, names)
    printed = capsys.readouterr().out.strip().splitlines()
    if name == "docs/gpu.md":
        embed, encode = names["nlp"].get_pipe("lstm_tagger").model.get_ref("tok2vec").layers
        assert [embed.shims[0].precision, encode.shims[0].precision] == ["fp32", "bf16"]
    if name == "docs/decoding.md":
        assert len(names["doc"]._.tag_n_best) == 3
        assert names["doc"][3].tag_ in names["doc"][3]._.tag_probabilities
    if name == "docs/report.md":
        assert "value" in printed[0] and names["report"].figures["corpus"]["words"] > 0.0
    if name == "docs/pipelines.md":
        tags = [("Everybody", "NN"), ("ate", "V"), ("the", "DET"), ("book", "NN")]
        assert printed == [str(tags)]
        assert all(token.tag_ for token in names["doc"])
        assert names["doc"][2].pos_ == "DET"  # "the": what comes behind reads our tags
        assert spacy.load("output/with-lemmas")("books")[0].lemma_


@pytest.mark.parametrize(
    ("name", "code"),
    [(name, code) for name, text in PAGES.items() for code in blocks(text, "ini")],
)
def test_config_blocks(name, code):
    """What a block names is registered, and takes these settings."""

    def check(block):
        for value in block.values():
            if isinstance(value, dict):
                check(value)
        if any(key.startswith("@") for key in block):
            assert registry.fill({"block": block}, validate=True)

    variables = '[paths]\ntrain = null\n\n[vars]\ntag = "xpos"\n\n'
    code = code.replace("${components.tok2vec.model.encode.width}", "96")  # of shared.cfg
    check(Config().from_str(variables + with_parents(code)))


def with_parents(code):
    """RETURNS (str): A part of a config, with the sections that its sections are in."""
    names = re.findall(r"^\[(.+)\]$", code, re.M)
    parents = {
        ".".join(name.split(".")[:n]) for name in names for n in range(1, name.count(".") + 1)
    }
    return "".join(f"[{name}]\n\n" for name in sorted(parents - set(names))) + code


@pytest.mark.slow
def test_quick_start(tmp_path, spacy_command):
    """Training takes a minute; the tags are those that the README shows."""
    (command,) = [each for each in blocks(PAGES["README.md"], "bash") if "python -c '" in each]
    (shown, *_) = blocks(PAGES["README.md"], "text")
    spacy_command("train", "configs/cpu.cfg", "--output", tmp_path / "output" / "cpu")
    code = command.split("python -c '")[1].rstrip().removesuffix("'")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == shown
