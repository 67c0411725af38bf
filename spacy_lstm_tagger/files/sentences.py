"""Docs as sentences of CoNLL-U."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IS_PUNCT, LEMMA, MORPH, ORTH, POS, SENT_START, SPACY, TAG
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc

from .conllu import describe
from .conllu_lines import sort_feats
from .tagged import TaggedTexts

ENDS, END = frozenset(Sentencizer.default_punct_chars), 2
# What may end a line or a column. Other white space, as in 10 000, is a part of the word.
SPACES = re.compile(r"[ \t-\r\x1c-\x1e\x85\u2028\u2029]+")
# How the column MISC writes white space: as UDPipe does, and what that leaves as Stanza does.
OTHERS = {space: f"\\u{ord(space):04X}" for space in map(chr, range(0x3001)) if space.isspace()}
ESCAPES = str.maketrans(OTHERS | {" ": r"\s", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def one_line(word: str) -> str:
    """RETURNS (str): A word in which no white space breaks a line; nothing if it is white space."""
    if word.isalnum():
        return word
    return "" if word.isspace() else SPACES.sub(" ", word).strip(" ")


def _or_none(value: str) -> str:
    return one_line(value) or "_"


def _feats(value: str) -> str:
    return _or_none(sort_feats(value))


def _note(space: str) -> str:
    """RETURNS (str): The last columns of a token that has no head."""
    return "_\t_\t_\t" + ("_" if space else "SpaceAfter=No")


def _split_tag(tag: str) -> str:
    """RETURNS (str): A tag with features, as three columns."""
    upos, _, feats = tag.partition("|")
    return f"{upos or '_'}\t_\t{feats or '_'}"


# What the columns UPOS, XPOS and FEATS are made of, by the column of the tags.
COLUMNS: dict[str, list[tuple[int, Callable[[str], str]]]] = {
    "xpos": [(POS, _or_none), (TAG, _or_none), (MORPH, _feats)],
    "upos": [(TAG, lambda tag: f"{tag or '_'}\t_"), (MORPH, _feats)],
    "upos+feats": [(TAG, _split_tag)],
}


class Sentences:
    """Tagged docs as lines of CoNLL-U, which are made of columns.

    tagged (TaggedTexts): The docs.
    column (str): The column of the tags, as in `Style`.
    """

    def __init__(self, tagged: TaggedTexts, *, column: str):
        tagged.read(ORTH, LEMMA, POS, TAG, MORPH, SPACY, IS_PUNCT)
        self.texts = tagged.combine([(ORTH, str), (SPACY, str)], "")
        cells = [(ORTH, one_line), (LEMMA, _or_none), *COLUMNS[column], (SPACY, _note)]
        self.rows = tagged.combine(cells, "\t")
        self.is_blank = ~tagged.flags(ORTH, one_line)
        self.blanks = [0, *np.cumsum(self.is_blank).tolist()]  # before each token
        is_end = tagged.flags(ORTH, ENDS.__contains__)
        kinds = np.where(is_end, END, tagged.keys(IS_PUNCT))
        self.starts = split_sentences(kinds, tagged.bounds)
        for *_, start, end in tagged:
            if self.blanks[start] < self.blanks[end]:
                self._note_spaces(start, end)
        for i, number in enumerate(tagged.numbers):
            row, _, note = self.rows[i].rpartition("\t")
            self.rows[i] = f"{row}\t{describe([] if note == '_' else [note], number)}"

    def lines(self, doc: Doc, start: int) -> list[str]:
        """Describe a doc.

        doc (Doc): The doc. If nothing has found its sentences, they end at punctuation.
        start (int): Where its tokens are in the columns.
        RETURNS (list[str]): The lines of its sentences, with an empty one after each. White space
            has no line.
        """
        if doc.has_annotation("SENT_START"):
            starts = [0, *np.flatnonzero(doc.to_array([SENT_START])[1:] == 1) + 1]
            bounds = [start + first for first in [*starts, len(doc)]]
        else:
            low, high = np.searchsorted(self.starts, [start, start + len(doc)])
            bounds = [*self.starts[low:high].tolist(), start + len(doc)]
        has_heads = doc.has_annotation("DEP")
        lines: list[str] = []
        for first, end in pairwise(bounds):
            rows = self.rows[first:end]
            if has_heads or self.blanks[first] < self.blanks[end]:
                words = np.flatnonzero(~self.is_blank[first:end]) + first
                rows = [self.rows[i] for i in words]
                if has_heads:
                    heads = _heads(doc, (words - start).tolist())
                    rows = list(map(_with_head, rows, heads))
            if not rows:
                continue
            lines += [] if lines else ["# newdoc"]
            lines.append(f"# text = {one_line(''.join(self.texts[first:end]))}")
            lines += [f"{number}\t{row}" for number, row in enumerate(rows, 1)]
            lines.append("")
        return lines

    def _note_spaces(self, start: int, end: int) -> None:
        """Note tokens of white space with the word before them."""
        word, behind = -1, ""
        # Behind the last one ends what is behind a word.
        for i, is_blank in enumerate([*self.is_blank[start:end].tolist(), False], start):
            if is_blank:
                behind += self.texts[i]
                continue
            if behind and word >= start:
                spaces = " " * self.texts[word].endswith(" ") + behind
                row = self.rows[word].rpartition("\t")[0]
                self.rows[word] = f"{row}\tSpacesAfter={spaces.translate(ESCAPES)}"
            word, behind = i, ""


def _with_head(row: str, head: str) -> str:
    """RETURNS (str): A line with the head of its token, and its relation to it."""
    cells, _, _, *rest = row.rsplit("\t", 4)
    return "\t".join([cells, head, *rest])


def _relation(dep: str) -> str:
    """RETURNS (str): A relation as treebanks, and their scorer, call it: root, spaCy's ROOT."""
    return "root" if dep == "ROOT" else dep or "_"


def _heads(doc: Doc, words: Sequence[int]) -> list[str]:
    """RETURNS (list[str]): The head of each word of a sentence, `_` if it has none, and its
    relation to it.
    """
    ids = {word: number for number, word in enumerate(words, 1)}
    tokens = [doc[word] for word in words]
    heads = (0 if token.head.i == token.i else ids.get(token.head.i, 0) for token in tokens)
    return [
        f"{head if token.has_head() else '_'}\t{_relation(token.dep_)}"
        for head, token in zip(heads, tokens, strict=True)
    ]


def split_sentences(kinds: NDArray, bounds: NDArray) -> NDArray[np.int64]:
    """Find sentences as spaCy's `Sentencizer` does, which takes several times as long: one starts
    at the first token behind an end that is no punctuation.

    kinds (NDArray): For each token `END`, or whether it is punctuation that ends no sentence.
    bounds (NDArray): Where each doc starts, and the last one ends.
    RETURNS (NDArray[np.int64]): Where sentences start.
    """
    ends, others = np.flatnonzero(kinds == END), np.flatnonzero(kinds == 0)
    next_ones = np.searchsorted(others, ends)
    ends, next_ones = ends[next_ones < len(others)], next_ones[next_ones < len(others)]
    starts = others[next_ones]
    in_same_doc = np.searchsorted(bounds, ends, "right") == np.searchsorted(bounds, starts, "right")
    return np.unique(np.concatenate([bounds[:-1], starts[in_same_doc]]))
