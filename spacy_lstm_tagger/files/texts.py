"""Raw text, streamed from plain text, JSONL and .spacy files."""

import json
import re
from codecs import BOM_UTF8 as BOM
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

from spacy.attrs import ORTH
from spacy.cli._util import walk_directory
from spacy.strings import get_string_id
from spacy.tokens import DocBin

from ..errors import Errors

# A line of plain text that is longer than this is read in parts. In bytes.
LINE = 1 << 20
# For each word that a doc may have, a part of a long text has at most so many words, or letters.
WORDS, LETTERS = 10, 60
# Where a text is cut rather than elsewhere: after a sentence, or at least at white space.
CUTS = [re.compile(r"[.!?…。！？]['\"”’)\]]*\s+(?=\S)"), re.compile(r"\s+(?=\S)")]
ENDS = frozenset(".!?…。！？")


class Text(NamedTuple):
    """A text, and how much of its file it takes, by which progress is told.

    text (Optional[str]): The text, to be tokenized. None: the words are given.
    words (list[str]): The words of a doc that came with its tokens.
    spaces (list[bool]): Whether a space follows each of them.
    size (float): Its share of the file, in bytes.
    """

    text: str | None
    words: list[str]
    spaces: list[bool]
    size: float

    def __len__(self) -> int:
        """RETURNS (int): The number of characters of its words."""
        return len(self.text) if self.text is not None else sum(map(len, self.words))


@dataclass
class BadTexts:
    """The texts that cannot be read. Some of them may be left out.

    allowed (int): How many.
    found (list[str]): What was left out: where it is, and why.
    """

    allowed: int = 0
    found: list[str] = field(default_factory=list)

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


def find_texts(path: Path) -> list[Path]:
    """RETURNS (list[Path]): A file, or the files in a folder, at any depth, in sorted order.
    RAISES (FileNotFoundError): If there is none.
    """
    paths = [p for p in walk_directory(path) if p.is_file()] if path.exists() else []
    if not paths:
        raise FileNotFoundError(Errors.D001.format(path=path))
    return sorted(paths)


def read_texts(
    paths: Iterable[Path], *, text_key: str = "text", bad: BadTexts | None = None
) -> Iterator[Text]:
    """Stream texts from files. A .spacy file has docs, of which the tokens are kept; in a .jsonl
    file each line is an object with a text; in any other file each line is a text, or several if
    it is longer than a megabyte.

    paths (Iterable[Path]): The files.
    text_key (str): The name of the text in a .jsonl file.
    bad (Optional[BadTexts]): What is done with texts that cannot be read. None: they are an error.
    YIELDS (Text): The texts. That of an empty line is empty.
    RAISES (ValueError): If a text cannot be read; the error names the line.
    """
    bad = bad or BadTexts()
    for path in paths:
        if path.suffix == ".spacy":
            yield from _read_docs(path, bad)
        elif path.suffix == ".jsonl":
            yield from _read_objects(path, text_key, bad)
        else:
            yield from _read_lines(path, bad)


def cut(texts: Iterable[Text], *, max_words: int) -> Iterator[Text]:
    """Cut texts that are very much longer than a doc may be, before they become docs: at the end of
    a sentence if it can be, or at white space. Other texts stay as they are.

    texts (Iterable[Text]): The texts.
    max_words (int): How many words a doc may have.
    YIELDS (Text): The texts, or the parts of one.
    """
    for text in texts:
        words, spaces = text.words, text.spaces
        whole = words if text.text is None else text.text
        most = max_words * (WORDS if text.text is None else LETTERS)
        start = 0
        while start < len(whole) or not start:
            part = whole[start : start + most]
            if start + len(part) < len(whole):
                part = part[: _end(part)]
            end = start + len(part)
            size = text.size * len(part) / len(whole) if whole else text.size
            if isinstance(part, str):
                yield Text(part, [], [], size)
            else:
                yield Text(None, part, spaces[start:end], size)
            if not part:
                break
            start = end


def _end(part: str | list[str]) -> int:
    """RETURNS (int): Where to cut a text whose beginning this is: in its second half."""
    half = len(part) // 2
    if isinstance(part, str):
        ends = (deque(cut.finditer(part, half), maxlen=1) for cut in CUTS)
        return next((match.end() for last in ends for match in last), len(part))
    return next((i for i in range(len(part), half, -1) if part[i - 1] in ENDS), len(part))


def _read_lines(path: Path, bad: BadTexts) -> Iterator[Text]:
    with path.open("rb") as file:
        for number, line in _lines(file, LINE):
            try:
                text = line.removeprefix(BOM).decode("utf-8").strip()
                yield Text(text, [], [], len(line))
            except UnicodeDecodeError as error:
                bad.add(f"{path}, line {number}", error)


def _lines(file: IO[bytes], most: int) -> Iterator[tuple[int, bytes]]:
    """Number the lines of a file. One of more bytes than `most` comes in parts, cut after a space
    if there is one, so that no more than this is ever in memory.
    """
    number, rest = 1, b""
    while line := rest + file.readline(most - len(rest)):
        rest = b""
        whole = len(line) < most or line.endswith(b"\n")
        if not whole:
            end = line.rfind(b" ") + 1
            if not end:  # before the last character, whose end may not be read yet
                end = len(line) - 1
                while end > 1 and line[end] & 0xC0 == 0x80:
                    end -= 1
            line, rest = line[:end], line[end:]
        yield number, line
        number += whole


def _read_objects(path: Path, key: str, bad: BadTexts) -> Iterator[Text]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield Text(_text_of(line.removeprefix(BOM), key), [], [], len(line))
            except (ValueError, RecursionError) as error:
                bad.add(f"{path}, line {number}", error, key=key)


def _text_of(line: bytes, key: str) -> str:
    """RETURNS (str): The text of an object. An empty line has an empty one."""
    string = line.decode("utf-8").strip()
    if not string:
        return ""
    found = json.loads(string)
    if not isinstance(found, dict):
        raise ValueError(f"found a {type(found).__name__}")
    if key not in found:
        raise ValueError(f"found {', '.join(map(repr, found)) or 'nothing'} in the object")
    text = found[key]
    if not isinstance(text, str):
        raise ValueError(f"found a {type(text).__name__} as {key!r}")
    if not text.isascii():
        text.encode("utf-8")  # half of a surrogate pair is no text
    return text.strip()


def _read_docs(path: Path, bad: BadTexts) -> Iterator[Text]:
    docs = read_docbin(path)
    strings = {get_string_id(string): string for string in docs.strings if string}
    column = docs.attrs.index(ORTH)
    size = path.stat().st_size / max(1, len(docs))
    for number, (tokens, spaces) in enumerate(zip(docs.tokens, docs.spaces, strict=True), 1):
        try:
            words = [strings[key] for key in tokens[:, column].tolist()]
        except KeyError as error:
            missing = ValueError(f"the file has no string for the word {error}")
            bad.add(f"{path}, doc {number}", missing)
            continue
        unknown = docs.flags[number - 1].get("has_unknown_spaces")
        yield Text(None, words, [True] * len(words) if unknown else spaces.ravel().tolist(), size)


def read_docbin(path: Path) -> DocBin:
    """RETURNS (DocBin): The docs of a .spacy file.
    RAISES (ValueError): If it is none.
    """
    data = path.read_bytes()
    try:
        docs = DocBin().from_bytes(data)
        lengths = [[len(part) for part in parts] for parts in (docs.tokens, docs.spaces)]
        if ORTH not in docs.attrs or lengths[0] != lengths[1] or len(docs.flags) != len(docs):
            raise ValueError("its parts do not fit together")
        return docs
    except Exception as error:  # there is no telling what a damaged file raises
        raise ValueError(Errors.D012.format(path=path, error=error)) from error
