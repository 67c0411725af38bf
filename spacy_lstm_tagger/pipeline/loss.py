"""The tagger's loss: gold tags to targets, without walking over tokens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ORTH, TAG
from spacy.training import Example
from thinc.api import Ops
from thinc.types import Floats2d

from ..errors import Errors

MISSING = -1


@dataclass(frozen=True)
class GoldTags:
    """What the annotation says of each token of a batch.

    labels (NDArray[np.int64]): The index of the tag, or `MISSING`. *Shape:* ``(tokens,)``.
    negative (NDArray[np.bool_]): Whether the annotation says that the token does *not* have the
        tag. *Shape:* ``(tokens,)``.
    """

    labels: NDArray[np.int64]
    negative: NDArray[np.bool_]


def gold_tags(
    examples: Iterable[Example], labels: Sequence[str], *, neg_prefix: str | None
) -> GoldTags:
    """Read the tags that the predicted docs of a batch should have.

    A token that has no tag, or none in its own alignment, is missing. Where the two docs of an
    example have the same tokens, as on gold tokens, the tags are copied as an array.

    examples (Iterable[Example]): The batch.
    labels (Sequence[str]): The tag set.
    neg_prefix (Optional[str]): A tag that starts with it is negative.
    RETURNS (GoldTags): The tags, doc after doc.
    RAISES (ValueError): If a tag is not in the tag set.
    """
    columns = []
    stores = {}  # examples may come from different vocabularies
    for eg in examples:
        stores[id(eg.reference.vocab)] = eg.reference.vocab.strings
        tags = eg.reference.to_array(TAG)
        same = len(eg.predicted) == len(eg.reference) and np.array_equal(
            eg.predicted.to_array(ORTH), eg.reference.to_array(ORTH)
        )
        if not same:
            aligned = eg.get_aligned("TAG")
            tags = np.array([0 if tag is None else tag for tag in aligned], dtype=np.uint64)
        columns.append(tags)
    flat = np.concatenate(columns)
    distinct, where = np.unique(flat, return_inverse=True)
    index = {label: i for i, label in enumerate(labels)}
    ids = np.empty(len(distinct), dtype=np.int64)
    negative = np.zeros(len(distinct), dtype=bool)
    for i, key in enumerate(distinct.tolist()):
        tag = next(strings[key] for strings in stores.values() if key in strings) if key else ""
        if neg_prefix and tag.startswith(neg_prefix) and tag not in index:
            tag = tag[len(neg_prefix) :]
            negative[i] = True
        if tag and tag not in index:
            raise ValueError(Errors.P001.format(tag=tag, labels=", ".join(labels)))
        ids[i] = index[tag] if tag else MISSING
    return GoldTags(ids[where], negative[where])


def softmax_gradient(
    ops: Ops, probs: Floats2d, gold: GoldTags, *, label_smoothing: float
) -> Floats2d:
    """The gradient of the cross-entropy with respect to the logits, as
    `thinc.api.SequenceCategoricalCrossentropy` defines it: summed over tokens, zero where the tag
    is missing, and for a negative tag only what pushes this one tag down.

    ops (Ops): The device's operations.
    probs (Floats2d): The tags' probabilities. *Shape:* ``(tokens, tags)``.
    gold (GoldTags): The annotation.
    label_smoothing (float): The probability that is spread over the other tags.
    RETURNS (Floats2d): *Shape:* ``(tokens, tags)``.
    """
    n_tokens, n_tags = probs.shape
    tokens, labels = ops.xp.arange(n_tokens), ops.xp.asarray(gold.labels)
    others = label_smoothing / (n_tags - 1) if n_tags > 1 else 0.0
    d_logits = probs - others
    d_logits[tokens, labels] -= 1.0 - label_smoothing - others
    d_logits[labels == MISSING] = 0.0
    if gold.negative.any():
        negative = ops.xp.asarray(gold.negative)
        rows, tags = tokens[negative], labels[negative]
        d_logits[rows] = 0.0
        d_logits[rows, tags] = probs[rows, tags]
    return d_logits
