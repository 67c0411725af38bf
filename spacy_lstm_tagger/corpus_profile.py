"""What a corpus has for a tagger: docs, sentences, words and their tags."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from spacy.attrs import IS_SPACE, ORTH, SENT_START, TAG
from spacy.training import Example

from .lexicon import Lexicon
from .pipeline.gold import same_tokens


@dataclass
class CorpusProfile:
    """Counts of a corpus. White space is no word.

    word_tags (Counter[Tuple[str, str]]): How often there is each word with each tag. "": none.
    space_tags (Counter[str]): How many tokens of white space have each tag.
    sentences (Counter[int]): How often there is each sentence, by a hash of its tokens.
    lengths (List[int]): The number of tokens of each doc, as the pipeline gets it.
    untagged_docs (int): How many docs have words, and no tag.
    misaligned (int): How many of the pipeline's tokens are not in one token of the annotation.
    is_cut (bool): Whether there is more than was read.
    """

    word_tags: Counter[tuple[str, str]] = field(default_factory=Counter)
    space_tags: Counter[str] = field(default_factory=Counter)
    sentences: Counter[int] = field(default_factory=Counter)
    lengths: list[int] = field(default_factory=list)
    untagged_docs: int = 0
    misaligned: int = 0
    is_cut: bool = False

    @classmethod
    def of(cls, examples: Iterable[Example], *, max_words: int) -> "CorpusProfile":
        """Read a corpus, which may have no end.

        examples (Iterable[Example]): The corpus.
        max_words (int): After how many tokens to stop. A doc without any counts as one.
        RETURNS (CorpusProfile): Its counts.
        """
        profile, left = cls(), max_words
        for eg in examples:
            if left <= 0:
                profile.is_cut = True
                break
            left -= max(1, len(eg.reference))
            profile.add(eg)
        return profile

    def add(self, eg: Example) -> None:
        """Count an example."""
        self.lengths.append(len(eg.predicted))
        if not len(eg.reference):
            return
        strings = eg.reference.vocab.strings
        orths, keys, spaces, starts = eg.reference.to_array([ORTH, TAG, IS_SPACE, SENT_START]).T
        is_word = spaces == 0
        words, tags = orths[is_word].tolist(), keys[is_word].tolist()
        pairs = zip(words, tags, strict=True)
        self.word_tags.update((strings[word], strings[tag]) for word, tag in pairs)
        self.space_tags.update(strings[tag] for tag in keys[~is_word].tolist())
        cuts = np.flatnonzero(starts[1:] == 1) + 1
        self.sentences.update(hash(each.tobytes()) for each in np.split(orths, cuts))
        self.untagged_docs += bool(words) and not any(tags)
        if not same_tokens(eg):
            is_token = eg.predicted.to_array(IS_SPACE) == 0
            self.misaligned += int((eg.alignment.x2y.lengths[is_token] != 1).sum())

    @property
    def tags(self) -> Counter[str]:
        """RETURNS (Counter[str]): How many words have each tag."""
        counts: Counter[str] = Counter()
        for (_, tag), count in self.word_tags.items():
            counts[tag] += count
        del counts[""]
        return counts

    @property
    def lexicon(self) -> Lexicon:
        """RETURNS (Lexicon): The words that have a tag."""
        return Lexicon.of((word, tag, n) for (word, tag), n in self.word_tags.items() if tag)

    def count_kinds(self, lexicon: Lexicon) -> dict[str, int]:
        """RETURNS (Dict[str, int]): How many of the words with a tag are "unknown" to some
        training data, and how many "ambiguous" there, as `evaluate` counts them.
        """
        ambiguous, counts = set(lexicon.ambiguous), self.lexicon.counts
        return {
            "unknown": sum(n for word, n in counts.items() if word not in lexicon.counts),
            "ambiguous": sum(n for word, n in counts.items() if word in ambiguous),
        }
