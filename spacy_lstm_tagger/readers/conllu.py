"""CoNLL-U files, sentence by sentence, with errors that name the line."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path
from struct import Struct
from typing import NamedTuple

import numpy as np
from spacy.attrs import SENT_START
from spacy.parts_of_speech import IDS as POS_IDS

from ..errors import Errors
from ..files.conllu_lines import WordRow, check_lines
from .encoded import COLUMNS, CONLLU_ATTRIBUTES, EncodedSentence, Strings

NEWDOC = re.compile(r"#\s*newdoc(\s|$)")
MAX_KNOWN = 100_000  # distinct words that are encoded only once


class Rows(NamedTuple):
    """The words of a sentence, whether a space follows each, and whether a document starts with the
    sentence.
    """

    words: list[WordRow]
    spaces: list[bool]
    newdoc: bool


class Word(NamedTuple):
    """What a Doc knows of a word; _ has become no value."""

    text: str
    tag: str
    pos: str
    morph: str
    lemma: str


def encode_sentences(path: Path, tag: str, strings: Strings) -> Iterator[EncodedSentence]:
    """Read a CoNLL-U file as arrays.

    path (Path): The file.
    tag (str): What becomes the tag, as in `Corpus`.
    strings (Strings): Where strings are added.
    YIELDS (EncodedSentence): Each sentence that has words, with `CONLLU_ATTRIBUTES`.
    RAISES (ValueError): At the first line that is not valid.
    """
    pack, add = Struct(f"={len(CONLLU_ATTRIBUTES)}Q").pack, strings.add

    @lru_cache(maxsize=MAX_KNOWN)
    def encode(row: WordRow, space: bool) -> bytes:
        word = read_word(row, tag)
        return pack(
            add(word.text),
            space,
            2**64 - 1,  # -1: it starts no sentence
            add(word.lemma),
            add(word.tag),
            POS_IDS[word.pos],
            strings.add_morph(word.morph),
        )

    for rows, spaces, newdoc in read_rows(path):
        parts = bytearray().join(map(encode, rows, spaces))
        tokens = np.frombuffer(parts, dtype=np.uint64).reshape(len(rows), len(CONLLU_ATTRIBUTES))
        tokens[0, COLUMNS[SENT_START]] = 1
        yield EncodedSentence(tokens, newdoc)


def read_word(row: WordRow, tag: str) -> Word:
    """Take from the columns what a Doc knows of a word."""
    text, lemma, upos, xpos, feats = row
    # Spreadsheets leave spaces behind a value.
    lemma = lemma.strip(" ")
    upos, xpos = upos.strip() or "_", xpos.strip() or "_"
    name = xpos if tag == "xpos" else upos
    if tag == "upos+feats" and "_" not in (upos, feats):
        name = f"{upos}|{feats}"
    return Word(
        text=text,
        tag="" if name == "_" else name,
        # A Doc takes only the coarse tags that spaCy knows, so a treebank's own are left out.
        pos=upos if upos in POS_IDS else "",
        morph="" if feats == "_" else feats,
        # _ is also the lemma of the word _ itself.
        lemma="" if lemma == "_" != text else lemma,
    )


# The `conllu` package reads this format too, but its errors name no line, and it takes two spaces
# inside a word for the end of a column.
def read_rows(path: Path) -> Iterator[Rows]:
    """Read and check the words of a CoNLL-U file.

    path (Path): The file.
    YIELDS (Rows): Each sentence that has words.
    RAISES (ValueError): At the first line that is not valid.
    """
    lines: list[tuple[int, str]] = []
    newdoc = False
    # The empty line at the end closes the last sentence of a file that lacks one.
    for number, line in enumerate(chain(read_lines(path), [""]), 1):
        line = line.rstrip("\r\n")
        if line.startswith("#"):
            newdoc = newdoc or NEWDOC.match(line) is not None
        elif line and not line.isspace():
            lines.append((number, line))
        elif lines:
            words, spaces = check_lines(path, lines)
            lines = []
            if words:
                yield Rows(words, spaces, newdoc)
                newdoc = False


def read_lines(path: Path) -> Iterator[str]:
    """YIELDS (str): The lines of a text file.
    RAISES (ValueError): If one of them is not UTF-8.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                found = {"place": f"{path}, line {number}", "byte": error.object[error.start]}
                raise ValueError(Errors.R006.format(**found)) from None
