"""Cut texts that are too long to become one doc."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise

from spacy.pipeline import Sentencizer

from .texts import Text

# For each word that a doc may have, a part of a long text has at most so many words, or letters.
WORDS, LETTERS = 10, 60
# Where a text is cut rather than elsewhere: after a sentence, or at least at white space.
ENDS = frozenset([*Sentencizer.default_punct_chars, "…"])
CLOSING = r"'\"”’)\]」』）》"
CUTS = [
    re.compile(
        rf"[{re.escape(''.join(ENDS))}][{CLOSING}]*\s+(?=\S)"
        rf"|[。｡！？][{CLOSING}]*(?=[^\s{CLOSING}])"  # after which no space is written
    ),
    re.compile(r"(?<!\s)\s+(?=\S)"),
]


def cut(texts: Iterable[Text], *, max_words: int) -> Iterator[Text]:
    """Cut texts that are very much longer than a doc may be, before they become docs: at the end of
    a sentence if it can be, or at white space. Other texts stay whole. They keep their places,
    and not what else their files tell of them.

    texts (Iterable[Text]): The texts.
    max_words (int): How many words a doc may have.
    YIELDS (Text): The texts, or the parts of one.
    """
    for text in texts:
        whole = text.words if text.text is None else text.text
        most = max_words * (WORDS if text.text is None else LETTERS)
        for start, end in pairwise(_bounds(whole, most)):
            share = (end - start) / len(whole) if whole else 1.0
            string = None if text.text is None else text.text[start:end]
            words, spaces = text.words[start:end], text.spaces[start:end]
            yield Text(string, words, spaces, text.size * share, text.place, share=share)


def _bounds(whole: str | list[str], most: int) -> Iterator[int]:
    """YIELDS (int): Where parts of a text begin, and the last one ends."""
    start = 0
    while len(whole) - start > most:
        yield start
        start += _end(whole[start : start + most])
    yield from (start, len(whole))


def _end(part: str | list[str]) -> int:
    """RETURNS (int): Where to cut a text whose beginning this is: in its second half."""
    half = len(part) // 2
    if isinstance(part, str):
        ends = (deque(cut.finditer(part, half), maxlen=1) for cut in CUTS)
        return next((match.end() for last in ends for match in last), len(part))
    return next((i for i in range(len(part), half, -1) if part[i - 1] in ENDS), len(part))
