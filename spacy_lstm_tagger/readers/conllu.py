"""CoNLL-U files, sentence by sentence, with errors that name the line."""

import codecs
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from spacy.parts_of_speech import IDS as POS_IDS

from ..errors import Errors

NEWDOC = re.compile(r"#\s*newdoc(\s|$)")
RANGE = re.compile(r"([0-9]+)-([0-9]+)")
EMPTY_NODE = re.compile(r"[0-9]+\.[0-9]+")
FEATS = re.compile(r"_|[^\s=|]+=[^\s=|]+(\|[^\s=|]+=[^\s=|]+)*")


class Sentence(NamedTuple):
    """The columns of a sentence that a Doc is made of, and whether a document starts with it."""

    words: list[str]
    spaces: list[bool]
    tags: list[str]
    pos: list[str]
    morphs: list[str]
    lemmas: list[str]
    newdoc: bool


# The `conllu` package reads this format too, but its errors name no line, and it takes two spaces
# inside a word for the end of a column.
def read_sentences(path: Path, tag: str) -> Iterator[Sentence]:
    """Read a CoNLL-U file sentence by sentence.

    path (Path): The file.
    tag (str): What becomes the tag, as in `create_corpus_reader`.
    YIELDS (Sentence): Each sentence that has words.
    RAISES (ValueError): At the first line that is not valid.
    """
    lines: list[tuple[int, str]] = []
    newdoc = False
    with path.open("rb") as file:
        if file.read(3) != codecs.BOM_UTF8:
            file.seek(0)
        # The empty line at the end closes the last sentence of a file that lacks one.
        for number, raw in enumerate(chain(file, [b"\n"]), 1):
            try:  # line by line, so that the error can name the line
                line = raw.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                place = f"{path}, line {number}"
                text = Errors.R007.format(place=place, byte=raw[error.start])
                raise ValueError(text) from None
            if line.startswith("#"):
                newdoc = newdoc or NEWDOC.match(line) is not None
            elif line and not line.isspace():
                lines.append((number, line))
            elif lines:
                rows, spaces = read_rows(path, lines)
                lines = []
                if rows:
                    yield make_sentence(rows, spaces, tag, newdoc)
                    newdoc = False


def read_rows(path: Path, lines: list[tuple[int, str]]) -> tuple[list[list[str]], list[bool]]:
    """Check the numbered lines of a sentence; split those of words, and see where spaces go."""

    def fail(message: str, number: int, **found: object) -> ValueError:
        return ValueError(message.format(place=f"{path}, line {number}", **found))

    rows: list[list[str]] = []
    spaces: list[bool] = []
    # The open multiword token: first and last word, surface form, space after it, line number.
    start, end, form, space, opened = 0, 0, "", True, 0
    for number, line in lines:
        row = line.split("\t")
        if len(row) != 10:
            remedy = "Remove tabs that are too many; write _ in a column that has no value."
            if len(row) < 10 <= len(line.split()):
                remedy = "Spaces seem to separate the columns here: put tabs instead."
            raise fail(Errors.R008, number, count=len(row), remedy=remedy)
        id_, word, feats = row[0], row[1], row[5]
        if not word or word.isspace():
            raise fail(Errors.R009, number)
        if not FEATS.fullmatch(feats):
            raise fail(Errors.R010, number, feats=feats)
        space_after = "SpaceAfter=No" not in row[9].split("|")
        expected = len(rows) + 1
        if id_ == str(expected):
            rows.append(row)
            spaces.append(space_after)
            if expected == end:
                # Parts that do not spell the form when put together (zu dem: zum) are apart.
                parts = [part[1] for part in rows[start - 1 :]]
                spaces[start - 1 :] = [form != "".join(parts)] * (len(parts) - 1) + [space]
                end = 0
        elif match := RANGE.fullmatch(id_):
            first, last = int(match[1]), int(match[2])
            if end or first != expected or last < first:
                raise fail(Errors.R013, number, id=id_, expected=expected)
            start, end, form, space, opened = first, last, word, space_after, number
        elif re.fullmatch("[0-9]+", id_):
            raise fail(Errors.R012, number, id=id_, expected=expected)
        elif not EMPTY_NODE.fullmatch(id_):
            raise fail(Errors.R011, number, id=id_)
    if end:
        raise fail(Errors.R014, opened, id=f"{start}-{end}", last=len(rows), end=end)
    return rows, spaces


def make_sentence(rows: list[list[str]], spaces: list[bool], tag: str, newdoc: bool) -> Sentence:
    """Take the columns that a Doc knows from the words of a sentence; _ becomes no value."""
    _, words, lemmas, upos, xpos, feats, *_ = map(list, zip(*rows, strict=True))
    tags = xpos if tag == "xpos" else upos
    if tag == "upos+feats":
        pairs = zip(upos, feats, strict=True)
        tags = [pos if pos == "_" or feat == "_" else f"{pos}|{feat}" for pos, feat in pairs]
    return Sentence(
        words=words,
        spaces=spaces,
        tags=["" if tag == "_" else tag for tag in tags],
        # A Doc takes only the coarse tags that spaCy knows, so a treebank's own are left out.
        pos=[pos if pos in POS_IDS else "" for pos in upos],
        morphs=["" if feat == "_" else feat for feat in feats],
        # _ is also the lemma of the word _ itself.
        lemmas=[
            "" if lemma == "_" != word else lemma for word, lemma in zip(words, lemmas, strict=True)
        ],
        newdoc=newdoc,
    )
