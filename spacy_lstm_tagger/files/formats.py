"""Tagged docs as lines of JSON, of tab-separated values or of CoNLL-U, as rows of a table, or as
`DocBin` keeps them, with what else their files told of them.
"""

import json
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from spacy.attrs import ORTH, TAG
from spacy.tokens import DocBin

from ..errors import Errors
from .conllu import comments, replace_tags
from .docs import pack
from .parquet import Row, import_pyarrow
from .sentences import Sentences, one_line
from .tagged import Style, TaggedTexts
from .texts import Text

TOKENS, TAGS, PROBABILITIES = "tokens", "tags", "probabilities"


def to_jsonl(tagged: TaggedTexts, style: Style) -> bytes:
    """RETURNS (bytes): An object a line: that of the input, with tokens and tags."""
    columns = {
        TOKENS: tagged.column(ORTH, _json),
        TAGS: tagged.column(TAG, _json),
        PROBABILITIES: [number or "null" for number in tagged.numbers],
    }
    if not tagged.numbers:
        del columns[PROBABILITIES]
    lines = []
    for text, doc, start, end in tagged:
        fields = _fields(text, doc)
        names = _added(text, fields, columns, style)
        added = [f'"{names[k]}": [{", ".join(columns[k][start:end])}]' for k in names]
        lines.append(", ".join([_json(fields)[:-1], *added]) + "}\n")
    return _encode("".join(lines))


def to_tsv(tagged: TaggedTexts, style: Style) -> bytes:
    """RETURNS (bytes): A token a line, its tag behind it, and an empty line after each doc. White
    space has no line.
    """
    words = tagged.column(ORTH, one_line)
    columns = [words, tagged.column(TAG)]
    if tagged.numbers:
        columns.append([number or "" for number in tagged.numbers])
    rows = ["\t".join(row) + "\n" for row in zip(*columns, strict=True)]
    docs = (
        "".join(row for word, row in zip(words[start:end], rows[start:end], strict=True) if word)
        for *_, start, end in tagged
    )
    return _encode("".join(f"{doc}\n" for doc in docs))


def to_conllu(tagged: TaggedTexts, style: Style) -> bytes:
    """RETURNS (bytes): Sentences. Those of CoNLL-U files keep their lines but for the tags."""
    lines: list[str] = []
    tags, sentences = tagged.column(TAG), None
    for text, doc, start, end in tagged:
        if isinstance(text.source, list):
            numbers = tagged.numbers[start:end]
            lines += replace_tags(text.source, tags[start:end], numbers, column=style.column)
            lines.append("")
        else:
            sentences = sentences or Sentences(tagged, column=style.column)
            lines += sentences.lines(doc, start)
    return _encode("".join(f"{line}\n" for line in lines))


def to_table(tagged: TaggedTexts, style: Style) -> Any:
    """RETURNS (pyarrow.Table): Rows: those of the input, with tokens and tags."""
    arrow = import_pyarrow("Parquet")
    sources = [text.source for text in tagged.texts]
    if all(isinstance(source, Row) for source in sources):
        batches = []
        for _, group in groupby(sources, key=lambda row: id(row.batch)):
            rows = list(group)
            batches.append(rows[0].batch.take(arrow.array([row.number for row in rows])))
        table = arrow.Table.from_batches(batches)
    else:
        table = arrow.Table.from_pylist([_fields(text, doc) for text, doc, *_ in tagged])
    numbers = [float(number) if number else None for number in tagged.numbers]
    columns = {
        TOKENS: arrow.array(tagged.column(ORTH), arrow.string()),
        TAGS: arrow.array(tagged.column(TAG), arrow.string()),
        PROBABILITIES: arrow.array(numbers, arrow.float32()),
    }
    if not tagged.numbers:
        del columns[PROBABILITIES]
    names = [_added(text, table.column_names, columns, style) for text in tagged.texts]
    for key, name in names[0].items():
        lists = arrow.ListArray.from_arrays(tagged.bounds.astype(np.int32), columns[key])
        table = table.append_column(name, lists)
    return table


def to_docbin(tagged: TaggedTexts, style: Style) -> DocBin:
    """RETURNS (DocBin): The docs with all that they have."""
    return pack(tagged.docs)


ENCODERS: dict[str, Callable[[TaggedTexts, Style], Any]] = {
    ".jsonl": to_jsonl,
    ".tsv": to_tsv,
    ".conllu": to_conllu,
    ".parquet": to_table,
    ".spacy": to_docbin,
}


def _fields(text: Text, doc: Any) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): What the input tells of a doc, by name."""
    source = text.source
    if isinstance(source, dict):
        return source
    if isinstance(source, Row):
        return source.as_dict()
    found = comments(source) if isinstance(source, list) else {}
    return {"text": doc.text if text.text is None else text.text, **found}


def _added(
    text: Text, there: Sequence[str] | dict[str, Any], columns: dict[str, Any], style: Style
) -> dict[str, str]:
    """RETURNS (dict[str, str]): Which columns are added to what is there, and their names.
    RAISES (ValueError): If something else has such a name.
    """
    names = {key: style.prefix + key for key in columns}
    if text.text is None and style.text_key == names[TOKENS] in there:
        del names[TOKENS]  # they came from there
    for name in names.values():
        if name in there and isinstance(text.source, (dict, Row)):
            raise ValueError(Errors.D016.format(place=text.place, key=name))
    return names


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _encode(lines: str) -> bytes:
    try:
        return lines.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, in a field that is not ours
        return lines.encode("utf-8", "backslashreplace")
