"""A trained pipeline to tag with, and texts."""

import pytest
import spacy

from ..distil import stock_teacher
from .tagging import TEXTS, write_texts


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("tag") / "model"
    stock_teacher(factory="lstm_tagger").to_disk(path)
    return path


@pytest.fixture(scope="module")
def expected(model):
    """What the pipeline says of the texts."""
    return [[(t.text, t.tag_) for t in doc] for doc in spacy.load(model).pipe(TEXTS)]


@pytest.fixture
def texts(tmp_path):
    return write_texts(tmp_path / "in")
