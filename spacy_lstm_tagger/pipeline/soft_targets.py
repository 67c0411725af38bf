"""Soft targets: learning from the probabilities that a teacher has left with the training data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import TAG
from spacy.tokens import Doc
from spacy.training import Example
from torch import Tensor

from ..checks import first_of
from ..errors import Errors
from ..nn.transfer import send
from ..probabilities import TagProbabilities
from ..whitespace import is_space
from .gold import same_tokens


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
    `TagProbabilities`. Those of the best tags are scaled to sum to 1. A token whose tag is not
    the teacher's best one has been corrected: it has no target.

    examples (Iterable[Example]): The batch.
    labels (Sequence[str]): The tag set, which may be in another order than the teacher's.
    RETURNS (Optional[SoftTargets]): The targets. None if no token has one.
    RAISES (ValueError): If the teacher has a tag that is not in the tag set.
    """
    tokens, rows = [], []
    start = 0
    for eg in examples:
        kept = TagProbabilities.of_teacher(eg.reference)
        if kept is not None:
            try:
                dense = kept.dense(labels)
            except KeyError as e:
                raise ValueError(Errors.P002.format(tag=e, labels=first_of(labels))) from e
            dense[is_corrected(eg.reference, kept)] = 0.0
            where = np.arange(len(dense))
            if not same_tokens(eg):
                where, dense = one_to_one(eg, dense)
            mass = dense.sum(axis=1, keepdims=True)
            scored = (mass[:, 0] > 0.0) & ~is_space([eg.predicted])[where]
            tokens.append(start + where[scored])
            rows.append(dense[scored] / mass[scored])
        start += len(eg.predicted)
    if not tokens:
        return None
    return SoftTargets(np.concatenate(tokens), np.concatenate(rows))


def is_corrected(doc: Doc, kept: TagProbabilities) -> NDArray[np.bool_]:
    """RETURNS (NDArray[np.bool_]): Whether a token has another tag than the teacher's best one.
    *Shape:* ``(tokens,)``.
    """
    strings = doc.vocab.strings
    best = np.array([strings[label] for label in kept.labels], dtype=np.uint64)[kept.tags[:, 0]]
    tags = doc.to_array(TAG)
    return (tags != 0) & (tags != best)


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


def add_soft_targets(d_logits: Tensor, probs: Tensor, soft: SoftTargets, *, share: float) -> Tensor:
    r"""Turn the gradient of tokens that a teacher has scored into that of

    .. math:: s\, H(q, p) + (1 - s)\, H(y, p)

    with the student's distribution :math:`p`, the teacher's :math:`q` and the tag :math:`y`
    (Hinton et al. 2015, https://arxiv.org/abs/1503.02531).

    d_logits (Tensor): The gradient that the tags alone give. *Shape:* ``(tokens, tags)``.
    probs (Tensor): The student's probabilities. *Shape:* ``(tokens, tags)``.
    soft (SoftTargets): The teacher's.
    share (float): The share of the teacher's distribution in the target, :math:`s`.
    RETURNS (Tensor): The gradient, changed in place. *Shape:* ``(tokens, tags)``.
    """
    tokens = send(soft.tokens, probs.device)
    targets = send(soft.probabilities, probs.device)
    d_soft = probs[tokens] - targets
    d_logits[tokens] = share * d_soft + (1.0 - share) * d_logits[tokens]
    return d_logits
