"""Rehearsal: training a model to score as it did before."""

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from thinc.types import Floats2d
from thinc.util import torch2xp
from torch import Tensor

from ..models.crf_output import CRFGradient
from ..models.flat import FlatList, as_tensor
from ..models.lattice import of_words
from ..nn.crf import LinearChainCRF
from ..nn.lattice import Lattice
from ..nn.transfer import send


def rehearsal_gradient(
    scores: Floats2d, crf: LinearChainCRF | None, tutor: Lattice, *, spaces: NDArray[np.bool_]
) -> FlatList:
    """The gradient of the cross-entropy between what a model thought before and what it thinks now,
    for a CRF that of whole sequences.

    scores (Floats2d): Probabilities, or a CRF's emissions. *Shape:* ``(tokens, tags)``.
    crf (Optional[LinearChainCRF]): The CRF of these emissions.
    tutor (Lattice): The scores of before, of which tags there may be fewer: it gives the others no
        probability.
    spaces (NDArray[np.bool_]): Which tokens are white space, of which nothing is learned.
        *Shape:* ``(tokens,)``.
    RETURNS (FlatList): The gradient of the logits, and of the CRF.
    """
    student_scores = Lattice(as_tensor(scores), tutor.lengths, crf)
    before, now = of_words(tutor, spaces), of_words(student_scores, spaces).emissions
    words = send((~spaces).nonzero()[0], now.device)

    def of_tokens(gradient: Tensor) -> Floats2d:
        zeros = torch.zeros_like(student_scores.emissions)
        return cast(Floats2d, torch2xp(zeros.index_copy_(0, words, gradient)))

    if crf is None or before.crf is None:
        return FlatList(of_tokens(now - _widen(before.probabilities(), now)), tutor.lengths)
    student = crf.expectations(now, before.lengths)
    teacher = before.crf.expectations(before.emissions, before.lengths)
    d_emissions, *d_crf = (
        getattr(student, name) - _widen(getattr(teacher, name), getattr(student, name))
        for name in ("marginals", "transitions", "start", "end")
    )
    return CRFGradient(of_tokens(d_emissions), tutor.lengths, LinearChainCRF(*d_crf))


def _widen(values: Tensor, like: Tensor) -> Tensor:
    """RETURNS (Tensor): The values, with zeros for tags that came later."""
    wide = torch.zeros_like(like)
    wide[tuple(slice(size) for size in values.shape)] = values
    return wide
