"""The configs train on a GPU as they are, in every precision; from one device to the other and on."""

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from ..util import CONFIGS, overrides, scores_of
from .util import (
    PRECISIONS,
    TOLERANCE,
    assert_close,
    device_of,
    on,
    tags_of,
    weights,
    with_precision,
)

NAMES = ["gpu.cfg", "crf.cfg", "small.cfg", "shared.cfg"]
TEXTS = ["I left the soup on the stove.", "Nobody saw the gnomlings"]


@pytest.fixture(scope="module")
def train(spacy_command, small_corpus, tmp_path_factory):
    """Runs some steps of `spacy train`, with evaluation; returns the pipeline's path."""

    def run(name, precision, *, gpu_id):
        folder = tmp_path_factory.mktemp("trained")
        changes = {
            "paths.train": small_corpus,
            "paths.dev": small_corpus,
            "training.max_steps": 4,
            "training.eval_frequency": 2,
            **with_precision(name, precision),
        }
        options = ["--output", folder, "--gpu-id", gpu_id, *overrides(changes)]
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
    path = train(name, precision, gpu_id=0)
    here, there = load(path, "cpu"), load(path, "gpu")
    assert all(map(all, tags_of(there.pipe(TEXTS))))
    assert_close(logits(there), logits(here), TOLERANCE[precision])
    assert all(map(all, tags_of(here.pipe(TEXTS))))


@pytest.mark.parametrize("name", NAMES)
def test_what_was_trained_here_tags_there_and_learns_on(name, train, small_docs):
    path = train(name, "fp32", gpu_id=-1)
    here, there = load(path, "cpu"), load(path, "gpu")
    assert_close(logits(there), logits(here), TOLERANCE["fp32"])
    before, learned = weights(here), []
    for nlp in (here, there):
        with on(device_of(nlp)):
            optimizer = nlp.resume_training()
            optimizer.learn_rate = 0.001
            docs = [Doc(nlp.vocab, words=[token.text for token in doc]) for doc in small_docs]
            nlp.update([*map(Example, docs, small_docs)], sgd=optimizer)
        learned.append(weights(nlp))
    # Adam divides by the gradient's size, so a tiny gradient may step in either direction.
    for name, weight in before.items():
        one, other = (after[name] - weight for after in learned)
        assert abs(one - other).mean() <= 0.1 * abs(one).mean(), name
