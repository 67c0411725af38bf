"""CoNLL-U files, with all that is in them."""

from codecs import BOM_UTF8 as BOM
from collections.abc import Iterator, Sequence
from itertools import chain

from .conllu_lines import check_lines
from .streams import Source
from .texts import BadTexts, Reading, Text

UPOS, XPOS, FEATS, MISC = 3, 4, 5, 9  # where columns are
SURE = "TagProb"  # what the column MISC calls the probability of a tag


def read_conllu(source: Source, reading: Reading, bad: BadTexts) -> Iterator[Text]:
    """YIELDS (Text): The words of each sentence of a CoNLL-U file; its lines are its source."""
    block: list[bytes] = []
    # The empty line at the end closes the last sentence of a file that lacks one.
    for number, line in enumerate(chain(source.stream, [b""]), 1):
        if not block:
            line = line.removeprefix(BOM)
        if line.strip():
            block.append(line)
        elif block:
            first = number - len(block)
            yield from _read_block(source, first, b"".join(block), reading, bad)
            block = []


def _read_block(
    source: Source, first: int, block: bytes, reading: Reading, bad: BadTexts
) -> Iterator[Text]:
    """Read the lines of a sentence, the first of which has this number."""
    try:
        lines = [line.rstrip("\r") for line in block.decode("utf-8").rstrip("\n").split("\n")]
    except UnicodeDecodeError as error:
        number = first + block.count(b"\n", 0, error.start)
        bad.add(f"{source.path}, line {number}", error)
        return
    numbered = [(number, line) for number, line in enumerate(lines, first) if line[0] != "#"]
    try:
        rows, spaces = check_lines(source.path, numbered)
    except ValueError as error:
        bad.add_told(error)
        return
    words = [row[0] for row in rows]
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
    numbers (Sequence[Optional[str]]): How sure the tags are, for the column MISC. Empty: nobody
        knows, and what it said of other tags goes.
    column (str): The column of the tags, as in `Style`.
    RETURNS (list[str]): The lines.
    """
    replaced, word = [], 0
    for line in lines:
        cells = line.split("\t", -1 if numbers or SURE in line else FEATS + 1)
        if cells[0].isdigit():
            set_tag(cells, tags[word], column)
            if len(cells) > MISC and (numbers or SURE in cells[MISC]):
                parts = [part for part in cells[MISC].split("|") if part not in ("", "_")]
                kept = [part for part in parts if not part.startswith(f"{SURE}=")]
                cells[MISC] = describe(kept, numbers[word] if numbers else None)
            line = "\t".join(cells)
            word += 1
        replaced.append(line)
    return replaced


def set_tag(cells: list[str], tag: str, column: str) -> None:
    """Replace the tag of a word."""
    if column == "xpos":
        cells[XPOS] = tag or "_"
    elif column == "upos":
        cells[UPOS] = tag or "_"
    else:
        upos, _, feats = tag.partition("|")
        cells[UPOS], cells[FEATS] = upos or "_", feats or "_"


def describe(parts: list[str], number: str | None) -> str:
    """RETURNS (str): The column MISC of a word, with how sure its tag is."""
    return "|".join([*parts, *([f"{SURE}={number}"] if number else [])]) or "_"
