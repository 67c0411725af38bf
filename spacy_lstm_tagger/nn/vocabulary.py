"""Embedding tables with a vocabulary of their own: one that learns, and one that stays."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

# The standard deviation that rows of a new table start with.
STD = 0.3


class EmbeddingTable(nn.Module):
    """What embedding tables have in common: symbols (words, suffixes, characters) are found by
    their 64-bit keys, and saved with the vectors.

    width (int): Width of the vectors.
    capacity (int): How many symbols the table can hold.
    """

    unknown: Tensor  # (width,)
    weight: Tensor  # (capacity + 1, width); row 0 is zero, as an unknown symbol differs by nothing

    def __init__(self, *, width: int, capacity: int):
        super().__init__()
        self.width = width
        self.capacity = capacity
        self._rows: dict[int, int] = {}

    def __len__(self) -> int:
        """RETURNS (int): How many symbols have a row."""
        return len(self._rows)

    @property
    def is_full(self) -> bool:
        """RETURNS (bool): Whether further symbols stay unknown."""
        return len(self._rows) >= self.capacity

    def add(self, keys: Iterable[int]) -> None:
        """Give each new symbol a row, in order, while there is room.

        keys (Iterable[int]): The symbols' keys, as signed 64-bit integers.
        """
        if self.is_full:
            return
        rows = self._rows
        for key in keys:
            if key not in rows:
                rows[key] = len(rows) + 1
                if len(rows) == self.capacity:
                    break

    def lookup(self, keys: Iterable[int]) -> list[int]:
        """Find the symbols' rows.

        keys (Iterable[int]): The symbols' keys.
        RETURNS (list[int]): The rows. 0 is unknown.
        """
        get = self._rows.get
        return [get(key, 0) for key in keys]

    def forward(self, rows: Tensor, *, drop: float = 0.0) -> Tensor:
        """Embed symbols.

        rows (Tensor): The symbols' rows, int64. *Shape:* ``(symbols,)``.
        drop (float): The chance of a symbol to be taken for unknown.
        RETURNS (Tensor): *Shape:* ``(symbols, width)``.
        """
        return self.unknown + self.differences(rows, drop=drop)

    def differences(self, rows: Tensor, *, drop: float) -> Tensor:
        """What `forward` adds to the unknown vector. *Shapes:* as there."""
        if drop > 0.0:
            rows = rows * torch.empty(rows.shape, device=rows.device).bernoulli_(1.0 - drop).long()
        return nn.functional.embedding(rows, self.weight, padding_idx=0)

    def used(self) -> Tensor:
        """RETURNS (Tensor): The vectors of the unknown symbol and of those that have a row.
        *Shape:* ``(symbols + 1, width)``.
        """
        return self(torch.arange(len(self) + 1, device=self.weight.device))

    # The keys are saved as a tensor beside the rows in use, so a small vocabulary is a small file
    # whatever the capacity.

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination[prefix + "weight"] = self.weight.detach()[1 : len(self) + 1]
        destination[prefix + "keys"] = torch.tensor(list(self._rows), dtype=torch.int64)

    def _load_from_state_dict(self, state_dict, prefix, *args):
        state_dict = dict(state_dict)
        problems = self.problems(state_dict, prefix)
        if problems:
            args[-1].extend(problems)
            return
        keys, rows = state_dict.pop(prefix + "keys"), state_dict[prefix + "weight"]
        # Rows that are added from here on start at zero.
        weight = rows.new_zeros(self.weight.shape)
        weight[1 : len(rows) + 1] = rows
        state_dict[prefix + "weight"] = weight
        self._rows = {key: row for row, key in enumerate(keys.tolist(), start=1)}
        super()._load_from_state_dict(state_dict, prefix, *args)

    def problems(self, state: Mapping[str, Tensor], prefix: str) -> list[str]:
        """Say what keeps saved symbols from being loaded, without loading them.

        state (Mapping[str, Tensor]): The saved tensors.
        prefix (str): What the names of this module's tensors start with.
        RETURNS (list[str]): The problems. Empty if there are none.
        """
        name = prefix.rstrip(".")
        keys, rows = state.get(prefix + "keys"), state.get(prefix + "weight")
        if keys is None or rows is None:
            return [f"{name}: keys or rows are missing"]
        if keys.dim() != 1 or rows.dim() != 2 or len(keys) != len(rows):
            return [f"{name}: {tuple(keys.shape)} keys and {tuple(rows.shape)} rows do not match"]
        if rows.shape[1] != self.width:
            return [f"{name}: rows of width {rows.shape[1]} where the config has {self.width}"]
        if len(keys) > self.capacity:
            room = f"the {self.capacity} rows of the config"
            return [f"{name}: {len(keys)} symbols do not fit in {room}"]
        return []


class VocabularyEmbedding(EmbeddingTable):
    r"""A table that fills its vocabulary while it trains.

    .. math:: e(k) = u + \delta_k, \quad e(\text{unknown}) = u

    A symbol gets a row when it is first added, until the table is full; every other symbol is
    unknown. A row holds the difference from the unknown vector. In a new table it starts at
    random, which tells the symbols apart; in one that was loaded it starts at zero, so that a
    symbol which is added to a trained model is embedded as an unknown one and departs from there.

    width (int): Width of the vectors.
    capacity (int): How many symbols the table can hold.
    """

    def __init__(self, *, width: int, capacity: int):
        super().__init__(width=width, capacity=capacity)
        self.unknown = nn.Parameter(torch.empty(width, dtype=torch.float32))
        self.weight = nn.Parameter(torch.empty(capacity + 1, width, dtype=torch.float32))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Be a new table, in place: no symbol has a row."""
        self._rows = {}
        self.unknown.data.zero_()
        self.weight.data.normal_(std=STD)
        self.weight.data[0] = 0.0


class PretrainedEmbedding(EmbeddingTable):
    """A table of vectors that were made elsewhere and stay as they are, in half precision. The
    vector of unknown symbols is zero.

    width (int): Width of the vectors.
    capacity (int): How many symbols the table can hold.
    """

    def __init__(self, *, width: int, capacity: int):
        super().__init__(width=width, capacity=capacity)
        # Buffers: no optimizer sees them.
        self.register_buffer("unknown", torch.zeros(width, dtype=torch.float32))
        self.register_buffer("weight", torch.zeros(capacity + 1, width, dtype=torch.half))

    @property
    def is_full(self) -> bool:
        """RETURNS (bool): True: training adds nothing."""
        return True

    def fill(self, keys: Iterable[int], vectors: Tensor) -> None:
        """Take these vectors for those of the table.

        keys (Iterable[int]): The symbols' keys, each once.
        vectors (Tensor): Their vectors. *Shape:* ``(symbols, width)``. Those beyond the capacity
            are left out.
        """
        self._rows = {key: row for row, key in enumerate(keys, start=1) if row <= self.capacity}
        self.weight[1 : len(self) + 1] = vectors[: self.capacity]

    def differences(self, rows: Tensor, *, drop: float) -> Tensor:
        """As in any table, in single precision."""
        return super().differences(rows, drop=drop).float()
