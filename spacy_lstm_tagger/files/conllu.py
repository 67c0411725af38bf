"""CoNLL-U files, with all that is in them."""

from codecs import BOM_UTF8 as BOM
from collections.abc import Iterator, Sequence

from ..readers.conllu import check_lines
from .streams import Source
from .texts import BadTexts, Reading, Text

SURE = "TagProb"  # what the column MISC calls the probability of a tag


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


def comments(lines: Sequence[str]) -> dict[str, str]:
    """RETURNS (dict[str, str]): What the comments of a sentence say, such as its sent_id."""
    pairs = (line[1:].partition("=") for line in lines if line[0] == "#")
    return {key.strip(): value.strip() for key, sign, value in pairs if sign}


def replace_tags(
    lines: Sequence[str], tags: Sequence[str], numbers: Sequence[str | None], *, column: str
) -> list[str]:
    """Replace the tags of a sentence. All else stays as it is.

    lines (Sequence[str]): The lines of a sentence.
    tags (Sequence[str]): The tags of its words.
    numbers (Sequence[Optional[str]]): How sure the tags are, for the column MISC. Empty: it stays
        as it is.
    column (str): The column of the tags, as in `Style`.
    RETURNS (list[str]): The lines.
    """
    replaced, word = [], 0
    for line in lines:
        cells = line.split("\t")
        if cells[0].isdigit():
            cells = set_tag(cells, tags[word], column)
            if numbers:
                kept = [part for part in cells[9].split("|") if not part.startswith(f"{SURE}=")]
                cells[9] = describe([part for part in kept if part != "_"], numbers[word])
            line = "\t".join(cells)
            word += 1
        replaced.append(line)
    return replaced


def set_tag(cells: list[str], tag: str, column: str) -> list[str]:
    """RETURNS (list[str]): The columns of a word with this tag."""
    tag = tag or "_"
    if column == "xpos":
        return [*cells[:4], tag, *cells[5:]]
    if column == "upos":
        return [*cells[:3], tag, *cells[4:]]
    upos, _, feats = tag.partition("|")
    return [*cells[:3], upos, cells[4], feats or "_", *cells[6:]]


def describe(parts: list[str], number: str | None) -> str:
    """RETURNS (str): The column MISC of a word, with how sure its tag is."""
    return "|".join([*parts, *([f"{SURE}={number}"] if number else [])]) or "_"
