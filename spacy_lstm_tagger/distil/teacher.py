"""Teachers: pipelines whose taggers label raw text, alone or averaged."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE, ORTH, POS, SENT_START, SPACY
from spacy.pipeline import Sentencizer
from spacy.strings import get_string_id
from spacy.tokens import Doc
from thinc.types import Ints2d

from ..checks import first_of
from ..errors import Errors
from ..files.texts import Text
from ..memory import WordLimit
from ..models.flat import FlatList
from ..pipeline.annotations import annotate
from ..probabilities import TagProbabilities
from ..taggers import (
    check_tokens,
    keeping_probabilities,
    load_pipeline,
    read_probabilities,
    tagger_names,
    tokenize,
    written_by,
)
from ..whitespace import ABSTAINED, SPACE_TAG, is_space
from .shards import LEARNED

Encoded = TypeVar("Encoded")

TINY = np.float32(1e-30)  # what is divided by where there is no probability
LEAST, MOST = 1e-6, 1e6  # weights of teachers
TOP_K, MAX_WORDS = 5, 500  # by default


class Teacher:
    """A pipeline with a component that sets `token.tag_`: ours, spaCy's, or any other.

    source (str): The name of an installed pipeline, or the folder of one.
    RAISES (ValueError): If not exactly one of its components tags, or that has no tag set.
    """

    def __init__(self, source: str):
        self.source = source
        self.nlp = load_pipeline(source)
        names = self.nlp.pipe_names
        taggers = tagger_names(self.nlp)
        if len(taggers) != 1:
            found = ", ".join(taggers) or "none"
            raise ValueError(Errors.D003.format(source=source, found=found))
        # What comes before the tagger may feed it; what comes after it is not needed.
        self.nlp.select_pipes(enable=names[: names.index(taggers[0]) + 1])
        self._name = taggers[0]
        self.pipe: Any = self.nlp.get_pipe(self._name)
        self.word_limit = WordLimit(self.nlp)
        labels: tuple[str, ...] = tuple(getattr(self.pipe, "labels", ()))
        # That of white space is a rule, which nobody has to learn.
        self.labels = tuple(label for label in labels if label != SPACE_TAG)
        if not self.labels:
            raise ValueError(Errors.D004.format(source=source, name=taggers[0]))

    def label(self, docs: list[Doc]) -> NDArray[np.float32] | None:
        """Tag docs.

        docs (list[Doc]): Docs of this pipeline's vocabulary. They get their tags, and what the
            components before the tagger set; where one of these makes another doc, it replaces it.
        RETURNS (Optional[NDArray[np.float32]]): The probability of each of `labels`. None if the
            tagger gives tags alone. *Shape:* ``(tokens, labels)``.
        """
        with keeping_probabilities(self.nlp, self._name):
            docs[:] = self.nlp.pipe(docs)
        return read_probabilities(docs, self.labels)


class Teachers:
    """Teachers whose probabilities are averaged.

    sources (Sequence[str]): The names or folders of the pipelines. The first one tokenizes.
    weights (Sequence[float]): What the probabilities of each count. None given: all the same.
    other_tags (bool): Whether the others may have tags that the first one lacks, whose probability
        is left out, and lack tags that it has.
    top_k (int): How many tags of a token to keep with their probabilities. 0: only the tag.
    max_words (int): A longer text is cut, at the end of a sentence if it can be, so that none is
        too long for a teacher.
    RAISES (ValueError): If a pipeline cannot teach, their tag sets differ, or there is not one
        weight from 1e-6 to 1e6 for each.
    """

    def __init__(
        self,
        sources: Sequence[str],
        *,
        weights: Sequence[float] = (),
        other_tags: bool = False,
        top_k: int = TOP_K,
        max_words: int = MAX_WORDS,
    ):
        self.weights = tuple(weights) or (1.0,) * len(sources)
        if len(self.weights) != len(sources) or not all(LEAST <= w <= MOST for w in self.weights):
            given = ", ".join(map(str, weights))
            raise ValueError(Errors.D019.format(weights=given, teachers=len(sources)))
        self.members = [Teacher(source) for source in sources]
        self.top_k = top_k
        self.max_words = max_words
        first, *others = self.members
        self.labels = first.labels
        for other in [] if other_tags else others:
            check_labels(other, first.labels, whose=first.source)
        for teacher in self.members if others else []:
            if teacher.label([Doc(teacher.nlp.vocab, words=["."])]) is None:
                raise ValueError(Errors.D006.format(source=teacher.source))
        self._sentencizer = Sentencizer()

    def apply(self, texts: Iterable[Text], encode: Callable[[list[Doc]], Encoded]) -> Encoded:
        """Label texts. Memory does not grow with the words that they have.

        texts (Iterable[Text]): The texts.
        encode (Callable[[list[Doc]], Encoded]): What is made of their docs. It holds no doc.
        RETURNS (Encoded): What it made.
        """
        with ExitStack() as stack:
            for teacher in self.members:
                stack.enter_context(teacher.word_limit())
            return encode(self.label(texts))

    def label(self, texts: Iterable[Text]) -> list[Doc]:
        """Label texts.

        texts (Iterable[Text]): The texts.
        RETURNS (list[Doc]): Docs with starts of sentences, tags, `TagProbabilities` if the
            teachers have any, and `pos_` and `morph` if the first one sets them before it tags or
            its tags say them. White space has no tag, and none of what follows.
        RAISES (ValueError): If a component before the tagger changes tokens.
        """
        docs = [part for text in texts for part in self._make_docs(text)]
        if not docs:
            return []
        columns, scores = self._ask_all(docs)
        ids = self._choose(columns, scores)
        spaces = is_space(docs)
        columns[spaces | (columns[:, 0] == get_string_id(SPACE_TAG))] = 0
        ids[spaces] = ABSTAINED
        kept = None
        if scores is not None and self.top_k:
            mean = scores / np.maximum(scores.sum(axis=1, keepdims=True), TINY)
            mean[spaces] = 0.0
            kept = TagProbabilities.of(self.labels, mean, top=self.top_k, half=True)
        start = 0
        for doc in docs:
            part = slice(start, start := start + len(doc))
            doc.from_array(LEARNED, cast(Ints2d, columns[part]))
            if kept is not None:
                kept[part].to_doc(doc)
        first = self.members[0].pipe
        if POS in written_by(first):
            guesses = FlatList(ids, map(len, docs))
            annotate(docs, guesses, self.labels, tag_set=first.cfg["tag_set"], overwrite=False)
        return docs

    def _make_docs(self, text: Text) -> Iterator[Doc]:
        """Tokenize a text, and cut it if it is too long."""
        nlp = self.members[0].nlp
        if text.text is None:
            doc = Doc(nlp.vocab, words=text.words, spaces=text.spaces)
        else:  # not `nlp.make_doc`, which refuses a text that is too long for a parser
            doc = tokenize(nlp.tokenizer, text.text, place=text.place)
        if doc.to_array(IS_SPACE).all():
            return
        self._sentencizer(doc)
        columns = doc.to_array([ORTH, SPACY, SENT_START])
        starts = [*np.flatnonzero(columns[:, 2] == 1).tolist(), len(doc)]
        start = 0
        while start < len(doc):
            limit = start + self.max_words
            end = starts[bisect_right(starts, limit) - 1]
            if end <= start:  # a sentence without an end
                end = limit
            orths, spaces, sentences = columns[start:end].T
            part = Doc(nlp.vocab, words=orths, spaces=spaces.astype(bool).tolist())
            sentences[0] = 1
            yield part.from_array(SENT_START, sentences)
            start = end

    def _ask_all(
        self, docs: Sequence[Doc]
    ) -> tuple[NDArray[np.uint64], NDArray[np.float32] | None]:
        """RETURNS (tuple): What the first teacher set; and how probable all of them together find
        the tags, up to a factor. None if the only one gives tags alone. *Shapes:* as `_ask`.
        """
        columns, scores = self._ask(self.members[0], docs)
        if len(self.members) == 1:
            return columns, scores
        total = cast("NDArray[np.float32]", scores) * np.float32(self.weights[0])
        for teacher, weight in zip(self.members[1:], self.weights[1:], strict=True):
            scores = cast("NDArray[np.float32]", self._ask(teacher, docs)[1])
            total += scores * np.float32(weight)
        return columns, total

    def _choose(
        self, columns: NDArray[np.uint64], scores: NDArray[np.float32] | None
    ) -> NDArray[np.int64]:
        """Put the most probable tags in the place of those that the first teacher set.

        columns (NDArray[np.uint64]): What it set, see `_ask`.
        scores (Optional[NDArray[np.float32]]): How probable the tags are, likewise.
        RETURNS (NDArray[np.int64]): The index of each tag in `labels`, or `ABSTAINED`.
            *Shape:* ``(tokens,)``.
        """
        tags = columns[:, 0]
        if scores is None:
            return np.full(len(tags), ABSTAINED)
        ids = scores.argmax(axis=1)
        # One teacher may be sure of no tag. A CRF's is that of the best sequence, and another one
        # may be more probable.
        if len(self.members) == 1:
            ids[tags == 0] = ABSTAINED
        first = self.members[0]
        keys = [*map(first.nlp.vocab.strings.add, self.labels), 0]
        best = np.array(keys, dtype=np.uint64)[ids]
        # What universal tags said that are no more.
        columns[tags != best, 1 : len(written_by(first.pipe))] = 0
        tags[:] = best
        return ids

    def _ask(
        self, teacher: Teacher, docs: Sequence[Doc]
    ) -> tuple[NDArray[np.uint64], NDArray[np.float32] | None]:
        """RETURNS (tuple): What a teacher set (`LEARNED`), *shape:* ``(tokens, attributes)``; and
        the probabilities of its tags in the order of `labels`, *shape:* ``(tokens, labels)``. None
        if it gives tags alone.
        """
        vocab = teacher.nlp.vocab
        copies = [
            Doc(vocab, [t.text for t in doc], [bool(t.whitespace_) for t in doc]) for doc in docs
        ]
        scores = teacher.label(copies)
        for doc, copy in zip(docs, copies, strict=True):
            check_tokens(copy, len(doc), place=teacher.source)
        columns = np.concatenate([copy.to_array(LEARNED) for copy in copies])
        if scores is not None and teacher.labels != self.labels:
            index = {label: i for i, label in enumerate(teacher.labels)}
            lacking = np.zeros((len(scores), 1), dtype=scores.dtype)
            order = [index.get(label, -1) for label in self.labels]
            scores = np.hstack([scores, lacking])[:, order]
        return columns, scores


def check_labels(teacher: Teacher, labels: Sequence[str], *, whose: str) -> None:
    """Compare tag sets, whose order does not matter.

    teacher (Teacher): The teacher.
    labels (Sequence[str]): The tags that it should have, but for that of white space.
    whose (str): Whose tags these are.
    RAISES (ValueError): If one of them has a tag that the other has not.
    """
    tags = set(teacher.labels), set(labels) - {SPACE_TAG}
    if tags[0] != tags[1]:
        differ = (tags[0] - tags[1], tags[1] - tags[0])
        more, less = (first_of(sorted(each)) or "none" for each in differ)
        names = {"source": teacher.source, "whose": whose}
        raise ValueError(Errors.D005.format(more=more, less=less, **names))
