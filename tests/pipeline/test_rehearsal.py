"""Rehearsal learns, of whole sequences, what a tutor thinks of them: against enumeration."""

import numpy as np
import pytest
import torch

from spacy_lstm_tagger.nn.crf import LinearChainCRF
from spacy_lstm_tagger.nn.lattice import Lattice
from spacy_lstm_tagger.pipeline.rehearsal import rehearsal_gradient

PARTS = ("transitions", "start", "end")


def make_crf(n_tags, *, scale):
    shapes = ((n_tags, n_tags), (n_tags,), (n_tags,))
    return LinearChainCRF(*(scale * torch.randn(shape) for shape in shapes))


def widened(crf, n_tags):
    """RETURNS (LinearChainCRF): The same with zeros for further tags."""
    parts = (getattr(crf, name) for name in PARTS)
    more = n_tags - len(crf.start)
    return LinearChainCRF(
        *(torch.nn.functional.pad(part, [0, more] * part.dim()) for part in parts)
    )


def log_probabilities(emissions, crf):
    """RETURNS (Tensor): Of each sequence of tags. *Shape:* ``(sequences,)``."""
    tags = torch.cartesian_prod(*[torch.arange(emissions.shape[1])] * len(emissions))
    scores = emissions.gather(1, tags.T).sum(0) + crf.start[tags[:, 0]] + crf.end[tags[:, -1]]
    return (scores + crf.transitions[tags[:, :-1], tags[:, 1:]].sum(1)).log_softmax(0)


@pytest.mark.parametrize("has_crf", [False, True])
def test_the_gradient_is_that_of_the_cross_entropy(has_crf):
    """The tutor knows three of four tags, and one token is white space."""
    torch.manual_seed(0)
    spaces = np.array([False, True, False, False])
    now, before = torch.randn(4, 4), torch.randn(4, 3)
    crf, tutor_crf = (make_crf(n, scale=float(has_crf)) for n in (4, 3))
    leaves = [now, *(getattr(crf, name) for name in PARTS)]
    for leaf in leaves:
        leaf.requires_grad_()
    known = torch.nn.functional.pad(before, [0, 1], value=-torch.inf)
    tutor = log_probabilities(known[~spaces], widened(tutor_crf, 4)).exp()
    (-tutor @ log_probabilities(now[~spaces], crf)).backward()
    scores = now.detach() if has_crf else now.detach().softmax(1)
    student = LinearChainCRF(*(leaf.detach() for leaf in leaves[1:])) if has_crf else None
    lattice = Lattice(before, [4], tutor_crf if has_crf else None)
    found = rehearsal_gradient(scores.numpy(), student, lattice, spaces=spaces)
    gradients = [torch.as_tensor(found.flat)]
    if has_crf:
        gradients += [getattr(found.crf, name) for name in PARTS]
    for gradient, leaf in zip(gradients, leaves, strict=False):
        torch.testing.assert_close(gradient, leaf.grad, atol=1e-5, rtol=1e-4)
