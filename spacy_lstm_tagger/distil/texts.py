"""Raw text to label, streamed from plain text, JSONL and .spacy files."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from spacy.cli._util import walk_directory
from spacy.tokens import DocBin
from spacy.vocab import Vocab

from ..errors import Errors


class Text(NamedTuple):
    """A text to label, and how much of its file it takes, by which progress is told.

    text (Optional[str]): The text, for a teacher to tokenize. None: the words are given.
    words (list[str]): The words of a doc that came with its tokens.
    spaces (list[bool]): Whether a space follows each of them.
    size (float): Its share of the file, in bytes.
    """

    text: str | None
    words: list[str]
    spaces: list[bool]
    size: float

    def __len__(self) -> int:
        """RETURNS (int): The number of characters of its words."""
        return len(self.text) if self.text is not None else sum(map(len, self.words))


def find_texts(path: Path) -> list[Path]:
    """RETURNS (list[Path]): A file, or the files in a folder, at any depth, in sorted order.
    RAISES (FileNotFoundError): If there is none.
    """
    paths = [p for p in walk_directory(path) if p.is_file()] if path.exists() else []
    if not paths:
        raise FileNotFoundError(Errors.D001.format(path=path))
    return sorted(paths)


def read_texts(paths: Iterable[Path], *, text_key: str = "text") -> Iterator[Text]:
    """Stream texts from files. A .spacy file has docs, of which the tokens are kept; in a .jsonl
    file each line is an object with a text; in any other file each line is a text. Empty lines
    are left out.

    paths (Iterable[Path]): The files.
    text_key (str): The name of the text in a .jsonl file.
    YIELDS (Text): The texts.
    RAISES (ValueError): If a line is not valid; the error names it.
    """
    for path in paths:
        if path.suffix == ".spacy":
            yield from _read_docs(path)
            continue
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:  # line by line, so that the error can name the line
                    text = line.decode("utf-8").strip()
                    if text and path.suffix == ".jsonl":
                        text = json.loads(text)[text_key].strip()
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    place = f"{path}, line {number}"
                    raise ValueError(
                        Errors.D002.format(place=place, error=error, key=text_key)
                    ) from error
                yield Text(text, [], [], len(line))


def _read_docs(path: Path) -> Iterator[Text]:
    docs = DocBin().from_disk(path)
    size = path.stat().st_size / max(1, len(docs))
    # A vocabulary of its own, so that it goes when the file is read.
    for doc in docs.get_docs(Vocab()):
        words = [token.text for token in doc]
        yield Text(None, words, [bool(token.whitespace_) for token in doc], size)


def in_shards(texts: Iterable[Text], size: int) -> Iterator[list[Text]]:
    """Cut a stream of texts into shards. Where it is cut depends on the texts alone, so work that
    was interrupted finds the same shards again.

    texts (Iterable[Text]): The texts.
    size (int): How many characters complete a shard.
    YIELDS (list[Text]): The texts of each shard.
    """
    shard: list[Text] = []
    length = 0
    for text in texts:
        shard.append(text)
        length += len(text)
        if length >= size:
            yield shard
            shard, length = [], 0
    if shard:
        yield shard
