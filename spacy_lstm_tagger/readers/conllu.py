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
# How .spacy files begin, which zlib compresses.
ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
# How files begin that other tools have packed: their names, and what unpacks them.
PACKED = {
    b"\x1f\x8b": ("gzip", "gunzip"),
    b"BZh": ("bzip2", "bunzip2"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"),
    b"\xfd7zXZ": ("xz", "unxz"),
}
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
    # Spreadsheets leave spaces behind a tag.
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
    """YIELDS (str): The lines of a text file."""
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            yield from file
    except UnicodeDecodeError:
        raise ValueError(explain_bytes(path)) from None


def explain_bytes(path: Path) -> str:
    """RETURNS (str): What is wrong with a file that is not UTF-8, and where."""
    with path.open("rb") as file:
        start = file.read(5)
        if start.startswith(ZLIB):
            return Errors.R014.format(path=path)
        for magic, (tool, unpack) in PACKED.items():
            if start.startswith(magic):
                return Errors.R015.format(path=path, tool=tool, unpack=unpack)
        file.seek(0)
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                place = f"{path}, line {number}"
                return Errors.R006.format(place=place, byte=line[error.start])
    return Errors.R003.format(path=path)  # it was changed while it was read
