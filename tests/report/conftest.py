"""A corpus of our own and two pipelines, one of spaCy's own kind."""

import pytest

from ..util import SENTENCES, write_conllu
from . import make_pipeline

NEW = [("A zog ate the blick", "DET NN V DET NN"), ("Dogs slept quickly", "NN V ADV")]


@pytest.fixture(scope="package")
def corpus(tmp_path_factory):
    sentences = [
        list(zip(text.split(), tags.split(), strict=True)) for text, tags in [*SENTENCES, *NEW] * 4
    ]
    return write_conllu(tmp_path_factory.mktemp("report") / "dev.conllu", sentences)


@pytest.fixture
def three_tags(tmp_path):
    """Sentences of 1, 3 and 2 words: three that are "A", two "B", one "C"."""
    tags = ["A", "AAB", "CB"]
    return write_conllu(tmp_path / "dev.conllu", [[("x", tag) for tag in each] for each in tags])


@pytest.fixture(scope="package")
def ours():
    return make_pipeline()


@pytest.fixture(scope="package")
def theirs():
    return make_pipeline(factory="tagger", steps=3)


@pytest.fixture(scope="package")
def words(tmp_path_factory):
    """What training had: "ate" with two tags."""
    rows = [("The", "DET"), ("the", "DET"), ("ate", "V"), ("ate", "NN"), ("I", "PRP")]
    return write_conllu(tmp_path_factory.mktemp("train") / "train.conllu", [rows, rows[:1]])
