"""The sentence LSTM: ragged sequences through stacked LSTM layers, without padding's influence."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from .buckets import Buckets
from .kernel import Arranged, LSTMLayer
from .language_models import WordLanguageModel
from .output import ModuleOutput

# Of a bucket, see `Buckets.flatten`, and the states of each direction of its first layer.
Outputs = tuple[list[list[Tensor]], list[Tensor]]


class BucketedLSTM(nn.Module):
    r"""Stacked LSTM layers in one direction or two (Hochreiter & Schmidhuber, 1997,
    https://doi.org/10.1162/neco.1997.9.8.1735; Graves & Schmidhuber, 2005,
    https://doi.org/10.1016/j.neunet.2005.06.042).

    .. math:: y_t = [\overrightarrow{h}_t ; \overleftarrow{h}_t]

    Equal to `torch.nn.LSTM` on a `PackedSequence`, but fast: a packed sequence never takes the
    fused CPU kernel, and a padded one lets the backward direction read padding. Here each layer
    is one one-directional LSTM a direction over a padded bucket; the backward one reads every
    sequence reversed in place, so padding lies behind the words for both.

    input_width (int): Width of the input.
    hidden_width (int): Width of one direction's hidden state.
    depth (int): Number of layers, at least 1.
    bidirectional (bool): Whether to read in both directions.
    merge (str): How the two directions enter the next layer: one after the other ("concat") or
        added ("sum"), which makes that layer's input half as wide and the layer faster.
    last_width (Optional[int]): Width of one direction's hidden state in the last layer. None: as in
        the others.
    all_layers (bool): Whether the states of all layers are the output, side by side, so that the
        last one has only to add what the others do not know. False: those of the last one.
    lm_weight (float): How much the loss of a `WordLanguageModel` on the states of the first layer
        counts in training. 0: there is none.
    """

    def __init__(
        self,
        *,
        input_width: int,
        hidden_width: int,
        depth: int = 1,
        bidirectional: bool = True,
        merge: str = "concat",
        last_width: int | None = None,
        all_layers: bool = False,
        lm_weight: float = 0.0,
    ):
        super().__init__()
        self.merge = merge
        self.all_layers = all_layers
        self.input_width = input_width
        n_directions = 2 if bidirectional else 1
        hidden_widths = [hidden_width] * (depth - 1) + [last_width or hidden_width]
        self.output_width = n_directions * (sum(hidden_widths) if all_layers else hidden_widths[-1])
        inner_width = hidden_width * (1 if merge == "sum" else n_directions)
        sizes = list(zip([input_width] + [inner_width] * (depth - 1), hidden_widths, strict=True))
        self.forward_lstms = nn.ModuleList(LSTMLayer(*size) for size in sizes)
        self.backward_lstms = nn.ModuleList(LSTMLayer(*size) for size in sizes * bidirectional)
        self.lm_weight = lm_weight
        self.language_model: WordLanguageModel | None = None
        if lm_weight:
            self.language_model = WordLanguageModel(
                hidden_width=hidden_widths[0], word_width=input_width, bidirectional=bidirectional
            )

    def forward(
        self,
        x: Tensor,
        buckets: Buckets,
        *,
        tokens: Tensor | None = None,
        dropout: float = 0.0,
        followed: Tensor | None = None,
        head: Callable[[Tensor], Tensor] | None = None,
        precision: torch.dtype | None = None,
    ) -> ModuleOutput:
        """Run all sequences.

        x (Tensor): The flat batch. *Shape:* ``(tokens, input_width)``, or as `tokens` says.
        buckets (Buckets): The batch, made from the sequences' lengths.
        tokens (Optional[Tensor]): The row of `x` that each token has, int64. None: one after the
            other. *Shape:* ``(tokens,)``.
        dropout (float): Variational dropout on the input and behind each layer: one mask a
            sequence or window (Gal & Ghahramani, 2016, https://arxiv.org/abs/1512.05287).
        followed (Optional[Tensor]): The rows of the tokens that another one of the same sequence
            follows, int64. With them the language model learns. *Shape:* ``(pairs,)``.
        head (Optional[Callable[[Tensor], Tensor]]): What to make of the outputs of each bucket, row
            by row, while they are in the cache, from *shape* ``(cells, output_width)`` to
            ``(cells, width)``. None: they are the result.
        precision (Optional[torch.dtype]): What to compute in, if not the type of `x`. Outputs
            are of that type.
        RETURNS (ModuleOutput): *Shape:* ``(tokens, output_width)``, or ``(tokens, width)`` with
            `head`; and the loss of the language model.
        RAISES (ValueError): If `x` has another width.
        """
        if x.shape[1] != self.input_width:  # PyTorch's kernel does not look
            raise ValueError(
                f"The input is {x.shape[1]} wide, expected input_width = {self.input_width}. Make "
                "them the same."
            )
        dtype = x.dtype if precision is None else precision
        outputs: Iterable[Outputs] = self._outputs(
            x, buckets, tokens=tokens, dropout=dropout, head=head, dtype=dtype
        )
        if followed is not None:
            outputs = list(outputs)  # for the language model too
        if buckets.buckets:
            y = buckets.flatten(sides for sides, _ in outputs)
        else:
            # Nothing to compute, but gradients may be asked for.
            y = x[:0].sum() * x.new_ones(0, self.output_width)
            y = y if head is None else head(y)
        loss = None
        if self.language_model is not None and followed is not None and buckets.buckets:
            both = buckets.flatten([[h] for h in first] for _, first in outputs).to(x.dtype)
            loss = self.lm_weight * self.language_model(x, both, followed)
        return ModuleOutput(y, loss)

    def _outputs(
        self,
        x: Tensor,
        buckets: Buckets,
        *,
        tokens: Tensor | None,
        dropout: float,
        head: Callable[[Tensor], Tensor] | None,
        dtype: torch.dtype,
    ) -> Iterator[Outputs]:
        """YIELDS (Outputs): Those of each bucket."""
        layers = [
            [(lstm, lstm.arranged(dtype)) for lstm in directions] for directions in self._layers()
        ]
        for bucket in buckets.buckets:
            rows = bucket.rows.flatten()
            rows = rows if tokens is None else tokens.index_select(0, rows)
            y = x.index_select(0, rows).view(*bucket.rows.shape, -1)  # (time, batch, input_width)
            states = self._run(y.to(dtype), bucket.reverse, layers, dropout=dropout)
            kept = states if self.all_layers else states[-1:]
            sides = [
                [variational_dropout(h, dropout) for h in side] for side in zip(*kept, strict=True)
            ]
            if head is not None:
                sides = [[head(joined(sides, bucket.reverse)).view(*bucket.rows.shape, -1)]]
            yield sides, states[0]

    def _layers(self) -> Iterator[tuple[LSTMLayer, ...]]:
        """YIELDS (tuple): The directions of each layer."""
        directions = [each for each in (self.forward_lstms, self.backward_lstms) if each]
        yield from zip(*(cast(Sequence[LSTMLayer], each) for each in directions), strict=True)

    def _run(
        self,
        y: Tensor,
        reverse: Tensor,
        layers: Sequence[Sequence[tuple[LSTMLayer, Arranged]]],
        *,
        dropout: float,
    ) -> list[list[Tensor]]:
        """RETURNS (list[list[Tensor]]): The states of each direction of each layer.
        *Shape:* ``(time, batch, hidden_width)``.
        """
        states: list[list[Tensor]] = []
        for directions in layers:
            if states:
                y = self._merged(states[-1], reverse)
            y = variational_dropout(y, dropout)
            readings = (y, gather_cells(y, reverse)) if len(directions) == 2 else (y,)
            pairs = zip(directions, readings, strict=True)
            states.append([lstm.run(z, weights) for (lstm, weights), z in pairs])
        return states

    def _merged(self, states: Sequence[Tensor], reverse: Tensor) -> Tensor:
        """RETURNS (Tensor): What the next layer reads. *Shape:* ``(time, batch, inner_width)``."""
        if len(states) == 1:
            return states[0]
        forwards, backwards = states[0], gather_cells(states[1], reverse)
        if self.merge == "sum":
            return forwards + backwards
        return torch.cat([forwards, backwards], dim=-1)


def gather_cells(padded: Tensor, cells: Tensor) -> Tensor:
    """Reorder the cells of a padded batch.

    padded (Tensor): *Shape:* ``(time, batch, …)``.
    cells (Tensor): *Shape:* ``(time * batch,)``.
    RETURNS (Tensor): *Shape:* ``(time, batch, …)``.
    """
    return padded.flatten(0, 1).index_select(0, cells).view(padded.shape)


def joined(sides: Sequence[Sequence[Tensor]], reverse: Tensor) -> Tensor:
    """The outputs of each direction, the one that read backwards in reading order.

    sides (Sequence[Sequence[Tensor]]): Some of each direction. *Shape:* ``(time, batch, …)`` each.
    reverse (Tensor): See `Bucket`.
    RETURNS (Tensor): All side by side. *Shape:* ``(time * batch, sum of widths)``.
    """
    forwards, *backwards = sides
    outputs = [*forwards, *(gather_cells(h, reverse) for side in backwards for h in side)]
    return torch.cat(outputs, dim=-1).flatten(0, 1)


def variational_dropout(padded: Tensor, rate: float) -> Tensor:
    """Drop the same features at all steps of a sequence. *Shape:* ``(time, batch, width)``."""
    if rate <= 0.0:
        return padded
    mask = padded.new_empty(1, *padded.shape[1:]).bernoulli_(1.0 - rate).div_(1.0 - rate)
    return padded * mask
