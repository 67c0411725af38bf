"""What figures are called, on the page and in the terminal."""

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


def percent(value: float | None, *, signed: bool = False) -> str:
    """RETURNS (str): A share as it is written. None: a dash."""
    if value is None:
        return "–"
    return f"{round(100 * value, 2) + 0.0:{'+' if signed else ''}.2f}".replace("-", "−")


def probability(value: float) -> str:
    """RETURNS (str): The outcome of a test as it is written."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
