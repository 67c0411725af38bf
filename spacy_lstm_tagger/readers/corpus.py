"""The reader of corpora: files into training examples, without a conversion step."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import KW_ONLY, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

from spacy.errors import Errors as SpacyErrors
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.augment import dont_augment
from spacy.training.corpus import walk_corpus
from spacy.util import ensure_path, registry

from ..errors import Errors
from .conllu import Sentence, read_sentences

# Where tags can come from, and what to try if that column is empty.
TAG_REMEDIES = {"xpos": "upos", "upos": "xpos", "upos+feats": "xpos"}

Item = TypeVar("Item")


@registry.readers("spacy-lstm-tagger.Corpus.v1")
def create_corpus_reader(
    *,
    path: Path | None,
    tag: str = "xpos",
    group_by: int | str | list[int] = 1,
    also_group_by: int | str | None = None,
    shuffle_buffer: int = 0,
    gold_tokens: bool = True,
    limit: int = 0,
    max_length: int = 0,
    augmenter: Callable | None = None,
) -> Callable[[Language], Iterable[Example]]:
    """Create a reader of CoNLL-U files, for the corpora of a training config.

    path (Optional[Path]): A CoNLL-U file, or a folder that is searched, at any depth, for
        .conllu files. They are read in sorted order.
    tag (str): What becomes token.tag_: "xpos", "upos", or "upos+feats" for tags like
        NOUN|Case=Acc|Number=Sing. A word with _ in the column has no tag.
    group_by (Union[int, str, List[int]]): How many sentences make up a doc: a number, "document"
        for docs that start at the "# newdoc" comments, or [low, high] to draw the number anew
        for each doc in every pass. A doc ends with its file at the latest.
    also_group_by (Optional[Union[int, str]]): Then yield the whole corpus once more, in docs of
        this many sentences or by "document": to score lone sentences and longer docs at once.
    shuffle_buffer (int): Draw the next doc at random from a buffer of this many docs. 0 keeps
        the order of the files.
    gold_tokens (bool): Let the predicted docs have the words of the treebank. If False, the
        tokenizer of the pipeline splits the text, and the tags are aligned to its tokens.
    limit (int): Read only this many sentences. 0 reads all.
    max_length (int): End a doc before it grows beyond this many words. A sentence that is longer
        by itself is kept whole. 0 sets no bound.
    augmenter (Optional[Callable]): Makes examples out of each example, as in spacy.Corpus.v1.
    RETURNS (Callable[[Language], Iterable[Example]]): The reader.
    RAISES (ValueError): If a value is not allowed.
    RAISES (FileNotFoundError): If the path does not exist.
    """
    if path is None:
        raise ValueError(SpacyErrors.E913)
    return Corpus(
        path,
        tag=tag,
        group_by=group_by,
        also_group_by=also_group_by,
        shuffle_buffer=shuffle_buffer,
        gold_tokens=gold_tokens,
        limit=limit,
        max_length=max_length,
        augmenter=augmenter,
    )


@dataclass
class Corpus:
    """Iterate Example objects from a CoNLL-U file or a folder of them.

    Files are streamed: in memory are only the sentences of the current doc and of the shuffle
    buffer. The arguments are those of `create_corpus_reader`.
    """

    path: Path
    _: KW_ONLY
    tag: str = "xpos"
    group_by: int | str | list[int] = 1
    also_group_by: int | str | None = None
    shuffle_buffer: int = 0
    gold_tokens: bool = True
    limit: int = 0
    max_length: int = 0
    augmenter: Callable | None = None

    def __post_init__(self) -> None:
        def check(name: str, valid: bool, allowed: str) -> None:
            if not valid:
                value = getattr(self, name)
                raise ValueError(Errors.R001.format(name=name, value=value, allowed=allowed))

        sizes, bounds = 'a number from 1 on, "document"', self.group_by
        is_range = (
            isinstance(bounds, (list, tuple))
            and len(bounds) == 2
            and all(is_int(bound, low=1) for bound in bounds)
            and bounds[0] <= bounds[1]
        )
        check("tag", self.tag in TAG_REMEDIES, f"one of {', '.join(map(repr, TAG_REMEDIES))}")
        is_size = bounds == "document" or is_int(bounds, low=1)
        check("group_by", is_size or is_range, f"{sizes} or [low, high] with 1 <= low <= high")
        again = self.also_group_by
        is_size = again in (None, "document") or is_int(again, low=1)
        check("also_group_by", is_size, f"{sizes} or null")
        for name in ("shuffle_buffer", "limit", "max_length"):
            check(name, is_int(getattr(self, name), low=0), "a whole number; 0 turns it off")
        self.path = ensure_path(self.path)
        if not self.path.exists():
            raise FileNotFoundError(Errors.R002.format(path=self.path))

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Yield examples from the data.

        nlp (Language): The current nlp object.
        YIELDS (Example): The examples. A predicted doc has words and spaces only; its reference
            has tags, coarse tags, morphology, lemmas and starts of sentences as well.
        RAISES (ValueError): If a file is not valid CoNLL-U or lacks what the settings ask for.
        """
        augmenter = self.augmenter or dont_augment
        for group_by in (self.group_by, self.also_group_by):
            if group_by is not None:
                for group in shuffle(self._groups(group_by), self.shuffle_buffer):
                    yield from augmenter(nlp, self._make_example(nlp, group))

    def count_words(self) -> int:
        """RETURNS (int): How many words there are.
        RAISES (ValueError): If a file is not valid CoNLL-U.
        """
        return sum(len(sentence.words) for group in self._groups(1) for sentence in group)

    def _make_example(self, nlp: Language, group: list[Sentence]) -> Example:
        columns: dict[str, Any] = {
            name: list(chain.from_iterable(getattr(sentence, name) for sentence in group))
            for name in ("words", "spaces", "tags", "pos", "morphs", "lemmas")
        }
        starts: Any = [i == 0 for sentence in group for i in range(len(sentence.words))]
        reference = Doc(nlp.vocab, **columns, sent_starts=starts)
        if self.gold_tokens:
            predicted = Doc(nlp.vocab, words=columns["words"], spaces=columns["spaces"])
        else:
            predicted = nlp.make_doc(reference.text)
        return Example(predicted, reference)

    def _groups(self, group_by: int | str | list[int]) -> Iterator[list[Sentence]]:
        """Read the corpus once and yield the sentences of each doc."""
        paths = walk_corpus(self.path, ".conllu") if self.path.is_dir() else [self.path]
        if not paths:
            raise ValueError(Errors.R003.format(path=self.path))
        total, has_tags = 0, False
        for path in paths:
            group: list[Sentence] = []
            count, length, size, has_newdoc = 0, 0, 0, False
            left = self.limit - total if self.limit else None
            for sentence in islice(read_sentences(path, self.tag), left):
                length += len(sentence.words)
                full = sentence.newdoc if group_by == "document" else len(group) == size
                if group and (full or length > self.max_length > 0):
                    yield group
                    group, length = [], len(sentence.words)
                if not group and not isinstance(group_by, str):
                    size = group_by if isinstance(group_by, int) else random.randint(*group_by)
                group.append(sentence)
                count += 1
                has_newdoc = has_newdoc or sentence.newdoc
                has_tags = has_tags or any(sentence.tags)
            if group_by == "document" and group and not has_newdoc:
                raise ValueError(Errors.R006.format(path=path, count=count))
            if group:
                yield group
            total += count
            if self.limit and total == self.limit:
                break
        if not total:
            raise ValueError(Errors.R004.format(path=self.path))
        if not has_tags:
            found = {"path": self.path, "tag": self.tag, "column": self.tag[:4].upper()}
            raise ValueError(Errors.R005.format(**found, remedy=TAG_REMEDIES[self.tag]))


def is_int(value: object, *, low: int) -> bool:
    """Tell whether a setting is a whole number that is large enough; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def shuffle(items: Iterator[Item], size: int) -> Iterator[Item]:
    """Yield docs in an order drawn from a buffer of a given size, so as not to hold them all."""
    buffer = list(islice(items, size))
    for item in items:
        if buffer:
            i = random.randrange(size)
            buffer[i], item = item, buffer[i]
        yield item
    random.shuffle(buffer)
    yield from buffer
