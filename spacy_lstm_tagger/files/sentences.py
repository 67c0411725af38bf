"""Docs as sentences of CoNLL-U."""

from collections.abc import Sequence
from itertools import pairwise, repeat
from typing import Any

import numpy as np
from spacy.attrs import IS_PUNCT, LEMMA, MORPH, ORTH, POS, SENT_START, SPACY, TAG
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc

from .conllu import describe
from .tagged import TaggedTexts

ENDS, END = frozenset(Sentencizer.default_punct_chars), 2
# How the column MISC writes white space: as UDPipe does.
ESCAPES = str.maketrans(
    {" ": r"\s", "\t": r"\t", "\n": r"\n", "\r": r"\r", "|": r"\p", "\\": r"\\"}
)


class Sentences:
    """Tagged docs as lines of CoNLL-U.

    tagged (TaggedTexts): The docs.
    column (str): The column of the tags, as in `Style`.
    """

    def __init__(self, tagged: TaggedTexts, *, column: str):
        words, spaces = tagged.column(ORTH), tagged.keys(SPACY).tolist()
        self.forms = tagged.column(ORTH, one_line)
        columns: list[Any] = [self.forms, tagged.column(LEMMA, _or_none)]
        if column == "xpos":
            columns += [tagged.column(attr, _or_none) for attr in (POS, TAG, MORPH)]
        elif column == "upos":
            columns += [tagged.column(TAG, _or_none), repeat("_"), tagged.column(MORPH, _or_none)]
        else:
            columns += [tagged.column(TAG, _upos), repeat("_"), tagged.column(TAG, _feats)]
        is_end = np.array(tagged.column(ORTH, ENDS.__contains__), dtype=bool)
        self.kinds = np.where(is_end, END, tagged.keys(IS_PUNCT)).tolist()
        self.rows = list(map("\t".join, zip(*columns, strict=False)))
        self.texts = [w + " " if space else w for w, space in zip(words, spaces, strict=True)]
        self.notes = ["_" if space else "SpaceAfter=No" for space in spaces]
        for *_, start, end in tagged:
            self._note_spaces(start, end)
        if tagged.numbers:
            pairs = zip(self.notes, tagged.numbers, strict=True)
            self.notes = [describe([] if n == "_" else [n], number) for n, number in pairs]

    def lines(self, doc: Doc, start: int) -> list[str]:
        """Describe a doc.

        doc (Doc): The doc. If nothing has found its sentences, they end at punctuation.
        start (int): Where its tokens are in the columns.
        RETURNS (list[str]): The lines of its sentences, with an empty one after each. White space
            has no line.
        """
        if doc.has_annotation("SENT_START"):
            starts = [0, *np.flatnonzero(doc.to_array([SENT_START])[1:] == 1) + 1]
        else:
            starts = split_sentences(self.kinds[start : start + len(doc)])
        has_heads = doc.has_annotation("DEP")
        lines: list[str] = []
        for first, end in pairwise([*starts, len(doc)]):
            words = [i for i in range(first, end) if self.forms[start + i]]
            if not words:
                continue
            lines += [] if lines else ["# newdoc"]
            text = "".join(self.texts[start + first : start + end])
            lines.append(f"# text = {' '.join(text.split())}")
            heads = _heads(doc, words) if has_heads else repeat("_\t_")
            lines += [
                f"{number}\t{self.rows[start + i]}\t{head}\t_\t{self.notes[start + i]}"
                for number, (i, head) in enumerate(zip(words, heads, strict=False), 1)
            ]
            lines.append("")
        return lines

    def _note_spaces(self, start: int, end: int) -> None:
        """Note tokens of white space with the word before them."""
        forms = self.forms[start:end]
        if all(forms):
            return
        word, behind = -1, ""
        for i, form in enumerate([*forms, "."], start):  # the last one ends what is behind a word
            if not form:
                behind += self.texts[i]
                continue
            if behind and word >= start:
                spaces = " " * self.texts[word].endswith(" ") + behind
                self.notes[word] = f"SpacesAfter={spaces.translate(ESCAPES)}"
            word, behind = i, ""


def _heads(doc: Doc, words: Sequence[int]) -> list[str]:
    """RETURNS (list[str]): The head of each word of a sentence, and its relation to it."""
    ids = {word: number for number, word in enumerate(words, 1)}
    tokens = [doc[word] for word in words]
    heads = (0 if token.head.i == token.i else ids.get(token.head.i, 0) for token in tokens)
    return [f"{head}\t{token.dep_ or '_'}" for head, token in zip(heads, tokens, strict=True)]


def split_sentences(kinds: Sequence[int]) -> list[int]:
    """Find sentences as spaCy's `Sentencizer` does, which takes several times as long.

    kinds (Sequence[int]): For each token `END`, or whether it is punctuation that ends no sentence.
    RETURNS (list[int]): Where sentences start.
    """
    starts, is_over = [0], False
    for i, kind in enumerate(kinds):
        if kind == END:
            is_over = True
        elif is_over and not kind:
            starts.append(i)
            is_over = False
    return starts


def one_line(word: str) -> str:
    """RETURNS (str): A word in which no white space breaks a line; nothing if it is white space."""
    return word if word.isalnum() else " ".join(word.split())


def _or_none(value: str) -> str:
    return value or "_"


def _upos(tag: str) -> str:
    return _or_none(tag.partition("|")[0])


def _feats(tag: str) -> str:
    return _or_none(tag.partition("|")[2])
