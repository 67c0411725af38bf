"""Texts, how they are read, and what is done with those that cannot be."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import Errors
from .streams import kind_of

# A no-break space between letters is a part of the word, as in 10 000.
WORD = re.compile(r"\S(?:[\S\xa0\u2007\u202f]*\S)?")


class Text(NamedTuple):
    """A text.

    text (Optional[str]): The text, to be tokenized. None: the words are given.
    words (list[str]): The words of a doc that came with its tokens.
    spaces (list[bool]): Whether a space follows each of them.
    size (float): Its share of the file, in bytes, by which progress is told.
    place (str): Where it is.
    source (Any): What else its file tells of it, as far as it was asked for: the dict that the text
        is in, the lines of a sentence, a row of a table or a doc. None: nothing.
    share (float): What share of a text it is, if that was cut.
    """

    text: str | None
    words: list[str]
    spaces: list[bool]
    size: float = 0.0
    place: str = ""
    source: Any = None
    share: float = 1.0

    def whole(self) -> str:
        """RETURNS (str): The text, or the words that were given with the spaces between them."""
        if self.text is not None:
            return self.text
        pairs = zip(self.words, self.spaces, strict=True)
        return "".join([f"{word} " if space else word for word, space in pairs])

    @property
    def characters(self) -> int:
        """RETURNS (int): How many it has; of given words, without the spaces between them."""
        return len(self.text) if self.text is not None else sum(map(len, self.words))


@dataclass
class BadTexts:
    """The texts that cannot be read. Some of them may be left out.

    allowed (int): How many.
    found (list[str]): What was left out: where it is, and why.
    """

    allowed: int = 0
    found: list[str] = field(default_factory=list)

    def add_told(self, error: ValueError) -> None:
        """Leave out a text of which the error tells where it is.

        error (ValueError): Why it cannot be read.
        RAISES (ValueError): This error, if too many are left out already.
        """
        if len(self.found) >= self.allowed:
            raise error
        self.found.append(str(error))

    def add(self, place: str, error: Exception, *, key: str = "text") -> None:
        """Leave out a text.

        place (str): Where it is.
        error (Exception): Why it cannot be read.
        key (str): The name that a text of a .jsonl file should have.
        RAISES (ValueError): If too many are left out already.
        """
        if len(self.found) >= self.allowed:
            raise ValueError(Errors.D002.format(place=place, error=error, key=key)) from error
        self.found.append(f"{place}: {error}")


@dataclass(frozen=True)
class Reading:
    """How files are read.

    text_key (str): The name of the text in a .jsonl file, or of its column in a .parquet file.
    tokens (bool): Whether texts are words with white space between them.
    whole (bool): Whether a file of plain text is one text, rather than a text a line.
    strip (bool): Whether white space around texts goes.
    kind (Optional[str]): What is in the files, as a suffix. None: what their names say.
    keep (bool): Whether texts keep what else their files tell of them, their `source`.
    """

    text_key: str = "text"
    tokens: bool = False
    whole: bool = False
    strip: bool = True
    kind: str | None = None
    keep: bool = False

    def kind_of(self, path: Path) -> str:
        """RETURNS (str): What is in a file, as a suffix."""
        return self.kind or kind_of(path)

    def make(self, value: Any, size: float, place: str, source: Any = None) -> Text:
        """Make a text of what a file gives for one.

        value (Any): The text, or a list of its words. None: the text is empty.
        size (float): See `Text`.
        place (str): See `Text`.
        source (Any): See `Text`.
        RETURNS (Text): The text.
        RAISES (ValueError): If it is none.
        """
        source = source if self.keep else None
        value = "" if value is None else value
        if isinstance(value, str):
            if not value.isascii():
                value.encode("utf-8")  # half of a surrogate pair is no text
            if not self.tokens:
                text = value.strip() if self.strip else value
                return Text(text, [], [], size, place, source)
            value = value.split() if value.isascii() else WORD.findall(value)
        if not isinstance(value, list):
            raise ValueError(f"found {type(value).__name__} as {self.text_key!r}")
        for word in value:
            if not isinstance(word, str):
                raise ValueError(f"found {word!r} in the list {self.text_key!r}, where words are")
        if not all(value):
            raise ValueError(f"found an empty word in {self.text_key!r}")
        "".join(value).encode("utf-8")
        return Text(None, value, [True] * len(value), size, place, source)


def in_groups(
    texts: Iterable[Text], characters: int, *, most: float = float("inf")
) -> Iterator[list[Text]]:
    """Cut a stream of texts into groups. Where it is cut depends on the texts alone, so work that
    was interrupted finds the same groups again.

    texts (Iterable[Text]): The texts.
    characters (int): How many characters complete a group.
    most (float): How many texts do.
    YIELDS (list[Text]): The texts of each group.
    """
    group: list[Text] = []
    length = 0
    for text in texts:
        group.append(text)
        length += text.characters
        if length >= characters or len(group) >= most:
            yield group
            group, length = [], 0
    if group:
        yield group


def leave_out_long(texts: Iterable[Text], longest: int, bad: BadTexts) -> Iterator[Text]:
    """Leave out texts that spaCy would refuse.

    texts (Iterable[Text]): The texts.
    longest (int): How many characters a text may have.
    bad (BadTexts): Is told those that have more.
    YIELDS (Text): The others.
    """
    for text in texts:
        if text.text is not None and len(text.text) > longest:
            found = {"place": text.place, "characters": len(text.text), "longest": longest}
            bad.add_told(ValueError(Errors.D020.format(**found)))
        else:
            yield text
