"""Sentences as arrays of what a Doc is made of, and a corpus of them that fits into memory."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, count, pairwise
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import (
    DEP,
    ENT_ID,
    ENT_IOB,
    ENT_KB_ID,
    ENT_TYPE,
    HEAD,
    LEMMA,
    MORPH,
    ORTH,
    POS,
    SENT_START,
    SPACY,
    TAG,
)
from spacy.vocab import Vocab

# The columns of an encoded sentence: those of CoNLL-U files, and what .spacy files have beside.
CONLLU_ATTRIBUTES = (ORTH, SPACY, SENT_START, LEMMA, TAG, POS, MORPH)
ATTRIBUTES = (*CONLLU_ATTRIBUTES, ENT_TYPE, ENT_IOB, ENT_KB_ID, ENT_ID, HEAD, DEP)
COLUMNS = {attribute: column for column, attribute in enumerate(ATTRIBUTES)}
LABELS = slice(COLUMNS[TAG], COLUMNS[ENT_TYPE] + 1)  # the columns of an `Annotation`

# What a corpus may take in memory, in bytes; of a larger one nothing is kept.
MAX_KEPT = 2**27
ROW_COST, WORD_COST = 256, 4  # of a distinct row while they are collected, and of each word


class EncodedSentence(NamedTuple):
    """A sentence as `Doc.to_array` has it, and whether a document starts with it.

    tokens (NDArray[np.uint64]): The first or all of `ATTRIBUTES`. *Shape:* ``(words, attributes)``.
    newdoc (bool): Whether a document starts here.
    """

    tokens: NDArray[np.uint64]
    newdoc: bool


class Annotation(NamedTuple):
    """What a word is labelled with, as hashes; 0 is none."""

    tag: int
    pos: int
    morph: int
    entity: int = 0


class Strings:
    """Adds strings to a vocabulary, and remembers them, so that another one can have them.

    vocab (Vocab): The vocabulary.
    """

    def __init__(self, vocab: Vocab):
        self.vocab = vocab
        self.texts: set[str] | None = set()

    def add(self, text: str) -> int:
        """RETURNS (int): The hash of a string."""
        if self.texts is not None:
            self.texts.add(text)
        return self.vocab.strings.add(text)

    def add_morph(self, feats: str) -> int:
        """RETURNS (int): The hash of morphological features."""
        self.vocab.morphology.add(feats)  # in a memory zone, too, for good
        return self.add(self.vocab.morphology.normalize_features(feats))


@dataclass(frozen=True)
class KeptFile:
    """A file of a corpus that is kept.

    path (Path): The file.
    ids (NDArray[np.int32]): For each word its row in the table of distinct words.
    lengths (NDArray[np.int32]): The number of words of each sentence.
    newdocs (NDArray[np.bool_]): Whether a document starts with each sentence.
    """

    path: Path
    ids: NDArray[np.int32]
    lengths: NDArray[np.int32]
    newdocs: NDArray[np.bool_]


@dataclass(frozen=True)
class KeptCorpus:
    """A corpus in memory: each distinct word with its annotation once, and four bytes a word.

    table (NDArray[np.uint64]): The distinct words. *Shape:* ``(rows, attributes)``.
    files (list[KeptFile]): The files.
    texts (set[str]): The strings whose hashes the table has.
    """

    table: NDArray[np.uint64]
    files: list[KeptFile]
    texts: set[str]

    def read(self, vocab: Vocab) -> Iterator[tuple[Path, Iterator[EncodedSentence]]]:
        """YIELDS (tuple): The sentences of each file, whose strings the vocabulary has by then."""
        for text in self.texts:
            vocab.strings.add(text)
        for file in self.files:
            yield file.path, self._read_file(file)

    def _read_file(self, file: KeptFile) -> Iterator[EncodedSentence]:
        bounds = pairwise(accumulate(file.lengths.tolist(), initial=0))
        for (start, end), newdoc in zip(bounds, file.newdocs.tolist(), strict=True):
            yield EncodedSentence(self.table.take(file.ids[start:end], axis=0), newdoc)


def as_bytes(tokens: NDArray[np.uint64]) -> list[bytes]:
    """RETURNS (list[bytes]): The rows of an array."""
    row = np.dtype((np.void, tokens.shape[1] * tokens.itemsize))
    return cast(list[bytes], np.ascontiguousarray(tokens).view(row).ravel().tolist())


class Keeper:
    """Collects a corpus while it is read, unless it takes more memory than `MAX_KEPT`, and the
    distinct annotations of its words.

    strings (Strings): The strings of the corpus, which are remembered as long as it is collected.
    """

    def __init__(self, strings: Strings) -> None:
        self.strings = strings
        self.annotations: set[Annotation] = set()
        # Distinct words, numbered in the order in which they are met.
        self.rows: defaultdict[bytes, int] | None = defaultdict(count().__next__)
        self.files: list[KeptFile] = []
        self.words = self.sentences = 0

    def collect(
        self, path: Path, sentences: Iterable[EncodedSentence]
    ) -> Iterator[EncodedSentence]:
        """YIELDS (EncodedSentence): The sentences of a file, which are collected on their way."""
        ids, lengths, newdocs = array("i"), array("i"), array("b")
        labels: set[bytes] = set()
        for sentence in sentences:
            tokens = sentence.tokens
            self.sentences += 1
            self.words += len(tokens)
            labels.update(as_bytes(tokens[:, LABELS]))
            if self.rows is not None:
                ids.extend(map(self.rows.__getitem__, as_bytes(tokens)))
                lengths.append(len(tokens))
                newdocs.append(sentence.newdoc)
                if len(self.rows) * ROW_COST + self.words * WORD_COST > MAX_KEPT:
                    self.rows = self.strings.texts = None
                    self.files, ids = [], array("i")
            yield sentence
        distinct = (np.frombuffer(each, np.uint64).tolist() for each in labels)
        self.annotations.update(Annotation(*each) for each in distinct)
        columns = np.array(ids, "i4"), np.array(lengths, "i4"), np.array(newdocs, bool)
        self.files.append(KeptFile(path, *columns))

    def corpus(self) -> KeptCorpus | None:
        """RETURNS (Optional[KeptCorpus]): The corpus, once all of its files were read. None if it
        is too large, or has no words.
        """
        if not self.rows or self.strings.texts is None:
            return None
        table = np.frombuffer(b"".join(self.rows), np.uint64).reshape(len(self.rows), -1)
        return KeptCorpus(table, self.files, self.strings.texts)
