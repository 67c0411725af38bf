"""Every config of the repository is valid and trains as it is."""

from io import StringIO

import numpy as np
import pytest
import spacy
from spacy.training.initialize import init_nlp
from spacy.training.loop import train

from spacy_lstm_tagger.distil.shards import to_bytes
from spacy_lstm_tagger.probabilities import TagProbabilities

from .util import CONFIGS, CORPUS, overrides

NAMES = sorted(path.name for path in CONFIGS.glob("*.cfg"))


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


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Raw text as JSONL."""
    path = tmp_path_factory.mktemp("raw") / "texts.jsonl"
    path.write_text('{"text": "The soup was cold. Nobody ate it."}\n' * 3, encoding="utf-8")
    return path


@pytest.fixture
def paths(request, small_corpus):
    """RETURNS (Callable): The paths that a config is run with, as command-line arguments."""

    def make(name):
        path = small_corpus if name != "tutorial.cfg" else CORPUS / "tutorial.conllu"
        values = {"paths.train": path, "paths.dev": path}
        further = {"distil.cfg": "silver", "raw.cfg": "raw", "vectors.cfg": "vectors"}
        if name in further:
            values[f"paths.{further[name]}"] = request.getfixturevalue(further[name])
        return overrides(values)

    return make


@pytest.mark.parametrize("name", NAMES)
def test_debug_config(spacy_command, paths, name):
    printed = spacy_command("debug", "config", CONFIGS / name, *paths(name))
    assert "Config is valid" in printed


@pytest.mark.parametrize("name", NAMES)
def test_trains(spacy_command, paths, tmp_path, name):
    steps = overrides({"training.max_steps": 4, "training.eval_frequency": 2})
    output = spacy_command("train", CONFIGS / name, "--output", tmp_path, *paths(name), *steps)
    assert "Saved pipeline" in output
    nlp = spacy.load(tmp_path / "model-last")
    tags = [token.tag_ for token in nlp("I left the soup on the stove.")]
    assert len(tags) == 8 and all(tags)
    # The names of all scores fit into spaCy's table: only those of losses are cut.
    header = next(line for line in output.splitlines() if line.startswith("E "))
    assert "..." not in header[header.index("TAG_ACC") :]
    if name == "vectors.cfg":
        assert nlp.vocab.vectors_length == 4


def test_a_terminal_gets_scores_of_both_kinds_of_docs_and_a_progress_bar(small_corpus):
    class Terminal(StringIO):
        def isatty(self):
            return True

    paths = {"paths.train": str(small_corpus), "paths.dev": str(small_corpus)}
    steps = {"training.max_steps": 4, "training.eval_frequency": 2}
    config = spacy.util.load_config(CONFIGS / "accurate.cfg", overrides={**paths, **steps})
    table, bar = StringIO(), Terminal()
    train(init_nlp(config), stdout=table, stderr=bar)
    (header,) = [line for line in table.getvalue().splitlines() if line.startswith("E ")]
    assert header.split()[-4:] == ["TAG_ACC", "ACC_SENTS", "ACC_DOCS", "SCORE"]
    assert "2/4" in bar.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_optimizer_for_training_on(name):
    """`nlp.resume_training()` makes the optimizer from its config block alone."""
    config = spacy.util.load_config(CONFIGS / name)
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    assert nlp.create_optimizer().learn_rate is not None


@pytest.mark.parametrize("name", NAMES)
def test_comment_at_the_top_tells_the_command(name):
    """The command that a config names is one that works: it names the config itself."""
    comment = (CONFIGS / name).read_text(encoding="utf-8").split("\n\n[")[0]
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
