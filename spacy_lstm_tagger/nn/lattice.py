"""What can be read off a batch's tag scores: the best tags, probabilities, the best sequences."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .crf import LinearChainCRF


@dataclass(frozen=True)
class Lattice:
    """The tag scores of the sentences of a flat batch, and the CRF that ties tags together.

    emissions (Tensor): Logits, −inf where a tag is not allowed. *Shape:* ``(tokens, tags)``.
    lengths (Sequence[int]): The length of each sentence.
    crf (Optional[LinearChainCRF]): None if tags are independent of each other.
    """

    emissions: Tensor
    lengths: Sequence[int]
    crf: LinearChainCRF | None = None

    def divided(self, temperature: float) -> "Lattice":
        """RETURNS (Lattice): One whose scores are divided by a temperature. The best sequences are
        the same; above 1, probabilities are less sure (Guo et al., 2017,
        https://arxiv.org/abs/1706.04599).
        """
        if temperature == 1.0:
            return self
        crf = self.crf.divided(temperature) if self.crf else None
        return Lattice(self.emissions / temperature, self.lengths, crf)

    def best(self) -> Tensor:
        """RETURNS (Tensor): The tags of the best sequences. *Shape:* ``(tokens,)``, int64."""
        if self.crf is None:
            return self.emissions.argmax(1)
        return self.crf.viterbi(self.emissions, self.lengths)

    def probabilities(self) -> Tensor:
        """RETURNS (Tensor): The probability of each tag, in a CRF the sum over all sequences that
        have it there. *Shape:* ``(tokens, tags)``.
        """
        if self.crf is None:
            return self.emissions.softmax(1)
        return self.crf.expectations(self.emissions, self.lengths).marginals

    def n_best(self, n: int) -> tuple[Tensor, Tensor]:
        """Find the best tag sequences of each sentence, best first.

        n (int): How many. A short sentence may have fewer.
        RETURNS (tuple): The tags, *shape* ``(n, tokens)``, int64, and the probabilities of the
            sequences, NaN where there is none, *shape* ``(n, sentences)``, float64.
        """
        crf = self.crf or LinearChainCRF.independent(self.emissions)
        tags, scores = crf.n_best(self.emissions, self.lengths, n=n)
        total = crf.expectations(self.emissions, self.lengths).log_partition
        probabilities = (scores - total).exp().clamp_(max=1.0)
        return tags, probabilities.masked_fill_(scores.isneginf(), torch.nan)
