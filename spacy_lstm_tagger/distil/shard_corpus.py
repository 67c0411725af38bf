"""Reads shards of silver data, for training."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ORTH, SENT_START, SPACY, TAG
from spacy.errors import Errors as SpacyErrors
from spacy.language import Language
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import ensure_path, registry
from spacy.vocab import Vocab

from ..checks import check, is_integer, is_range
from ..errors import Errors
from ..files.docs import read_docbin
from ..files.reading import files_in
from ..probabilities import TagProbabilities
from ..readers.docbin import read_docs
from .shards import LEARNED, MANIFEST, is_complete

NO_TAG = get_string_id("_")  # as `spacy convert` leaves it


@registry.readers("spacy-lstm-tagger.ShardCorpus.v1")
class ShardCorpus:
    """Reads docs with tags and their probabilities, as `lstm-tagger label` writes. In memory are
    the docs of one file.

    path (Optional[Union[str, Path]]): A folder of .spacy files, or one such file. They are read
        one at a time.
    group_by (Union[int, str, List[int]]): Cut each doc into docs of this many sentences, or of a
        number that is drawn from [low, high] for each of them in every pass. "document": docs stay
        whole.
    shuffle (bool): Whether each pass has its own order of files, and of the docs of a file.
    augmenter (Optional[Callable]): Makes examples out of each example, as in spacy.Corpus.v1.
    RAISES (ValueError): If a value is not allowed, or labelling was interrupted.
    RAISES (FileNotFoundError): If the path does not exist.
    """

    def __init__(
        self,
        path: str | Path | None,
        *,
        group_by: int | str | list[int] = "document",
        shuffle: bool = True,
        augmenter: Callable | None = None,
    ):
        if path in (None, ""):
            raise ValueError(SpacyErrors.E913)
        allowed = 'a number from 1 on, "document" or [low, high] with 1 <= low <= high'
        is_size = group_by == "document" or is_integer(group_by, 1)
        check(is_size or is_range(group_by), "group_by", group_by, allowed)
        self.path: Path = ensure_path(path)
        self.group_by = group_by
        self.shuffle = shuffle
        self.augmenter = augmenter
        if not self.path.exists():
            raise FileNotFoundError(Errors.D009.format(path=self.path))
        for each in files_in(self.path, MANIFEST):  # of several runs, in folders of a folder
            if each.name == MANIFEST and not is_complete(each.parent):
                raise ValueError(Errors.D026.format(path=each.parent))

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Yield examples from the data.

        nlp (Language): The current nlp object.
        YIELDS (Example): The examples. A predicted doc has words and spaces only; its reference
            has tags, `TagProbabilities`, `pos_`, `morph` and starts of sentences as well, if the
            file has them. The tag _ is none, unless it has probabilities.
        RAISES (ValueError): If there is no doc, or a file is damaged.
        """
        paths = files_in(self.path, ".spacy")
        if self.shuffle:
            random.shuffle(paths)
        found = False
        for path in paths:
            docs = read_docs(path, nlp.vocab, user_data=True)
            references = [part for doc in docs for part in self._cut(doc)]
            if self.shuffle:
                random.shuffle(references)
            for reference in references:
                found = True
                words, spaces = reference.to_array([ORTH, SPACY]).T.tolist()
                example = Example(_make_doc(nlp.vocab, words, spaces), reference)
                yield from self._augmented(nlp, example)
            references.clear()  # before those of the next file are there
        if not found:
            raise ValueError(Errors.D009.format(path=self.path))

    def count_words(self) -> int:
        """RETURNS (int): How many words there are."""
        shards = map(read_docbin, files_in(self.path, ".spacy"))
        return sum(len(tokens) for shard in shards for tokens in shard.tokens)

    def _augmented(self, nlp: Language, example: Example) -> Iterator[Example]:
        if self.augmenter is None:
            yield example
            return
        # The docs that augmenters of spaCy's make have no user data.
        kept = TagProbabilities.of_teacher(example.reference)
        n_words = len(example.reference)  # an augmenter may put another one in its place
        for augmented in self.augmenter(nlp, example):
            reference = augmented.reference
            has_own = TagProbabilities.of_teacher(reference) is not None
            if kept is not None and not has_own and len(reference) == n_words:
                kept.to_doc(reference)
            yield augmented

    def _cut(self, doc: Doc) -> Iterator[Doc]:
        """Cut a doc into docs of some sentences."""
        if not len(doc):
            return
        probabilities = TagProbabilities.of_teacher(doc)
        if probabilities is None:  # a teacher may have that tag
            for i in np.flatnonzero(doc.to_array(TAG) == NO_TAG).tolist():
                doc[i].tag = 0
        if self.group_by == "document":
            yield doc
            return
        columns = cast("NDArray[np.uint64]", doc.to_array([ORTH, SPACY, SENT_START, *LEARNED]))
        starts = sorted({0, *np.flatnonzero(columns[:, 2] == 1).tolist()})
        bounds = self.group_by if isinstance(self.group_by, (list, tuple)) else [self.group_by] * 2
        i = 0
        while i < len(starts):
            start = starts[i]
            i += random.randint(*bounds)
            end = starts[i] if i < len(starts) else len(doc)
            part = _make_doc(doc.vocab, *columns[start:end, :2].T.tolist())
            part.from_array([SENT_START, *LEARNED], cast(Any, columns[start:end, 2:]))
            if probabilities is not None:
                probabilities[start:end].to_doc(part)
            yield part


def _make_doc(vocab: Vocab, words: list[int], spaces: list[int]) -> Doc:
    return Doc(vocab, words=cast(list, words), spaces=cast(list, spaces))
