"""What the settings of an `lstm_tagger`, its `cfg`, may be: in a config, and in a saved file."""

from collections.abc import Callable, Mapping
from typing import Any

from ..checks import (
    check,
    check_choice,
    check_flag,
    check_rate,
    check_share,
    is_integer,
    is_list_of_strings,
)
from .annotations import ATTRIBUTES, check_tags
from .class_weights import check_class_weights
from .decoding import Decoding
from .dictionary import TagDictionary


def check_settings(cfg: Mapping[str, Any]) -> None:
    """Check all settings, but for whether the tags of class weights are in the tag set.

    cfg (Mapping[str, Any]): The settings, see `LSTMTagger`.
    RAISES (ValueError): If a value is out of range or of a wrong type.
    """
    labels, separator = cfg["labels"], cfg["tag_separator"]
    distinct = is_list_of_strings(labels) and len(set(labels)) == len(labels)
    check(distinct, "labels", labels, "a list of different tags")
    check_flag(overwrite=cfg["overwrite"])
    check(isinstance(cfg["neg_prefix"], str), "neg_prefix", cfg["neg_prefix"], "some characters")
    check_rate(label_smoothing=cfg["label_smoothing"])
    check_choice("tag_set", cfg["tag_set"], ATTRIBUTES)
    check_tags(labels, cfg["tag_set"])
    check(
        separator is None or (isinstance(separator, str) and separator != ""),
        "tag_separator",
        separator,
        "null or some characters",
    )
    clash = cfg["tag_set"] == "upos+feats" and separator in ("|", "=")
    check(not clash, "tag_separator", separator, "another one, as features are written with it")
    check_class_weights(cfg["class_weights"])
    check_share(soft_share=cfg["soft_share"])
    Decoding.of(cfg)
    _check_table(cfg, "tag_dictionary", is_list_of_strings, "a list of tags")
    if cfg["tag_dictionary"]:
        TagDictionary(cfg["tag_dictionary"], labels)
    _check_table(cfg, "tag_counts", lambda count: is_integer(count, 0), "a number of tokens")
    _check_table(cfg, "word_counts", lambda count: is_integer(count, 1), "a number of tokens")
    ambiguous = cfg["ambiguous_words"]
    holds = ambiguous is None or is_list_of_strings(ambiguous)
    check(holds, "ambiguous_words", ambiguous, "null or a list of words")


def _check_table(
    cfg: Mapping[str, Any], name: str, holds: Callable[[Any], bool], allowed: str
) -> None:
    """Check the values of a table, which may have very many.

    cfg (Mapping[str, Any]): The settings.
    name (str): Which of them.
    holds (Callable[[Any], bool]): What must hold of each value.
    allowed (str): What it must be.
    """
    table = cfg[name]
    check(table is None or isinstance(table, Mapping), name, table, "null or a table")
    for key, value in (table or {}).items():
        if not holds(value):
            check(False, f"{name}[{key!r}]", value, allowed)
