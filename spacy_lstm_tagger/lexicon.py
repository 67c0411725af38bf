"""The words of a tagger's training data: which it had, and which of them with several tags."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.strings import get_string_id


@dataclass(frozen=True)
class Lexicon:
    """Words, as they are written.

    counts (Mapping[str, int]): How often training had each.
    ambiguous (Collection[str]): Those that it had with more than one tag.
    """

    counts: Mapping[str, int]
    ambiguous: Collection[str]

    @classmethod
    def of(cls, word_tags: Iterable[tuple[str, str, int]]) -> "Lexicon":
        """RETURNS (Lexicon): The words that `WordTags.v1` has read."""
        counts: Counter[str] = Counter()
        tags: Counter[str] = Counter()
        for word, _, count in word_tags:
            counts[word] += count
            tags[word] += 1
        return cls(dict(counts), [word for word, n in tags.items() if n > 1])

    @classmethod
    def from_settings(cls, cfg: Mapping[str, Any]) -> "Lexicon | None":
        """RETURNS (Optional[Lexicon]): What a tagger keeps of its training data. None: nothing."""
        if cfg.get("word_counts") is None:
            return None
        return cls(cfg["word_counts"], cfg.get("ambiguous_words") or [])

    def frequencies(self, words: NDArray[np.uint64]) -> NDArray[np.int64]:
        """RETURNS (NDArray[np.int64]): How often training had each word.

        words (NDArray[np.uint64]): The words' hashes. *Shape:* ``(words,)``.
        """
        counts = {get_string_id(word): count for word, count in self.counts.items()}
        return np.array([counts.get(word, 0) for word in words.tolist()], dtype=np.int64)

    def is_ambiguous(self, words: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """RETURNS (NDArray[np.bool_]): Whether training had each word with more than one tag."""
        keys = np.array([get_string_id(word) for word in self.ambiguous], dtype=np.uint64)
        return np.isin(words, keys)

    def kinds(self, words: NDArray[np.uint64]) -> dict[str, NDArray[np.bool_]]:
        """Tell words apart by what training had of them.

        words (NDArray[np.uint64]): The words' hashes. *Shape:* ``(words,)``, as of the results.
        RETURNS (dict[str, NDArray[np.bool_]]): Which are "known", which are "unknown", and which
            are "ambiguous".
        """
        known = self.frequencies(words) > 0
        return {"known": known, "unknown": ~known, "ambiguous": self.is_ambiguous(words)}
