"""Every command of spaCy works with the tagger."""

import json
import re
import subprocess
import sys

import pytest
import spacy
import srsly
from numpy.testing import assert_allclose
from spacy.tokens import DocBin
from thinc.api import Config

from .util import CONFIGS, CORPUS, ROOT, SMALL_HALVES, overrides

TEXT = "I left the soup on the stove."
PRETRAIN = """
[pretraining]
max_epochs = 2
dropout = 0.1
n_save_every = null
n_save_epoch = null
component = "lstm_tagger"
layer = "tok2vec"
corpus = "corpora.pretrain"

[pretraining.batcher]
@batchers = "spacy.batch_by_words.v1"
size = 100
discard_oversize = false
tolerance = 0.2
get_length = null

[pretraining.optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.01

[corpora.pretrain]
@readers = "spacy.JsonlCorpus.v1"
path = ${paths.raw_text}
"""
OBJECTIVES = {
    "characters": """
[pretraining.objective]
@architectures = "spacy.PretrainCharacters.v1"
maxout_pieces = 2
hidden_size = 16
n_characters = 2
""",
    "vectors": """
[pretraining.objective]
@architectures = "spacy.PretrainVectors.v1"
maxout_pieces = 2
hidden_size = 16
loss = "cosine"
""",
}
FILL = """
[initialize.after_init]
@callbacks = "spacy-lstm-tagger.FillVocabulary.v1"
corpus = ${corpora.train}
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def data(work, small_corpus, spacy_command):
    """The small corpus in spaCy's format."""
    spacy_command("convert", small_corpus, work, "--converter", "conllu", "--n-sents", 2)
    return work / "small.spacy"


@pytest.fixture(scope="module")
def config(work, data, spacy_command):
    """What `init config -p lstm_tagger` gives, with the sizes of a small model."""
    path = work / "config.cfg"
    spacy_command("init", "config", path, "--lang", "en", "--pipeline", "lstm_tagger")
    full = Config().from_disk(path, interpolate=False)
    assert full["nlp"]["pipeline"] == ["lstm_tagger"]
    full["paths"] |= {"train": str(data), "dev": str(data)}
    tok2vec = full["components"]["lstm_tagger"]["model"]["tok2vec"]
    for name, value in SMALL_HALVES.items():
        half, _, setting = name.partition(".")
        tok2vec[half][setting] = value
    full["training"] |= {"max_steps": 60, "eval_frequency": 30}
    full["training"]["optimizer"]["learn_rate"] = 0.01
    full.to_disk(path)
    return path


@pytest.fixture(scope="module")
def model(work, config, spacy_command):
    spacy_command("train", config, "--output", work / "output")
    return work / "output" / "model-last"


def test_init_config_trains(config, model):
    assert "lstm_tagger" in spacy.load(model).pipe_names
    # The config was filled already: it has every value of the factory.
    filled = Config().from_disk(config, interpolate=False)["components"]["lstm_tagger"]
    assert {"label_smoothing", "model", "neg_prefix", "overwrite", "scorer"} <= set(filled)
    scores = srsly.read_json(model / "meta.json")["performance"]
    assert scores["tag_acc"] > 0.5
    # For what a dev set may lack, spaCy would write 0.
    assert not {"tag_acc_sents", "tag_acc_docs"} & scores.keys()


@pytest.mark.parametrize("optimize", ["efficiency", "accuracy"])
def test_init_config_beside_another_pipe(work, spacy_command, optimize):
    path = work / f"{optimize}.cfg"
    pipes = "tagger,lstm_tagger"
    spacy_command("init", "config", path, "-p", pipes, "-o", optimize)
    nlp = spacy.util.load_model_from_config(Config().from_disk(path), auto_fill=True)
    assert nlp.pipe_names == ["tok2vec", "tagger", "lstm_tagger"]


def test_init_fill_config(work, spacy_command):
    part, full = work / "part.cfg", work / "full.cfg"
    part.write_text(
        '[nlp]\nlang = "en"\npipeline = ["lstm_tagger"]\n\n'
        '[components]\n\n[components.lstm_tagger]\nfactory = "lstm_tagger"\n'
    )
    spacy_command("init", "fill-config", part, full)
    config = Config().from_disk(full, interpolate=False)
    model = config["components"]["lstm_tagger"]["model"]
    assert model["@architectures"] == "spacy-lstm-tagger.Tagger.v1"
    # Every value is written out, so that it can be changed.
    assert {"width", "word_dropout", "characters", "dropout"} <= set(model["tok2vec"]["embed"])
    assert {"width", "depth", "merge", "lm_weight"} <= set(model["tok2vec"]["encode"])


def test_init_labels(work, config, spacy_command):
    spacy_command("init", "labels", config, work / "labels")
    labels = srsly.read_json(work / "labels" / "lstm_tagger.json")
    assert labels == sorted(labels) and {"DT", "NN", "."} <= set(labels)
    # They are what training starts from.
    text = config.read_text()
    reader = f'\n[initialize.components.lstm_tagger.labels]\n@readers = "spacy.read_labels.v1"\npath = "{work}/labels/lstm_tagger.json"\n'
    (work / "labels.cfg").write_text(text + "\n[initialize.components.lstm_tagger]\n" + reader)
    steps = overrides({"training.max_steps": 1, "training.eval_frequency": 1})
    spacy_command("train", work / "labels.cfg", "--output", work / "labelled", *steps)
    nlp = spacy.load(work / "labelled" / "model-last")
    assert list(nlp.get_pipe("lstm_tagger").labels) == labels


def test_debug_config(config, spacy_command):
    assert "Config is valid" in spacy_command("debug", "config", config)
    bad = ["--components.lstm_tagger.model.tok2vec.encode.width", "7"]
    with pytest.raises(AssertionError) as error:
        spacy_command("debug", "config", config, *bad)
    assert "M001" in str(error.value.__cause__) and "width = 7" in str(error.value.__cause__)


def test_unknown_setting_is_an_error(config, spacy_command):
    bad = ["--components.lstm_tagger.model.tok2vec.encode.widht", "8"]
    with pytest.raises(AssertionError, match="widht"):
        spacy_command("debug", "config", config, *bad)


def test_debug_data(spacy_command):
    options = ["--corpora.train.group_by", 1, "--corpora.dev.also_group_by", "null"]
    printed = spacy_command("debug", "data", CONFIGS / "cpu.cfg", *options)
    assert "Pipeline can be initialized with data" in printed
    assert "Training pipeline: lstm_tagger" in printed


def test_debug_model(config, spacy_command):
    flags = ["-P0", "-P1", "-P2", "-P3", "-DIM", "-PAR", "-ATTR"]
    printed = spacy_command("debug", "model", config, "lstm_tagger", *flags)
    assert "word_char_embed" in printed and "lstm_encoder" in printed
    assert "Successfully ended analysis" in printed


def test_debug_profile(work, model, spacy_command, tmp_path):
    texts = work / "texts.jsonl"
    srsly.write_jsonl(texts, [{"text": TEXT}] * 20)
    # The command leaves its profile where it runs.
    printed = spacy_command("debug", "profile", model, texts, "--n-texts", 20, cwd=tmp_path)
    assert "Profile stats" in printed


def test_evaluate(work, data, model, spacy_command):
    found = []
    for i, command in enumerate([["evaluate"], ["benchmark", "accuracy"]]):
        output = work / f"metrics-{i}.json"
        spacy_command(*command, model, data, "--output", output, "--gold-preproc")
        found.append(srsly.read_json(output))
    assert found[0]["tag_acc"] == found[1]["tag_acc"] > 0.5
    nlp = spacy.load(model)
    examples = list(spacy.training.Corpus(data, gold_preproc=True)(nlp))
    assert found[0]["tag_acc"] == pytest.approx(nlp.evaluate(examples)["tag_acc"])


def test_evaluate_scores_sentences_and_documents(work, model, small_docs, spacy_command):
    docs = [*small_docs, spacy.tokens.Doc.from_docs(small_docs[:3])]
    path, output = work / "both.spacy", work / "both.json"
    DocBin(docs=docs).to_disk(path)
    spacy_command("evaluate", model, path, "--output", output)
    metrics = srsly.read_json(output)
    assert metrics["tag_acc_sents"] > 0.5 and metrics["tag_acc_docs"] > 0.5


def test_benchmark_speed(data, model, spacy_command):
    options = ["--batches", 30, "--warmup", 1, "--batch-size", 8]
    assert re.search(r"Mean: \d", spacy_command("benchmark", "speed", model, data, *options))


def test_apply(work, model, spacy_command):
    (work / "text.txt").write_text(TEXT)
    spacy_command("apply", model, work / "text.txt", work / "applied.spacy")
    nlp = spacy.load(model)
    (doc,) = DocBin().from_disk(work / "applied.spacy").get_docs(nlp.vocab)
    assert [token.tag_ for token in doc] == [token.tag_ for token in nlp(TEXT)]
    assert doc[0].tag_


def test_assemble(work, config, model, spacy_command):
    text = Config().from_disk(config, interpolate=False)
    text["components"]["lstm_tagger"] = {"source": str(model)}
    text.to_disk(work / "assemble.cfg")
    spacy_command("assemble", work / "assemble.cfg", work / "assembled")
    found, expected = spacy.load(work / "assembled")(TEXT), spacy.load(model)(TEXT)
    assert [token.tag_ for token in found] == [token.tag_ for token in expected]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_pretrain(work, config, small_docs, spacy_command, objective):
    """A tagger starts from the weights, and knows the words, of a pretrained encoder."""
    folder = work / objective
    folder.mkdir()
    srsly.write_jsonl(folder / "raw.jsonl", [{"text": doc.text} for doc in small_docs])
    text = config.read_text().replace("[pretraining]", "") + PRETRAIN + OBJECTIVES[objective]
    if objective == "characters":
        # As in our configs: what is left of the rows goes to the words of the treebank.
        text = text.replace("after_init = null\n", "") + FILL
    text = text.replace("[paths]", f'[paths]\nraw_text = "{folder}/raw.jsonl"', 1)
    if objective == "vectors":
        words = "\n".join(f"{word} {i} 1 0 2" for i, word in enumerate(["I", "the", "."]))
        (folder / "vectors.txt").write_text(f"3 4\n{words}\n")
        spacy_command("init", "vectors", "en", folder / "vectors.txt", folder / "vectors")
        text = re.sub(r"(?m)^vectors = null", f'vectors = "{folder}/vectors"', text, count=1)
    (folder / "pretrain.cfg").write_text(text)
    spacy_command("pretrain", folder / "pretrain.cfg", folder / "weights")
    log = [json.loads(line) for line in (folder / "weights" / "log.jsonl").open()]
    assert log and all(line["loss"] > 0 for line in log)

    weights = folder / "weights" / "model-last.bin"
    full = Config().from_str(text)
    full["initialize"]["init_tok2vec"] = str(weights)
    nlp = spacy.util.load_model_from_config(full, auto_fill=True)
    nlp.initialize(lambda: list(spacy.training.Corpus(full["paths"]["train"])(nlp)))
    tok2vec = nlp.get_pipe("lstm_tagger").model.get_ref("tok2vec")
    # The weights are those of the file, and the vocabulary came with them.
    again = spacy.util.load_model_from_config(full, auto_fill=True).get_pipe("lstm_tagger")
    pretrained = again.model.get_ref("tok2vec").from_bytes(weights.read_bytes())
    for ours, theirs in zip(
        tok2vec.predict(small_docs), pretrained.predict(small_docs), strict=True
    ):
        assert_allclose(ours, theirs, atol=1e-5)
    embed = next(node for node in tok2vec.walk() if node.name == "word_char_embed")
    table = embed.shims[0].module.tables["word"]
    words = {word.orth for doc in small_docs for word in doc}
    assert len(table) > 0.9 * len(words) > 50
    steps = overrides({"training.max_steps": 20, "training.eval_frequency": 20})
    start = ["--paths.init_tok2vec", weights]
    spacy_command("train", folder / "pretrain.cfg", "-o", folder / "output", *steps, *start)
    assert spacy.load(folder / "output" / "model-last")(TEXT)[0].tag_


def test_package_names_us(work, model, spacy_command):
    """The package of a pipeline requires the distribution that has the factory."""
    (work / "package").mkdir()
    spacy_command("package", model, work / "package", "--build", "none", "--name", "test")
    (path,) = (work / "package").glob("en_test-*/meta.json")
    requirements = srsly.read_json(path)["requirements"]
    assert [r for r in requirements if re.match(r"spacy-lstm-tagger>=0\.\d", r)], requirements


def test_as_a_program(work):
    """The factory is found in a process of its own, from any folder."""
    run = [sys.executable, "-m", "spacy", "train", ROOT / "configs" / "tutorial.cfg"]
    tutorial = CORPUS / "tutorial.conllu"
    paths = overrides({"paths.train": tutorial, "paths.dev": tutorial, "training.max_epochs": 1})
    result = subprocess.run(
        [*map(str, run), "--output", "tutorial", *paths], cwd=work, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert (work / "tutorial" / "model-last" / "tagger" / "model").exists()
