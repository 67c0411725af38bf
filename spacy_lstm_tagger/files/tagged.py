"""Tagged texts, as columns rather than token by token."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from .texts import Text


@dataclass(frozen=True)
class Style:
    """How tagged docs are written.

    column (str): The column of CoNLL-U that has the tags: "xpos", "upos", or "upos+feats" for tags
        like NOUN|Case=Acc, which become two columns.
    prefix (str): What the names that are added to objects and tables start with.
    text_key (str): The name of the text, or of its words, in them.
    spaces (bool): Whether tables tell if a space follows each token.
    pos (bool): Whether they tell its coarse part of speech, `token.pos_`.
    """

    column: str = "xpos"
    prefix: str = ""
    text_key: str = "text"
    spaces: bool = False
    pos: bool = False


class TaggedTexts:
    """Texts and the docs that were made of them.

    texts (Sequence[Text]): The texts, one or more.
    docs (Sequence[Doc]): Their docs, of one vocabulary.
    numbers (Sequence[Optional[str]]): How sure the tag of each token is, as it is written; None
        for one that is not the tagger's. Empty: that is not told.
    """

    def __init__(self, texts: Sequence[Text], docs: Sequence[Doc], numbers: Sequence[str | None]):
        self.texts = texts
        self.docs = docs
        self.numbers = numbers
        self.bounds = np.cumsum([0, *map(len, docs)])
        self._found: dict[int, tuple[list[str], NDArray[np.intp]]] = {}

    def __iter__(self) -> Iterator[tuple[Text, Doc, int, int]]:
        """YIELDS (tuple): Each text, its doc, and where its tokens are in a column."""
        bounds = self.bounds.tolist()
        yield from zip(self.texts, self.docs, bounds, bounds[1:], strict=False)

    def keys(self, attr: int) -> NDArray[np.uint64]:
        """RETURNS (NDArray[np.uint64]): An attribute of each token, doc after doc.
        *Shape:* ``(tokens,)``.
        """
        return np.concatenate([doc.to_array([attr]) for doc in self.docs]).astype(np.uint64)

    def column(self, attr: int, function: Callable[[str], Any] | None = None) -> list[Any]:
        """Look up an attribute of each token.

        attr (int): The attribute, whose values are strings.
        function (Optional[Callable[[str], Any]]): What is made of each distinct string. None: the
            string.
        RETURNS (list[Any]): What is made of the strings, doc after doc.
        """
        distinct, tokens = self.distinct(attr)
        values: list[Any] = distinct if function is None else list(map(function, distinct))
        if len(values) == 1:
            return values * len(tokens)
        return list(map(values.__getitem__, tokens.tolist()))

    def distinct(self, attr: int) -> tuple[list[str], NDArray[np.intp]]:
        """RETURNS (tuple): The distinct values of an attribute, and which each token has.
        *Shape:* ``(tokens,)``.
        """
        if attr not in self._found:
            strings = self.docs[0].vocab.strings
            keys = self.keys(attr)
            if not keys.any():
                self._found[attr] = [""], np.zeros(len(keys), dtype=np.intp)
            else:
                distinct, tokens = np.unique(keys, return_inverse=True)
                self._found[attr] = [strings[k] for k in distinct.tolist()], tokens
        return self._found[attr]
