"""Readers for `[corpora]` and `[initialize.components]`: corpora, labels."""

from .corpus import Corpus
from .labels import (
    read_morph_labels,
    read_tag_counts,
    read_tag_labels,
    read_word_lemmas,
    read_word_tags,
)

__all__ = [
    "Corpus",
    "read_morph_labels",
    "read_tag_counts",
    "read_tag_labels",
    "read_word_lemmas",
    "read_word_tags",
]
