"""The text that is tagged: sentences of a treebank, or raw text, cut as a benchmark needs them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, islice
from pathlib import Path
from typing import NamedTuple

import srsly
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_lstm_tagger.readers.conllu import read_rows, read_word


class Sentence(NamedTuple):
    """A sentence of a treebank: its words, whether a space follows each, and their tags."""

    words: list[str]
    spaces: list[bool]
    tags: list[str]


@dataclass(frozen=True)
class Text:
    """A doc to come: it is made anew for every run, so that no run finds tags in it.

    words (list[str]): The words.
    spaces (list[bool]): Whether a space follows each word.
    """

    words: list[str]
    spaces: list[bool]

    def doc(self, vocab: Vocab) -> Doc:
        """RETURNS (Doc): A new doc without tags."""
        return Doc(vocab, words=self.words, spaces=self.spaces)

    def __len__(self) -> int:
        return len(self.words)

    def __str__(self) -> str:
        pairs = zip(self.words, self.spaces, strict=True)
        return "".join(word + " " * space for word, space in pairs).strip()


def read_sentences(path: Path, tag: str) -> Iterator[Sentence]:
    """Read a CoNLL-U file sentence by sentence.

    path (Path): The file.
    tag (str): What becomes the tag, as in the corpus reader.
    YIELDS (Sentence): Each sentence that has words.
    """
    for rows, spaces, _ in read_rows(path):
        words = [read_word(row, tag) for row in rows]
        yield Sentence([word.text for word in words], spaces, [word.tag for word in words])


def read_texts(paths: Iterable[Path]) -> list[Text]:
    """RETURNS (list[Text]): The sentences of CoNLL-U files, file after file."""
    sentences = chain.from_iterable(read_sentences(path, "upos") for path in paths)
    return [Text(sentence.words, sentence.spaces) for sentence in sentences]


def read_raw(path: Path, nlp: Language) -> list[Text]:
    """RETURNS (list[Text]): Raw texts, one `{"text": …}` a line, as a pipeline tokenizes them."""
    docs = (nlp.make_doc(row["text"]) for row in srsly.read_jsonl(path))
    return [Text([t.text for t in doc], [bool(t.whitespace_) for t in doc]) for doc in docs]


def stream(texts: Sequence[Text], n_tokens: int) -> Iterator[Text]:
    """Yield sentences, over and over again if need be, until there are enough tokens."""
    for text in cycle(texts):
        if n_tokens <= 0:
            return
        yield text
        n_tokens -= len(text)


def of_length(texts: Sequence[Text], length: int, *, n_tokens: int) -> list[Text]:
    """Join the sentences and cut them anew.

    texts (Sequence[Text]): The sentences.
    length (int): The number of tokens of a text.
    n_tokens (int): The number of tokens of all, at least one text.
    RETURNS (list[Text]): The same tokens in the same order, whatever the length.
    """
    tokens = chain.from_iterable(zip(t.words, t.spaces, strict=True) for t in cycle(texts))
    cuts = (zip(*islice(tokens, length), strict=True) for _ in range(max(1, n_tokens // length)))
    return [Text(list(words), list(spaces)) for words, spaces in cuts]


def examples(sentences: Iterable[Sentence], vocab: Vocab) -> list[Example]:
    """RETURNS (list[Example]): Examples on gold tokens."""
    return [
        Example(
            Doc(vocab, words=s.words, spaces=s.spaces),
            Doc(vocab, words=s.words, spaces=s.spaces, tags=s.tags),
        )
        for s in sentences
    ]
