"""Every config of the repository is valid and trains as it is."""

import re
from io import StringIO

import numpy as np
import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config

from spacy_lstm_tagger.distil.shards import to_bytes
from spacy_lstm_tagger.probabilities import TagProbabilities
from spacy_lstm_tagger.readers import Corpus

from .cli import run_command
from .util import CONFIGS, CORPUS, SMALL_SETTINGS, Terminal, overrides

NAMES = sorted(path.name for path in CONFIGS.glob("*.cfg"))
NOISE = "[corpora.train.augmenter]"


def text_of(name):
    return (CONFIGS / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def vectors(tmp_path_factory, spacy_command):
    """A pipeline with static vectors, made from a text file by spaCy."""
    folder = tmp_path_factory.mktemp("vectors")
    words = ["the", "The", "I", "left", "soup", "stove", "forgot", "."]
    rows = [f"{word} {i}.0 0.5 -{i}.5 1.0" for i, word in enumerate(words, 1)]
    path = folder / "vectors.txt"
    path.write_text("\n".join([f"{len(words)} 4", *rows]) + "\n", encoding="utf-8")
    spacy_command("init", "vectors", "en", path, folder / "pipeline")
    return folder / "pipeline"


@pytest.fixture(scope="module")
def silver(tmp_path_factory, small_docs):
    """Two docs with tags and probabilities, in a shard."""
    folder = tmp_path_factory.mktemp("silver")
    docs = [doc.copy() for doc in small_docs[:2]]
    for doc in docs:
        labels = sorted({token.tag_ for token in doc})
        rows = np.array([[float(token.tag_ == label) for label in labels] for token in doc])
        TagProbabilities.of(labels, rows).to_doc(doc)
    (folder / "shard-00000.spacy").write_bytes(to_bytes(docs))
    return folder


@pytest.fixture
def source(short_training):
    """A small pipeline that is trained a little."""
    return short_training[0] / "model-last"


@pytest.fixture
def paths(request, small_corpus, tmp_path):
    """RETURNS (Callable): The paths that a config is run with."""
    further = {"distil.cfg": "silver", "vectors.cfg": "vectors"}
    further["continue.cfg"] = "source"

    def make(name, *, suffix=".conllu"):
        path = small_corpus if name != "tutorial.cfg" else CORPUS / "tutorial.conllu"
        if suffix == ".spacy":
            docs = [eg.reference for eg in Corpus(path, group_by=3)(spacy.blank("en"))]
            path = tmp_path / "corpus.spacy"
            DocBin(docs=docs).to_disk(path)
        values = {"paths.train": path, "paths.dev": path}
        if name in further:
            values[f"paths.{further[name]}"] = request.getfixturevalue(further[name])
        if name == "continue.cfg":
            values["paths.old"] = path
        return {key: str(path) for key, path in values.items()}

    return make


@pytest.mark.parametrize("name", NAMES)
def test_debug_config(spacy_command, paths, name):
    printed = spacy_command("debug", "config", CONFIGS / name, *overrides(paths(name)))
    assert "Config is valid" in printed


@pytest.mark.parametrize("name", NAMES)
def test_debug(paths, name):
    code, printed = run_command("debug", CONFIGS / name, *overrides(paths(name)))
    assert code == 0 and "Part-of-speech Tagging" in printed
    assert "✔ All labels of the dev data are in the train data" in printed


@pytest.mark.parametrize("name", [name for name in NAMES if NOISE in text_of(name)])
def test_noise_can_be_switched_off(spacy_command, paths, name):
    off = ["--corpora.train.augmenter", "null"]
    printed = spacy_command("debug", "config", CONFIGS / name, *overrides(paths(name)), *off)
    assert "Config is valid" in printed


@pytest.mark.parametrize("name", NAMES)
def test_trains(spacy_command, paths, tmp_path, name):
    steps = overrides({"training.max_steps": 4, "training.eval_frequency": 2})
    given = overrides(paths(name))
    output = spacy_command("train", CONFIGS / name, "--output", tmp_path, *given, *steps)
    assert "Saved pipeline" in output
    nlp = spacy.load(tmp_path / "model-last")
    tags = [token.tag_ for token in nlp("I left the soup on the stove.")]
    assert len(tags) == 8 and all(tags)
    # The names of all scores fit into spaCy's table: only those of losses are cut.
    header = next(line for line in output.splitlines() if line.startswith("E "))
    assert "..." not in header[header.index("TAG_ACC") :]
    if name == "vectors.cfg":
        assert nlp.vocab.vectors_length == 4


@pytest.mark.parametrize("name", NAMES)
def test_spacy_files_do_as_well(paths, name):
    """Their suffix tells, and the labels are the same."""
    labels = []
    for suffix in (".conllu", ".spacy"):
        nlp = init_nlp(load_config(CONFIGS / name, overrides=paths(name, suffix=suffix)))
        labels.append(nlp.pipe_labels)
    assert labels[0] == labels[1] and labels[0]


@pytest.mark.parametrize("name", ["accurate.cfg", "shared.cfg"])
def test_trains_from_spacy_files(spacy_command, paths, tmp_path, name):
    steps = {"training.max_steps": 2, "training.eval_frequency": 2}
    given = overrides(paths(name, suffix=".spacy") | steps)
    spacy_command("train", CONFIGS / name, "--output", tmp_path, *given)
    scores = spacy.load(tmp_path / "model-last").meta["performance"]
    assert scores["tag_acc_sents"] is not None and scores["tag_acc_docs"] is not None


def test_a_morphologizer_has_the_labels_of_the_whole_corpus(tmp_path):
    """spaCy shows it the start of a stream only, 100 docs."""
    row = "1\tgo\tgo\t{}\tVB\t{}\t_\t_\t_\t_\n\n"
    rare = row.format("NOUN", "Case=Voc")
    path = tmp_path / "train.conllu"
    path.write_text(row.format("VERB", "Mood=Imp") * 3000 + rare, encoding="utf-8")
    values = {"paths.train": str(path), "paths.dev": str(path)}
    nlp = init_nlp(load_config(CONFIGS / "shared.cfg", overrides=values))
    expected = {"Mood=Imp|POS=VERB", "Case=Voc|POS=NOUN"}
    assert expected <= set(nlp.get_pipe("morphologizer").labels)


@pytest.mark.parametrize("tag", ["upos", "upos+feats"])
def test_universal_tags_are_parts_of_speech(spacy_command, tmp_path, tag):
    path = tmp_path / "train.conllu"
    rows = ["I\tI\tPRON\tPRP\tNumber=Sing", "sleep\tsleep\tVERB\tVBP\tTense=Pres"]
    lines = [f"{i}\t{row}" + "\t_" * 4 for i, row in enumerate(rows, 1)]
    path.write_text(("\n".join(lines) + "\n\n") * 20, encoding="utf-8")
    values = {"paths.train": path, "paths.dev": path, "vars.tag": tag}
    values |= {"training.max_steps": 20, "training.eval_frequency": 20, **SMALL_SETTINGS}
    command = ["train", CONFIGS / "cpu.cfg", "--output", tmp_path / "output"]
    spacy_command(*command, *overrides(values))
    doc = spacy.load(tmp_path / "output" / "model-last")("I sleep")
    assert [token.pos_ for token in doc] == ["PRON", "VERB"]
    feats = ["Number=Sing", "Tense=Pres"] if tag == "upos+feats" else ["", ""]
    assert [str(token.morph) for token in doc] == feats


def test_a_terminal_gets_scores_of_both_kinds_of_docs_and_a_live_line(small_corpus):
    paths = {"paths.train": str(small_corpus), "paths.dev": str(small_corpus)}
    steps = {"training.max_steps": 4, "training.eval_frequency": 2}
    config = load_config(CONFIGS / "accurate.cfg", overrides={**paths, **steps})
    table, bar = StringIO(), Terminal()
    train(init_nlp(config), stdout=table, stderr=bar)
    (header,) = [line for line in table.getvalue().splitlines() if line.startswith("E ")]
    assert header.split()[-4:] == ["TAG_ACC", "TAG_ACC_SENTS", "TAG_ACC_DOCS", "SCORE"]
    assert "step 3 of 4" in bar.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_optimizer_for_training_on(name):
    """`nlp.resume_training()` makes the optimizer from its config block alone."""
    nlp = spacy.blank("en")
    nlp.config["training"] = load_config(CONFIGS / name, interpolate=False)["training"]
    assert nlp.create_optimizer().learn_rate is not None


@pytest.mark.parametrize("name", NAMES)
def test_comment_at_the_top_tells_the_command(name):
    """The command that a config names is one that works: it names the config itself."""
    comment = text_of(name).split("\n\n[")[0]
    assert all(line.startswith("#") for line in comment.splitlines() if line)
    assert f"spacy train configs/{name} --output output/{name.removesuffix('.cfg')}" in comment


@pytest.mark.parametrize("name", ["cpu.cfg", "tutorial.cfg"])
def test_default_paths_exist(spacy_command, tmp_path, name):
    """They train on the embedded corpus with no path given."""
    steps = overrides({"training.max_steps": 1, "training.eval_frequency": 1})
    small = {"encode.width": 8, "embed.char_hidden_width": 4, "encode.depth": 1}
    sizes = overrides(small, "components.lstm_tagger.model.tok2vec.")
    arguments = [*steps, *(sizes if name == "cpu.cfg" else [])]
    spacy_command("train", CONFIGS / name, "--output", tmp_path, *arguments)
    labels = next(iter(spacy.load(tmp_path / "model-last").pipe_labels.values()))
    assert len(labels) > (30 if name == "cpu.cfg" else 2)


def test_missing_vectors_are_a_clear_error(spacy_command, small_corpus, tmp_path):
    data = overrides({"paths.train": small_corpus, "paths.dev": small_corpus})
    with pytest.raises(AssertionError) as error:
        spacy_command("train", CONFIGS / "vectors.cfg", "--output", tmp_path, *data)
    assert "M003" in str(error.value.__cause__)


@pytest.mark.parametrize(
    ("name", "error"),
    [("continue", "E050"), ("small", "E913")],
)
def test_missing_paths_are_a_clear_error(spacy_command, tmp_path, name, error):
    """Of a config that has none by default."""
    with pytest.raises(AssertionError) as caught:
        spacy_command("train", CONFIGS / f"{name}.cfg", "--output", tmp_path)
    cause = caught.value.__cause__
    assert isinstance(cause, (ValueError, OSError)) and re.search(error, str(cause))


def test_a_wrong_setting_is_told_without_all_that_was_counted(spacy_command):
    """spaCy shows what a component was given: with the words of a treebank, half a megabyte."""
    corpus = str(CORPUS / "en-train.conllu")
    values = {"paths.train": corpus, "paths.dev": corpus}
    values["initialize.components.lstm_tagger.labls"] = "null"
    with pytest.raises(AssertionError) as error:
        spacy_command("train", CONFIGS / "accurate.cfg", *overrides(values))
    assert "labls" in str(error.value) and len(str(error.value)) < 2000
