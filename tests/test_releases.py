"""Pipelines of earlier releases load, and tag as they did."""

import json
from importlib.metadata import version

import numpy as np
import pytest
import spacy

from spacy_lstm_tagger import __version__

from .releases.make import FOLDER, golden, settings

PIPELINES = sorted(path.parent for path in FOLDER.glob("*/*/golden.json"))
SETTINGS = sorted(FOLDER.glob("*/settings.json"))


def test_what_is_installed_is_this_version():
    assert version("spacy-lstm-tagger") == __version__  # otherwise: pip install -e .


def test_this_version_has_its_pipelines_and_settings():
    assert {path.name for path in PIPELINES if path.parent.name == __version__}
    assert __version__ in {path.parent.name for path in SETTINGS}


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.parent.name)
def test_a_published_name_keeps_its_settings_and_their_defaults(path):
    found = settings()
    for name, was in json.loads(path.read_text(encoding="utf-8")).items():
        assert was == {key: found[name].get(key, "gone") for key in was}, name
        new = [key for key in found[name] if key not in was]
        assert "required" not in [found[name][key] for key in new], name  # old configs lack it


@pytest.mark.filterwarnings("ignore:.*W095")  # made with another spaCy
@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_it_loads_and_tags_as_it_did(path):
    found = golden(spacy.load(path / "pipeline"))
    expected = json.loads((path / "golden.json").read_text(encoding="utf-8"))
    for each, was in zip(found, expected, strict=True):
        assert each["text"] == was["text"] and each["tags"] == was["tags"]
        assert np.allclose(each["confidence"], was["confidence"], atol=0.005)
