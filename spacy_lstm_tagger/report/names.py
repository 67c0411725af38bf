"""What figures are called, on the page and in the terminal."""

from collections.abc import Sequence
from typing import Any

HEADLINE = {
    "tag_acc": "all words",
    "tag_acc_known": "known words",
    "tag_acc_unknown": "unknown words",
    "tag_acc_ambiguous": "ambiguous words",
    "tag_whole_sents": "whole sentences",
    "tag_macro_f": "F1, mean of tags",
}
BANDS = {
    "frequency": "how often training had the word",
    "word_length": "letters of the word",
    "sentence_length": "words of its sentence",
    "place": "place in the text, in words",
}


def count_bands(tables: Sequence[Sequence[dict[str, Any]]]) -> dict[str, str]:
    """RETURNS (dict[str, str]): The bands in which some pipeline has words, in order, and how many:
    that of each pipeline, where they differ.

    tables (Sequence[Sequence[dict[str, Any]]]): The bands of each pipeline, see `figures.bands`.
    """
    counts = [{row["band"]: f"{row['count']:,}" for row in table} for table in tables]
    names = sorted({band for each in counts for band in each}, key=_start)
    found = {band: [each.get(band, "–") for each in counts] for band in names}
    return {
        band: each[0] if len(set(each)) == 1 else ", ".join(each) for band, each in found.items()
    }


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
