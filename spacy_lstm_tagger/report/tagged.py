"""A corpus that a pipeline has tagged, and its sentences as they are shown."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE, SENT_START
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ..comparison import Comparison
from ..errors import Errors
from ..evaluation import find_lexicon, read_examples
from ..lexicon import Lexicon
from ..missing_tags import find_missing_tags
from ..taggers import check_tokens, keeping_probabilities, read_confidence, tagger_name

DOCS = 1000  # so many are tagged at a time
LONGEST = 60  # tokens; of a longer sentence, what is around the marks is shown


@dataclass(frozen=True)
class TaggedCorpus:
    """What a pipeline says of a corpus.

    name (str): What the pipeline is called.
    tagger (str): The name of its tagger.
    found (Comparison): Its tags beside those of the corpus.
    confidence (Optional[NDArray[np.float32]]): The probability of each word's tag; NaN for a tag
        that is not the tagger's. None: it does not tell.
    missing_tags (list[str]): Tags of the corpus that the pipeline does not give.
    lexicon (Optional[Lexicon]): The words of its training data. None: it does not tell.
    by_document (bool): Whether intervals and tests draw documents rather than sentences.
    references (list[Doc]): The docs of the corpus.
    """

    name: str
    tagger: str
    found: Comparison
    confidence: NDArray[np.float32] | None
    missing_tags: list[str]
    lexicon: Lexicon | None
    by_document: bool
    references: list[Doc]

    def tag(self, key: int) -> str:
        """RETURNS (str): A tag, by its hash."""
        return self.references[0].vocab.strings[int(key)]

    def units(self) -> NDArray[np.int64]:
        """RETURNS (NDArray[np.int64]): In which sentence each word is, or in which document, as
        `by_document` says, numbered from 0 on. *Shape:* ``(words,)``.
        """
        if not self.by_document:
            return self.found.sentences
        return np.unique(self.found.docs, return_inverse=True)[1]

    def sentence_lengths(self) -> NDArray[np.int64]:
        """RETURNS (NDArray[np.int64]): How many words the sentence of each word has, with a tag or
        without. *Shape:* ``(words,)``.
        """

        def measure(doc: Doc) -> NDArray[np.float64]:
            starts, spaces = doc.to_array([SENT_START, IS_SPACE]).astype(np.int64).T
            number = np.cumsum(starts == 1)
            return np.bincount(number, weights=spaces == 0)[number]

        return self._of_words(measure)

    def places(self) -> NDArray[np.int64]:
        """RETURNS (NDArray[np.int64]): Which word of its text each word is, from 1 on.
        *Shape:* ``(words,)``.
        """
        return self._of_words(lambda doc: np.cumsum(doc.to_array(IS_SPACE) == 0))

    def _of_words(self, measure: Callable[[Doc], NDArray]) -> NDArray[np.int64]:
        """RETURNS (NDArray[np.int64]): What each word has of a measure of the tokens of a doc."""
        tokens = np.concatenate([measure(doc) for doc in self.references])
        ends = np.cumsum([0, *map(len, self.references)])
        return tokens[ends[self.found.docs] + self.found.tokens].astype(np.int64)

    def show(self, words: Sequence[int], notes: Sequence[Any]) -> dict[str, Any]:
        """Cut a sentence into pieces of text.

        words (Sequence[int]): The numbers of the words to mark, in order, all of one sentence.
        notes (Sequence[Any]): What is told of each.
        RETURNS (dict[str, Any]): `doc`, the number of the doc, from 1 on; and `pieces`, each a text
            and what is told of it, or None.
        """
        number = int(self.found.docs[words[0]])
        doc, tokens = self.references[number], self.found.tokens[list(words)].tolist()
        starts = np.flatnonzero(doc.to_array(SENT_START).astype(np.int64) == 1)
        place = int(np.searchsorted(starts, tokens[0], side="right"))
        start = int(starts[place - 1]) if place else 0
        end = int(starts[place]) if place < len(starts) else len(doc)
        if end - start > LONGEST:
            start = max(start, tokens[0] - LONGEST // 2)
            end = min(end, start + LONGEST)
        pieces: list[list[Any]] = []
        for token, note in zip(tokens, notes, strict=True):
            if start <= token < end:
                pieces.append([doc[start:token].text_with_ws, None])
                pieces.append([doc[token].text, note])
                pieces.append([doc[token].whitespace_, None])
                start = token + 1
        pieces.append([doc[start:end].text, None])
        return {"doc": number + 1, "pieces": [piece for piece in pieces if piece[0]]}


def tag_corpus(
    nlp: Language,
    path: Path,
    *,
    name: str,
    tag: str,
    group_by: int | str,
    missing: Collection[str] = (),
) -> TaggedCorpus:
    """Tag a corpus, whose tokens the pipeline gets.

    nlp (Language): The pipeline, which stays as it is.
    path (Path): A file or folder that `Corpus.v1` reads.
    name (str): What the pipeline is called.
    tag (str): Where its tags come from, as for `Corpus.v1`.
    group_by (Union[int, str]): Sentences in a doc, as for `Corpus.v1`. "document": intervals and
        tests draw documents rather than sentences, if there are several.
    missing (Collection[str]): Annotations that are no tag, see `Notation.open`.
    RETURNS (TaggedCorpus): What it says.
    RAISES (ValueError): If the pipeline has no tagger or changes tokens, or the corpus no sentence
        or tag, or most words a tag that the pipeline does not give.
    """
    missing_tags = find_missing_tags(nlp, path, tag=tag, pipeline=name, missing=missing)
    examples = read_examples(nlp, path, tag=tag, group_by=group_by)
    component = tagger_name(nlp)
    docs, probabilities = _tag(nlp, [eg.predicted for eg in examples], component)
    references = [eg.reference for eg in examples]
    for number, (doc, reference) in enumerate(zip(docs, references, strict=True), 1):
        check_tokens(doc, len(reference), place=f"{name}, doc {number} of {path}")
    found = Comparison(map(Example, docs, references), missing=missing)
    if not len(found.words):
        counts = {"docs": len(references), "words": sum(map(len, references))}
        raise ValueError(Errors.C024.format(name=path, **counts))
    confidence = None
    if probabilities is not None:
        starts = np.cumsum([0, *map(len, docs)])
        confidence = probabilities[starts[found.docs] + found.tokens]
    return TaggedCorpus(
        name=name,
        tagger=component,
        found=found,
        confidence=confidence,
        missing_tags=missing_tags,
        lexicon=find_lexicon(nlp),
        by_document=group_by == "document" and bool(found.docs[0] != found.docs[-1]),
        references=references,
    )


def _tag(
    nlp: Language, docs: Sequence[Doc], name: str
) -> tuple[list[Doc], NDArray[np.float32] | None]:
    """RETURNS (tuple): The docs with tags, and the probability of each token's; None if the tagger
    does not tell.
    """
    labels = tuple(getattr(nlp.get_pipe(name), "labels", ()))
    tagged: list[Doc] = []
    parts: list[NDArray[np.float32] | None] = []
    with keeping_probabilities(nlp, name):
        for batch in minibatch(docs, DOCS):
            done = list(nlp.pipe(batch))
            tagged += done
            parts.append(read_confidence(done, labels))
    told = [part for part in parts if part is not None]
    return tagged, np.concatenate(told) if len(told) == len(parts) else None
