"""What the tests share: a small corpus, small models, a trained pipeline, spaCy's commands."""

import os
from pathlib import Path

import pytest
import spacy
from spacy.cli._util import app
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import Adam
from typer.testing import CliRunner

from spacy_lstm_tagger.readers import ConlluCorpus

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "corpus"
CONFIGS = ROOT / "configs"

# The sizes of a model that trains in a second.
SMALL = {
    "width": 32,
    "depth": 1,
    "embed_width": 16,
    "word_width": 16,
    "char_width": 8,
    "char_hidden_width": 8,
    "feature_width": 8,
    "word_rows": 500,
    "feature_rows": 500,
    "char_rows": 200,
}
# The same where the two halves are blocks of their own, as in the configs.
SMALL_HALVES = {
    "encode.width": SMALL["width"],
    "encode.depth": SMALL["depth"],
    "encode.input_width": SMALL["embed_width"],
    "embed.width": SMALL["embed_width"],
    **{f"embed.{k}": v for k, v in SMALL.items() if k not in ("width", "depth", "embed_width")},
}

SENTENCES = [
    ("The dog ate the apple", "DET NN V DET NN"),
    ("Everybody read that book", "NN V DET NN"),
    ("I slept", "PRP V"),
    ("The old man quickly closed the door", "DET ADJ NN ADV V DET NN"),
]


def small_model(**sizes):
    """RETURNS (dict): The config of a small tagger model, for `nlp.add_pipe`."""
    tok2vec = {"@architectures": "spacy-lstm-tagger.WordCharLSTM.v1", **SMALL, **sizes}
    return {"@architectures": "spacy-lstm-tagger.Tagger.v1", "tok2vec": tok2vec}


def make_examples(nlp, sentences=SENTENCES):
    return [
        Example.from_dict(nlp.make_doc(text), {"words": text.split(), "tags": tags.split()})
        for text, tags in sentences
    ]


def train(nlp, examples, *, steps=20, drop=0.0, optimizer=None, **kwargs):
    """RETURNS (list): The loss of each step."""
    losses = []
    for _ in range(steps):
        losses.append(nlp.update(examples, sgd=optimizer, drop=drop, losses={}, **kwargs))
    return losses


def trained_nlp(steps=20, seed=0, *, architecture="Tagger", config=None, **sizes):
    """RETURNS (tuple): A pipeline with a small `lstm_tagger`, and its optimizer."""
    fix_random_seed(seed)
    nlp = spacy.blank("en")
    model = small_model(**sizes) | {"@architectures": f"spacy-lstm-tagger.{architecture}.v1"}
    nlp.add_pipe("lstm_tagger", config={"model": model, **(config or {})})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    optimizer = Adam(0.01, use_averages=True)
    train(nlp, examples, steps=steps, optimizer=optimizer)
    return nlp, optimizer


def scores_of(pipe, docs):
    """RETURNS (list): The scores of each doc, from the whole batch at once."""
    return [pipe.model.ops.to_numpy(doc_scores) for doc_scores in pipe.model.predict(docs)]


@pytest.fixture(scope="session")
def trained():
    """A small trained pipeline that no test may change."""
    return trained_nlp()[0]


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory):
    """The first 20 sentences of the embedded corpus."""
    path = tmp_path_factory.mktemp("corpus") / "small.conllu"
    blocks = (CORPUS / "en-train.conllu").read_text(encoding="utf-8").split("\n\n")
    path.write_text("\n\n".join(blocks[:20]) + "\n\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small_docs(small_corpus):
    """The docs of the small corpus, tagged by hand."""
    return [eg.reference for eg in ConlluCorpus(small_corpus)(spacy.blank("en"))]


@pytest.fixture(scope="session")
def spacy_command():
    """Runs `python -m spacy …` in this process, from the repository; returns what it printed."""

    def run(*arguments, cwd=ROOT):
        here = Path.cwd()
        os.chdir(cwd)
        try:
            result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        finally:
            os.chdir(here)
        if result.exit_code:
            raise AssertionError(result.output) from result.exception
        return result.output

    return run


def overrides(values, prefix=""):
    """RETURNS (list): Config values as command-line arguments."""
    arguments = []
    for name, value in values.items():
        arguments += [f"--{prefix}{name}", str(value)]
    return arguments
