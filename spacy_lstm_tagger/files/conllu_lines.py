"""The lines of a sentence in CoNLL-U, checked and taken apart, with errors that name the line."""

import re
from functools import lru_cache
from pathlib import Path

from ..errors import Errors

# A number of more digits is none that a sentence can have.
RANGE = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")
EMPTY_NODE = re.compile(r"[0-9]+\.[0-9]+")
FEATS = re.compile(r"_|[^\s=|]+=[^\s=|]+(\|[^\s=|]+=[^\s=|]+)*")
# What to do about a wrong number of columns.
TABS = "Remove tabs that are too many; write _ in a column that has no value."
NO_TABS = "Spaces seem to separate the columns here: put tabs instead."
OTHER = "If this is another format, make a .spacy file of it: docs/training.md tells how."
SHOWN = 60  # characters of a wrong value in an error

# The columns FORM, LEMMA, UPOS, XPOS and FEATS of a word.
WordRow = tuple[str, str, str, str, str]


def check_lines(path: Path, lines: list[tuple[int, str]]) -> tuple[list[WordRow], list[bool]]:
    """Check the lines of a sentence, and see where spaces go.

    path (Path): The file.
    lines (list[tuple[int, str]]): The lines and their numbers.
    RETURNS (tuple): The words, and whether a space follows each.
    RAISES (ValueError): At the first line that is not valid.
    """

    def fail(message: str, number: int, **found: object) -> ValueError:
        return ValueError(message.format(place=f"{path}, line {number}", **found))

    words: list[WordRow] = []
    spaces: list[bool] = []
    # The open multiword token: first and last word, surface form, space after it, line number.
    start, end, whole, space, opened = 0, 0, "", True, 0
    expected = 1
    for number, line in lines:
        cells = line.split("\t")
        if len(cells) != 10:
            raise fail(Errors.R007, number, count=len(cells), remedy=remedy_for(line))
        id_, form, lemma, upos, xpos, feats, _, _, _, misc = cells
        if not form or form.isspace():
            raise fail(Errors.R008, number)
        if feats != "_" and not is_feats(feats):
            raise fail(Errors.R009, number, feats=shorten(feats))
        space_after = misc == "_" or "SpaceAfter=No" not in misc.strip().split("|")
        if id_ == str(expected):
            words.append((form, lemma, upos, xpos, feats))
            spaces.append(space_after)
            if expected == end:
                # Parts that do not spell the form when put together (zu dem: zum) are apart.
                parts = [word[0] for word in words[start - 1 :]]
                spaces[start - 1 :] = [whole != "".join(parts)] * (len(parts) - 1) + [space]
                end = 0
            expected += 1
        elif match := RANGE.fullmatch(id_):
            first, last = int(match[1]), int(match[2])
            if end or first != expected or last < first:
                raise fail(Errors.R012, number, id=id_, expected=expected)
            start, end, whole, space, opened = first, last, form, space_after, number
        elif re.fullmatch("[0-9]+", id_):
            raise fail(Errors.R011, number, id=shorten(id_), expected=expected)
        elif not EMPTY_NODE.fullmatch(id_):
            raise fail(Errors.R010, number, id=shorten(id_))
    if end:
        raise fail(Errors.R013, opened, id=f"{start}-{end}", last=len(words), end=end)
    return words, spaces


def remedy_for(line: str) -> str:
    """RETURNS (str): What to do about a line that has not ten columns."""
    if not re.match(r"\s*[0-9]", line):
        return OTHER
    return NO_TABS if line.count("\t") < 9 and len(line.split()) >= 10 else TABS


@lru_cache(maxsize=10_000)
def is_feats(value: str) -> bool:
    """RETURNS (bool): Whether this is what the column FEATS may have."""
    return FEATS.fullmatch(value) is not None


def sort_feats(feats: str) -> str:
    """RETURNS (str): Features in the order of treebanks, which is not spaCy's: without regard to
    case.
    """
    return "|".join(sorted(feats.split("|"), key=lambda each: each.split("=")[0].lower()))


def shorten(value: str) -> str:
    """RETURNS (str): As much of a wrong value as an error shows."""
    return value if len(value) <= SHOWN else f"{value[:SHOWN]}…"
