"""`.spacy` files, doc by doc and sentence by sentence, with errors that name the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import DEP, ENT_IOB, HEAD, LEMMA, MORPH, ORTH, POS, SENT_START, TAG
from spacy.symbols import SPACE as SPACE_POS
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..errors import Errors
from ..files.conllu_lines import sort_feats
from ..files.docs import FORMAT, read_docbin
from ..whitespace import SPACE_TAG
from .encoded import ATTRIBUTES, COLUMNS, EncodedSentence, Strings

INSIDE, BEGIN = 1, 3  # of an entity, in ENT_IOB


def read_docs(path: Path, vocab: Vocab, *, user_data: bool = False) -> Iterator[Doc]:
    """Read a .spacy file.

    path (Path): The file.
    vocab (Vocab): The vocabulary of the docs.
    user_data (bool): Whether the docs keep the user data of the file.
    YIELDS (Doc): Each doc, also one without words.
    RAISES (ValueError): If the file is damaged.
    """
    doc_bin = read_docbin(path)
    if not user_data:
        doc_bin.user_data = []
    try:
        yield from doc_bin.get_docs(vocab)
    except Exception as error:  # there is no telling what a damaged file raises
        raise ValueError(Errors.D011.format(path=path, error=error, format=FORMAT)) from error


def encode_sentences(path: Path, tag: str, strings: Strings) -> Iterator[EncodedSentence]:
    """Read a .spacy file as arrays. A doc without sentences is one.

    path (Path): The file.
    tag (str): What becomes the tag, as in `Corpus`.
    strings (Strings): Where strings are added.
    YIELDS (EncodedSentence): Each sentence, with `ATTRIBUTES`; each doc is a document.
    RAISES (ValueError): If the file is damaged.
    """
    vocab = Vocab()
    names: dict[tuple[int, int], int] = {}  # of coarse tags with features
    no_value = vocab.strings.add("_")
    starts_column, iob_column = COLUMNS[SENT_START], COLUMNS[ENT_IOB]
    for number, doc in enumerate(read_docs(path, vocab)):
        if not number:  # all strings of the file are in the vocabulary now
            for text in vocab.strings:
                strings.add(text)
        if not len(doc):
            continue
        tokens = cast("NDArray[np.uint64]", doc.to_array(list(ATTRIBUTES)))
        _clear_placeholders(tokens, no_value)
        if tag != "xpos":
            tokens[:, COLUMNS[TAG]] = _coarse_tags(tokens, tag, strings, names)
        starts = sorted({0, *np.flatnonzero(tokens[:, starts_column] == 1).tolist()})
        tokens[starts, starts_column] = 1
        _clear_cut_trees(tokens)
        # An entity goes on in the next sentence as another one.
        cut = [start for start in starts if tokens[start, iob_column] == INSIDE]
        tokens[cut, iob_column] = BEGIN
        for start, end in zip(starts, [*starts[1:], len(doc)], strict=True):
            yield EncodedSentence(tokens[start:end], newdoc=start == 0)


def _clear_cut_trees(tokens: NDArray[np.uint64]) -> None:
    """Take out the parse of sentences that spaCy begins within a tree, where two of them cross.

    tokens (NDArray[np.uint64]): A doc, which is changed in place.
    """
    sentences = np.cumsum(tokens[:, COLUMNS[SENT_START]] == 1)
    heads = np.arange(len(tokens)) + tokens[:, COLUMNS[HEAD]].astype(np.int64)
    cut = np.isin(sentences, sentences[sentences[heads] != sentences])
    for attribute in (HEAD, DEP):
        tokens[cut, COLUMNS[attribute]] = 0


def _clear_placeholders(tokens: NDArray[np.uint64], no_value: int) -> None:
    """Take out what `spacy convert` leaves of the _ that CoNLL-U files have for no value.

    tokens (NDArray[np.uint64]): A doc, which is changed in place.
    no_value (int): The hash of _.
    """
    # It has made a word without a head a sentence of its own.
    no_head = tokens[:, COLUMNS[DEP]] == no_value
    if no_head.any():
        tokens[:, [COLUMNS[DEP], COLUMNS[HEAD]]] = 0
        tokens[no_head, COLUMNS[SENT_START]] = 0
    # The lemma of the word _ itself is _.
    no_lemma = (tokens[:, COLUMNS[LEMMA]] == no_value) & (tokens[:, COLUMNS[ORTH]] != no_value)
    tokens[no_lemma, COLUMNS[LEMMA]] = 0
    tokens[tokens[:, COLUMNS[TAG]] == no_value, COLUMNS[TAG]] = 0


def _coarse_tags(
    tokens: NDArray[np.uint64], tag: str, strings: Strings, names: dict[tuple[int, int], int]
) -> list[int]:
    """RETURNS (list[int]): The hashes of universal tags, with features if they are asked for, and
    that of white space, which has no universal tag.
    """
    store, space = strings.vocab.strings, strings.add(SPACE_TAG)
    keys = tokens[:, [COLUMNS[POS], COLUMNS[MORPH]]].tolist()
    if tag == "upos":  # spaCy's ids of them are their hashes too
        return [space if pos == SPACE_POS else pos for pos, _ in keys]
    for pos, morph in set(map(tuple, keys)).difference(names):
        feats = sort_feats(store[morph]) if pos else ""
        name = store[pos] if feats in ("", "_") else f"{store[pos]}|{feats}"
        name = SPACE_TAG if pos == SPACE_POS else name
        names[pos, morph] = strings.add(name)
    return [names[pos, morph] for pos, morph in keys]
