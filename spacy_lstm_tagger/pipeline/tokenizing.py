"""Does the tokenizer of a pipeline find the words of its training data?"""

import warnings
from collections.abc import Callable, Iterable
from itertools import islice

from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.training import Example

from ..warning_texts import Warnings

SAMPLE = 100  # so many texts are looked at
FEW = 0.5  # of the words. Where words are written with spaces between them, most are found.


def check_tokenizer(nlp: Language, get_examples: Callable[[], Iterable[Example]]) -> None:
    """Warn if texts are split at spaces, which hardly finds a word, and the language has a
    tokenizer of its own, as Chinese has.

    nlp (Language): The pipeline.
    get_examples (Callable[[], Iterable[Example]]): Gives the training data, with the words that
        should be found.
    """
    own = own_tokenizer(type(nlp))
    if own is None or type(nlp.tokenizer) is not Tokenizer:
        return
    words = found = 0
    for eg in islice(get_examples(), SAMPLE):
        expected = places(eg.reference)
        words += len(expected)
        found += len(expected & places(nlp.tokenizer(eg.reference.text)))
    if found < FEW * words:
        warnings.warn(Warnings.LW008.format(share=found / words, own=own), stacklevel=3)


def own_tokenizer(language: type[Language]) -> str | None:
    """RETURNS (Optional[str]): What a config calls the tokenizer of a language. None: the language
    has none but that of all, which splits at spaces and has rules for the rest.
    """
    block = language.Defaults.config.get("nlp", {}).get("tokenizer", {})
    return block.get("@tokenizers")


def places(doc: Doc) -> set[tuple[int, int]]:
    """RETURNS (set[tuple[int, int]]): Where in its text each word of a doc begins and ends."""
    return {(token.idx, token.idx + len(token)) for token in doc if not token.is_space}
