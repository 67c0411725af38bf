"""Stream texts from files of several formats."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from spacy.cli._util import walk_directory

from ..errors import Errors
from .conllu import read_conllu
from .docs import read_docs
from .lines import read_lines, read_objects
from .parquet import read_parquet
from .streams import STANDARD, Source, kind_of, open_source
from .texts import BadTexts, Reading, Text
from .whole import is_stream

READERS: dict[str, Callable[[Source, Reading, BadTexts], Iterator[Text]]] = {
    ".jsonl": read_objects,
    ".ndjson": read_objects,
    ".spacy": read_docs,
    ".conllu": read_conllu,
    ".parquet": read_parquet,
}


def find_texts(path: Path) -> list[Path]:
    """RETURNS (list[Path]): A file, or the files in a folder, at any depth, in sorted order.
    RAISES (FileNotFoundError): If there is none.
    """
    if path == STANDARD or is_stream(path):
        return [path]
    path = named(path)
    paths = [p for p in walk_directory(path) if p.is_file()] if path.exists() else []
    if not paths:
        raise FileNotFoundError(Errors.D001.format(path=path))
    return sorted(paths)


def named(path: Path) -> Path:
    """RETURNS (Path): A path; the name of . and .., which spaCy takes for hidden folders."""
    return path.resolve() if path.name in ("", "..") and path != STANDARD else path


def read_texts(
    paths: Iterable[Path], reading: Reading | None = None, *, bad: BadTexts | None = None
) -> Iterator[Text]:
    """Stream texts from files: .jsonl, an object with a text a line; .spacy, of which the tokens
    are kept; .conllu, likewise, each sentence by itself; .parquet, a column; or of another suffix,
    a text a line, or several if it is longer than a megabyte. They may be compressed: .gz or .zst.

    paths (Iterable[Path]): The files.
    reading (Optional[Reading]): How they are read.
    bad (Optional[BadTexts]): What is done with texts that cannot be read. None: they are an error.
    YIELDS (Text): The texts. That of an empty line is empty.
    RAISES (ValueError): If a text cannot be read; the error names the line.
    """
    reading, bad = reading or Reading(), bad or BadTexts()
    for path in paths:
        read = READERS.get(reading.kind or kind_of(path), read_lines)
        with open_source(path) as source:
            yield from read(source, reading, bad)
