"""Stream texts from files of several formats."""

import os
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from pathlib import Path

from ..errors import Errors
from .conllu import read_conllu
from .lines import read_lines, read_objects
from .parquet import read_parquet
from .streams import STANDARD, Source, is_incomplete, open_source
from .texts import BadTexts, Reading, Text
from .whole import is_stream


def _read_docs(source: Source, reading: Reading, bad: BadTexts) -> Iterator[Text]:
    """YIELDS (Text): Each doc of a .spacy file."""
    from .docs import read_docs  # the one format that needs spaCy

    yield from read_docs(source, reading, bad)


READERS: dict[str, Callable[[Source, Reading, BadTexts], Iterator[Text]]] = {
    ".jsonl": read_objects,
    ".spacy": _read_docs,
    ".conllu": read_conllu,
    ".parquet": read_parquet,
}


def find_texts(path: Path) -> list[Path]:
    """RETURNS (list[Path]): A file, or the files in a folder, at any depth, in sorted order, but
    for those that a command has left incomplete and what lists the shards of `label`.
    RAISES (FileNotFoundError): If there is none.
    """
    if path == STANDARD or is_stream(path):
        return [path]
    paths = [each for each in files_in(path) if each == path or not _is_no_text(each)]
    if not paths:
        raise FileNotFoundError(Errors.D001.format(path=path))
    return paths


def _is_no_text(path: Path) -> bool:
    lists_shards = path.name == "manifest.json" and path.with_name("shard-00000.spacy").exists()
    return lists_shards or is_incomplete(path)


def files_in(path: Path, suffix: str = "") -> list[Path]:
    """RETURNS (list[Path]): A file, or the files of a folder, at any depth, but for hidden ones and
    pipes, in sorted order. A folder that links lead to more than once is read once.

    path (Path): The file or folder.
    suffix (str): What the names of files in a folder end with.
    """
    if path.is_file():
        return [path]
    found, seen = [], {path.resolve()}
    for name, folders, files in os.walk(path, followlinks=True):
        folder, inside = Path(name), []
        for each in sorted(folders):
            place = (folder / each).resolve()
            if not each.startswith(".") and place not in seen:
                seen.add(place)
                inside.append(each)
        folders[:] = inside
        found += [folder / each for each in files if each[0] != "." and each.endswith(suffix)]
    # By the letters of their names: Windows would compare them otherwise, and mix up other work.
    return sorted((path for path in found if not is_stream(path)), key=attrgetter("parts"))


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
        read = READERS.get(reading.kind_of(path), read_lines)
        with open_source(path) as source:
            yield from read(source, reading, bad)
