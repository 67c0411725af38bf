"""Pipelines of earlier releases load, and tag as they did."""

import json
from importlib.metadata import version

import numpy as np
import pytest
import spacy

from .releases.make import FOLDER, golden

PIPELINES = sorted(path.parent for path in FOLDER.glob("*/*/golden.json"))


def test_this_version_has_its_pipelines():
    assert {path.name for path in PIPELINES if path.parent.name == version("spacy-lstm-tagger")}


@pytest.mark.filterwarnings("ignore:.*W095")  # made with another spaCy
@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_it_loads_and_tags_as_it_did(path):
    found = golden(spacy.load(path / "pipeline"))
    expected = json.loads((path / "golden.json").read_text(encoding="utf-8"))
    for each, was in zip(found, expected, strict=True):
        assert each["text"] == was["text"] and each["tags"] == was["tags"]
        assert np.allclose(each["confidence"], was["confidence"], atol=0.005)
