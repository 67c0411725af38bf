"""Rehearsal: training a model to score as it did before."""

from typing import cast

import torch
from thinc.types import Floats2d
from thinc.util import torch2xp
from torch import Tensor

from ..models.crf_output import CRFGradient
from ..models.flat import FlatList, as_tensor
from ..nn.crf import LinearChainCRF
from ..nn.lattice import Lattice


def rehearsal_gradient(scores: Floats2d, crf: LinearChainCRF | None, tutor: Lattice) -> FlatList:
    """The gradient of the cross-entropy between what a model thought before and what it thinks now,
    for a CRF that of whole sequences.

    scores (Floats2d): Probabilities, or a CRF's emissions. *Shape:* ``(tokens, tags)``.
    crf (Optional[LinearChainCRF]): The CRF of these emissions.
    tutor (Lattice): The scores of before, of which tags there may be fewer: it gives the others no
        probability.
    RETURNS (FlatList): The gradient of the logits, and of the CRF.
    """
    now = as_tensor(scores)
    if crf is None or tutor.crf is None:
        return FlatList(torch2xp(now - _widen(tutor.probabilities(), now)), tutor.lengths)
    student = crf.expectations(now, tutor.lengths)
    teacher = tutor.crf.expectations(tutor.emissions, tutor.lengths)
    d_emissions, *d_crf = (
        getattr(student, name) - _widen(getattr(teacher, name), getattr(student, name))
        for name in ("marginals", "transitions", "start", "end")
    )
    return CRFGradient(cast(Floats2d, torch2xp(d_emissions)), tutor.lengths, LinearChainCRF(*d_crf))


def _widen(values: Tensor, like: Tensor) -> Tensor:
    """RETURNS (Tensor): The values, with zeros for tags that came later."""
    wide = torch.zeros_like(like)
    wide[tuple(slice(size) for size in values.shape)] = values
    return wide
