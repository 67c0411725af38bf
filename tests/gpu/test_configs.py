"""The configs train on a GPU as they are, in every precision; from one device to the other and on."""

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from ..util import CONFIGS, overrides, scores_of, tags_of
from .util import (
    PRECISIONS,
    TOLERANCE,
    assert_close,
    device_of,
    on,
    with_precision,
)

NAMES = ["gpu.cfg", "crf.cfg", "small.cfg", "shared.cfg", "vectors.cfg"]
TEXTS = ["I left the soup on the stove.", "Nobody saw the gnomlings"]


@pytest.fixture(scope="module")
def vectors(spacy_command, tmp_path_factory):
    """The path of a pipeline that has static vectors."""
    folder = tmp_path_factory.mktemp("vectors")
    (folder / "vectors.txt").write_text("2 3\nthe 1 2 3\nsoup 4 5 6\n", encoding="utf-8")
    spacy_command("init", "vectors", "en", folder / "vectors.txt", folder / "pipeline")
    return folder / "pipeline"


@pytest.fixture(scope="module")
def train(spacy_command, small_corpus, tmp_path_factory, request):
    """Runs some steps of `spacy train`, with evaluation; returns the pipeline's path."""

    def run(name, precision, device):
        folder = tmp_path_factory.mktemp("trained")
        changes = {
            "paths.train": small_corpus,
            "paths.dev": small_corpus,
            "training.max_steps": 4,
            "training.eval_frequency": 2,
            **with_precision(name, precision),
        }
        if name == "vectors.cfg":
            changes["paths.vectors"] = request.getfixturevalue("vectors")
        gpu_id = {"cpu": -1, "gpu": 0}[device]
        options = ["--output", folder, "--gpu-id", gpu_id, *overrides(changes)]
        with on(device):
            assert "Saved pipeline" in spacy_command("train", CONFIGS / name, *options)
        return folder / "model-last"

    return run


def load(path, device):
    with on(device):
        nlp = spacy.load(path)
    assert device_of(nlp) == device
    return nlp


def logits(nlp):
    """RETURNS (list): The tagger's scores of each text."""
    docs = [nlp.make_doc(text) for text in TEXTS]
    if nlp.has_pipe("tok2vec"):  # to which the tagger listens
        tok2vec = nlp.get_pipe("tok2vec")
        tok2vec.set_annotations(docs, tok2vec.predict(docs))
    return scores_of(nlp.get_pipe("lstm_tagger"), docs)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", NAMES)
def test_what_was_trained_there_tags_here(name, precision, train):
    path = train(name, precision, "gpu")
    here, there = load(path, "cpu"), load(path, "gpu")
    assert all(map(all, tags_of(there.pipe(TEXTS))))
    assert_close(logits(there), logits(here), TOLERANCE[precision])
    assert all(map(all, tags_of(here.pipe(TEXTS))))


@pytest.mark.parametrize("name", NAMES)
def test_what_was_trained_here_tags_there_and_learns_on(name, train, small_docs):
    path = train(name, "fp32", "cpu")
    here, there = load(path, "cpu"), load(path, "gpu")
    assert_close(logits(there), logits(here), TOLERANCE["fp32"])
    with on("gpu"):
        optimizer = there.resume_training()
        optimizer.learn_rate = 0.005
        docs = [Doc(there.vocab, words=[token.text for token in doc]) for doc in small_docs]
        examples = [*map(Example, docs, small_docs)]
        losses = [there.update(examples, sgd=optimizer, losses={}) for _ in range(5)]
    assert losses[-1]["lstm_tagger"] < losses[0]["lstm_tagger"]
