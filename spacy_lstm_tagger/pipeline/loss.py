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
from ..scores import TagScores

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
        if not same_tokens(eg):
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


def same_tokens(eg: Example) -> bool:
    """RETURNS (bool): Whether the two docs of an example have the same tokens."""
    return len(eg.predicted) == len(eg.reference) and np.array_equal(
        eg.predicted.to_array(ORTH), eg.reference.to_array(ORTH)
    )


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


@dataclass(frozen=True)
class SoftTargets:
    """A teacher's distribution for some tokens of a batch.

    tokens (NDArray[np.int64]): Which tokens. *Shape:* ``(targets,)``.
    probabilities (NDArray[np.float32]): Their distributions, which sum to 1.
        *Shape:* ``(targets, tags)``.
    """

    tokens: NDArray[np.int64]
    probabilities: NDArray[np.float32]


def soft_targets(examples: Iterable[Example], labels: Sequence[str]) -> SoftTargets | None:
    """Read the probabilities that a teacher has left with the references of a batch, as
    `TagScores`. Those of the best tags are scaled to sum to 1.

    examples (Iterable[Example]): The batch.
    labels (Sequence[str]): The tag set, which may be in another order than the teacher's.
    RETURNS (Optional[SoftTargets]): The targets. None if no token has one.
    RAISES (ValueError): If the teacher has a tag that is not in the tag set.
    """
    tokens, rows = [], []
    start = 0
    for eg in examples:
        scores = TagScores.from_doc(eg.reference)
        if scores is not None:
            try:
                dense = scores.dense(labels)
            except KeyError as e:
                known = ", ".join(labels)
                raise ValueError(Errors.P002.format(tag=e, labels=known)) from e
            where = np.arange(len(dense))
            if not same_tokens(eg):
                where, dense = one_to_one(eg, dense)
            mass = dense.sum(axis=1, keepdims=True)
            scored = mass[:, 0] > 0.0  # white space, for instance, is not
            tokens.append(start + where[scored])
            rows.append(dense[scored] / mass[scored])
        start += len(eg.predicted)
    if not tokens:
        return None
    return SoftTargets(np.concatenate(tokens), np.concatenate(rows))


def one_to_one(
    eg: Example, rows: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Keep the rows of the reference's tokens that are a token of the predicted doc as well.

    RETURNS (tuple): These tokens of the predicted doc, and their rows.
    """
    x2y, y2x = eg.alignment.x2y, eg.alignment.y2x
    lengths = np.asarray(x2y.lengths)
    tokens = np.flatnonzero(lengths == 1)
    others = np.asarray(x2y.data)[np.cumsum(lengths)[tokens] - 1]
    single = np.asarray(y2x.lengths)[others] == 1
    return tokens[single], rows[others[single]]


def add_soft_targets(
    ops: Ops,
    d_logits: Floats2d,
    probs: Floats2d,
    soft: SoftTargets,
    *,
    share: float,
    weight: float,
) -> Floats2d:
    r"""Turn the gradient of tokens that a teacher has scored into that of

    .. math:: w \left[ s\, H(q, p) + (1 - s)\, H(y, p) \right]

    with the student's distribution :math:`p`, the teacher's :math:`q` and the tag :math:`y`
    (Hinton et al. 2015, https://arxiv.org/abs/1503.02531).

    ops (Ops): The device's operations.
    d_logits (Floats2d): The gradient that the tags alone give. *Shape:* ``(tokens, tags)``.
    probs (Floats2d): The student's probabilities. *Shape:* ``(tokens, tags)``.
    soft (SoftTargets): The teacher's.
    share (float): The share of the teacher's distribution in the target, :math:`s`.
    weight (float): The weight of these tokens, :math:`w`.
    RETURNS (Floats2d): The gradient, changed in place. *Shape:* ``(tokens, tags)``.
    """
    tokens, targets = ops.xp.asarray(soft.tokens), ops.xp.asarray(soft.probabilities)
    d_soft = probs[tokens] - targets
    d_logits[tokens] = weight * (share * d_soft + (1.0 - share) * d_logits[tokens])
    return d_logits
