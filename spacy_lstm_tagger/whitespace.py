"""White space: its tokens have the tag `_SP`, as in spaCy's pipelines.

It is a rule, so nothing is learned of them and no output is spent on them. A tagger's words are its
other tokens.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE
from spacy.tokens import Doc

SPACE_TAG = "_SP"
# Instead of the index of a tag: the token is white space, or no tag was sure enough. What they mean
# does not change when a tag set grows.
SPACE, ABSTAINED = -2, -1


def is_space(docs: Iterable[Doc]) -> NDArray[np.bool_]:
    """RETURNS (NDArray[np.bool_]): Which tokens of a batch are white space. *Shape:*
    ``(tokens,)``.
    """
    arrays = [doc.to_array(IS_SPACE) for doc in docs]
    return np.concatenate(arrays).astype(bool) if arrays else np.zeros(0, dtype=bool)


def docs_with_spaces(docs: Sequence[Doc]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """YIELDS (tuple): The place of each doc of a batch that has white space, and which of its
    tokens are. *Shape:* ``(tokens,)``.
    """
    spaces = is_space(docs)
    if spaces.any():
        ends = np.cumsum([len(doc) for doc in docs])
        for i, of_doc in enumerate(np.split(spaces, ends[:-1])):
            if of_doc.any():
                yield i, of_doc


def word_lengths(lengths: Sequence[int], spaces: NDArray[np.bool_]) -> list[int]:
    """Count words.

    lengths (Sequence[int]): The number of tokens of each doc.
    spaces (NDArray[np.bool_]): Which tokens are white space. *Shape:* ``(tokens,)``.
    RETURNS (list[int]): The number of words of each doc.
    """
    docs = np.repeat(np.arange(len(lengths)), lengths)
    return np.bincount(docs[~spaces], minlength=len(lengths)).tolist()


def spread(values: NDArray, spaces: NDArray[np.bool_], *, fill: float) -> NDArray:
    """Spread the values of words over all tokens.

    values (NDArray): One row a word. *Shape:* ``(words, ...)``.
    spaces (NDArray[np.bool_]): Which tokens are white space. *Shape:* ``(tokens,)``.
    fill (float): The value of white space.
    RETURNS (NDArray): *Shape:* ``(tokens, ...)``.
    """
    if len(values) == len(spaces):
        return values
    full = np.full((len(spaces), *values.shape[1:]), fill, dtype=values.dtype)
    full[~spaces] = values
    return full
