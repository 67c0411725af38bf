"""The tagger's losses: from scores and annotation to the gradient of the scores.

What comes back from a GPU comes in one piece: waiting for it takes longer than the loss.
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from thinc.types import Floats2d
from thinc.util import torch2xp
from torch import Tensor

from ..models.crf_output import CRFGradient
from ..models.flat import FlatList
from ..models.lattice import TINY
from ..nn.crf import LinearChainCRF
from ..nn.transfer import send
from ..whitespace import word_lengths
from .gold import MISSING, SEVERAL, GoldTags, select


class Loss(NamedTuple):
    """The loss of a batch.

    value (float): The loss.
    surprisal (float): The mean −log probability of the right tags, 0 where none is known.
    gradient (FlatList): The gradient of the scores.
    """

    value: float
    surprisal: float
    gradient: FlatList


def softmax_gradient(
    probs: Tensor,
    gold: GoldTags,
    *,
    label_smoothing: float,
    weights: NDArray[np.float32] | None = None,
) -> Tensor:
    """The gradient of the cross-entropy with respect to the logits, as
    `thinc.api.SequenceCategoricalCrossentropy` defines it: summed over tokens, zero where the tag
    is missing. Where several tags are allowed, it is that of −log of their summed probability.

    probs (Tensor): The tags' probabilities. *Shape:* ``(tokens, tags)``.
    gold (GoldTags): The annotation.
    label_smoothing (float): The probability that is spread over the other tags of a token that
        has a single one.
    weights (Optional[NDArray[np.float32]]): How much each token counts, see `token_weights`.
        *Shape:* ``(tokens,)``.
    RETURNS (Tensor): *Shape:* ``(tokens, tags)``.
    """
    n_tokens, n_tags = probs.shape
    counts = (gold.tags != MISSING).astype(np.float32)
    if weights is not None:
        counts *= weights
    labels = send(gold.tags, probs.device)
    others = label_smoothing / (n_tags - 1) if n_tags > 1 else 0.0
    d_logits = probs - others
    d_logits[torch.arange(n_tokens, device=probs.device), labels] -= 1.0 - label_smoothing - others
    several = gold.tags == SEVERAL
    if several.any():
        rows = send(several.nonzero()[0], probs.device)
        some = probs[rows]
        possible = some * send(gold.tag_sets[gold.annotations[several]], probs.device)
        total = possible.sum(1, keepdim=True)
        d_logits[rows] = some - possible / total.clamp(min=1e-30)
    # Not set to zero where a tag is missing: what is no number shall be seen.
    return d_logits.mul_(send(counts, probs.device)[:, None])


def softmax_loss(probs: Tensor, d_logits: Tensor, lengths: Sequence[int], gold: GoldTags) -> Loss:
    """RETURNS (Loss): The squared norm of the gradient as the loss, as in spaCy's taggers.

    probs (Tensor): The tags' probabilities. *Shape:* ``(tokens, tags)``.
    d_logits (Tensor): The gradient. *Shape:* ``(tokens, tags)``.
    lengths (Sequence[int]): The number of tokens of each doc.
    gold (GoldTags): The annotation.
    """
    single = (gold.tags >= 0).nonzero()[0]
    tokens, tags = send(np.stack([single, gold.tags[single]]), probs.device)
    surprisal = -probs[tokens, tags].clamp(min=TINY).log().sum() / max(len(single), 1)
    value, mean = torch.stack([d_logits.square().sum(), surprisal]).tolist()
    return Loss(value, mean, FlatList(torch2xp(d_logits), lengths))


def crf_loss(
    emissions: Tensor,
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

    emissions (Tensor): The logits. *Shape:* ``(tokens, tags)``.
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
    words, n_words, device = ~spaces, word_lengths(lengths, spaces), emissions.device
    gold, weights = select(gold, words), None if weights is None else weights[words]
    kept = send(words.nonzero()[0], device)
    logits = emissions.index_select(0, kept)
    of_docs = np.ones(len(lengths), dtype=np.float32)
    if weights is not None:
        of_docs = _doc_means(weights, n_words, gold)
    of_docs *= 1.0 - label_smoothing
    losses, d_logits, d_crf = crf.negative_log_likelihood(
        logits,
        n_words,
        allowed=send(gold.allowed(), device),
        weights=send(of_docs, device),
    )
    value = nll = losses.sum()
    of_words = np.repeat(of_docs, n_words)
    if label_smoothing:
        smoothed = of_words * (label_smoothing / (1.0 - label_smoothing)) * (gold.tags >= 0)
        share = send(smoothed, device)[:, None]
        log_probs = logits.log_softmax(1)
        value = value - (share * log_probs).double().sum() / logits.shape[1]
        d_logits.add_(share * (log_probs.exp() - 1.0 / logits.shape[1]))
    value, nll = torch.stack([value, nll]).tolist()
    annotated = float(of_words[gold.tags != MISSING].sum())
    surprisal = nll / annotated if annotated else 0.0
    d_emissions = torch.zeros_like(emissions).index_copy_(0, kept, d_logits)
    d_scores = CRFGradient(cast(Floats2d, torch2xp(d_emissions)), lengths, d_crf)
    return Loss(value, surprisal, d_scores)


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
