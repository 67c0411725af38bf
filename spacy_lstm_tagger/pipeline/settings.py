"""What the settings of an `lstm_tagger`, its `cfg`, may be: in a config, and in a saved file."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..checks import (
    check,
    check_choice,
    check_flag,
    check_share,
    is_counted,
    is_integer,
    is_list_of_strings,
    is_number,
)
from .annotations import TAG_SETS, check_tags
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
    check_smoothing(cfg["label_smoothing"])
    check_choice("tag_set", cfg["tag_set"], TAG_SETS)
    check_tags(labels, cfg["tag_set"])
    holds = separator is None or (isinstance(separator, str) and separator != "")
    check(holds, "tag_separator", separator, "null or some characters")
    clash = cfg["tag_set"] == "upos+feats" and separator in ("|", "=")
    check(not clash, "tag_separator", separator, "another one, as features are written with it")
    check_class_weights(cfg["class_weights"])
    check_share(soft_share=cfg["soft_share"])
    Decoding.of(cfg)
    _check_table("tag_dictionary", cfg["tag_dictionary"], is_list_of_strings, "a list of tags")
    if cfg["tag_dictionary"]:
        TagDictionary(cfg["tag_dictionary"], labels)
    check_counts("tag_counts", cfg["tag_counts"], low=0)
    check_counts("word_counts", cfg["word_counts"], low=1)
    ambiguous = cfg["ambiguous_words"]
    holds = ambiguous is None or is_list_of_strings(ambiguous)
    check(holds, "ambiguous_words", ambiguous, "null or a list of words")


def check_smoothing(value: Any) -> None:
    """RAISES (ValueError): If label smoothing is not a number from 0 up to below 1."""
    holds = is_number(value, 0.0) and value < 1.0
    check(holds, "label_smoothing", value, "from 0 up to below 1")


def check_counts(name: str, counts: Any, *, low: int) -> None:
    """Check how often training has tags or words.

    name (str): What they are called.
    counts (Any): The counts.
    low (int): The lowest that is allowed.
    RAISES (ValueError): If they are neither a table of such integers nor None.
    """
    _check_table(name, counts, lambda count: is_integer(count, low), "a number of tokens")


def check_word_tags(entries: Any) -> None:
    """RAISES (ValueError): If this is neither what `WordTags.v1` reads nor None."""
    allowed = "null or a list of a word, a tag and a number of tokens each"
    holds = entries is None or (isinstance(entries, Sequence) and not isinstance(entries, str))
    check(holds, "word_tags", entries, allowed)
    for i, entry in enumerate(entries or ()):
        if not is_counted(entry, 2):
            check(False, f"word_tags[{i}]", entry, "a word, a tag and a number of tokens")


def _check_table(name: str, table: Any, holds: Callable[[Any], bool], allowed: str) -> None:
    """Check the values of a table, which may have very many.

    name (str): What it is called.
    table (Any): The table.
    holds (Callable[[Any], bool]): What must hold of each value.
    allowed (str): What it must be.
    """
    check(table is None or isinstance(table, Mapping), name, table, "null or a table")
    for key, value in (table or {}).items():
        if not holds(value):
            check(False, f"{name}[{key!r}]", value, allowed)
