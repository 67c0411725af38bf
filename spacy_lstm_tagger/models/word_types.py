"""The types (distinct words) of a batch of docs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ORTH
from spacy.tokens import Doc
from spacy.vocab import Vocab


@dataclass(frozen=True)
class WordTypes:
    """The distinct words (types) of a batch.

    vocab (Vocab): The vocabulary of the docs: of the first, if they have several.
    orths (NDArray[np.uint64]): The hash of each type. *Shape:* ``(types,)``.
    tokens (NDArray[np.int64]): The type of each token, doc after doc. *Shape:* ``(tokens,)``.
    lengths (list[int]): The number of tokens of each doc.
    more_vocabs (tuple[Vocab, ...]): Others, whose docs may have other words.
    """

    vocab: Vocab
    orths: NDArray[np.uint64]
    tokens: NDArray[np.int64]
    lengths: list[int]
    more_vocabs: tuple[Vocab, ...] = ()

    @classmethod
    def of(cls, docs: Sequence[Doc]) -> "WordTypes":
        """Find the types of a batch of docs.

        docs (Sequence[Doc]): The docs, at least one.
        RETURNS (WordTypes): Their types, ordered by hash.
        """
        arrays = [doc.to_array(ORTH) for doc in docs]
        orths, tokens = np.unique(np.concatenate(arrays), return_inverse=True)
        vocab, *others = {id(doc.vocab): doc.vocab for doc in docs}.values()
        return cls(vocab, orths, tokens, [len(array) for array in arrays], tuple(others))

    def select(self, indices: NDArray[np.int64]) -> "WordTypes":
        """RETURNS (WordTypes): Some of the types, without tokens."""
        return replace(
            self, orths=self.orths[indices], tokens=np.empty(0, dtype=np.int64), lengths=[]
        )

    def strings(self) -> list[str]:
        """RETURNS (list[str]): The text of each type."""
        strings, orths = self.vocab.strings, self.orths.tolist()
        if not self.more_vocabs:
            return [strings[orth] for orth in orths]
        stores = [strings, *(vocab.strings for vocab in self.more_vocabs)]
        return [next(store[orth] for store in stores if orth in store) for orth in orths]

    # What spaCy's static vectors layer reads of a doc, so that it can embed types.

    def __len__(self) -> int:
        return len(self.orths)

    def to_array(self, attr: int) -> NDArray[np.uint64]:
        """RETURNS (NDArray[np.uint64]): A lexical attribute of each type."""
        if attr == ORTH:
            return self.orths
        return Doc(self.vocab, words=self.strings()).to_array(attr).astype(np.uint64, copy=False)
