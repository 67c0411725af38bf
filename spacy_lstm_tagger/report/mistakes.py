"""Where a pipeline goes wrong, and where two differ: with the sentences."""

import json
from collections import defaultdict
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .resampling import difference_interval, randomization_test
from .tagged import TaggedCorpus

EACH = 10  # so many sentences of each confusion are shown
DIFFERENT = 40  # so many sentences on which two pipelines differ


def mistakes(tagged: TaggedCorpus, *, most_bytes: int) -> list[dict[str, Any]]:
    """Find the confusions, the most frequent first, with sentences in which each occurs.

    tagged (TaggedCorpus): What a pipeline says of a corpus.
    most_bytes (int): How large the sentences may be as JSON, all together.
    RETURNS (list[dict[str, Any]]): The tag of the corpus, the one that is given, how often, and
        some of the sentences, in which the wrong words are marked.
    """
    found = tagged.found
    wrong = np.flatnonzero(~found.is_hit)
    places: dict[tuple[int, int], list[int]] = defaultdict(list)
    for pair in wrong.tolist():
        place = int(found.places[pair])
        places[int(found.gold[place]), int(found.guesses[pair])].append(place)
    rows, left = [], most_bytes
    ordered = sorted(places.items(), key=lambda item: (-len(item[1]), item[0]))
    for (gold, guess), words in ordered:
        gold_tag, guessed_tag = tagged.tag(gold), tagged.tag(guess)
        shown: list[dict[str, Any]] = []
        for _, group in groupby(words, key=lambda word: found.sentences[word]):
            if len(shown) == EACH or left <= 0:
                break
            inside = list(group)
            shown.append(tagged.show(inside, [[gold_tag, guessed_tag]] * len(inside)))
            left -= len(json.dumps(shown[-1], ensure_ascii=False).encode())
        rows.append(
            {"gold": gold_tag, "guess": guessed_tag, "count": len(words), "sentences": shown}
        )
    return rows


def compare(first: TaggedCorpus, second: TaggedCorpus) -> dict[str, Any]:
    """Compare two pipelines on the same corpus.

    first (TaggedCorpus): What one says of it.
    second (TaggedCorpus): What the other says.
    RETURNS (dict[str, Any]): The difference in accuracy (that of the second less that of the
        first), its interval, the probability of one as large by chance, how many words only one of
        them has right, and sentences on which they differ: the ones with most differences first.
    """
    one, other, units = first.found, second.found, first.units()
    only_first, only_second = one.right & ~other.right, other.right & ~one.right
    total = np.bincount(units)
    gain = np.bincount(units[only_second], minlength=len(total))
    gain -= np.bincount(units[only_first], minlength=len(total))
    interval = difference_interval(gain, total)
    return {
        "first": first.name,
        "second": second.name,
        "difference": float(gain.sum() / float(total.sum())),
        "low": float(interval.low[0]),
        "high": float(interval.high[0]),
        "p": randomization_test(gain),
        "only_first": int(only_first.sum()),
        "only_second": int(only_second.sum()),
        "both_wrong": int((~one.right & ~other.right).sum()),
        "sentences": _differing(first, second),
    }


def _differing(first: TaggedCorpus, second: TaggedCorpus) -> list[dict[str, Any]]:
    found, guesses = first.found, [_guesses(each) for each in (first, second)]
    words = np.flatnonzero(guesses[0] != guesses[1])
    by = groupby(words.tolist(), key=lambda word: int(found.sentences[word]))
    groups = sorted((list(group) for _, group in by), key=len, reverse=True)[:DIFFERENT]
    return [
        first.show(
            group,
            [
                [first.tag(found.gold[w]), first.tag(guesses[0][w]), second.tag(guesses[1][w])]
                for w in group
            ],
        )
        for group in groups
    ]


def _guesses(tagged: TaggedCorpus) -> NDArray[np.uint64]:
    """RETURNS (NDArray[np.uint64]): The tag that each word is given."""
    guesses = np.zeros_like(tagged.found.gold)
    guesses[tagged.found.places] = tagged.found.guesses
    return guesses
