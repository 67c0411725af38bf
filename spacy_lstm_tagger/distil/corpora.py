"""Readers for distillation: shards of silver data, and a mixture of corpora."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ORTH, SENT_START, SPACY
from spacy.errors import Errors as SpacyErrors
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import ensure_path, registry
from spacy.vocab import Vocab

from ..augmenters import NoiseAugmenter
from ..checks import LARGEST, check, is_integer, is_number, is_range
from ..errors import Errors
from ..files.docs import read_docbin
from ..files.reading import files_in
from ..probabilities import TagProbabilities
from ..readers import Corpus
from ..readers.corpus import shuffle as in_random_order
from ..readers.docbin import read_docs
from .shards import LEARNED, MANIFEST, is_complete

Reader = Callable[[Language], Iterable[Example]]


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
            file has them.
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
        for augmented in self.augmenter(nlp, example):
            reference = augmented.reference
            has_own = TagProbabilities.of_teacher(reference) is not None
            if kept is not None and not has_own and len(reference) == len(example.reference):
                kept.to_doc(reference)
            yield augmented

    def _cut(self, doc: Doc) -> Iterator[Doc]:
        """Cut a doc into docs of some sentences."""
        if not len(doc):
            return
        if self.group_by == "document":
            yield doc
            return
        columns = cast("NDArray[np.uint64]", doc.to_array([ORTH, SPACY, SENT_START, *LEARNED]))
        starts = sorted({0, *np.flatnonzero(columns[:, 2] == 1).tolist()})
        probabilities = TagProbabilities.of_teacher(doc)
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


@registry.readers("spacy-lstm-tagger.MixedCorpus.v1")
@dataclass
class MixedCorpus:
    """A reader that mixes corpora, for training on gold and silver data at once.

    Each corpus is read as a stream, and read anew when it is needed again. In memory are only the
    examples of the shuffle buffer and what the corpora hold themselves.

    corpora (Dict[str, Callable[[Language], Iterable[Example]]]): The corpora, by name.
    repeat (Optional[Dict[str, int]]): How often each corpus is read in a pass. Once, if it is not
        named. The corpora are spread evenly over a pass.
    weights (Optional[Dict[str, float]]): Instead of `repeat`: draw each example from a corpus with
        a chance in proportion to its weight. A pass is over when each has been read to its end.
    shuffle_buffer (int): Draw the next example at random from a buffer of this many. 0 keeps the
        order of each corpus.
    RAISES (ValueError): If a value is not allowed.
    """

    corpora: dict[str, Any]
    _: KW_ONLY
    repeat: dict[str, int] | None = None
    weights: dict[str, float] | None = None
    shuffle_buffer: int = 1000

    def __post_init__(self) -> None:
        names = ", ".join(map(repr, self.corpora))
        for name, corpus in self.corpora.items():
            path = getattr(corpus, "path", "")
            check(
                path is not None, f"{name}.path", path, f"a file or folder. Give it: --paths.{name}"
            )
        check(bool(self.corpora), "corpora", dict(self.corpora), "one or more")
        holds = self.weights is None or self.repeat is None
        check(holds, "weights", self.weights, "null, as repeat is set")
        repeat, weights = self.repeat or {}, self.weights
        holds = set(repeat) <= set(self.corpora) and all(is_integer(n, 1) for n in repeat.values())
        check(holds, "repeat", repeat, f"a whole number from 1 on for some of {names}")
        holds = weights is None or (
            set(weights) == set(self.corpora)
            and all(is_number(weight, 0.0, LARGEST) and weight > 0 for weight in weights.values())
        )
        check(holds, "weights", weights, f"a number above 0 for each of {names}")
        holds = is_integer(self.shuffle_buffer, 0)
        check(
            holds, "shuffle_buffer", self.shuffle_buffer, "a whole number from 0 on; 0 turns it off"
        )
        self._words: dict[str, int] = {}  # of each corpus, once they are counted

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Yield examples from the data.

        nlp (Language): The current nlp object.
        YIELDS (Example): The examples.
        """
        mixed = self._by_repeat(nlp) if self.weights is None else self._by_weight(nlp)
        return in_random_order(mixed, self.shuffle_buffer)

    def _by_repeat(self, nlp: Language) -> Iterator[Example]:
        if not self._words:
            self._words = {name: count_words(c, nlp) for name, c in self.corpora.items()}
        times = {name: (self.repeat or {}).get(name, 1) for name in self.corpora}
        streams = {name: self._again(name, nlp, n) for name, n in times.items()}
        examples, words = dict.fromkeys(streams, 1), dict.fromkeys(streams, 1)
        while streams:
            # In proportion to how many examples are left of each, so that all end at about the
            # same time.
            left = [
                max(1.0, (self._words[name] * times[name] - words[name]) * examples[name])
                / words[name]
                for name in streams
            ]
            (name,) = random.choices(list(streams), left)
            example = next(streams[name], None)
            if example is None:
                del streams[name]
                continue
            examples[name] += 1
            words[name] += len(example.predicted)
            yield example

    def _again(self, name: str, nlp: Language, times: int) -> Iterator[Example]:
        for _ in range(times):
            yield from self.corpora[name](nlp)

    def _by_weight(self, nlp: Language) -> Iterator[Example]:
        weights = dict(self.weights or {})
        streams = {name: iter(self.corpora[name](nlp)) for name in weights}
        unread = set(streams)
        while unread:
            (name,) = random.choices(list(weights), list(weights.values()))
            example = next(streams[name], None)
            if example is None:
                unread.discard(name)
                streams[name] = iter(self.corpora[name](nlp))
                example = next(streams[name], None) if unread else None
            if example is not None:
                yield example


def count_words(corpus: Reader, nlp: Language) -> int:
    """RETURNS (int): How many words a corpus has: counted in the files of our readers, for others
    in their examples.
    """
    if isinstance(corpus, (Corpus, ShardCorpus)):
        # Its files do not tell if several examples are made of one, or it is read twice.
        makes_one = corpus.augmenter is None or isinstance(corpus.augmenter, NoiseAugmenter)
        if makes_one and getattr(corpus, "also_group_by", None) is None:
            return corpus.count_words()
    return sum(len(example.predicted) for example in corpus(nlp))


def _make_doc(vocab: Vocab, words: list[int], spaces: list[int]) -> Doc:
    return Doc(vocab, words=cast(list, words), spaces=cast(list, spaces))
