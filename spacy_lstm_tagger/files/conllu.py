"""CoNLL-U files, with all that is in them."""

from codecs import BOM_UTF8 as BOM
from collections.abc import Iterator

from ..readers.conllu import check_lines
from .streams import Source
from .texts import BadTexts, Reading, Text


def read_conllu(source: Source, reading: Reading, bad: BadTexts) -> Iterator[Text]:
    """YIELDS (Text): The words of each sentence of a CoNLL-U file; its lines are its source."""
    block: list[bytes] = []
    first = 1
    for number, line in enumerate(source.stream, 1):
        line = line.removeprefix(BOM)
        if line.strip():
            block.append(line)
        if block and not line.strip():
            yield from _read_block(source, first, block, reading, bad)
            block = []
        if not block:
            first = number + 1
    if block:
        yield from _read_block(source, first, block, reading, bad)


def _read_block(
    source: Source, first: int, block: list[bytes], reading: Reading, bad: BadTexts
) -> Iterator[Text]:
    """Read the lines of a sentence, the first of which has this number."""
    place = f"{source.path}, line {first}"
    lines: list[str] = []
    try:
        for line in block:
            place = f"{source.path}, line {first + len(lines)}"
            lines.append(line.decode("utf-8").rstrip("\r\n"))
    except UnicodeDecodeError as error:
        bad.add(place, error)
        return
    numbered = [(number, line) for number, line in enumerate(lines, first) if line[0] != "#"]
    try:
        rows, spaces = check_lines(source.path, numbered, set())
    except ValueError as error:
        bad.add_told(error)
        return
    words = [row.split("\t", 1)[0] for row in rows]
    kept = lines if reading.keep else None
    yield Text(None, words, spaces, source.taken(), f"{source.path}, line {first}", kept)
