"""What a word looks like: the features of its form that are embedded, and its letters."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, digits

import numpy as np
from numpy.typing import NDArray
from spacy.lang.lex_attrs import word_shape
from spacy.strings import get_string_id

from .word_types import WordTypes

# Stands for a word without letters, so that the character LSTM has something to read.
EMPTY = "\0"
# Makes words that are alike but for their letters and digits the same: to find the shape of a word
# takes several times as long as this.
PATTERNS = str.maketrans(ascii_lowercase + ascii_uppercase + digits, "x" * 26 + "X" * 26 + "0" * 10)

LONG = 100  # characters, from which on all words have the same shape


@dataclass(frozen=True)
class FeatureSet:
    """Which features of a word's form are embedded.

    lower (bool): The lower-cased form.
    prefixes (tuple[int, ...]): Prefixes of these lengths.
    suffixes (tuple[int, ...]): Suffixes of these lengths.
    shape (bool): The word's shape: letters become x or X, digits d, and a run of one kind
        is cut at four.
    pretrained (bool): The lower-cased form once more, for pretrained vectors.
    """

    lower: bool = False
    prefixes: tuple[int, ...] = ()
    suffixes: tuple[int, ...] = ()
    shape: bool = False
    pretrained: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """RETURNS (tuple[str, ...]): What the features are called, but for pretrained vectors."""
        affixes = [*(f"prefix{n}" for n in self.prefixes), *(f"suffix{n}" for n in self.suffixes)]
        return ("word", *["lower"] * self.lower, *affixes, *["shape"] * self.shape)

    def keys(self, types: WordTypes, strings: Sequence[str]) -> dict[str, list[int]]:
        """Describe types.

        types (WordTypes): The types.
        strings (Sequence[str]): Their texts.
        RETURNS (dict[str, list[int]]): For each of `names`, and "pretrained" if there are such
            vectors, the key of each type as a signed 64-bit integer.
        """
        keys = {"word": types.orths.astype(np.int64).tolist()}
        if self.lower or self.pretrained:
            pairs = zip(keys["word"], strings, strict=True)
            lower = [key if s.islower() else _key(s.lower()) for key, s in pairs]
        if self.lower:
            keys["lower"] = lower
        for n in self.prefixes:
            keys[f"prefix{n}"] = [_kept_key(string[:n]) for string in strings]
        for n in self.suffixes:
            keys[f"suffix{n}"] = [_kept_key(string[-n:]) for string in strings]
        if self.shape:
            patterns = (string[:LONG].translate(PATTERNS) for string in strings)
            keys["shape"] = list(map(_shape_key, patterns))
        if self.pretrained:
            keys["pretrained"] = lower
        return keys


def _key(string: str) -> int:
    """RETURNS (int): The hash of a string, as a signed 64-bit integer."""
    unsigned = get_string_id(string or EMPTY)
    return unsigned - (1 << 64) if unsigned >> 63 else unsigned


# Affixes are few, and come again and again.
_kept_key = functools.lru_cache(maxsize=16384)(_key)


@functools.lru_cache(maxsize=16384)
def _shape_key(pattern: str) -> int:
    """RETURNS (int): The key of the shape that all words of a pattern have, see `PATTERNS`."""
    return _key(word_shape(pattern))


def letters(strings: Sequence[str], *, max_length: int) -> tuple[NDArray[np.uint32], list[int]]:
    """The characters of words.

    strings (Sequence[str]): The words.
    max_length (int): A longer word is read as its first and its last `max_length // 2` characters.
    RETURNS (tuple): Unicode code points, word after word, and each word's length.
    """
    half = max_length // 2
    strings = [s if len(s) <= max_length else s[:half] + s[-half:] for s in strings]
    strings = [s or EMPTY for s in strings]
    points = np.frombuffer("".join(strings).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return points, [len(string) for string in strings]
