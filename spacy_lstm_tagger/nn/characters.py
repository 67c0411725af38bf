"""The character LSTM: a word, letter by letter, to one vector."""

import torch
from torch import Tensor, nn

from .buckets import Buckets
from .kernel import LSTMLayer
from .next_letter import NextLetterLoss
from .vocabulary import VocabularyEmbedding


class CharacterLSTM(nn.Module):
    r"""Reads words letter by letter and keeps the final state (Ling et al., 2015,
    https://aclanthology.org/D15-1176).

    .. math:: c_w = [\overrightarrow{h}_{|w|} ; \overleftarrow{h}_1]

    The final state of a word is the one at its own last letter (of its first letter, read
    backwards), whatever words lie beside it in the bucket.

    With attention each direction adds a mean of its states, weighted by what they say themselves
    (as Rei et al., 2016, https://aclanthology.org/C16-1030, weigh characters against the word):

    .. math:: \sum_i \alpha_i h_i, \quad \alpha = \mathrm{softmax}_i(q \cdot h_i)

    embedding (VocabularyEmbedding): The table of the characters.
    hidden_width (int): Width of one direction's hidden state.
    bidirectional (bool): Whether to read backwards too.
    attention (bool): Whether to add the weighted mean. The output is `hidden_width` wide for each
        direction, and twice that with attention.
    next_letter (float): How much it counts in training that states guess the letter that comes
        next, see `NextLetterLoss`. 0: not at all.
    """

    def __init__(
        self,
        *,
        embedding: VocabularyEmbedding,
        hidden_width: int,
        bidirectional: bool = True,
        attention: bool = False,
        next_letter: float = 0.0,
    ):
        super().__init__()
        self.embedding = embedding
        self.ahead = LSTMLayer(embedding.width, hidden_width)
        self.back = LSTMLayer(embedding.width, hidden_width) if bidirectional else None
        n_directions = 2 if bidirectional else 1
        self.output_width = hidden_width * n_directions * (2 if attention else 1)
        # From zero on, so that all letters count the same at first.
        self.queries = nn.Parameter(torch.zeros(n_directions, hidden_width)) if attention else None
        self.next_letter_weight = next_letter
        self.next_letter = nn.ModuleList(
            NextLetterLoss(hidden_width=hidden_width, char_width=embedding.width)
            for _ in range(n_directions if next_letter else 0)
        )
        # The loss of the last forward pass, which training adds to that of the task.
        self.auxiliary: Tensor | None = None

    def forward(
        self, rows: Tensor, buckets: Buckets, *, precision: torch.dtype | None = None
    ) -> Tensor:
        """Read all words.

        rows (Tensor): The characters' rows in the table, word after word, int64.
            *Shape:* ``(characters,)``.
        buckets (Buckets): The plan, made from the words' lengths. No word may be empty.
        precision (Optional[torch.dtype]): What to compute in, if not the type of the table.
        RETURNS (Tensor): *Shape:* ``(words, output_width)``.
        """
        x = self.embedding(rows)  # (characters, width)
        x = x if precision is None else x.to(precision)
        guess = bool(self.next_letter) and self.training
        vectors: list[Tensor] = []
        losses: list[Tensor] = []
        for bucket in buckets.buckets:
            # Each direction's LSTM, and which letters it reads. (time * batch,)
            readings = [(self.ahead, bucket.rows.flatten())]
            if self.back is not None:
                readings.append((self.back, readings[0][1].index_select(0, bucket.reverse)))
            n = len(bucket.last)
            finals, means = [], []
            for k, (lstm, order) in enumerate(readings):
                letters = x.index_select(0, order).view(*bucket.rows.shape, -1)
                h = lstm.run(letters)  # (time, batch, hidden_width)
                finals.append(h.flatten(0, 1).index_select(0, bucket.last))
                if self.queries is not None:
                    means.append(attend(h, self.queries[k].to(h.dtype), bucket.mask)[:n])
                if guess:
                    # Without the words that fill the bucket up.
                    read = rows[order].view_as(bucket.rows)[:, :n]
                    cells = (h[:, :n], read, bucket.mask[:, :n])
                    losses.append(self.next_letter[k](*cells, self.embedding.used()))
            vectors.append(torch.cat([*finals, *means], dim=-1))  # (batch, output_width)
        if self.training:
            self.auxiliary = self.next_letter_weight * torch.stack(losses).sum() if losses else None
        if not vectors:
            return x.new_zeros(0, self.output_width)
        return buckets.order(vectors).to(self.embedding.weight.dtype)


def attend(states: Tensor, query: Tensor, mask: Tensor) -> Tensor:
    """A weighted mean of the states of each sequence.

    states (Tensor): *Shape:* ``(time, batch, width)``.
    query (Tensor): What a state is compared with. *Shape:* ``(width,)``.
    mask (Tensor): Whether a state is one of its sequence. *Shape:* ``(time, batch)``, bool.
    RETURNS (Tensor): *Shape:* ``(batch, width)``.
    """
    weights = (states @ query).masked_fill(~mask, -torch.inf).softmax(0)  # (time, batch)
    return torch.einsum("tb,tbw->bw", weights, states)
