"""The figures of a report on one pipeline, as tables that JSON can have."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..comparison import Comparison
from ..files.formats import finite
from ..lexicon import Lexicon
from ..pipeline.calibration import BINS, bins_of, expected_calibration_error
from .resampling import Intervals, macro_f1_interval, share_intervals
from .tagged import TaggedCorpus

# Where an interval begins and ends. None: it is not known.
Bounds = tuple[float | None, float | None]

# Where the bands of each property of words begin.
FREQUENCIES = (0, 1, 2, 5, 10, 100, 1000)
WORD_LENGTHS = (1, 3, 5, 7, 9, 11, 14)
SENTENCE_LENGTHS = (1, 6, 11, 21, 31, 41)
PLACES = (1, 11, 26, 51, 101, 201)


def headline(tagged: TaggedCorpus, lexicon: Lexicon | None) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): The figures of `TaggerScorer.v1`, each with how many words (or
    sentences, or tags) it is of, and its interval. None: it is not known.
    """
    found = tagged.found
    kinds = {"tag_acc": np.ones(len(found.words), dtype=bool)}
    if lexicon is not None:
        kinds |= {f"tag_acc_{name}": kind for name, kind in lexicon.kinds(found.words).items()}
    kinds = {name: kind for name, kind in kinds.items() if kind.any()}
    names = ("tag_acc", "tag_acc_known", "tag_acc_unknown", "tag_acc_ambiguous")
    figures: dict[str, Any] = dict.fromkeys(names)
    intervals = _intervals(tagged, list(kinds.values()))
    for (name, kind), interval in zip(kinds.items(), intervals, strict=True):
        figures[name] = _figure(found.accuracy(kind), interval, int(kind.sum()))
    first = np.unique(found.sentences, return_index=True)[1]  # words of sentences
    right, units = found.right_sentences(), tagged.units()[first]
    sums = np.bincount(units, weights=right), np.bincount(units)
    (interval,) = _bounds(share_intervals(*(each[:, None] for each in sums)))
    figures["tag_whole_sents"] = _figure(found.whole_sentences(), interval, len(right))
    scores = found.tag_scores()
    (interval,) = _bounds(macro_f1_interval(*_by_unit_and_tag(found, tagged.units(), scores.tags)))
    figures["tag_macro_f"] = _figure(scores.macro_f1, interval, len(scores.tags))
    return figures


def bands(tagged: TaggedCorpus, lexicon: Lexicon | None) -> dict[str, list[dict[str, Any]]]:
    """RETURNS (dict[str, list[dict[str, Any]]]): The accuracy on words by how often training had
    them (if that is known), how long they and their sentences are, and where in a text they are.
    """
    found = tagged.found
    strings = tagged.references[0].vocab.strings
    words, where = np.unique(found.words, return_inverse=True)
    lengths = np.array([len(strings[int(word)]) for word in words])[where]
    properties = {
        "word_length": (lengths, WORD_LENGTHS),
        "sentence_length": (tagged.sentence_lengths(), SENTENCE_LENGTHS),
        "place": (tagged.places(), PLACES),
    }
    if lexicon is not None:
        frequencies = lexicon.frequencies(found.words)
        properties = {"frequency": (frequencies, FREQUENCIES), **properties}
    return {name: _bands(tagged, *values) for name, values in properties.items()}


def by_tag(tagged: TaggedCorpus) -> list[dict[str, Any]]:
    """RETURNS (list[dict[str, Any]]): Precision, recall and F1 of each tag, most frequent first."""
    columns = [column.tolist() for column in tagged.found.tag_scores()]
    names = ("tag", "count", "guesses", "p", "r", "f")
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return [row | {"tag": tagged.tag(row["tag"])} for row in rows]


def confusion(tagged: TaggedCorpus) -> list[dict[str, Any]]:
    """RETURNS (list[dict[str, Any]]): A tag of the corpus, one that is given (empty if none is),
    and how often; most frequent first.
    """
    pairs = np.column_stack([tagged.found.gold[tagged.found.places], tagged.found.guesses])
    distinct, counts = np.unique(pairs, axis=0, return_counts=True)
    rows = [[tagged.tag(gold), tagged.tag(guess)] for gold, guess in distinct.tolist()]
    counted = zip(rows, counts.tolist(), strict=True)
    table = [{"gold": gold, "guess": guess, "count": count} for (gold, guess), count in counted]
    return sorted(table, key=lambda row: (-row["count"], row["gold"], row["guess"]))


def reliability(tagged: TaggedCorpus) -> dict[str, Any] | None:
    """RETURNS (Optional[dict[str, Any]]): How right tags are that the pipeline is so and so sure
    of, and the expected calibration error. None: it does not tell how sure it is.
    """
    if tagged.confidence is None:
        return None
    told = ~np.isnan(tagged.confidence)
    sure, right = tagged.confidence[told].astype(np.float64), tagged.found.right[told]
    if not len(sure):
        return None
    place = bins_of(sure)
    rows = []
    for bin_ in np.unique(place).tolist():
        inside = place == bin_
        rows.append(
            {
                "from": bin_ / BINS,
                "to": (bin_ + 1) / BINS,
                "count": int(inside.sum()),
                "confidence": float(sure[inside].mean()),
                "accuracy": float(right[inside].mean()),
            }
        )
    return {"error": expected_calibration_error(sure, right), "bins": rows}


def _intervals(tagged: TaggedCorpus, kinds: Sequence[NDArray[np.bool_]]) -> list[Bounds]:
    """RETURNS (list[Bounds]): The interval of the accuracy on each kind of words."""
    units, found = tagged.units(), tagged.found
    # As `Comparison.accuracy`: white space that the corpus gives a tag has no guess.
    right, given = (
        np.bincount(places, minlength=len(units))
        for places in (found.places[found.is_hit], found.places)
    )
    hits = np.column_stack([np.bincount(units, 2 * right * kind) for kind in kinds])
    total = np.column_stack([np.bincount(units, (1 + given) * kind) for kind in kinds])
    return _bounds(share_intervals(hits, total))


def _bounds(intervals: Intervals) -> list[Bounds]:
    """RETURNS (list[Bounds]): Each interval, as JSON can have it."""
    return list(zip(*finite([each.tolist() for each in intervals]), strict=True))


def _bands(tagged: TaggedCorpus, values: NDArray, starts: Sequence[int]) -> list[dict[str, Any]]:
    """RETURNS (list[dict[str, Any]]): The accuracy on the words of each band that has some."""
    place = np.searchsorted(starts, values, side="right") - 1
    there = [place == number for number in range(len(starts))]
    named = [(band_name(starts, number), kind) for number, kind in enumerate(there) if kind.any()]
    intervals = _intervals(tagged, [kind for _, kind in named])
    rows = []
    for (name, kind), (low, high) in zip(named, intervals, strict=True):
        row = {"band": name, "count": int(kind.sum()), "accuracy": tagged.found.accuracy(kind)}
        rows.append(row | {"low": low, "high": high})
    return rows


def band_name(starts: Sequence[int], number: int) -> str:
    """RETURNS (str): What a band is called: "2–4", or "100+" if it has no end."""
    start = starts[number]
    if number + 1 == len(starts):
        return f"{start:,}+"
    end = starts[number + 1] - 1
    return f"{start:,}" if end == start else f"{start:,}–{end:,}"


def _by_unit_and_tag(
    found: Comparison, units: NDArray[np.int64], tags: NDArray[np.uint64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """RETURNS (tuple): How many words of each sentence, or each document, have each tag and are
    given it, have it, and are given it. *Shape:* ``(units, tags)``.
    """
    order = np.argsort(tags)
    shape = int(units.max()) + 1, len(tags)

    def count(where: NDArray[np.int64], given: NDArray[np.uint64]) -> NDArray[np.float64]:
        told = given != 0
        columns = order[np.searchsorted(tags, given[told], sorter=order)]
        cells = where[told] * shape[1] + columns
        return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)

    where = units[found.places]
    hits = count(where[found.is_hit], found.guesses[found.is_hit])
    return hits, count(units, found.gold), count(where, found.guesses)


def _figure(value: float | None, interval: Bounds, count: int) -> dict[str, Any]:
    low, high = interval
    return {"value": value, "low": low, "high": high, "count": count}
