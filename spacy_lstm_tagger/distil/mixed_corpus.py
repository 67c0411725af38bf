"""Mixes corpora, for training on several at once."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Any

from spacy.language import Language
from spacy.training import Example
from spacy.util import registry

from ..augmenters import NoiseAugmenter
from ..checks import LARGEST, check, is_integer, is_number
from ..readers import Corpus
from ..readers.corpus import shuffle as in_random_order
from .shard_corpus import ShardCorpus

Reader = Callable[[Language], Iterable[Example]]


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
            words[name] += len(example.reference)  # as they are counted
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
    return sum(len(example.reference) for example in corpus(nlp))
