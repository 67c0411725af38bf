"""A linear-chain conditional random field: scores of whole tag sequences."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .settle import settle
from .steps import Steps

# Beyond this length, walking through a sequence step by step costs more than settling tokens.
LONG = 256
# How many scores of one step of the search are in memory at a time.
MOST_CELLS = 2**24


@dataclass(frozen=True)
class Expectations:
    """What a CRF expects of a batch: the gradient of its log-partition.

    log_partition (Tensor): The log of the summed weight of all tag sequences of each sentence, 0
        for an empty one. *Shape:* ``(sequences,)``, float64.
    marginals (Tensor): The probability of each tag at each token. *Shape:* ``(tokens, tags)``.
    transitions (Tensor): How often each tag is expected to follow each. *Shape:* ``(tags, tags)``.
    start (Tensor): How often each tag is expected to start a sequence. *Shape:* ``(tags,)``.
    end (Tensor): How often each is expected to end one. *Shape:* ``(tags,)``.
    """

    log_partition: Tensor
    marginals: Tensor
    transitions: Tensor
    start: Tensor
    end: Tensor


@dataclass(frozen=True)
class LinearChainCRF:
    """The probability of the tags y of a sentence with the emissions e (Lafferty et al., 2001,
    https://dl.acm.org/doi/10.5555/645530.655813):

        p(y) ∝ exp(start[y₁] + Σ e[t, yₜ] + Σ transitions[yₜ₋₁, yₜ] + end[yₙ])

    Batches are flat: the tokens of all sequences one after the other, and the sequences' lengths.
    A tag that is not allowed somewhere has the emission −inf there; some tag must be allowed
    everywhere. Where all transitions are 0 the tags are independent.

    The scans are vectorized over the batch, with the tags in rows and the sequences in columns.
    Nothing is normalized in single precision; transitions may differ by up to 300.

    transitions (Tensor): From the tag in the row to that in the column. *Shape:* ``(tags, tags)``.
    start (Tensor): What it adds to start with a tag. *Shape:* ``(tags,)``.
    end (Tensor): What it adds to end with it. *Shape:* ``(tags,)``.
    """

    transitions: Tensor
    start: Tensor
    end: Tensor

    @classmethod
    def independent(cls, like: Tensor) -> "LinearChainCRF":
        """RETURNS (LinearChainCRF): One without transitions, for emissions like these."""
        n_tags = like.shape[1]
        return cls(like.new_zeros(n_tags, n_tags), like.new_zeros(n_tags), like.new_zeros(n_tags))

    def divided(self, temperature: float) -> "LinearChainCRF":
        """RETURNS (LinearChainCRF): One whose scores are divided by a temperature."""
        return LinearChainCRF(
            self.transitions / temperature, self.start / temperature, self.end / temperature
        )

    @torch.no_grad()
    def viterbi(self, emissions: Tensor, lengths: Sequence[int]) -> Tensor:
        """The best tag sequence of each sentence (Viterbi, 1967,
        https://doi.org/10.1109/TIT.1967.1054010). Long sequences are searched between the tokens
        that are sure, see `settle`.

        emissions (Tensor): *Shape:* ``(tokens, tags)``.
        lengths (Sequence[int]): The length of each sequence.
        RETURNS (Tensor): *Shape:* ``(tokens,)``, int64.
        """
        if max(lengths, default=0) <= LONG:
            steps = Steps(lengths, device=emissions.device)
            found = self._search(self._potentials(emissions, steps), steps)
            return torch.empty_like(found).index_copy_(0, steps.order, found)
        rest = settle(
            emissions, lengths, transitions=self.transitions, start=self.start, end=self.end
        )
        steps = Steps(rest.lengths, device=emissions.device)
        found = self._search(rest.potentials.T[:, steps.order], steps)
        return rest.tags.index_copy_(0, rest.rows[steps.order], found)

    def _search(self, local: Tensor, steps: Steps) -> Tensor:
        """RETURNS (Tensor): The tags of the best sequences, at each place. *Shape:* ``(tokens,)``.

        local (Tensor): The potentials, which are overwritten. *Shape:* ``(tags, tokens)``.
        """
        best = self._best(local, steps).T.contiguous()
        # The way back needs no pointers: the best tag before a given one is as quickly found anew.
        into = self.transitions.T.to(best).contiguous()
        tags = torch.empty_like(steps.order)
        tags[steps.last] = best[steps.last].argmax(1)
        for previous, now in steps.backwards():
            tags[previous] = (into[tags[now]] + best[previous]).argmax(1)
        return tags

    @torch.no_grad()
    def n_best(self, emissions: Tensor, lengths: Sequence[int], *, n: int) -> tuple[Tensor, Tensor]:
        """The n best tag sequences of each sentence, best first (Soong & Huang, 1991,
        https://doi.org/10.1109/ICASSP.1991.150437): on the way back, the forward scores say of
        every end of a sequence how good the best whole one with it is, so n of them suffice.

        emissions (Tensor): *Shape:* ``(tokens, tags)``.
        lengths (Sequence[int]): The length of each sequence.
        n (int): How many. A short sentence may have fewer.
        RETURNS (tuple): The tags, *shape* ``(n, tokens)``, int64, and the sequences' scores,
            *shape* ``(n, sequences)``, float64: −inf where there is no such sequence.
        """
        steps = Steps(lengths, device=emissions.device)
        local = self._potentials(emissions.double(), steps)  # (tags, tokens)
        best = self._best(local.clone(), steps).T.contiguous()
        local, into = local.T.contiguous(), self.transitions.T.double().contiguous()
        n_tokens, n_tags = local.shape
        # Of the n best ends that start at a token: the tag there, the score, and which end one
        # token later it goes on with.
        tags = torch.zeros(n_tokens, n, dtype=torch.int64, device=local.device)
        scores = local.new_full((n_tokens, n), -torch.inf)
        links = torch.zeros_like(tags)
        k = min(n, n_tags)
        tags[steps.last, :k] = best[steps.last].topk(k).indices
        scores[steps.last, :k] = local[steps.last].gather(1, tags[steps.last, :k])
        for previous, now in steps.backwards():
            # (sequences, ends, tags)
            longer = into[tags[now]] + scores[now, :, None]
            whole = (longer + best[previous, None]).flatten(1)
            chosen = whole.topk(n).indices
            links[previous], tags[previous] = chosen // n_tags, chosen % n_tags
            scores[previous] = longer.flatten(1).gather(1, chosen)
            scores[previous] += local[previous].gather(1, tags[previous])
        found = local.new_full((len(lengths), n), -torch.inf)
        found[:, 0] = 0.0  # what holds of an empty sentence
        found[steps.sequence[steps.first]] = scores[steps.first]
        for previous, now in steps.forwards():
            for column in (tags, links):
                column[now] = column[now].gather(1, links[previous])
        return torch.empty_like(tags).index_copy_(0, steps.order, tags).T, found.T

    def _best(self, local: Tensor, steps: Steps) -> Tensor:
        """The score of the best sequence up to each token that ends in each tag, but for a number
        that all tags of a token share: so it does not grow, nor lose precision.

        local (Tensor): The potentials, which are overwritten. *Shape:* ``(tags, tokens)``.
        RETURNS (Tensor): *Shape:* ``(tags, tokens)``.
        """
        n_tags = len(local)
        transitions = self.transitions.to(local)[:, :, None]
        most = max(1, MOST_CELLS // n_tags**2)
        space = local.new_empty(n_tags * n_tags * min(most, steps.first.stop))
        for previous, now in steps.forwards(most=most):
            size = now.stop - now.start
            # (tag before, tag, sequences): with the sequences last, this is twice as fast.
            sums = space[: n_tags * n_tags * size].view(n_tags, n_tags, size)
            reached = torch.add(local[:, previous].unsqueeze(1), transitions, out=sums).amax(0)
            local[:, now] += reached.sub_(reached.amax(0))
        return local

    @torch.no_grad()
    def expectations(
        self, emissions: Tensor, lengths: Sequence[int], *, weights: Tensor | None = None
    ) -> Expectations:
        """Run the forward–backward algorithm, in double precision, scaled at each step (Rabiner,
        1989, https://doi.org/10.1109/5.18626).

        emissions (Tensor): *Shape:* ``(tokens, tags)``.
        lengths (Sequence[int]): The length of each sequence.
        weights (Optional[Tensor]): How much each sequence counts. *Shape:* ``(sequences,)``.
        RETURNS (Expectations): What is expected, in the type of the emissions.
        """
        steps = Steps(lengths, device=emissions.device)
        local = self._potentials(emissions.double(), steps)  # (tags, tokens)
        top, highest = local.amax(0), self.transitions.double().max()
        local.sub_(top).exp_()
        moves = (self.transitions.double() - highest).exp()
        ahead = local.clone()
        scale = ahead.sum(0)  # right for first elements, replaced for others
        ahead[:, steps.first] /= scale[steps.first]
        for previous, now in steps.forwards():
            reached = (moves.T @ ahead[:, previous]).mul_(local[:, now])
            scale[now] = reached.sum(0)
            ahead[:, now] = reached / scale[now]
        back = torch.ones_like(ahead)
        local /= scale  # now each column is what one step multiplies by
        for previous, now in steps.backwards():
            back[:, previous] = moves @ (local[:, now] * back[:, now])
        parts = top + scale.log()
        parts[steps.first.stop :] += highest
        if weights is not None:
            of_token = weights.double()[steps.sequence]
            back *= of_token
            parts *= of_token
        marginals = ahead * back
        rest = steps.first.stop
        pairs = ahead[:, steps.before] @ (local[:, rest:] * back[:, rest:]).T
        log_partition = parts.new_zeros(len(lengths)).index_add_(0, steps.sequence, parts)
        kind = emissions.dtype
        return Expectations(
            log_partition,
            torch.empty_like(emissions).index_copy_(0, steps.order, marginals.T.to(kind)),
            (pairs * moves).to(kind),
            marginals[:, steps.first].sum(1).to(kind),
            marginals[:, steps.last].sum(1).to(kind),
        )

    def negative_log_likelihood(
        self,
        emissions: Tensor,
        lengths: Sequence[int],
        *,
        allowed: Tensor,
        weights: Tensor,
    ) -> tuple[Tensor, Tensor, "LinearChainCRF"]:
        """The negative log of the probability of the tag sequences that are allowed together, and
        its gradient: what is expected, less what is expected of the allowed sequences.

        emissions (Tensor): *Shape:* ``(tokens, tags)``.
        lengths (Sequence[int]): The length of each sequence.
        allowed (Tensor): The tags that each token may have. *Shape:* ``(tokens, tags)``, bool.
        weights (Tensor): How much each sequence counts. *Shape:* ``(sequences,)``.
        RETURNS (tuple): The losses of the sequences, *shape* ``(sequences,)``, float64; and the
            gradients of their sum: that of the emissions, *shape* ``(tokens, tags)``, and those of
            the transitions, in their places.
        """
        both = torch.cat([emissions, emissions.masked_fill(~allowed, -torch.inf)])
        # In one scan, as its cost lies in its steps; the second half counts negatively.
        expected = self.expectations(
            both, [*lengths, *lengths], weights=torch.cat([weights, -weights])
        )
        return (
            expected.log_partition.view(2, -1).sum(0),
            expected.marginals.view(2, *emissions.shape).sum(0),
            LinearChainCRF(expected.transitions, expected.start, expected.end),
        )

    def _potentials(self, emissions: Tensor, steps: Steps) -> Tensor:
        """RETURNS (Tensor): The emissions at each place, with the transitions at both ends of a
        sequence added to them. *Shape:* ``(tags, tokens)``.
        """
        local = emissions.T[:, steps.order]
        local[:, steps.first] += self.start[:, None]
        local[:, steps.last] += self.end[:, None]
        return local
