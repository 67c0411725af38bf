"""The fixtures of the tests of readers: a pipeline, and some treebanks."""

import pytest
import spacy

from .util import GERMAN, write


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


@pytest.fixture
def german(tmp_path):
    path = tmp_path / "german.conllu"
    path.write_text(GERMAN, encoding="utf-8")
    return path


@pytest.fixture
def fifty(tmp_path):
    """A folder with two files: 30 sentences in 3 documents, 20 in 1; a text file beside them."""
    (tmp_path / "b").mkdir()
    write(tmp_path / "a.conllu", [[3, 1] * 5, [2] * 15, [4] * 5])
    write(tmp_path / "b" / "b.conllu", [[1] * 20])
    (tmp_path / "readme.txt").write_text("not a treebank")
    return tmp_path
