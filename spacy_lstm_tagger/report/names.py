"""What figures are called, on the page and in the terminal."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

HEADLINE = {
    "tag_acc": "all words",
    "acc_known": "known words",
    "acc_unknown": "unknown words",
    "acc_ambiguous": "ambiguous words",
    "whole_sents": "whole sentences",
    "tag_macro_f": "F1, mean of tags",
}
BANDS = {
    "frequency": "how often training had the word",
    "word_length": "letters of the word",
    "sentence_length": "words of its sentence",
    "place": "place in the text, in words",
}


def count_bands(tables: Sequence[Sequence[dict[str, Any]]]) -> dict[str, str]:
    """RETURNS (dict[str, str]): The bands in which some pipeline has words, in order, and how many.
    Where it is told by what each pipeline knows, they may have different ones.

    tables (Sequence[Sequence[dict[str, Any]]]): The bands of each pipeline, see `figures.bands`.
    """
    counts: dict[str, dict[str, None]] = {}
    for row in chain.from_iterable(tables):
        counts.setdefault(row["band"], {})[f"{row['count']:,}"] = None
    return {band: ", ".join(counts[band]) for band in sorted(counts, key=_start)}


def _start(band: str) -> int:
    return int(band.replace(",", "").replace("+", "–").partition("–")[0])


def percent(value: float | None, *, signed: bool = False) -> str:
    """RETURNS (str): A share as it is written. None: a dash."""
    if value is None:
        return "–"
    return f"{round(100 * value, 2) + 0.0:{'+' if signed else ''}.2f}".replace("-", "−")


def probability(value: float) -> str:
    """RETURNS (str): The outcome of a test as it is written."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
