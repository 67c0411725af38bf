"""Tag dictionaries: which tags a word may have, by its form or another attribute."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.attrs import ORTH
from spacy.strings import get_string_id
from spacy.tokens import Doc
from torch import Tensor

from ..checks import first_of, is_list_of_strings
from ..errors import Errors
from ..nn.transfer import send


class TagDictionary:
    """Which tags words may have; words are compared as they are written. Words that are not in it
    may have any.

    entries (Mapping[str, Iterable[str]]): The tags of each word.
    labels (Sequence[str]): The tag set.
    attribute (int): By which attribute of tokens they are looked up.
    RAISES (ValueError): If this is no table of words, or a word has no tag, or one that is not in
        the tag set.
    """

    def __init__(
        self,
        entries: Mapping[str, Iterable[str]],
        labels: Sequence[str],
        *,
        attribute: int = ORTH,
    ):
        table = as_table(entries)
        index = {label: i for i, label in enumerate(labels)}
        keys = np.array([get_string_id(word) for word in table], dtype=np.uint64)
        # Many words have the same tags: a row for each of them would be large.
        sets: dict[frozenset[int], int] = {}
        rows = np.zeros(len(keys), dtype=np.int64)
        for row, (word, tags) in enumerate(table.items()):
            if not tags:
                raise ValueError(Errors.P004.format(word=word))
            for tag in tags:
                if tag not in index:
                    names = first_of(labels)
                    raise ValueError(Errors.P003.format(word=word, tag=tag, labels=names))
            found = frozenset(index[tag] for tag in tags)
            rows[row] = sets.setdefault(found, len(sets))
        allowed = np.zeros((len(sets), len(labels)), dtype=bool)
        for row, each in enumerate(sets):
            allowed[row, list(each)] = True
        self._made_of, self._attribute = (entries, list(labels)), attribute
        order = np.argsort(keys)
        self._keys: NDArray[np.uint64] = keys[order]
        self._rows = rows[order]
        # Which tags each set of tags has. *Shape:* ``(sets, tags)``.
        self.allowed: NDArray[np.bool_] = allowed

    def is_of(self, entries: Mapping[str, Iterable[str]], labels: Sequence[str]) -> bool:
        """RETURNS (bool): Whether this is the dictionary of these very entries and tags."""
        return self._made_of[0] is entries and self._made_of[1] == labels

    def find(self, docs: Sequence[Doc]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """RETURNS (tuple): The tokens of a batch that are in it, as if the docs were one; and of
        each, its row in `allowed`.
        """
        words = np.concatenate([doc.to_array(self._attribute) for doc in docs])
        rows = np.searchsorted(self._keys, words).clip(max=len(self._keys) - 1)
        tokens = (self._keys[rows] == words).nonzero()[0]
        return tokens, self._rows[rows[tokens]]

    def apply(self, docs: Sequence[Doc], emissions: Tensor) -> None:
        """Leave only tags that words may have.

        docs (Sequence[Doc]): The docs.
        emissions (Tensor): Logits; those of other tags become −inf. *Shape:* ``(tokens, tags)``.
        """
        tokens, rows = self.find(docs)
        allowed = send(self.allowed[rows], emissions.device)
        where = send(tokens, emissions.device)
        emissions[where] = emissions[where].masked_fill(~allowed, -torch.inf)


def as_table(entries: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Write entries out as they are saved.

    entries (Mapping[str, Iterable[str]]): The tag or the tags of each word.
    RETURNS (dict[str, list[str]]): The tags of each word.
    RAISES (ValueError): If this is no table of words.
    """
    if not isinstance(entries, Mapping):
        raise ValueError(Errors.P018.format(found=f"is a {type(entries).__name__}"))
    table: dict[str, Any] = {}
    for word, tags in entries.items():
        if not isinstance(word, str):
            raise ValueError(Errors.P018.format(found=f"has the word {word!r}"))
        if isinstance(tags, Iterable):
            tags = [tags] if isinstance(tags, str) else list(tags)
        if not is_list_of_strings(tags):
            raise ValueError(Errors.P018.format(found=f"has {tags!r} for {word!r}"))
        table[word] = tags
    return table
