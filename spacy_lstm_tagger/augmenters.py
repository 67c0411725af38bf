"""Noise for training texts, so that a tagger learns to read what people really write."""

import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import cast

from spacy.attrs import (
    DEP,
    ENT_ID,
    ENT_IOB,
    ENT_KB_ID,
    ENT_TYPE,
    HEAD,
    LEMMA,
    MORPH,
    POS,
    SENT_START,
    TAG,
)
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import registry
from thinc.types import Ints2d

from .errors import Errors
from .probabilities import TagProbabilities

FINAL = frozenset(".!?…;。！？؟।")
SHORTEST = 4  # letters: in a shorter word a typo often makes another word
ATTRIBUTES = [TAG, POS, MORPH, LEMMA, DEP, ENT_IOB, ENT_TYPE, ENT_KB_ID, ENT_ID]


@registry.augmenters("spacy-lstm-tagger.NoiseAugmenter.v1")
def create_noise_augmenter(
    *, lower: float = 0.1, upper: float = 0.03, no_final: float = 0.05, typos: float = 0.01
) -> Callable[[Language, Example], Iterator[Example]]:
    """Create an augmenter that makes texts noisy. It yields one example for each that it gets.

    lower (float): The chance of a doc to be lower-cased.
    upper (float): The chance of a doc to be upper-cased.
    no_final (float): The chance of a doc to lose the punctuation at its end.
    typos (float): The chance of a word of four letters or more to get a typo: two letters
        swapped, one left out, doubled or replaced. The first letter stays.
    RETURNS (Callable[[Language, Example], Iterator[Example]]): The augmenter.
    RAISES (ValueError): If a chance is not from 0 to 1, or `lower` and `upper` are more than 1
        together.
    """
    chances = {"lower": lower, "upper": upper, "no_final": no_final, "typos": typos}
    chances["lower + upper"] = lower + upper
    for name, value in chances.items():
        if not 0.0 <= value <= 1.0:
            allowed = "it must be from 0 to 1"
            raise ValueError(Errors.M001.format(name=name, value=value, allowed=allowed))
    return partial(make_noisy, lower=lower, upper=upper, no_final=no_final, typos=typos)


def make_noisy(
    nlp: Language, example: Example, *, lower: float, upper: float, no_final: float, typos: float
) -> Iterator[Example]:
    """Make an example noisy, as `create_noise_augmenter` says. Annotation stays with its words.

    YIELDS (Example): The example itself if nothing was changed.
    """
    doc = example.reference
    words = [token.text for token in doc]
    n = len(words)
    draw = random.random()
    if draw < lower:
        words = [word.lower() for word in words]
    elif draw < lower + upper:
        words = [word.upper() for word in words]
    if random.random() < no_final and ends_a_sentence(doc):
        n -= 1
    if typos:
        letters = [letter for word in words for letter in word if letter.isalpha()]
        words = [mistype(w, letters) if random.random() < typos else w for w in words]
    changed = [i for i in range(n) if words[i] != doc[i].text]
    if not changed and n == len(doc):
        yield example
        return
    reference = reworded(doc, words[:n])
    if [token.text for token in example.predicted] == [token.text for token in doc]:
        spaces = [bool(token.whitespace_) for token in reference]
        predicted = Doc(nlp.vocab, words=words[:n], spaces=spaces)
    else:
        predicted = nlp.make_doc(reference.text)
    yield Example(predicted, reference)


def ends_a_sentence(doc: Doc) -> bool:
    """RETURNS (bool): Whether the last token is final punctuation that nothing depends on."""
    if len(doc) < 2 or not FINAL.issuperset(doc[-1].text):
        return False
    return not any(token.head.i == len(doc) - 1 for token in doc[:-1])


def mistype(word: str, letters: Sequence[str]) -> str:
    """RETURNS (str): The word with one typo; a word with fewer than four letters as it is.

    word (str): The word.
    letters (Sequence[str]): Letters of the same script, to replace one with.
    """
    if len(word) < SHORTEST or not word.isalpha():
        return word
    i = random.randrange(1, len(word) - 1)
    kind = random.randrange(4)
    if kind == 0:
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    if kind == 1:
        return word[:i] + word[i + 1 :]
    if kind == 2:
        return word[:i] + word[i] + word[i:]
    return word[:i] + random.choice(letters) + word[i + 1 :]


def reworded(doc: Doc, words: Sequence[str]) -> Doc:
    """Tell a doc in other words, token by token.

    doc (Doc): The doc.
    words (Sequence[str]): The new texts of its first tokens. Further tokens are left out.
    RETURNS (Doc): A new doc with the annotation of the old one.
    """
    n = len(words)
    new = Doc(doc.vocab, words=list(words), spaces=[bool(t.whitespace_) for t in doc[:n]])
    # Where there are heads, sentences follow from them.
    structure = HEAD if doc.has_annotation("DEP") else SENT_START
    attributes = [*ATTRIBUTES, structure]
    new.from_array(attributes, cast(Ints2d, doc.to_array(attributes)[:n]))
    for key, spans in doc.spans.items():
        new.spans[key] = [
            Span(new, s.start, s.end, label=s.label, kb_id=s.kb_id) for s in spans if s.end <= n
        ]
    new.cats = dict(doc.cats)
    scores = TagProbabilities.from_doc(doc)
    if scores is not None:
        TagProbabilities(scores.labels, scores.tags[:n], scores.probabilities[:n]).to_doc(new)
    return new
