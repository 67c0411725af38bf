"""The character LSTM: a word, letter by letter, to one vector."""

import torch
from torch import Tensor, nn

from .buckets import Buckets
from .kernel import LSTMLayer
from .lstm import read
from .vocabulary import VocabularyEmbedding


class CharacterLSTM(nn.Module):
    r"""Reads words letter by letter and keeps the final state (Ling et al., 2015,
    https://aclanthology.org/D15-1176).

    .. math:: c_w = [\overrightarrow{h}_{|w|} ; \overleftarrow{h}_1]

    The final state of a word is the one at its own last letter (of its first letter, read
    backwards), whatever words lie beside it in the bucket.

    embedding (VocabularyEmbedding): The table of the characters.
    hidden_width (int): Width of one direction's hidden state.
    bidirectional (bool): Whether to read backwards too. The output is `2 * hidden_width` wide
        if so.
    """

    def __init__(
        self, *, embedding: VocabularyEmbedding, hidden_width: int, bidirectional: bool = True
    ):
        super().__init__()
        self.embedding = embedding
        self.ahead = LSTMLayer(embedding.width, hidden_width)
        self.back = LSTMLayer(embedding.width, hidden_width) if bidirectional else None
        self.output_width = hidden_width * (2 if bidirectional else 1)

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
        finals: list[Tensor] = []
        for bucket in buckets.buckets:
            y = x[bucket.rows]  # (time, batch, width)
            states = [self.ahead.run(y)]
            if self.back is not None:
                states.append(self.back.run(read(y, bucket.reverse)))
            finals.append(
                torch.cat([h.flatten(0, 1).index_select(0, bucket.last) for h in states], dim=-1)
            )  # (batch, output_width)
        if not finals:
            return x.new_zeros(0, self.output_width)
        return buckets.order(finals).to(self.embedding.weight.dtype)
