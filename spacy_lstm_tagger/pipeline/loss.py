"""The tagger's losses: from scores and annotation to the gradient of the scores.

What goes to a device is copied there at once, and what comes back comes in one piece: waiting for a
GPU takes longer than the loss.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from thinc.api import Model, Ops
from thinc.types import Floats2d
from thinc.util import torch2xp

from ..models.crf_output import CRFGradient
from ..models.flat import FlatList, as_tensor
from ..models.lattice import model_crf
from ..nn.crf import LinearChainCRF
from ..whitespace import word_lengths
from .gold import MISSING, SEVERAL, GoldTags, select
from .soft_targets import SoftTargets, add_soft_targets

# Where single precision ends.
TINY = 1.2e-38


class Loss(NamedTuple):
    """The loss of a batch.

    value (float): The loss.
    surprise (float): The mean −log probability of the right tags, 0 where none is known.
    gradient (FlatList): The gradient of the scores.
    """

    value: float
    surprise: float
    gradient: FlatList


def batch_loss(
    model: Model,
    scores: Floats2d,
    gold: GoldTags,
    *,
    lengths: Sequence[int],
    spaces: NDArray[np.bool_],
    label_smoothing: float,
    weights: NDArray[np.float32] | None,
    soft: SoftTargets | None,
    soft_share: float,
    soft_weight: float,
) -> Loss:
    """The loss of a tagger model. A CRF learns from tags alone.

    model (Model): The model.
    scores (Floats2d): Its scores in training. *Shape:* ``(tokens, tags)``.
    gold (GoldTags): The annotation.
    lengths (Sequence[int]): The number of tokens of each doc.
    spaces (NDArray[np.bool_]): Which tokens are white space. *Shape:* ``(tokens,)``.
    label_smoothing (float): See `LSTMTagger`.
    weights (Optional[NDArray[np.float32]]): How much each token counts, see `token_weights`.
        *Shape:* ``(tokens,)``.
    soft (Optional[SoftTargets]): What a teacher says.
    soft_share (float): See `LSTMTagger`.
    soft_weight (float): See `LSTMTagger`.
    RETURNS (Loss): The loss, and its gradient with respect to the logits.
    """
    ops, crf = model.ops, model_crf(model)
    options: dict[str, Any] = {"label_smoothing": label_smoothing, "weights": weights}
    if crf is not None:
        return crf_loss(scores, lengths, crf, gold, spaces=spaces, **options)
    d_logits = softmax_gradient(ops, scores, gold, **options)
    if soft is not None:
        d_logits = add_soft_targets(
            ops, d_logits, scores, soft, share=soft_share, weight=soft_weight
        )
    return softmax_loss(ops, scores, d_logits, lengths, gold)


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
    several = gold.tags == SEVERAL
    if several.any():
        rows = ops.xp.asarray(several.nonzero()[0])
        possible = probs[rows] * ops.xp.asarray(gold.tag_sets[gold.annotations[several]])
        total = possible.sum(axis=1, keepdims=True)
        d_logits[rows] = probs[rows] - possible / ops.xp.maximum(total, 1e-30)
    d_logits *= (labels != MISSING)[:, None]
    if weights is not None:
        d_logits *= ops.xp.asarray(weights)[:, None]
    return d_logits


def softmax_loss(
    ops: Ops, probs: Floats2d, d_logits: Floats2d, lengths: Sequence[int], gold: GoldTags
) -> Loss:
    """RETURNS (Loss): The squared norm of the gradient as the loss, as in spaCy's taggers.

    ops (Ops): The device's operations.
    probs (Floats2d): The tags' probabilities. *Shape:* ``(tokens, tags)``.
    d_logits (Floats2d): The gradient. *Shape:* ``(tokens, tags)``.
    lengths (Sequence[int]): The number of tokens of each doc.
    gold (GoldTags): The annotation.
    """
    xp, single = ops.xp, (gold.tags >= 0).nonzero()[0]
    tokens, tags = xp.asarray(np.stack([single, gold.tags[single]]))  # in one copy to a GPU
    surprise = -xp.log(xp.maximum(probs[tokens, tags], TINY)).sum() / max(len(single), 1)
    value, surprise = ops.to_numpy(xp.stack([xp.square(d_logits).sum(), surprise])).tolist()
    return Loss(value, surprise, FlatList(d_logits, lengths))


def crf_loss(
    emissions: Floats2d,
    lengths: Sequence[int],
    crf: LinearChainCRF,
    gold: GoldTags,
    *,
    label_smoothing: float,
    spaces: NDArray[np.bool_],
    weights: NDArray[np.float32] | None = None,
) -> Loss:
    """The negative log-likelihood of a CRF, summed over docs, and its gradient: what the model
    expects, less what it expects of the sequences that the annotation allows. Missing and ambiguous
    tags are marginalized over (Tsuboi et al., 2008, https://aclanthology.org/C08-1113).

    emissions (Floats2d): The logits. *Shape:* ``(tokens, tags)``.
    lengths (Sequence[int]): The number of tokens of each doc.
    crf (LinearChainCRF): The CRF.
    gold (GoldTags): The annotation.
    label_smoothing (float): How much of the loss is, instead of this, the cross-entropy of the
        uniform distribution and the softmax of the emissions, at tokens that have a single tag.
    spaces (NDArray[np.bool_]): Which tokens are white space: the sequences are those of words.
        *Shape:* ``(tokens,)``.
    weights (Optional[NDArray[np.float32]]): How much each token counts, see `token_weights`. A doc
        counts as its annotated tokens do on average: the likelihood is one of whole sequences.
    RETURNS (Loss): The loss, whose gradient is a `CRFGradient`.
    """
    scores = as_tensor(emissions)
    words, n_words = ~spaces, word_lengths(lengths, spaces)
    gold, weights = select(gold, words), None if weights is None else weights[words]
    kept = torch.from_numpy(words.nonzero()[0]).to(scores.device)
    logits = scores.index_select(0, kept)
    of_docs = np.ones(len(lengths), dtype=np.float32)
    if weights is not None:
        of_docs = _doc_means(weights, n_words, gold)
    of_docs *= 1.0 - label_smoothing
    gradient = crf.negative_log_likelihood(
        logits,
        n_words,
        allowed=torch.from_numpy(gold.allowed()).to(logits.device),
        weights=torch.from_numpy(of_docs).to(logits.device),
    )
    values = [gradient.log_partition.sum()] * 2
    of_words = np.repeat(of_docs, n_words)
    if label_smoothing:
        smoothed = of_words * (label_smoothing / (1.0 - label_smoothing)) * (gold.tags >= 0)
        share = torch.from_numpy(smoothed).to(logits.device)[:, None]
        log_probs = logits.log_softmax(1)
        values[0] = values[0] - (share * log_probs).double().sum() / logits.shape[1]
        gradient.marginals.add_(share * (log_probs.exp() - 1.0 / logits.shape[1]))
    value, likelihood = torch.stack(values).tolist()
    surprise = likelihood / max(float(of_words[gold.tags != MISSING].sum()), TINY)
    d_emissions = torch.zeros_like(scores).index_copy_(0, kept, gradient.marginals)
    d_crf = LinearChainCRF(gradient.transitions, gradient.start, gradient.end)
    d_scores = CRFGradient(cast(Floats2d, torch2xp(d_emissions)), lengths, d_crf)
    return Loss(value, surprise, d_scores)


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
