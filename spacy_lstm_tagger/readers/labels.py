"""Readers of the labels of a whole corpus; a streamed one shows a component only its start."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from spacy.attrs import LEMMA, MORPH, ORTH, POS, TAG
from spacy.morphology import Morphology
from spacy.parts_of_speech import IDS as POS_IDS
from spacy.util import registry
from spacy.vocab import Vocab

from ..errors import Errors
from .corpus import Corpus
from .encoded import COLUMNS
from .missing_labels import morph_label


class Counted(Sequence[Any]):
    """Words that were counted. Where a setting of a component is wrong, spaCy prints all that it
    has: a list would be half a megabyte there.

    entries (Iterable[Any]): The words, and what was counted of each.
    """

    def __init__(self, entries: Iterable[Any]):
        self._entries = list(entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, place: Any) -> Any:
        return self._entries[place]

    def __repr__(self) -> str:
        return f"<{len(self)} entries>"


@registry.readers("spacy-lstm-tagger.TagLabels.v1")
def read_tag_labels(*, path: str | Path | None, tag: str = "xpos") -> list[str]:
    """Read the tag set of a corpus, for the labels of a tagger in [initialize.components]. With
    a streamed corpus (max_epochs = -1) spaCy shows a component only its first examples, which
    may not have every tag.

    path (Optional[Union[str, Path]]): Files, as in `Corpus`.
    tag (str): What becomes the tag, as in `Corpus`.
    RETURNS (List[str]): The tags, sorted.
    RAISES (ValueError): If a value or a file is not valid, or no word has a tag.
    RAISES (FileNotFoundError): If the path does not exist.
    """
    return list(read_tag_counts(path=path, tag=tag))


def read_tag_counts(*, path: str | Path | None, tag: str = "xpos") -> dict[str, int]:
    """Count the tags of a corpus.

    path (Optional[Union[str, Path]]): Files, as in `Corpus`.
    tag (str): What becomes the tag, as in `Corpus`.
    RETURNS (Dict[str, int]): How many words have each tag, sorted by tag.
    RAISES (ValueError): If a value or a file is not valid, or no word has a tag.
    RAISES (FileNotFoundError): If the path does not exist.
    """
    counts: Counter[str] = Counter()
    for _, name, count in read_word_tags(path=path, tag=tag):
        counts[name] += count
    return dict(sorted(counts.items()))


@registry.readers("spacy-lstm-tagger.WordTags.v1")
def read_word_tags(*, path: str | Path | None, tag: str = "xpos") -> Sequence[tuple[str, str, int]]:
    """Count how often a corpus has each word with each tag, for scores of words that training had,
    had not, or had with several tags, and for `class_weights = "balanced"`.

    path (Optional[Union[str, Path]]): Files, as in `Corpus`.
    tag (str): What becomes the tag, as in `Corpus`.
    RETURNS (Sequence[Tuple[str, str, int]]): Each word with each of its tags, and how often: the
        most frequent pairs first. No table of words, since those of a config cannot have "*" in
        them.
    RAISES (ValueError): If a value or a file is not valid, or there is no sentence, or no word has
        a tag.
    RAISES (FileNotFoundError): If the path does not exist.
    """
    corpus = Corpus(path, tag=tag)
    found = Counted((word, name, n) for (word, name), n in _count(corpus, [ORTH, TAG]) if name)
    if not found:
        raise ValueError(corpus.explain_no_tags())
    return found


@registry.readers("spacy-lstm-tagger.WordLemmas.v1")
def read_word_lemmas(
    *, path: str | Path | None, tag: str = "xpos"
) -> Sequence[tuple[str, str, str, int]]:
    """Count how often a corpus has each word with each tag and lemma, for a `tag_lemmatizer`.

    path (Optional[Union[str, Path]]): Files, as in `Corpus`.
    tag (str): What becomes the tag, as in `Corpus`.
    RETURNS (Sequence[Tuple[str, str, str, int]]): Each word, a tag and a lemma of it, and how
        often: the most frequent first.
    RAISES (ValueError): If a value or a file is not valid, or there is no sentence, or no word has
        a tag and a lemma.
    RAISES (FileNotFoundError): If the path does not exist.
    """
    corpus = Corpus(path, tag=tag)
    counts = _count(corpus, [ORTH, TAG, LEMMA])
    tagged = [(word, name, lemma, n) for (word, name, lemma), n in counts if name]
    if not tagged:
        raise ValueError(corpus.explain_no_tags())
    found = Counted(each for each in tagged if each[2])
    if not found:
        raise ValueError(Errors.R018.format(path=corpus.path))
    return found


@registry.readers("spacy-lstm-tagger.MorphLabels.v1")
def read_morph_labels(*, path: str | Path | None, tag: str = "xpos") -> dict[str, dict[str, Any]]:
    """Read the labels of a `tag_morphologizer` or of spaCy's `morphologizer` from a corpus, for
    [initialize.components], as `init labels` writes them.

    path (Optional[Union[str, Path]]): Files, as in `Corpus`.
    tag (str): What becomes the tag, as in `Corpus`.
    RETURNS (Dict[str, Dict[str, Any]]): For each label its features, in "morph", and spaCy's number
        of its coarse tag, in "pos"; and in "tags", for each tag the coarse tags that words with it
        have.
    RAISES (ValueError): If a value or a file is not valid, or there is no sentence, or no word has
        a coarse tag or features.
    RAISES (FileNotFoundError): If the path does not exist.
    """
    corpus, morphology = Corpus(path, tag=tag), Vocab().morphology
    labels = {}
    tags: defaultdict[str, set[str]] = defaultdict(set)
    for (pos, feats, name), _ in _count(corpus, [POS, MORPH, TAG]):
        if pos and name:
            tags[name].add(pos)
        label = morph_label(morphology, pos, feats)
        if label:
            labels[label] = ("" if feats == Morphology.EMPTY_MORPH else feats, POS_IDS[pos])
    if not labels:
        raise ValueError(Errors.R017.format(path=corpus.path))
    ordered = sorted(labels.items())
    return {
        "morph": {label: feats for label, (feats, _) in ordered},
        "pos": {label: pos for label, (_, pos) in ordered},
        "tags": {name: sorted(tags[name]) for name in sorted(tags)},
    }


def _count(corpus: Corpus, attributes: list[int]) -> list[tuple[tuple[str, ...], int]]:
    """RETURNS (list): The distinct values that words of a corpus have for some attributes, and how
    often it has them: the most frequent first.
    """
    vocab, columns = Vocab(), [COLUMNS[each] for each in attributes]
    counts: Counter[tuple[int, ...]] = Counter()
    for _, sentences in corpus.read(vocab):
        for tokens, _ in sentences:
            counts.update(map(tuple, tokens[:, columns].tolist()))
    if not counts:
        raise ValueError(Errors.R003.format(path=corpus.path))
    strings = vocab.strings
    return [(tuple(strings[key] for key in keys), n) for keys, n in counts.most_common()]
