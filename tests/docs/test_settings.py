"""The page of settings has all of them, with the defaults that the code has."""

import inspect
import json
import re
from importlib.metadata import entry_points

import pytest
import spacy
from spacy.util import registry

from spacy_lstm_tagger.errors import Errors
from spacy_lstm_tagger.pipeline import LSTMTagger, TagLemmatizer, TagMorphologizer

from . import PAGES

PREFIX = "spacy-lstm-tagger."
KINDS = ("architectures", "readers", "callbacks", "augmenters", "scorers", "loggers")
REGISTERED = {
    entry.name.removeprefix(PREFIX): kind
    for kind in KINDS
    for entry in entry_points(group=f"spacy_{kind}")
    if entry.name.startswith(PREFIX)
}
PAGE = PAGES["docs/settings.md"]


def sections():
    """RETURNS (dict): The text below each heading that starts with a name."""
    parts = re.split(r"^#+ ", PAGE, flags=re.M)
    return {match[1]: part for part in parts if (match := re.match(r"`([\w.]+)`", part))}


def tables(name):
    """RETURNS (list): Of each table of a section, the settings and their defaults as text."""
    found = re.findall(
        r"^\| setting \| default \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", sections()[name], re.M
    )
    return [dict(re.findall(r"^\| `(\w+)`[^|]*\| ([^|]+?) \|", rows, re.M)) for rows in found]


def as_config(value):
    return "required" if value is inspect.Parameter.empty else f"`{json.dumps(value)}`"


def defaults(function):
    """RETURNS (dict): The settings of a registered function and their defaults as text."""
    parameters = inspect.signature(function).parameters
    return {key: as_config(p.default).replace(", ", ",") for key, p in parameters.items()}


@pytest.mark.parametrize("name", REGISTERED)
def test_what_a_config_can_name(name):
    function = getattr(registry, REGISTERED[name]).get(PREFIX + name)
    if name in sections():
        assert tables(name) == ([defaults(function)] if defaults(function) else [])
    else:  # several readers share a table
        (row,) = re.findall(rf"^\| `{re.escape(name)}` \| (.+?) \|", PAGE, re.M)
        assert re.findall(r"`(\w+)`", row) == list(defaults(function))


def test_nothing_else_is_named():
    assert set(re.findall(r"`([A-Z]\w+\.v\d)`", PAGE)) == set(REGISTERED)


def test_component():
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger")
    meta = nlp.get_factory_meta("lstm_tagger")
    config = meta.default_config
    component, initialize = tables("lstm_tagger")
    assert set(component) == set(config)
    for name in set(config) - {"model", "scorer"}:
        assert component[name] == as_config(config[name])
    assert set(meta.default_score_weights) <= set(re.findall(r"`(\w+)`", PAGE))
    parameters = inspect.signature(LSTMTagger.initialize).parameters
    assert set(initialize) == set(parameters) - {"self", "get_examples", "nlp"}


def test_lemmatizer():
    config = spacy.blank("en").get_factory_meta("tag_lemmatizer").default_config
    component, initialize = tables("tag_lemmatizer")
    assert set(component) == set(config)
    assert component["overwrite"] == as_config(config["overwrite"])
    assert component["scorer"] == f"`{config['scorer']['@scorers']}`"
    parameters = inspect.signature(TagLemmatizer.initialize).parameters
    assert set(initialize) == set(parameters) - {"self", "get_examples", "nlp"}


def test_morphologizer():
    meta = spacy.blank("en").get_factory_meta("tag_morphologizer")
    config = meta.default_config
    component, initialize = tables("tag_morphologizer")
    assert set(component) == set(config)
    for name in ("overwrite", "label_smoothing"):
        assert component[name] == as_config(config[name])
    assert component["scorer"] == f"`{config['scorer']['@scorers']}`"
    assert set(meta.default_score_weights) <= set(re.findall(r"`(\w+)`", PAGE))
    parameters = inspect.signature(TagMorphologizer.initialize).parameters
    assert set(initialize) == set(parameters) - {"self", "get_examples", "nlp"}


def test_sentence_finder():
    meta = spacy.blank("en").get_factory_meta("paragraph_senter")
    (component,) = tables("paragraph_senter")
    assert set(component) == set(meta.default_config)
    assert component["overwrite"] == as_config(meta.default_config["overwrite"])
    assert component["scorer"] == f"`{meta.default_config['scorer']['@scorers']}`"
    assert set(meta.default_score_weights) <= set(re.findall(r"`(\w+)`", PAGE))


def test_errors_that_are_told_of():
    told = re.findall(r"`\[(\w\d+)\] ([^`…]+)", PAGES["docs/troubleshooting.md"])
    assert len(told) >= 2
    for code, text in told:
        message = getattr(Errors, code).removeprefix(f"[{code}] ")
        assert message.startswith(text.strip()), code
