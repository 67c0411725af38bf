"""A pipeline's tags beside those of the reference, as columns: what each figure is counted from."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE, ORTH, SENT_START, TAG
from spacy.strings import get_string_id
from spacy.training import Example

from .whitespace import SPACE_TAG

SPACE_KEY = get_string_id(SPACE_TAG)


class TagScores(NamedTuple):
    """Figures of each tag that the reference or the pipeline has, the most frequent first.

    tags (NDArray[np.uint64]): The tags' hashes. *Shape:* ``(tags,)``, as of the others.
    counts (NDArray[np.int64]): How many words have the tag in the reference.
    guesses (NDArray[np.int64]): How many the pipeline gives it.
    precision, recall, f1 (NDArray[np.float64]): 0 where there is nothing to divide by.
    """

    tags: NDArray[np.uint64]
    counts: NDArray[np.int64]
    guesses: NDArray[np.int64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]

    @property
    def macro_f1(self) -> float | None:
        """RETURNS (Optional[float]): The mean F1 of the tags. None: there are none."""
        return float(self.f1.mean()) if len(self.f1) else None


class Comparison:
    """The words of references that have a tag, and the tags that a pipeline gives them: those of
    its tokens that are part of a single word, as spaCy's scorer has it. White space does not count.

    examples (Iterable[Example]): The docs that the pipeline has tagged, and their references.
    missing (Collection[str]): Annotations that are no tag, see `Notation.open`.

    Of each word it has a value in `words`, its hash, `gold`, its tag, `sentences` and `docs`, the
    numbers of those that it is in, `tokens`, its place in the doc, and `right`. Of each tag that is
    given it has one in `places`, the number of its word, `guesses`, and `is_hit`, whether it is
    right: one a word if the tokens are those of the reference.
    """

    def __init__(self, examples: Iterable[Example], *, missing: Collection[str] = ()):
        empty = np.zeros((0, 4), dtype=np.uint64), np.zeros((0, 2), dtype=np.uint64)
        keys = np.array([0, SPACE_KEY, *map(get_string_id, missing)], dtype=np.uint64)
        words, pairs = zip(*([_columns(eg, keys) for eg in examples] or [empty]), strict=True)
        lengths = [len(each) for each in words]
        table, given = np.concatenate(words), np.concatenate(pairs)
        self.docs = np.repeat(np.arange(len(words)), lengths)
        self.words, self.gold = table[:, 0], table[:, 1]
        # Sentences are numbered in each doc: across docs they are where one of the numbers changes.
        number = table[:, 2]
        changes = np.diff(number.astype(np.int64)) != 0
        changes |= np.diff(self.docs) != 0
        self.sentences = np.concatenate([[0], np.cumsum(changes)])[: len(table)]
        starts = np.cumsum([0, *lengths[:-1]])
        self.places = given[:, 0].astype(np.int64) + np.repeat(starts, [len(p) for p in pairs])
        self.guesses = given[:, 1]
        self.is_hit = self.guesses == self.gold[self.places]
        self.right = np.zeros(len(table), dtype=bool)
        self.right[self.places[self.is_hit]] = True
        self.right[self.places[~self.is_hit]] = False  # of several tokens, one has another tag
        self.tokens = table[:, 3].astype(np.int64)

    def accuracy(self, chosen: NDArray[np.bool_] | None = None) -> float | None:
        """Tell how many words have the right tag, as spaCy's `tag_acc`: with other tokens than
        those of the reference that is an F-score.

        chosen (Optional[NDArray[np.bool_]]): Which words count. None: all. *Shape:* ``(words,)``.
        RETURNS (Optional[float]): None: there are no such words.
        """
        if chosen is None:
            chosen = np.ones(len(self.words), dtype=bool)
        given = chosen[self.places]
        total = int(chosen.sum() + given.sum())
        return 2 * int((given & self.is_hit).sum()) / total if chosen.any() else None

    def right_sentences(self) -> NDArray[np.bool_]:
        """RETURNS (NDArray[np.bool_]): Of each sentence whether each word has the right tag.
        *Shape:* ``(sentences,)``.
        """
        return np.bincount(self.sentences, weights=~self.right) == 0

    def whole_sentences(self) -> float | None:
        """RETURNS (Optional[float]): Of how many sentences each word has the right tag. None: there
        are none.
        """
        right = self.right_sentences()
        return float(right.mean()) if len(right) else None

    def tag_scores(self) -> TagScores:
        """RETURNS (TagScores): Precision, recall and F1 of each tag."""
        tags = np.unique(np.concatenate([self.gold, self.guesses]))
        tags = tags[tags != 0]  # an empty one

        def count(found: NDArray[np.uint64]) -> NDArray[np.int64]:
            return np.bincount(np.searchsorted(tags, found), minlength=len(tags))

        counts, guesses = count(self.gold), count(self.guesses[self.guesses != 0])
        hits = count(self.guesses[self.is_hit])
        order = np.lexsort((tags, -counts))
        counts, guesses, hits = counts[order], guesses[order], hits[order]
        precision, recall = hits / np.maximum(guesses, 1), hits / np.maximum(counts, 1)
        f1 = 2 * hits / (guesses + counts)  # each tag is in one of them
        return TagScores(tags[order], counts, guesses, precision, recall, f1)


def _columns(
    eg: Example, missing: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """RETURNS (tuple): Word, tag, sentence and token of each word that counts; and which of these
    words is given which tag.

    eg (Example): The docs.
    missing (NDArray[np.uint64]): Hashes that are no tag.
    """
    gold = eg.reference.to_array([ORTH, TAG, SENT_START]).astype(np.uint64).reshape(-1, 3)
    starts = gold[:, 2].astype(np.int64) == 1
    chosen = ~np.isin(gold[:, 1], missing)
    sentences, tokens = np.cumsum(starts).astype(np.uint64), np.arange(len(gold), dtype=np.uint64)
    words = np.column_stack([gold[:, :2], sentences, tokens])[chosen]
    guessed = eg.predicted.to_array([TAG, IS_SPACE]).astype(np.uint64).reshape(-1, 2)
    alignment = eg.alignment.x2y
    single = (alignment.lengths == 1) & (guessed[:, 1] == 0)
    owner = np.repeat(single, alignment.lengths)
    places = alignment.data[owner]
    numbers = np.cumsum(chosen) - 1  # among the words that count
    pairs = np.column_stack([numbers[places].astype(np.uint64), guessed[single, 0]])
    return words, np.unique(pairs[chosen[places]], axis=0)
