"""Tagged docs as lines of JSON, of tab-separated values or of CoNLL-U, as rows of a table, or as
`DocBin` keeps them, with what else their files told of them.
"""

import base64
import json
import math
from collections.abc import Callable, Collection, Iterable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from spacy.attrs import ORTH, POS, SPACY, TAG
from spacy.tokens import DocBin

from ..errors import Errors
from .conllu import comments, replace_tags
from .docs import pack
from .parquet import Row, import_pyarrow, read_schema, to_rows
from .sentences import Sentences, one_line
from .tagged import Style, TaggedTexts
from .texts import Text

TOKENS, SPACES, TAGS, PARTS = "tokens", "spaces", "tags", "pos"
PROBABILITIES = "probabilities"


def to_jsonl(tagged: TaggedTexts, style: Style) -> list[str]:
    """RETURNS (list[str]): An object for each text: that of the input, with tokens and tags."""
    columns = {TOKENS: tagged.column(ORTH, _json), TAGS: tagged.column(TAG, _json)}
    if tagged.numbers:
        columns[PROBABILITIES] = [number or "null" for number in tagged.numbers]
    lines = []
    for text, _, start, end in tagged:
        fields = _fields(text)
        names = added_names([text], fields, columns, style, place=text.place)
        added = [f"{_json(names[k])}: [{', '.join(columns[k][start:end])}]" for k in names]
        lines.append(", ".join([_json(fields)[:-1], *added]) + "}\n")
    return lines


def to_tsv(tagged: TaggedTexts, style: Style) -> list[str]:
    """RETURNS (list[str]): For each text a token a line, its tag behind it, and an empty line. Of
    white space there is no line.
    """
    words = tagged.column(ORTH, one_line)
    columns = [words, tagged.column(TAG, one_line)]
    if tagged.numbers:
        columns.append([number or "" for number in tagged.numbers])
    rows = ["\t".join(row) + "\n" for row in zip(*columns, strict=True)]
    docs = (
        "".join(row for word, row in zip(words[start:end], rows[start:end], strict=True) if word)
        for *_, start, end in tagged
    )
    return [f"{doc}\n" for doc in docs]


def to_conllu(tagged: TaggedTexts, style: Style) -> list[str]:
    """RETURNS (list[str]): The sentences of each text. Those of CoNLL-U files keep their lines but
    for the tags.
    """
    docs: list[str] = []
    tags, sentences = tagged.column(TAG, one_line), None
    for text, doc, start, end in tagged:
        if isinstance(text.source, list):
            numbers = tagged.numbers[start:end]
            lines = replace_tags(text.source, tags[start:end], numbers, column=style.column)
            lines.append("")
        else:
            sentences = sentences or Sentences(tagged, column=style.column)
            lines = sentences.lines(doc, start)
        docs.append("\n".join([*lines, ""]))
    return docs


def to_table(tagged: TaggedTexts, style: Style) -> Any:
    """RETURNS (pyarrow.Table): Rows: those of the input, with tokens and tags.
    RAISES (ValueError): If they do not fit into one table, or a column has such a name already.
    """
    arrow = import_pyarrow("Parquet")
    try:
        table = to_rows(tagged.texts)
        if table is None:
            rows = [_fields(text) for text in tagged.texts]
            keys = dict.fromkeys(chain(*rows))
            table = arrow.table({key: [row.get(key) for row in rows] for key in keys})
    except (arrow.ArrowException, ValueError, TypeError, OverflowError) as error:
        place = f"{tagged.texts[0].place} to {tagged.texts[-1].place}"
        raise ValueError(Errors.D017.format(path=place, error=error)) from error
    added, place = to_columns(tagged, style), tagged.texts[0].place
    names = added_names(tagged.texts, table.column_names, added, style, place=place)
    for key, name in names.items():
        table = table.append_column(name, added[key])
    return table


def no_rows(path: Path | None, style: Style, *, probabilities: bool) -> Any:
    """RETURNS (pyarrow.Table): What `to_table` gives, without a row.

    path (Optional[Path]): A Parquet file whose columns it has. None: there is none.
    style (Style): How docs are written.
    probabilities (bool): Whether it has them.
    """
    arrow = import_pyarrow("Parquet")
    text = arrow.schema([(style.text_key, arrow.string())])
    schema = text if path is None else read_schema(path)
    types = {TOKENS: arrow.string(), TAGS: arrow.string()}
    if probabilities:
        types[PROBABILITIES] = arrow.float32()
    for key, kind in types.items():
        if (name := style.prefix + key) not in schema.names:
            schema = schema.append(arrow.field(name, arrow.list_(kind)))
    return schema.empty_table()


def to_columns(tagged: TaggedTexts, style: Style) -> dict[str, Any]:
    """RETURNS (dict[str, pyarrow.ListArray]): What is told of the tokens of each text: a list. No
    token is an object of Python's on the way.
    """
    arrow = import_pyarrow("Parquet")

    def strings(attr: int) -> Any:
        distinct, tokens = tagged.distinct(attr)
        return arrow.array(distinct, arrow.string()).take(arrow.array(tokens))

    columns = {TOKENS: strings(ORTH)}
    if style.spaces:
        columns[SPACES] = arrow.array(tagged.keys(SPACY).astype(bool))
    columns[TAGS] = strings(TAG)
    if style.pos:
        columns[PARTS] = strings(POS)
    if tagged.numbers:
        numbers = [float(number) if number else None for number in tagged.numbers]
        columns[PROBABILITIES] = arrow.array(numbers, arrow.float32())
    bounds = tagged.bounds.astype(np.int32)
    return {key: arrow.ListArray.from_arrays(bounds, column) for key, column in columns.items()}


def to_docbin(tagged: TaggedTexts, style: Style) -> DocBin:
    """RETURNS (DocBin): The docs with all that they have."""
    return pack(tagged.docs)


def encode(lines: str) -> bytes:
    """RETURNS (bytes): What is written of lines."""
    try:
        return lines.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, in a field that is not ours
        return lines.encode("utf-8", "backslashreplace")


def _joined(to_lines: Callable[[TaggedTexts, Style], list[str]], *args: Any) -> bytes:
    return encode("".join(to_lines(*args)))


# What encodes the lines of each text.
LINES: dict[str, Callable[[TaggedTexts, Style], list[str]]] = {
    ".jsonl": to_jsonl,
    ".tsv": to_tsv,
    ".conllu": to_conllu,
}
ENCODERS: dict[str, Callable[[TaggedTexts, Style], Any]] = {
    **{kind: partial(_joined, to_lines) for kind, to_lines in LINES.items()},
    ".parquet": to_table,
    ".spacy": to_docbin,
}


def kind_for(kinds: Iterable[str]) -> str:
    """RETURNS (str): What is written where nobody says it, as a suffix: what the inputs are.

    kinds (Iterable[str]): The suffixes of these.
    RAISES (ValueError): If they are of several kinds, so that what else is in some would be lost.
    """
    distinct = set(kinds)
    if len(distinct) > 1 and not distinct.isdisjoint(ENCODERS):
        raise ValueError(Errors.C026.format(kinds=", ".join(sorted(distinct))))
    return distinct.pop() if len(distinct) == 1 and distinct <= ENCODERS.keys() else ".tsv"


def _fields(text: Text) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): What the input tells of a text, by name."""
    source = text.source
    if isinstance(source, dict):
        return source
    if isinstance(source, Row):
        try:
            return source.as_dict()
        except (ValueError, OverflowError) as error:  # such as a date after the year 9999
            raise ValueError(Errors.D028.format(place=text.place, error=error)) from error
    found = comments(source) if isinstance(source, list) else {}
    return {"text": text.whole(), **found}


def added_names(
    texts: Iterable[Text],
    there: Collection[str],
    columns: Iterable[str],
    style: Style,
    *,
    place: str,
) -> dict[str, str]:
    """Name what is added to objects and tables.

    texts (Iterable[Text]): The texts that are in them.
    there (Collection[str]): The names that are in them.
    columns (Iterable[str]): What is told of tokens.
    style (Style): How it is written.
    place (str): What the error names.
    RETURNS (dict[str, str]): What of it is added, and its names.
    RAISES (ValueError): If something else has such a name.
    """
    names = {key: style.prefix + key for key in columns}
    if style.text_key == names[TOKENS] in there and not any(text.text for text in texts):
        del names[TOKENS]  # they came from there
    for name in names.values():
        if name in there:
            raise ValueError(Errors.D016.format(place=place, key=name))
    return names


def _plain(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


# `json.dumps` would make one for each word.
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=_plain, allow_nan=False)


def _json(value: Any) -> str:
    """RETURNS (str): A value as JSON, which has no number that is none: it is null."""
    try:
        return _ENCODER.encode(value)
    except ValueError:
        return json.dumps(finite(value), ensure_ascii=False, default=_plain)


def finite(value: Any) -> Any:
    """RETURNS (Any): What JSON can hold, with null for each number that is none."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
