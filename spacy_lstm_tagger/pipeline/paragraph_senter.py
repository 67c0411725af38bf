"""The `paragraph_senter` component: spaCy's sentence finder, for texts of several lines."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.pipeline.senter import DEFAULT_SENTER_MODEL, SentenceRecognizer
from spacy.tokens import Doc, Token
from thinc.api import Model, to_numpy

from ..models.flat import FlatList, predict_flat
from ..whitespace import docs_with_spaces


@Language.factory(
    "paragraph_senter",
    assigns=["token.is_sent_start"],
    default_config={
        "model": DEFAULT_SENTER_MODEL,
        "overwrite": False,
        "scorer": {"@scorers": "spacy.senter_scorer.v1"},
    },
    default_score_weights={"sents_f": 1.0, "sents_p": 0.0, "sents_r": 0.0},
)
def make_paragraph_senter(
    nlp: Language, name: str, model: Model, overwrite: bool, scorer: Callable | None
) -> "ParagraphSenter":
    """Make the component. See `ParagraphSenter` for the values."""
    return ParagraphSenter(nlp.vocab, model, name, overwrite=overwrite, scorer=scorer)


class ParagraphSenter(SentenceRecognizer):
    """spaCy's sentence finder, with rules of its own: white space, which treebanks do not have, and
    closing marks belong to the sentence before them, opening marks to the one after them, and a
    blank line ends one.

    vocab (Vocab): The vocabulary of the pipeline.
    model (Model): The network, as of a tagger.
    name (str): The name of the component.
    overwrite (bool): Whether boundaries that are there already are replaced.
    scorer (Optional[Callable]): The scoring method.
    """

    def predict(self, docs: Iterable[Doc]) -> Sequence[NDArray[np.int64]]:
        """Find where sentences begin, without changing the docs.

        docs (Iterable[Doc]): The docs.
        RETURNS (Sequence[NDArray[np.int64]]): 1 for the first token of a sentence, otherwise 0: one
            array a doc.
        """
        docs = list(docs)
        lengths = list(map(len, docs))
        if not any(lengths):
            return FlatList(np.zeros(0, dtype=np.int64), lengths)
        guesses = FlatList(to_numpy(predict_flat(self.model, docs).argmax(axis=1)), lengths)
        for doc, starts in zip(docs, guesses, strict=True):
            move_from_marks(doc, starts)
        for i, spaces in docs_with_spaces(docs):
            move_from_spaces(docs[i], spaces, guesses[i])
        return guesses


def move_from_marks(doc: Doc, starts: NDArray[np.int64]) -> None:
    """Let a sentence that begins with a closing mark, as a quote between a word and a space, begin
    after it, and one that begins after an opening mark, between a space and a word, with it.

    doc (Doc): The doc.
    starts (NDArray[np.int64]): Where sentences begin, to be changed. *Shape:* ``(tokens,)``.
    """
    for i in (np.flatnonzero(starts[1:]) + 1).tolist():
        if spaces_of_mark(doc[i]) == (False, True):
            starts[i] = 0
            starts[i + 1 : i + 2] = 1
        elif spaces_of_mark(doc[i - 1]) == (True, False):
            starts[i - 1 : i + 1] = 1, 0


def spaces_of_mark(token: Token) -> tuple[bool, bool] | None:
    """RETURNS (Optional[tuple[bool, bool]]): Whether white space, or an end of the text, is before
    a mark, and after it. None: the token is none.
    """
    if token.is_space or any(map(str.isalnum, token.text)):
        return None
    i, doc = token.i, token.doc
    before = i == 0 or doc[i - 1].whitespace_ or doc[i - 1].is_space
    after = token.whitespace_ or i + 1 == len(doc) or doc[i + 1].is_space
    return bool(before), bool(after)


def move_from_spaces(doc: Doc, spaces: NDArray[np.bool_], starts: NDArray[np.int64]) -> None:
    """Let a sentence that begins with white space begin with the next word, and one begin after
    each blank line. White space that a doc begins with belongs to its first sentence.

    doc (Doc): The doc.
    spaces (NDArray[np.bool_]): Which tokens are white space. *Shape:* ``(tokens,)``.
    starts (NDArray[np.int64]): Where sentences begin, to be changed. *Shape:* ``(tokens,)``.
    """
    words, blanks = np.flatnonzero(~spaces), np.flatnonzero(spaces)
    lines = np.zeros_like(starts)
    lines[blanks] = [count_lines(doc[i].text) for i in blanks.tolist()]
    # In the white space before each word: beginnings, and ends of lines.
    totals = np.cumsum([starts * spaces, lines], axis=1)[:, words]
    begun, ended = np.diff(totals, axis=1, prepend=0)
    starts[words] |= (begun > 0) | (ended > 1)
    starts[blanks] = 0
    if spaces[0]:
        starts[words[:1]] = 0
        starts[0] = 1


def count_lines(space: str) -> int:
    """RETURNS (int): How many lines end in white space, of any system. A page may end anywhere."""
    return len(f"{space}.".replace("\f", "").splitlines()) - 1
