"""Read what training data or a file says of words and tags: dictionaries and counts."""

from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path

import srsly
from spacy.errors import Errors as SpacyErrors
from spacy.util import ensure_path, registry

from .errors import Errors
from .readers import ConlluCorpus, is_int


@registry.readers("spacy-lstm-tagger.TagDictionary.v1")
def read_tag_dictionary(*, path: Path | None) -> dict[str, list[str]]:
    """Read a tag dictionary from a JSON file: {"the": ["DT"], "that": ["DT", "IN", "WDT"]}.

    path (Optional[Path]): The file.
    RETURNS (Dict[str, List[str]]): The tags that each word may have.
    RAISES (ValueError): If the file is not such a dictionary.
    RAISES (FileNotFoundError): If there is no such file.
    """
    if path is None:
        raise ValueError(SpacyErrors.E913)
    path = ensure_path(path)
    if not path.is_file():
        raise FileNotFoundError(Errors.R015.format(path=path))
    try:
        entries = srsly.read_json(path)
    except ValueError as e:
        raise ValueError(Errors.R016.format(path=path, found=f"no JSON ({e})")) from e
    if not isinstance(entries, dict):
        raise ValueError(Errors.R016.format(path=path, found=f"a {type(entries).__name__}"))
    for word, tags in entries.items():
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise ValueError(Errors.R016.format(path=path, found=f"{tags!r} for {word!r}"))
    return entries


@registry.readers("spacy-lstm-tagger.ConlluTagDictionary.v1")
def read_conllu_tag_dictionary(
    *,
    path: Path | None,
    tag: str = "xpos",
    min_count: int = 10,
    max_productivity: float | None = 0.01,
) -> dict[str, list[str]]:
    """Collect a tag dictionary from training data: words and the tags that they were seen with.

    By default only words of closed classes, to which new words are hardly ever added: those of
    which all tags have a low productivity, the share of the tag's tokens that are the only ones of
    their word (Baayen, 1992, https://doi.org/10.1007/978-94-011-2516-1_8).

    path (Optional[Path]): A CoNLL-U file, or a folder that is searched for .conllu files.
    tag (str): What becomes the tag, as in `Corpus.v1`.
    min_count (int): How often a word must be seen.
    max_productivity (Optional[float]): Up to which productivity a class is closed. None: all words
        that are seen often enough are taken.
    RETURNS (Dict[str, List[str]]): The tags of each word, sorted.
    RAISES (ValueError): If a value or a file is not valid.
    """
    counts = _count(path, tag)
    for name, value, holds, allowed in (
        ("min_count", min_count, is_int(min_count, low=1), "it must be 1 or more"),
        (
            "max_productivity",
            max_productivity,
            max_productivity is None or 0.0 <= max_productivity <= 1.0,
            "it must be null or from 0 to 1",
        ),
    ):
        if not holds:
            raise ValueError(Errors.M001.format(name=name, value=value, allowed=allowed))
    of_tags: Counter[str] = Counter()
    once: Counter[str] = Counter()
    for tags in counts.values():
        of_tags.update(tags)
        once.update(each for each, n in tags.items() if n == 1)
    closed = {
        each
        for each, n in of_tags.items()
        if max_productivity is None or once[each] <= max_productivity * n
    }
    return {
        word: sorted(tags)
        for word, tags in sorted(counts.items())
        if sum(tags.values()) >= min_count and set(tags) <= closed
    }


@registry.readers("spacy-lstm-tagger.TagCounts.v1")
def read_conllu_tag_counts(*, path: Path | None, tag: str = "xpos") -> dict[str, int]:
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
    for sentence in chain.from_iterable(ConlluCorpus(path, tag=tag)._groups(1)):
        for word, each in zip(sentence.words, sentence.tags, strict=True):
            if each:
                counts[word][each] += 1
    return counts
