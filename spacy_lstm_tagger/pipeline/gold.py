"""What the annotation says of each token of a batch, without walking over tokens."""

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ORTH, TAG
from spacy.training import Example

from ..checks import first_of
from ..errors import Errors
from ..warning_texts import Warnings
from ..whitespace import SPACE_TAG, is_space
from .notation import Notation

# Instead of the index of a tag: there is no annotation, or it allows several tags.
MISSING, SEVERAL = -1, -2


@dataclass(frozen=True)
class GoldTags:
    """What the annotation says of each token of a batch.

    tags (NDArray[np.int64]): The index of the tag, `MISSING` or `SEVERAL`. *Shape:* ``(tokens,)``.
    annotations (NDArray[np.int64]): Which of the batch's distinct annotations it is.
        *Shape:* ``(tokens,)``.
    tag_sets (NDArray[np.bool_]): The tags that each distinct annotation allows: all of them where
        there is none. *Shape:* ``(annotations, tags)``.
    """

    tags: NDArray[np.int64]
    annotations: NDArray[np.int64]
    tag_sets: NDArray[np.bool_]

    def allowed(self) -> NDArray[np.bool_]:
        """RETURNS (NDArray[np.bool_]): The tags that each token may have.
        *Shape:* ``(tokens, tags)``.
        """
        return self.tag_sets[self.annotations]


def gold_tags(examples: Iterable[Example], labels: Sequence[str], notation: Notation) -> GoldTags:
    """Read the tags that the predicted docs of a batch should have.

    A token that has no tag, or none in its own alignment, is missing, and so is white space.

    examples (Iterable[Example]): The batch.
    labels (Sequence[str]): The tag set.
    notation (Notation): How the annotation says what a token may have.
    RETURNS (GoldTags): The tags, doc after doc.
    RAISES (ValueError): If a tag is not in the tag set.
    """
    columns = []
    stores = {}  # examples may come from different vocabularies
    for eg in examples:
        stores[id(eg.reference.vocab)] = eg.reference.vocab.strings
        columns.append(np.where(is_space([eg.predicted]), 0, aligned_tags(eg)))
    distinct, annotations = np.unique(np.concatenate(columns), return_inverse=True)
    index = {label: i for i, label in enumerate(labels)}
    tag_sets = np.zeros((len(distinct), len(labels)), dtype=bool)
    tags = np.full(len(distinct), SEVERAL, dtype=np.int64)
    for i, key in enumerate(distinct.tolist()):
        text = next(strings[key] for strings in stores.values() if key in strings) if key else ""
        if text == SPACE_TAG and text not in index:
            text = ""
        named, negative = notation.split(text, index)
        if unknown := [each for each in named if each not in index]:
            raise ValueError(Errors.P001.format(tag=unknown[0], labels=first_of(labels)))
        tag_sets[i, [index[each] for each in named]] = True
        if negative or not named:
            tag_sets[i] = ~tag_sets[i]
        if not named or not tag_sets[i].any():
            tags[i], tag_sets[i] = MISSING, True  # an annotation that allows nothing says nothing
        elif tag_sets[i].sum() == 1:
            tags[i] = tag_sets[i].argmax()
    return GoldTags(tags[annotations], annotations, tag_sets)


def select(gold: GoldTags, tokens: NDArray[np.bool_]) -> GoldTags:
    """RETURNS (GoldTags): What the annotation says of some of the tokens.

    gold (GoldTags): What it says of all.
    tokens (NDArray[np.bool_]): Which tokens. *Shape:* ``(tokens,)``.
    """
    return GoldTags(gold.tags[tokens], gold.annotations[tokens], gold.tag_sets)


def aligned_tags(eg: Example) -> NDArray[np.uint64]:
    """RETURNS (NDArray[np.uint64]): The tags for the tokens of the predicted doc, 0 where there is
    none. Where the two docs have the same tokens, as on gold tokens, they are copied as an array.
    *Shape:* ``(tokens,)``.
    """
    if same_tokens(eg):
        return cast(NDArray[np.uint64], eg.reference.to_array(TAG))
    aligned = eg.get_aligned("TAG")
    return np.array([0 if key is None else key for key in aligned], dtype=np.uint64)


def same_tokens(eg: Example) -> bool:
    """RETURNS (bool): Whether the two docs of an example have the same tokens."""
    return np.array_equal(eg.predicted.to_array(ORTH), eg.reference.to_array(ORTH))


def count_tags(examples: Iterable[Example]) -> Counter[str]:
    """RETURNS (Counter[str]): How many tokens of the references have each annotation."""
    counts: Counter[str] = Counter()
    for eg in examples:
        keys, numbers = np.unique(eg.reference.to_array(TAG), return_counts=True)
        strings = eg.reference.vocab.strings
        pairs = zip(keys.tolist(), numbers.tolist(), strict=True)
        counts.update({strings[key]: n for key, n in pairs if key})
    return counts


def compare_tags(name: str, setting: str, given: Iterable[str], seen: Iterable[str]) -> None:
    """Warn if what was read of a corpus has none of the tags that a component learns: it is of
    another column.

    name (str): The component.
    setting (str): What was read for it.
    given (Iterable[str]): The tags in that.
    seen (Iterable[str]): Those that it learns.
    """
    given, seen = sorted(set(given)), sorted(set(seen))
    if given and seen and not set(given) & set(seen):
        tags = {"given": first_of(given), "seen": first_of(seen)}
        warnings.warn(Warnings.LW009.format(name=name, setting=setting, **tags), stacklevel=3)
