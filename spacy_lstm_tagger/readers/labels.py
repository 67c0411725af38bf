"""Readers of the labels of a whole corpus; a streamed one shows a component only its start."""

from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path

from spacy.errors import Errors as SpacyErrors
from spacy.util import registry

from .corpus import Corpus


@registry.readers("spacy-lstm-tagger.TagLabels.v1")
def read_tag_labels(*, path: Path | None, tag: str = "xpos") -> list[str]:
    """Read the tag set of a corpus, for the labels of a tagger in [initialize.components]. With
    a streamed corpus (max_epochs = -1) spaCy shows a component only its first examples, which
    may not have every tag.

    path (Optional[Path]): A CoNLL-U file, or a folder that is searched for .conllu files.
    tag (str): What becomes the tag, as in `create_corpus_reader`.
    RETURNS (List[str]): The tags, sorted.
    RAISES (ValueError): If a value or a file is not valid, or no word has a tag.
    """
    if path is None:
        raise ValueError(SpacyErrors.E913)
    sentences = chain.from_iterable(Corpus(path, tag=tag)._groups(1))
    return sorted({tag for sentence in sentences for tag in sentence.tags if tag})


@registry.readers("spacy-lstm-tagger.TagCounts.v1")
def read_tag_counts(*, path: Path | None, tag: str = "xpos") -> dict[str, int]:
    """Count the tags of a corpus, for `class_weights = "balanced"` where the corpus is streamed:
    spaCy then shows a component only its first examples before training.

    path (Optional[Path]): A CoNLL-U file, or a folder that is searched for .conllu files.
    tag (str): What becomes the tag, as in `Corpus.v1`.
    RETURNS (Dict[str, int]): How many words have each tag.
    RAISES (ValueError): If a value or a file is not valid.
    """
    total: Counter[str] = Counter()
    for tags in _count(path, tag).values():
        total.update(tags)
    return dict(sorted(total.items()))


def _count(path: Path | None, tag: str) -> dict[str, Counter[str]]:
    """RETURNS (dict[str, Counter[str]]): How often each word has each tag."""
    if path is None:
        raise ValueError(SpacyErrors.E913)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in chain.from_iterable(Corpus(path, tag=tag)._groups(1)):
        for word, each in zip(sentence.words, sentence.tags, strict=True):
            if each:
                counts[word][each] += 1
    return counts
