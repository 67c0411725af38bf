"""The character LSTM: a word, letter by letter, to one vector."""

import torch
from torch import Tensor, nn

from .buckets import Buckets
from .kernel import LSTMLayer
from .language_models import CharacterLanguageModel
from .output import ModuleOutput
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
    lm_weight (float): How much the loss of a `CharacterLanguageModel` counts in training. 0: there
        is none.
    """

    def __init__(
        self,
        *,
        embedding: VocabularyEmbedding,
        hidden_width: int,
        bidirectional: bool = True,
        attention: bool = False,
        lm_weight: float = 0.0,
    ):
        super().__init__()
        self.embedding = embedding
        self.forward_lstm = LSTMLayer(embedding.width, hidden_width)
        self.backward_lstm = LSTMLayer(embedding.width, hidden_width) if bidirectional else None
        n_directions = 2 if bidirectional else 1
        self.output_width = hidden_width * n_directions * (2 if attention else 1)
        # From zero on, so that all letters count the same at first.
        self.queries = (
            nn.Parameter(torch.zeros(n_directions, hidden_width, dtype=torch.float32))
            if attention
            else None
        )
        self.lm_weight = lm_weight
        self.language_models = nn.ModuleList(
            CharacterLanguageModel(hidden_width=hidden_width, char_width=embedding.width)
            for _ in range(n_directions if lm_weight else 0)
        )

    def reset_parameters(self) -> None:
        """Let all letters count the same, in place."""
        if self.queries is not None:
            self.queries.data.zero_()

    def forward(
        self, rows: Tensor, buckets: Buckets, *, precision: torch.dtype | None = None
    ) -> ModuleOutput:
        """Read all words.

        rows (Tensor): The characters' rows in the table, word after word, int64.
            *Shape:* ``(characters,)``.
        buckets (Buckets): The batch, made from the words' lengths. No word may be empty.
        precision (Optional[torch.dtype]): What to compute in, if not the type of the table.
        RETURNS (ModuleOutput): A vector for each word, *shape:* ``(words, output_width)``, and in
            training the loss of the language model.
        """
        x = self.embedding(rows)  # (characters, width)
        x = x if precision is None else x.to(precision)
        lstms = [each for each in (self.forward_lstm, self.backward_lstm) if each]
        layers = [(lstm, lstm.arranged(x.dtype)) for lstm in lstms]
        guess = bool(self.language_models) and self.training
        vectors: list[Tensor] = []
        losses: list[Tensor] = []
        for bucket in buckets.buckets:
            n = len(bucket.last)
            order = bucket.rows.flatten()  # which letters are read. (time * batch,)
            finals, means = [], []
            for k, (lstm, weights) in enumerate(layers):
                if k == 1:
                    order = order.index_select(0, bucket.reverse)
                letters = x.index_select(0, order).view(*bucket.rows.shape, -1)
                h = lstm.run(letters, weights)  # (time, batch, hidden_width)
                finals.append(h.flatten(0, 1).index_select(0, bucket.last))
                if self.queries is not None:
                    means.append(attend(h, self.queries[k].to(h.dtype), bucket.mask)[:n])
                if guess:
                    # Without the words that fill the bucket up.
                    letter_rows = rows[order].view_as(bucket.rows)[:, :n]
                    cells = (h[:, :n].to(self.embedding.weight), letter_rows, bucket.mask[:, :n])
                    losses.append(self.language_models[k](*cells, self.embedding.used()))
            vectors.append(torch.cat([*finals, *means], dim=-1))  # (words, output_width)
        loss = self.lm_weight * torch.stack(losses).sum() if losses else None
        if not vectors:
            return ModuleOutput(x.new_zeros(0, self.output_width).to(self.embedding.weight.dtype))
        return ModuleOutput(buckets.order(vectors).to(self.embedding.weight.dtype), loss)


def attend(states: Tensor, query: Tensor, mask: Tensor) -> Tensor:
    """A weighted mean of the states of each sequence.

    states (Tensor): *Shape:* ``(time, batch, width)``.
    query (Tensor): What a state is compared with. *Shape:* ``(width,)``.
    mask (Tensor): Whether a state is one of its sequence. *Shape:* ``(time, batch)``, bool.
    RETURNS (Tensor): *Shape:* ``(batch, width)``.
    """
    weights = (states @ query).masked_fill(~mask, -torch.inf).softmax(0)  # (time, batch)
    return torch.einsum("tb,tbw->bw", weights, states)
