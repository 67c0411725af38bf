"""The reader of corpora: files into training examples, without a conversion step."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import DEP, HEAD, ORTH, SPACY, TAG
from spacy.errors import Errors as SpacyErrors
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import ensure_path, registry
from spacy.vocab import Vocab
from thinc.types import Ints2d

from ..augmenters import NoiseAugmenter
from ..checks import check, check_choice, check_flag, is_integer, is_range
from ..errors import Errors
from ..files.reading import files_in
from . import conllu, docbin
from .encoded import (
    ATTRIBUTES,
    COLUMNS,
    Annotation,
    EncodedSentence,
    Keeper,
    KeptCorpus,
    Strings,
)
from .missing_labels import warn_of_missing_labels

# Where tags can come from, what a .spacy file calls it, and what to try if there is none.
TAGS = {
    "xpos": ("token.tag_", "upos"),
    "upos": ("token.pos_", "xpos"),
    "upos+feats": ("token.pos_", "xpos"),
}
Item = TypeVar("Item")
Tokens = NDArray[np.uint64]
# The sentences of each file.
Files = Iterator[tuple[Path, Iterator[EncodedSentence]]]
Encoder = Callable[[Path, str, Strings], Iterator[EncodedSentence]]
ENCODERS: dict[str, Encoder] = {
    ".conllu": conllu.encode_sentences,
    ".spacy": docbin.encode_sentences,
}


@registry.readers("spacy-lstm-tagger.Corpus.v1")
class Corpus:
    """Reads CoNLL-U or .spacy files as examples, for the corpora of a training config.

    Words have tags, coarse tags, morphology, lemmas and starts of sentences; of .spacy files also
    dependencies and entities.

    What is read once is kept, if it is not too much (see `KeptCorpus`), until a file changes.
    Larger files are streamed: in memory are only the sentences of the current doc and of the
    shuffle buffer, and of .spacy files one.

    path (Optional[Union[str, Path]]): A .spacy file, a CoNLL-U file of any other suffix, or a
        folder that is searched, at any depth, for .conllu or .spacy files. They are read in sorted
        order.
    tag (str): What becomes token.tag_: "xpos", "upos", or "upos+feats" for tags like
        NOUN|Case=Acc|Number=Sing. A word with _ in the column has no tag. In .spacy files they
        are token.tag_, token.pos_, and token.pos_ with token.morph.
    group_by (Union[int, str, List[int]]): How many sentences make up a doc: a number, "document"
        for docs that start at the "# newdoc" comments or are docs of a .spacy file, or
        [low, high] to draw the number anew for each doc in every pass. A doc ends with its file
        at the latest.
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
    RAISES (ValueError): If a value is not allowed.
    RAISES (FileNotFoundError): If the path does not exist.
    """

    def __init__(
        self,
        path: str | Path | None,
        *,
        tag: str = "xpos",
        group_by: int | str | list[int] = 1,
        also_group_by: int | str | None = None,
        shuffle_buffer: int = 0,
        gold_tokens: bool = True,
        limit: int = 0,
        max_length: int = 0,
        augmenter: Callable | None = None,
    ):
        if path in (None, ""):
            raise ValueError(SpacyErrors.E913)
        check_choice("tag", tag, TAGS)
        check_flag(gold_tokens=gold_tokens)
        sizes = 'a number from 1 on, "document"'
        is_size = group_by == "document" or is_integer(group_by, 1)
        allowed = f"{sizes} or [low, high] with 1 <= low <= high"
        check(is_size or is_range(group_by), "group_by", group_by, allowed)
        is_size = also_group_by in (None, "document") or is_integer(also_group_by, 1)
        check(is_size, "also_group_by", also_group_by, f"{sizes} or null")
        bounds = {"shuffle_buffer": shuffle_buffer, "limit": limit, "max_length": max_length}
        for name, value in bounds.items():
            check(is_integer(value, 0), name, value, "a whole number from 0 on; 0 turns it off")
        self.path: Path = ensure_path(path)
        self.tag = tag
        self.group_by, self.also_group_by = group_by, also_group_by
        self.shuffle_buffer = shuffle_buffer
        self.gold_tokens = gold_tokens
        self.limit, self.max_length = limit, max_length
        self.augmenter = augmenter
        if not self.path.exists():
            raise FileNotFoundError(Errors.R001.format(path=self.path))
        # What was read, with the state of the files then, and what labels are compared with.
        self._kept: tuple[object, KeptCorpus] | None = None
        self._annotations: set[Annotation] | None = None

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Yield examples from the data.

        nlp (Language): The current nlp object.
        YIELDS (Example): The examples. A predicted doc has words and spaces only; its reference
            has all annotation.
        RAISES (ValueError): If a file is not valid or lacks what the settings ask for.
        """
        for group_by in (self.group_by, self.also_group_by):
            if group_by is not None:
                groups = self._groups(self.read(nlp.vocab), group_by)
                for group in shuffle(groups, self.shuffle_buffer):
                    yield from self._make_examples(nlp, group)
        annotations = self._annotations
        if annotations and warn_of_missing_labels(nlp, self.path, annotations):
            self._annotations = None  # once is enough

    def count_words(self) -> int:
        """RETURNS (int): How many words there are.
        RAISES (ValueError): If a file is not valid.
        """
        files = self.read(Vocab())
        return sum(len(sentence.tokens) for _, sentences in files for sentence in sentences)

    def read(self, vocab: Vocab) -> Files:
        """Read the files as arrays.

        vocab (Vocab): A vocabulary that is to have the strings.
        YIELDS (tuple): Each file and its sentences, up to the limit. They have to be read before
            the next file is.
        RAISES (ValueError): If a file is not valid, or there is none.
        """
        encode_sentences, paths = find_files(self.path)
        stamp = [(path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths]
        if self._kept is not None and self._kept[0] == stamp:
            yield from self._kept[1].read(vocab)
            return
        strings = Strings(vocab)
        keeper = Keeper(strings)
        for path in paths:
            left = self.limit - keeper.sentences if self.limit else None
            sentences = islice(encode_sentences(path, self.tag, strings), left)
            yield path, keeper.collect(path, sentences)
        kept = keeper.corpus()
        self._kept = None if kept is None else (stamp, kept)
        self._annotations = keeper.annotations

    def explain_no_tags(self) -> str:
        """RETURNS (str): That no word has a tag, and what to do."""
        column, remedy = TAGS[self.tag]
        if find_files(self.path)[0] is conllu.encode_sentences:
            column = self.tag[:4].upper()
        return Errors.R004.format(path=self.path, tag=self.tag, column=column, remedy=remedy)

    def _groups(self, files: Files, group_by: int | str | list[int]) -> Iterator[list[Tokens]]:
        """YIELDS (list): The sentences of each doc."""
        total, has_tags = 0, False
        for path, sentences in files:
            group: list[Tokens] = []
            count, length, has_newdoc = 0, 0, False
            size: Any = group_by
            for tokens, newdoc in sentences:
                length += len(tokens)
                full = newdoc if group_by == "document" else len(group) == size
                if group and (full or length > self.max_length > 0):
                    yield group
                    group, length = [], len(tokens)
                if newdoc and group:  # documents are apart, whatever followed the last word
                    group[-1][-1, COLUMNS[SPACY]] = 1
                if not group and isinstance(group_by, (list, tuple)):
                    size = random.randint(*group_by)
                group.append(tokens)
                count += 1
                has_newdoc = has_newdoc or newdoc
                has_tags = has_tags or bool(tokens[:, COLUMNS[TAG]].any())
            if group_by == "document" and group and not has_newdoc:
                raise ValueError(Errors.R005.format(path=path, count=count))
            if group:
                yield group
            total += count
        if not total:
            raise ValueError(Errors.R003.format(path=self.path))
        if not has_tags:
            raise ValueError(self.explain_no_tags())

    def _make_examples(self, nlp: Language, group: list[Tokens]) -> Iterator[Example]:
        """YIELDS (Example): What the augmenter makes of the sentences of a doc."""
        tokens = group[0] if len(group) == 1 else np.concatenate(group)
        words: list | None = None
        if isinstance(self.augmenter, NoiseAugmenter):  # sooner before there are docs than after
            heads = partial(get_heads, tokens)
            words = self.augmenter.change(tokens[:, COLUMNS[ORTH]], nlp.vocab.strings, heads=heads)
        if words is None:
            words = tokens[:, COLUMNS[ORTH]].tolist()
        tokens = tokens[: len(words)]
        spaces = tokens[:, COLUMNS[SPACY]].tolist()
        reference = Doc(nlp.vocab, words=words, spaces=spaces)
        width = tokens.shape[1] if are_alike(group) else COLUMNS[HEAD]
        attributes = ATTRIBUTES[2:width]  # ORTH and SPACY are there
        reference.from_array(list(attributes), cast(Ints2d, tokens[:, 2:width]))
        if self.gold_tokens:
            predicted = Doc(nlp.vocab, words=words, spaces=spaces)
        else:
            predicted = nlp.make_doc(reference.text)
        example = Example(predicted, reference)
        if self.augmenter is None or isinstance(self.augmenter, NoiseAugmenter):
            yield example
        else:
            yield from self.augmenter(nlp, example)


def are_alike(group: list[Tokens]) -> bool:
    """RETURNS (bool): Whether all sentences of a doc have a parse, or none has: beside that of one,
    spaCy takes the others for parsed too.
    """
    if len(group) == 1 or group[0].shape[1] <= COLUMNS[DEP]:
        return True
    return len({bool(tokens[:, COLUMNS[DEP]].any()) for tokens in group}) == 1


def get_heads(tokens: Tokens) -> Tokens:
    """RETURNS (Tokens): Where the head of each word is, relative to it. *Shape:* ``(words,)``."""
    has_heads = tokens.shape[1] > COLUMNS[HEAD] and tokens[:, COLUMNS[DEP]].any()
    return tokens[:, COLUMNS[HEAD]] if has_heads else np.zeros(len(tokens), np.uint64)


def find_files(path: Path) -> tuple[Encoder, list[Path]]:
    """Find the files of a corpus, and how to read them.

    path (Path): A file or a folder, as in `Corpus`.
    RETURNS (tuple): What encodes the sentences of a file, and the files.
    RAISES (ValueError): If it is a folder that has no such files, or some of either kind.
    """
    if not path.is_dir():
        return (ENCODERS.get(path.suffix, conllu.encode_sentences), [path])
    found = {suffix: files_in(path, suffix) for suffix in ENCODERS}
    kinds = [suffix for suffix, paths in found.items() if paths]
    if len(kinds) != 1:
        message = Errors.R016 if kinds else Errors.R002
        raise ValueError(message.format(path=path))
    return ENCODERS[kinds[0]], found[kinds[0]]


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
