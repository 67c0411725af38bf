"""Docs of spaCy's own files, .spacy."""

from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate, groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import srsly
from numpy.typing import NDArray
from spacy.attrs import (
    DEP,
    ENT_ID,
    ENT_KB_ID,
    ENT_TYPE,
    LEMMA,
    MORPH,
    NORM,
    ORTH,
    SPACY,
    TAG,
)
from spacy.strings import get_string_id
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..errors import Errors
from .streams import Source
from .texts import BadTexts, Reading, Text

# The attributes of tokens that are strings.
STRINGS = (ORTH, NORM, TAG, LEMMA, MORPH, DEP, ENT_TYPE, ENT_KB_ID, ENT_ID)
FORMAT = "docs as spaCy's DocBin writes them"


class Stored(NamedTuple):
    """A doc as it is in a file, with what `DocBin` keeps of each, and the strings of the file."""

    attrs: list[Any]
    strings: set[str]
    tokens: NDArray
    spaces: NDArray
    cats: dict
    span_groups: bytes
    flags: dict
    user_data: bytes | None


def read_docs(source: Source, reading: Reading, bad: BadTexts) -> Iterator[Text]:
    """YIELDS (Text): The words of each doc of a .spacy file."""
    docs = parse_docbin(source.stream.read(), source.path)
    size = source.taken() / max(1, len(docs))
    strings = {get_string_id(string): string for string in docs.strings if string}
    for number, part in enumerate(zip(*_parts(docs), strict=True), 1):
        stored = Stored(docs.attrs, docs.strings, *part)
        place = f"{source.path}, doc {number}"
        try:
            words = [strings[key] for key in stored.tokens[:, docs.attrs.index(ORTH)].tolist()]
        except KeyError as error:
            bad.add(place, ValueError(f"the file has no string for the word {error}"))
            continue
        unknown = stored.flags.get("has_unknown_spaces")
        spaces = [True] * len(words) if unknown else stored.spaces.ravel().tolist()
        yield Text(None, words, spaces, size, place, stored if reading.keep else None)


def restore(stored: Sequence[Stored], vocab: Vocab, *, without: Collection[int]) -> list[Doc]:
    """Make docs of what is in files.

    stored (Sequence[Stored]): What is in the files.
    vocab (Vocab): The vocabulary of the docs.
    without (Collection[int]): Attributes of tokens that the docs do not get.
    RETURNS (list[Doc]): The docs.
    """
    docs: list[Doc] = []
    # A file's strings are all gone through each time.
    for _, group in groupby(stored, key=lambda each: id(each.strings)):
        attrs, strings, tokens, *parts = map(list, zip(*group, strict=True))
        kept = [i for i, attr in enumerate(attrs[0]) if attr not in without]
        some = DocBin(attrs=[])
        some.attrs, some.strings = [attrs[0][i] for i in kept], strings[0]
        some.tokens = [table[:, kept] for table in tokens]
        some.spaces, some.cats, some.span_groups, some.flags, some.user_data = parts
        docs += some.get_docs(vocab)
    return docs


def pack(docs: Sequence[Doc]) -> DocBin:
    """RETURNS (DocBin): One or more docs with all that they have, as `DocBin(docs=docs)`, which
    walks over tokens and takes as long as to tag them.
    RAISES (ValueError): If they have something that the format has not.
    """
    packed, nothing = DocBin(store_user_data=True), srsly.msgpack_dumps({})
    strings: Any = docs[0].vocab.strings
    attrs: Any = [*packed.attrs, SPACY]
    table = np.concatenate([doc.to_array(attrs) for doc in docs])
    bounds = pairwise(accumulate(map(len, docs), initial=0))
    for doc, (start, end) in zip(docs, bounds, strict=True):
        packed.tokens.append(table[start:end, :-1])
        packed.spaces.append(table[start:end, -1:].astype(bool))
        packed.cats.append(doc.cats)
        packed.span_groups.append(doc.spans.to_bytes())
        packed.flags.append({"has_unknown_spaces": doc.has_unknown_spaces})
        # Each call looks for plugins among all that is installed.
        try:
            data = srsly.msgpack_dumps(doc.user_data) if doc.user_data else nothing
        except TypeError as error:
            raise ValueError(Errors.D025.format(error=error)) from error
        packed.user_data.append(data)
    spans = (span for doc in docs for group in doc.spans.values() for span in group)
    keys = {0}  # of columns in which there is nothing
    keys.update(key for span in spans for key in (span.label, span.kb_id, span.id))
    for column in np.flatnonzero(table.any(axis=0)).tolist():
        if attrs[column] in STRINGS:
            keys.update(np.unique(table[:, column]).tolist())
    packed.strings.update(strings[key] for key in keys if key in strings)
    return packed


def read_docbin(path: Path) -> DocBin:
    """RETURNS (DocBin): The docs of a .spacy file.
    RAISES (ValueError): If it is damaged, or none.
    """
    return parse_docbin(path.read_bytes(), path)


def parse_docbin(data: bytes, path: Path | str) -> DocBin:
    """RETURNS (DocBin): The docs of the bytes of a .spacy file.

    data (bytes): The bytes.
    path (Union[Path, str]): The file, for the error.
    RAISES (ValueError): If they are damaged, or none.
    """
    try:
        docs = DocBin().from_bytes(data)
        parts = _parts(docs)
        if ORTH not in docs.attrs or any(len(part) != len(docs) for part in parts):
            raise ValueError("its parts do not fit together")
        if any(len(tokens) != len(spaces) for tokens, spaces, *_ in zip(*parts, strict=True)):
            raise ValueError("its words and spaces do not fit together")
        return docs
    except Exception as error:  # there is no telling what a damaged file raises
        found = {"path": path, "error": error, "format": FORMAT}
        raise ValueError(Errors.D011.format(**found)) from error


def _parts(docs: DocBin) -> tuple[list[Any], ...]:
    return docs.tokens, docs.spaces, docs.cats, docs.span_groups, docs.flags, docs.user_data
