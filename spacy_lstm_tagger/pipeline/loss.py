"""The tagger's losses: from scores and annotation to the gradient of the scores."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from thinc.api import Ops
from thinc.types import Floats2d
from thinc.util import torch2xp, xp2torch

from ..models.crf_output import CRFGradient
from ..nn.crf import LinearChainCRF
from .gold import MISSING, SEVERAL, GoldTags


def softmax_gradient(
    ops: Ops,
    probs: Floats2d,
    gold: GoldTags,
    *,
    label_smoothing: float,
    weights: NDArray[np.float32] | None = None,
) -> Floats2d:
    """The gradient of the cross-entropy with respect to the logits, as
    `thinc.api.SequenceCategoricalCrossentropy` defines it: summed over tokens, zero where the tag
    is missing. Where several tags are allowed, it is that of −log of their summed probability.

    ops (Ops): The device's operations.
    probs (Floats2d): The tags' probabilities. *Shape:* ``(tokens, tags)``.
    gold (GoldTags): The annotation.
    label_smoothing (float): The probability that is spread over the other tags of a token that
        has a single one.
    weights (Optional[NDArray[np.float32]]): How much each token counts, see `token_weights`.
        *Shape:* ``(tokens,)``.
    RETURNS (Floats2d): *Shape:* ``(tokens, tags)``.
    """
    n_tokens, n_tags = probs.shape
    tokens, labels = ops.xp.arange(n_tokens), ops.xp.asarray(gold.tags)
    others = label_smoothing / (n_tags - 1) if n_tags > 1 else 0.0
    d_logits = probs - others
    d_logits[tokens, labels] -= 1.0 - label_smoothing - others
    d_logits[labels == MISSING] = 0.0
    several = gold.tags == SEVERAL
    if several.any():
        rows = ops.xp.asarray(several.nonzero()[0])
        possible = probs[rows] * ops.xp.asarray(gold.tag_sets[gold.annotations[several]])
        total = possible.sum(axis=1, keepdims=True)
        d_logits[rows] = probs[rows] - possible / ops.xp.maximum(total, 1e-30)
    if weights is not None:
        d_logits *= ops.xp.asarray(weights)[:, None]
    return d_logits


def crf_gradient(
    ops: Ops,
    emissions: Floats2d,
    lengths: Sequence[int],
    crf: LinearChainCRF,
    gold: GoldTags,
    *,
    label_smoothing: float,
    weights: NDArray[np.float32] | None = None,
) -> tuple[float, CRFGradient]:
    """The negative log-likelihood of a CRF, summed over docs, and its gradient: what the model
    expects, less what it expects of the sequences that the annotation allows. Missing and ambiguous
    tags are marginalized over (Tsuboi et al., 2008, https://aclanthology.org/C08-1113).

    ops (Ops): The device's operations.
    emissions (Floats2d): The logits. *Shape:* ``(tokens, tags)``.
    lengths (Sequence[int]): The number of tokens of each doc.
    crf (LinearChainCRF): The CRF.
    gold (GoldTags): The annotation.
    label_smoothing (float): How much of the loss is, instead of this, the cross-entropy of the
        uniform distribution and the softmax of the emissions, at tokens that have a single tag.
    weights (Optional[NDArray[np.float32]]): How much each token counts, see `token_weights`. A doc
        counts as its annotated tokens do on average: the likelihood is one of whole sequences.
    RETURNS (tuple): The loss, and the gradient.
    """
    of_docs = np.ones(len(lengths), dtype=np.float32)
    if weights is not None:
        of_docs = _doc_means(weights, lengths, gold)
    logits = xp2torch(emissions)
    gradient = crf.negative_log_likelihood(
        logits,
        lengths,
        allowed=xp2torch(ops.xp.asarray(gold.allowed())),
        weights=xp2torch(ops.xp.asarray(of_docs * (1.0 - label_smoothing))),
    )
    loss = float(gradient.log_partition.sum())
    if label_smoothing:
        smoothed = label_smoothing * np.repeat(of_docs, lengths) * (gold.tags >= 0)
        share = xp2torch(ops.xp.asarray(smoothed))[:, None]
        log_probs = logits.log_softmax(1)
        loss -= float((share * log_probs).sum()) / logits.shape[1]
        gradient.marginals.add_(share * (log_probs.exp() - 1.0 / logits.shape[1]))
    d_crf = LinearChainCRF(gradient.transitions, gradient.start, gradient.end)
    return loss, CRFGradient(cast(Floats2d, torch2xp(gradient.marginals)), lengths, d_crf)


def _doc_means(
    weights: NDArray[np.float32], lengths: Sequence[int], gold: GoldTags
) -> NDArray[np.float32]:
    """RETURNS (NDArray[np.float32]): The mean weight of each doc's annotated tokens, 1 if it has
    none. *Shape:* ``(docs,)``.
    """
    annotated = gold.tags != MISSING
    docs = np.repeat(np.arange(len(lengths)), lengths)
    counts = np.bincount(docs, annotated, minlength=len(lengths))
    sums = np.bincount(docs, annotated * weights, minlength=len(lengths))
    return np.where(counts > 0, sums / np.maximum(counts, 1), 1.0).astype(np.float32)


def token_weights(gold: GoldTags, class_weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much each token counts: as much as its tag, or the tags that it may have on average.

    gold (GoldTags): The annotation.
    class_weights (NDArray[np.float32]): How much each tag counts. *Shape:* ``(tags,)``.
    RETURNS (NDArray[np.float32]): *Shape:* ``(tokens,)``.
    """
    means = gold.tag_sets @ class_weights / gold.tag_sets.sum(axis=1)
    return means[gold.annotations].astype(np.float32)
