"""What a tagger thought of each token: its best tags and their probabilities, kept with the doc."""

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IDX, ORTH
from spacy.tokens import Doc, Token

from .whitespace import SPACE_TAG

Self = TypeVar("Self", bound="_Kept")

# Says of probabilities that they are to be read (`save_probabilities`), and teach nobody.
OWN = "own"


def forget(doc: Doc) -> None:
    """Remove from a doc what a tagger thought of its tokens."""
    for kind in (TagProbabilities, TagSequences):
        doc.user_data.pop(kind.key, None)


@dataclass(frozen=True, eq=False)  # arrays have no truth value
class _Kept:
    """Tags and their probabilities, kept with a doc. `Doc.user_data` has them: it travels with
    `Doc.to_bytes`, `DocBin(store_user_data=True)` and the workers of `n_process`.

    key (str): Where it has them.
    labels (tuple[str, ...]): The tag set, or as much of it as a doc has.
    tags (NDArray[np.unsignedinteger]): Indices into `labels`.
    probabilities (NDArray[np.floating]): How probable they are.
    """

    key: ClassVar[str]

    labels: tuple[str, ...]
    tags: NDArray[np.unsignedinteger]
    probabilities: NDArray[np.floating]

    @classmethod
    def from_doc(cls: type[Self], doc: Doc) -> Self | None:
        """RETURNS (Optional[Self]): Those kept with a doc. None if it has none, or if its tokens
        are no longer those that were tagged.
        """
        kept = doc.user_data.get(cls.key)
        if kept is None or not np.array_equal(kept["words"], _words(doc)):
            return None
        return cls(tuple(kept["labels"]), kept["tags"], kept["probabilities"])

    def to_doc(self, doc: Doc) -> None:
        """Keep them with a doc, with the labels that it has of them: a tag set may be large."""
        used = np.flatnonzero(np.bincount(self.tags.ravel()))
        places = np.zeros(len(self.labels), dtype=_index(used))
        places[used] = np.arange(len(used))
        doc.user_data[self.key] = {
            "words": _words(doc),
            "starts": doc.to_array(IDX).astype(np.uint16),
            "labels": [self.labels[i] for i in used.tolist()],
            "tags": places[self.tags],
            "probabilities": self.probabilities,
        }


class TagProbabilities(_Kept):
    """The best tags of each token of a doc, best first. Those of white space have no probability.

    labels (tuple[str, ...]): The tag set.
    tags (NDArray[np.unsignedinteger]): Indices into `labels`. *Shape:* ``(tokens, k)``.
    probabilities (NDArray[np.floating]): The probabilities of these tags, single or half
        precision. *Shape:* ``(tokens, k)``.
    """

    key = "spacy_lstm_tagger.tag_probabilities"

    @classmethod
    def of(
        cls,
        labels: Sequence[str],
        probabilities: NDArray[np.floating],
        *,
        top: int | None = None,
        half: bool = False,
    ) -> "TagProbabilities":
        """Keep the best tags of each token.

        labels (Sequence[str]): The tag set.
        probabilities (NDArray[np.floating]): *Shape:* ``(tokens, tags)``.
        top (Optional[int]): How many tags to keep. None: all.
        half (bool): Whether to keep half-precision numbers.
        RETURNS (TagProbabilities): They. Ties are in the order of the tag set.
        """
        tags = _best(probabilities, top)
        best = np.take_along_axis(probabilities, tags, axis=1)
        return cls(tuple(labels), tags.astype(_index(labels)), best.astype("f2" if half else "f4"))

    @classmethod
    def of_teacher(cls, doc: Doc) -> "TagProbabilities | None":
        """RETURNS (Optional[TagProbabilities]): Those that a teacher has left with a doc. None if
        it has none, or only those that a tagger has kept to be read (`OWN`).
        """
        return None if doc.user_data.get(cls.key, {}).get(OWN) else cls.from_doc(doc)

    @classmethod
    def from_token(cls, token: Token) -> "TagProbabilities | None":
        """RETURNS (Optional[TagProbabilities]): Those of one token, as `from_doc`. No other token
        is looked at, so that a loop over a long doc is not slow.
        """
        kept = token.doc.user_data.get(cls.key)
        if kept is None or np.shape(kept["words"]) != (len(token.doc),):
            return None
        if kept["words"][token.i] != token.orth & 0xFFFF:
            return None
        if kept["starts"][token.i] != token.idx & 0xFFFF:  # the same word, which was elsewhere
            return None
        here = slice(token.i, token.i + 1)
        return cls(tuple(kept["labels"]), kept["tags"][here], kept["probabilities"][here])

    def __getitem__(self, tokens: slice) -> "TagProbabilities":
        """RETURNS (TagProbabilities): Those of some of the tokens."""
        return TagProbabilities(self.labels, self.tags[tokens], self.probabilities[tokens])

    def dense(self, labels: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Spread them out.

        labels (Optional[Sequence[str]]): A tag set that has every tag of this one, but maybe that
            of white space, whose order the columns have. None: this one.
        RETURNS (NDArray[np.float32]): The probability of every tag, 0 for those not kept.
            *Shape:* ``(tokens, tags)``.
        RAISES (KeyError): If a tag is not in the tag set.
        """
        columns = self.tags.astype(np.int64)
        if labels is not None and tuple(labels) != self.labels:
            index = {SPACE_TAG: len(labels), **{label: i for i, label in enumerate(labels)}}
            columns = np.array([index[label] for label in self.labels], dtype=np.int64)[columns]
        full = np.zeros((len(self.tags), len(labels or self.labels) + 1), dtype=np.float32)
        np.put_along_axis(full, columns, self.probabilities, axis=1)
        return full[:, :-1]


class TagSequences(_Kept):
    """The best tag sequences of a doc, best first.

    labels (tuple[str, ...]): The tag set.
    tags (NDArray[np.unsignedinteger]): Indices into `labels`. *Shape:* ``(sequences, tokens)``.
    probabilities (NDArray[np.float64]): The probability of each. *Shape:* ``(sequences,)``.
    """

    key = "spacy_lstm_tagger.tag_n_best"

    @classmethod
    def of(
        cls, labels: Sequence[str], tags: NDArray[np.int64], probabilities: NDArray[np.float64]
    ) -> "TagSequences":
        """RETURNS (TagSequences): The sequences, without those that are not there: a doc of one
        token has no more of them than there are tags. Their probability is NaN.
        """
        there = ~np.isnan(probabilities)
        return cls(tuple(labels), tags[there].astype(_index(labels)), probabilities[there])


def _best(probabilities: NDArray[np.floating], top: int | None) -> NDArray[np.int64]:
    """RETURNS (NDArray[np.int64]): The columns with the highest numbers of each row, best first,
    and ties in their order. *Shape:* ``(rows, top)``.
    """
    if top is None:
        return np.argsort(-probabilities, axis=1, kind="stable")
    # To sort all tags of a large tag set takes many times as long.
    rows, left = np.arange(len(probabilities)), probabilities.copy()
    columns = np.empty((len(rows), min(top, left.shape[1])), dtype=np.int64)
    for column in columns.T:
        left.argmax(axis=1, out=column)
        left[rows, column] = -np.inf
    return columns


def _words(doc: Doc) -> NDArray[np.uint16]:
    """RETURNS (NDArray[np.uint16]): What tells the words of a doc from others, as it may be
    tokenized anew: the last bits of their hashes. *Shape:* ``(tokens,)``.
    """
    return doc.to_array(ORTH).astype(np.uint16)


def _index(labels: Sized) -> np.dtype:
    """RETURNS (np.dtype): The smallest type that holds the place of each label."""
    return np.min_scalar_type(max(0, len(labels) - 1))
