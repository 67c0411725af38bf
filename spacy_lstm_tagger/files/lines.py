"""Files with a text a line, plain text and JSONL; and how lines are written."""

import json
from codecs import BOM_UTF8 as BOM
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from .streams import Source
from .texts import BadTexts, Reading, Text

# A line of plain text that is longer than this is read in parts. In bytes, of which a text may have
# as many as spaCy allows it characters.
LINE = 1_000_000


def read_lines(source: Source, reading: Reading, bad: BadTexts) -> Iterator[Text]:
    """YIELDS (Text): Each line of a file of plain text, or all of it."""
    numbered = [("1", source.stream.read())] if reading.whole else _lines(source.stream)
    for number, line in numbered:
        place = f"{source.path}, line {number}"
        try:
            text = line.removeprefix(BOM).decode("utf-8")
            text = text if reading.whole else text.rstrip("\r\n")
            yield reading.make(text, source.taken(), place)
        except ValueError as error:
            bad.add(place, error)


def read_objects(source: Source, reading: Reading, bad: BadTexts) -> Iterator[Text]:
    """YIELDS (Text): The text of each object of a JSONL file. That of an empty line is empty."""
    key = reading.text_key
    for number, line in enumerate(source.stream, 1):
        place = f"{source.path}, line {number}"
        try:
            string = line.removeprefix(BOM).decode("utf-8").strip()
            found = _read_object(string, key) if string else {key: ""}
            yield reading.make(found[key], source.taken(), place, found)
        except (ValueError, RecursionError) as error:
            bad.add(place, error, key=key)


def _read_object(string: str, key: str) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): The object, which has that key."""
    found = json.loads(string)
    if not isinstance(found, dict):
        raise ValueError(f"found {type(found).__name__}, not an object")
    if key not in found:
        raise ValueError(f"found {', '.join(map(repr, found)) or 'nothing'} in the object")
    if sum(map(string.count, _spellings(key))) > 1:
        pairs = json.loads(string, object_pairs_hook=list)
        if sum(name == key for name, _ in pairs) > 1:
            raise ValueError(f"found {key!r} more than once")
    return found


@lru_cache(maxsize=8)
def _spellings(key: str) -> frozenset[str]:
    """RETURNS (frozenset[str]): How a line may write a name: with letters, or escapes for them."""
    return frozenset(json.dumps(key, ensure_ascii=escaped) for escaped in (True, False))


def _lines(file: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """Number the lines of a file. One of more bytes than `LINE` comes in parts, which are numbered
    too, cut after a space if there is one, so that no more than this is ever in memory.
    """
    number, part, rest = 1, 1, b""
    while line := rest + file.readline(LINE - len(rest)):
        rest = b""
        whole = len(line) < LINE or line.endswith(b"\n")
        if not whole:
            end = line.rfind(b" ") + 1
            if not end:  # before the last character, whose end may not be read yet
                end = len(line) - 1
                while end > 1 and line[end] & 0xC0 == 0x80:
                    end -= 1
            line, rest = line[:end], line[end:]
        yield (str(number) if part == 1 else f"{number}, part {part}"), line
        number, part = (number + 1, 1) if whole else (number, part + 1)


class Writer:
    """Writes what an encoder gives: here, lines.

    path (Path): The name of the file.
    stream (IO[bytes]): Where it is written.
    """

    def __init__(self, path: Path, stream: IO[bytes]):
        self.path, self.stream = path, stream

    def write(self, data: Any) -> None:
        """Write what an encoder gave."""
        self.stream.write(data)

    def close(self) -> None:
        """Write what is left."""
