"""Tag dictionaries: which tags a word may have."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ORTH
from spacy.strings import get_string_id
from spacy.tokens import Doc
from thinc.api import Ops
from thinc.types import Floats2d

from ..errors import Errors


class TagDictionary:
    """Which tags words may have; words are compared as they are written. Words that are not in it
    may have any.

    entries (Mapping[str, Iterable[str]]): The tags of each word.
    labels (Sequence[str]): The tag set.
    RAISES (ValueError): If a word has no tag, or one that is not in the tag set.
    """

    def __init__(self, entries: Mapping[str, Iterable[str]], labels: Sequence[str]):
        index = {label: i for i, label in enumerate(labels)}
        keys = np.array([get_string_id(word) for word in entries], dtype=np.uint64)
        allowed = np.zeros((len(keys), len(labels)), dtype=bool)
        for row, (word, tags) in enumerate(entries.items()):
            tags = [tags] if isinstance(tags, str) else list(tags)
            if not tags:
                raise ValueError(Errors.P012.format(word=word))
            for tag in tags:
                if tag not in index:
                    names = ", ".join(labels)
                    raise ValueError(Errors.P011.format(word=word, tag=tag, labels=names))
                allowed[row, index[tag]] = True
        order = np.argsort(keys)
        self._keys: NDArray[np.uint64] = keys[order]
        self._allowed: NDArray[np.bool_] = allowed[order]

    def apply(self, ops: Ops, docs: Sequence[Doc], scores: Floats2d) -> Floats2d:
        """Leave only tags that words may have.

        ops (Ops): The device's operations.
        docs (Sequence[Doc]): The docs.
        scores (Floats2d): Logits, which are changed in place. *Shape:* ``(tokens, tags)``.
        RETURNS (Floats2d): The logits, −inf for the other tags.
        """
        orths = np.concatenate([doc.to_array(ORTH) for doc in docs])
        if not len(self._keys):
            return scores
        rows = np.searchsorted(self._keys, orths).clip(max=len(self._keys) - 1)
        tokens = (self._keys[rows] == orths).nonzero()[0]
        excluded = np.where(self._allowed[rows[tokens]], 0.0, -np.inf).astype(np.float32)
        scores[ops.xp.asarray(tokens)] += ops.xp.asarray(excluded)
        return scores
