"""Lemmas by word and tag: what a treebank has, and for other words the change at their end.

Rules that are learned like this, also for beginnings of words: Jongejan & Dalianis (2009),
https://aclanthology.org/P09-1017.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from .checks import is_integer

Value = TypeVar("Value")

# How many letters of a word's end are looked at.
LONGEST_ENDING = 5

# How many letters are taken from the end of a word, and which ones are put there.
Change = tuple[int, str]


@dataclass(frozen=True)
class LemmaTables:
    """What is known of lemmas. Each table has an entry a tag.

    cased (set[str]): The tags whose words keep their capitals, as names do.
    exceptions (dict[str, dict[str, str]]): The lemmas of words whose ending does not tell.
    changes (dict[str, dict[str, Change]]): For an ending how it changes.
    lemmas (set[str]): All lemmas of the treebank. Where endings disagree, the one that leads to one
        of them is right.
    """

    cased: set[str] = field(default_factory=set)
    exceptions: dict[str, dict[str, str]] = field(default_factory=dict)
    changes: dict[str, dict[str, Change]] = field(default_factory=dict)
    lemmas: set[str] = field(default_factory=set)

    @classmethod
    def learn(cls, counts: Mapping[tuple[str, str, str], int]) -> "LemmaTables":
        """Learn from a treebank.

        counts (Mapping[tuple[str, str, str], int]): How often it has each word, tag and lemma.
        RETURNS (LemmaTables): The tables.
        """
        ordered = sorted(counts.items())  # so that what is as frequent is chosen alike
        capitals: Counter[str] = Counter()
        for (word, tag, lemma), count in ordered:
            if word != word.lower():
                capitals[tag] += count if lemma != lemma.lower() else -count
        cased = {tag for tag, excess in capitals.items() if excess > 0}
        tables = cls(cased=cased, lemmas={lemma for _, _, lemma in counts})
        by_form: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for (word, tag, lemma), count in ordered:
            by_form[tables.form(word, tag), tag][lemma] += count
        best = {key: lemmas.most_common(1)[0][0] for key, lemmas in by_form.items()}
        tables.changes.update(_learn_changes(best))
        for (form, tag), lemma in best.items():
            if tables.by_ending(form, tag) != lemma:
                tables.exceptions.setdefault(tag, {})[form] = lemma
        return tables

    @classmethod
    def from_json(cls, data: Any) -> "LemmaTables":
        """RETURNS (LemmaTables): What `to_json` has made.

        RAISES (ValueError): If it is something else.
        """
        parts = _read(data, dict)
        exceptions = {
            tag: {form: _read(lemma, str) for form, lemma in _read(lemmas, dict).items()}
            for tag, lemmas in _read(parts.get("exceptions"), dict).items()
        }
        changes = {
            tag: {end: _read_change(change) for end, change in _read(by_ending, dict).items()}
            for tag, by_ending in _read(parts.get("changes"), dict).items()
        }
        cased, lemmas = (
            {_read(each, str) for each in _read(parts.get(name), list)}
            for name in ("cased", "lemmas")
        )
        return cls(cased=cased, exceptions=exceptions, changes=changes, lemmas=lemmas)

    def to_json(self) -> dict[str, Any]:
        """RETURNS (dict[str, Any]): The tables as JSON can have them."""
        return {
            "cased": sorted(self.cased),
            "exceptions": self.exceptions,
            "changes": self.changes,
            "lemmas": sorted(self.lemmas),
        }

    def lemma(self, word: str, tag: str) -> str:
        """RETURNS (str): The lemma of a word. That of a tag that the treebank lacks is the word in
        lower case.
        """
        form = self.form(word, tag)
        return self.exceptions.get(tag, {}).get(form) or self.by_ending(form, tag)

    def form(self, word: str, tag: str) -> str:
        """RETURNS (str): A word as the tables have it, with the apostrophe of their lemmas."""
        # Python makes i and a dot of its own of İ, and treebanks have i alone.
        word = word if tag in self.cased else word.lower().replace("i\u0307", "i")
        return word.replace("'", "’") if self.is_curly else word.replace("’", "'")

    @cached_property
    def is_curly(self) -> bool:
        """Whether more lemmas have ’ than '."""
        curly, straight = (sum(mark in lemma for lemma in self.lemmas) for mark in "’'")
        return curly > straight

    def by_ending(self, form: str, tag: str) -> str:
        """RETURNS (str): The lemma that the end of a word tells: that of the longest ending which
        leads to a known lemma or, if none does, of the longest one.
        """
        changes = self.changes.get(tag, {})
        found = [
            form[: len(form) - length] + new
            for length, new in (changes[end] for end in endings(form) if end in changes)
            if length < len(form)
        ]
        return next((lemma for lemma in found if lemma in self.lemmas), [*found, form][0])


def endings(form: str) -> Iterator[str]:
    """YIELDS (str): The endings of a word, the longest first, the empty one last."""
    for start in range(max(0, len(form) - LONGEST_ENDING), len(form) + 1):
        yield form[start:]


def _learn_changes(best: Mapping[tuple[str, str], str]) -> dict[str, dict[str, Change]]:
    """RETURNS (dict[str, dict[str, Change]]): For each tag the change of each ending, where it is
    another than that of the next shorter one that has one.

    best (Mapping[tuple[str, str], str]): The lemma of each form and tag.
    """
    seen: dict[str, dict[str, Counter[Change]]] = defaultdict(lambda: defaultdict(Counter))
    for (form, tag), lemma in best.items():
        change = _change(form, lemma)
        if change[0] < len(form):
            for ending in endings(form):
                if len(ending) >= change[0]:
                    seen[tag][ending][change] += 1
    learned: dict[str, dict[str, Change]] = {}
    for tag, by_ending in seen.items():
        changes = learned[tag] = {}
        for ending in sorted(by_ending, key=len):
            change = by_ending[ending].most_common(1)[0][0]
            shorter = next((end for end in endings(ending) if end in changes), None)
            if shorter is None or changes[shorter] != change:
                changes[ending] = change
    return learned


def _change(form: str, lemma: str) -> Change:
    """RETURNS (Change): What makes the lemma of a form."""
    same = 0
    while same < min(len(form), len(lemma)) and form[same] == lemma[same]:
        same += 1
    return len(form) - same, lemma[same:]


def _read(value: Any, kind: type[Value]) -> Value:
    if not isinstance(value, kind):
        raise ValueError(f"found {value!r:.60}, expected a {kind.__name__}")
    return value


def _read_change(value: Any) -> Change:
    change = _read(value, list)
    if len(change) != 2 or not is_integer(change[0], 0):
        raise ValueError(f"found {value!r:.60}, expected a number of letters, and new ones")
    return change[0], _read(change[1], str)
