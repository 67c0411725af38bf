"""Noise for training texts, so that a tagger learns to read what people really write."""

import random
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import (
    DEP,
    ENT_ID,
    ENT_IOB,
    ENT_KB_ID,
    ENT_TYPE,
    HEAD,
    LEMMA,
    MORPH,
    ORTH,
    POS,
    SENT_START,
    SPACY,
    TAG,
)
from spacy.language import Language
from spacy.strings import StringStore
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import registry
from thinc.types import Ints2d

from .checks import check_share
from .probabilities import TagProbabilities

FINAL = frozenset(".!?…;。！？؟۔।։።")
SHORTEST = 4  # letters: in a shorter word a typo often makes another word


@registry.augmenters("spacy-lstm-tagger.NoiseAugmenter.v1")
@dataclass(frozen=True, kw_only=True)
class NoiseAugmenter:
    """Makes texts noisy: one example for each that it gets. Annotation stays with its words.

    lower (float): The chance of a doc to be lower-cased.
    upper (float): The chance of a doc to be upper-cased.
    no_final (float): The chance of a doc to lose the punctuation at its end.
    typos (float): The chance of a word of four letters or more to get a typo: two letters
        swapped, one left out, doubled or replaced. The first letter stays.
    RAISES (ValueError): If a chance is not from 0 to 1, or `lower` and `upper` are more than 1
        together.
    """

    lower: float = 0.1
    upper: float = 0.03
    no_final: float = 0.05
    typos: float = 0.01

    def __post_init__(self) -> None:
        check_share(**asdict(self))
        check_share(**{"lower + upper": self.lower + self.upper})

    def __call__(self, nlp: Language, example: Example) -> Iterator[Example]:
        """Make an example noisy.

        nlp (Language): The current nlp object.
        example (Example): The example.
        YIELDS (Example): The example itself if nothing was changed.
        """
        doc, strings = example.reference, example.reference.vocab.strings
        keys = cast("NDArray[np.uint64]", doc.to_array(ORTH))
        noisy = self.change(keys, strings, heads=partial(doc.to_array, HEAD))
        if noisy is None:
            yield example
            return
        reference = reworded(doc, noisy)
        if np.array_equal(keys, example.predicted.to_array(ORTH)):
            spaces = reference.to_array(SPACY).tolist()
            predicted = Doc(nlp.vocab, words=[strings[key] for key in noisy], spaces=spaces)
        else:
            predicted = nlp.make_doc(reference.text)
        yield Example(predicted, reference)

    def change(
        self, words: NDArray[np.uint64], strings: StringStore, *, heads: Callable[[], NDArray]
    ) -> list[int] | None:
        """Make a text noisy.

        words (NDArray[np.uint64]): The hashes of the words. *Shape:* ``(words,)``.
        strings (StringStore): The strings of these hashes; new ones are added.
        heads (Callable[[], NDArray]): Gives, if it is asked, where the head of each word is,
            relative to it. *Shape:* ``(words,)``.
        RETURNS (Optional[list[int]]): The hashes of the new words. The last word may be missing.
            None if nothing was changed.
        """
        n = len(words)
        draw = random.random()
        case = None
        if draw < self.lower + self.upper:
            case = str.lower if draw < self.lower else str.upper
        cut = random.random() < self.no_final
        typed = [i for i in range(n) if random.random() < self.typos]
        if not (case or cut or typed):
            return None
        keys = words.tolist()
        old = [strings[key] for key in keys]
        new = list(map(case, old)) if case else list(old)
        for i in typed:
            new[i] = mistype(new[i], new)
        if cut and n > 1 and FINAL.issuperset(old[-1]) and not is_last_a_head(heads()):
            new.pop()
        if new == old:
            return None
        return [strings.add(word) for word in new]


def is_last_a_head(heads: NDArray) -> bool:
    """RETURNS (bool): Whether the last word is the head of another one.

    heads (NDArray): Where the head of each word is, relative to it. *Shape:* ``(words,)``.
    """
    last = len(heads) - 1
    return bool((np.arange(last) + heads[:-1].astype(np.int64) == last).any())


def mistype(word: str, words: Sequence[str]) -> str:
    """RETURNS (str): The word with one typo. It stays as it is if it has fewer than four letters,
    counting the marks on them (vowel signs, accents), or has other signs.

    word (str): The word.
    words (Sequence[str]): Words of the same script, to take a letter from.
    """
    if len(word) < SHORTEST or not (word.isalpha() or is_spelt_with_marks(word)):
        return word
    i = random.randrange(1, len(word) - 1)
    kind = random.randrange(4)
    if kind == 0:
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    if kind == 1:
        return word[:i] + word[i + 1 :]
    if kind == 2:
        return word[:i] + word[i] + word[i:]
    letter = random.choice([letter for each in words for letter in each if letter.isalpha()])
    return word[:i] + letter + word[i + 1 :]


def is_spelt_with_marks(word: str) -> bool:
    """RETURNS (bool): Whether a word is of letters and marks on them, as in Indic scripts."""
    return word[0].isalpha() and all(unicodedata.category(sign)[0] in "LM" for sign in word)


def reworded(doc: Doc, words: list[int]) -> Doc:
    """Tell a doc in other words, token by token.

    doc (Doc): The doc.
    words (list[int]): The hashes of the new texts of its first tokens. Further tokens are left
        out.
    RETURNS (Doc): A new doc with the annotation of the old one.
    """
    n = len(words)
    spaces = doc.to_array(SPACY)[:n].tolist()
    new = Doc(doc.vocab, words=cast(list, words), spaces=spaces)
    # Where there are heads, sentences follow from them.
    first = HEAD if doc.has_annotation("DEP") else SENT_START
    attributes = [first, TAG, POS, MORPH, LEMMA, DEP, ENT_IOB, ENT_TYPE, ENT_KB_ID, ENT_ID]
    new.from_array(attributes, cast(Ints2d, doc.to_array(attributes)[:n]))
    for key, spans in doc.spans.items():
        new.spans[key] = [
            Span(new, s.start, s.end, label=s.label, kb_id=s.kb_id, span_id=s.id)
            for s in spans
            if s.end <= n
        ]
    new.cats = dict(doc.cats)
    probabilities = TagProbabilities.of_teacher(doc)
    if probabilities is not None:
        probabilities[:n].to_doc(new)
    return new
