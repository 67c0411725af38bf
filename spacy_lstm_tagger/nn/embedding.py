"""The word layer: what a distinct word looks like, as a whole and letter by letter."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from .buckets import Buckets
from .characters import CharacterLSTM
from .output import ModuleOutput
from .vocabulary import EmbeddingTable, PretrainedEmbedding, VocabularyEmbedding


class WordEmbedding(nn.Module):
    r"""One vector for each distinct word of a batch.

    .. math:: x_w = W [e_1(w) ; \dots ; e_n(w) ; c_w] + s_w

    with an embedding table for each feature of the word (its form, lower-cased form, affixes,
    shape), perhaps one of pretrained vectors, the final states :math:`c_w` of a character LSTM, and
    an optional static vector :math:`s_w`. The projection :math:`W` is applied once a distinct word,
    so a rich description costs the sentence LSTM nothing; without it the parts are concatenated.

    features (Mapping[str, tuple[int, int]]): For each feature its name, and the width and
        capacity of its table.
    pretrained (Optional[tuple[int, int]]): Width and capacity of a last table, whose vectors stay
        as they are.
    characters (Optional[CharacterLSTM]): The character LSTM.
    width (Optional[int]): Width of the output. None: no projection.
    """

    tables: Mapping[str, EmbeddingTable]

    def __init__(
        self,
        *,
        features: Mapping[str, tuple[int, int]],
        pretrained: tuple[int, int] | None = None,
        characters: CharacterLSTM | None = None,
        width: int | None = None,
    ):
        super().__init__()
        self.characters = characters
        tables: dict[str, EmbeddingTable] = {
            name: VocabularyEmbedding(width=table_width, capacity=capacity)
            for name, (table_width, capacity) in features.items()
        }
        if pretrained is not None:
            tables["pretrained"] = PretrainedEmbedding(width=pretrained[0], capacity=pretrained[1])
        self.tables = cast(Mapping[str, EmbeddingTable], nn.ModuleDict(tables))
        parts_width = sum(table.width for table in tables.values())
        if characters is not None:
            parts_width += characters.output_width
        self.projection = (
            nn.Linear(parts_width, width, dtype=torch.float32) if width is not None else None
        )
        self.output_width = width if width is not None else parts_width
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights of the projection, in place."""
        if self.projection is not None:
            nn.init.xavier_uniform_(self.projection.weight)
            nn.init.zeros_(self.projection.bias)

    def forward(
        self,
        features: Tensor,
        letters: tuple[Tensor, Buckets] | None = None,
        *,
        static: Tensor | None = None,
        tokens: Tensor | None = None,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        precision: torch.dtype | None = None,
    ) -> ModuleOutput:
        """Embed distinct words.

        features (Tensor): The row of each feature, 0 for unknown. *Shape:* ``(features, words)``.
        letters (Optional[tuple[Tensor, Buckets]]): What the character LSTM reads: the rows of the
            characters, word after word, and the batch made from the words' lengths. Needed if there
            is a character LSTM. *Shape:* ``(letters,)``.
        static (Optional[Tensor]): Vectors to add. *Shape:* ``(words, output_width)``.
        tokens (Optional[Tensor]): The word of each token. *Shape:* ``(tokens,)``.
        dropout (float): Dropout on the parts before they are projected.
        word_dropout (float): The chance of each feature to be taken for unknown.
        precision (Optional[torch.dtype]): What the LSTM kernels compute in.
        RETURNS (ModuleOutput): A vector for each token, or, without `tokens`, for each word,
            *shape:* ``(tokens or words, output_width)``, and the loss of the character LSTM.
        """
        loss: Tensor | None = None
        tables = self.tables.values()
        # The unknown vectors are added at once: a small operation costs more than its work.
        known = zip(tables, features.unbind(), strict=True)
        x = torch.cat([table.differences(rows, drop=word_dropout) for table, rows in known], dim=-1)
        x = x + torch.cat([table.unknown for table in tables])  # (words, parts)
        if self.characters is not None and letters is not None:
            vectors, loss = self.characters(*letters, precision=precision)
            x = torch.cat([x, vectors], dim=-1)
        if dropout > 0.0:
            x = nn.functional.dropout(x, dropout)
        if self.projection is not None:
            x = self.projection(x)
        if static is not None:
            x = x + static
        return ModuleOutput(x if tokens is None else x.index_select(0, tokens), loss)
