"""Lemmas by word and tag: what a treebank has, and for other words the change at their end.

Rules that are learned like this, also for beginnings of words: Jongejan & Dalianis (2009),
https://aclanthology.org/P09-1017.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar

from .checks import is_integer

Value = TypeVar("Value")

# How many letters of a word's end are looked at.
LONGEST_ENDING = 5

# 20,000 or 1,300,000.50
WITH_COMMAS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")

# How many letters are taken from the end of a word, and which ones are put there.
Change = tuple[int, str]


@dataclass(frozen=True)
class LemmaTables:
    """What is known of lemmas. Each table has an entry a tag.

    cased (set[str]): The tags whose words keep their capitals, as names do.
    exceptions (dict[str, dict[str, str]]): The lemmas of words whose ending does not tell.
    changes (dict[str, dict[str, Change]]): For an ending how it changes.
    rare (dict[str, set[str]]): The endings that change so in one word alone. They hold only where
        they lead to a known lemma: after "Sept." and "September", "Capt." is not "Captember".
    others (dict[str, dict[str, set[str]]]): For an ending what several words have in its place:
        "" for "ing" as in "walking", "e" as in "baking".
    lemmas (set[str]): All lemmas of the treebank. Where changes disagree, the one that leads to one
        of them is right.
    drops_commas (bool): Whether 20,000 is 20000.
    """

    cased: set[str] = field(default_factory=set)
    exceptions: dict[str, dict[str, str]] = field(default_factory=dict)
    changes: dict[str, dict[str, Change]] = field(default_factory=dict)
    rare: dict[str, set[str]] = field(default_factory=dict)
    others: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    lemmas: set[str] = field(default_factory=set)
    drops_commas: bool = False

    @classmethod
    def learn(cls, counts: Mapping[tuple[str, str, str], int]) -> "LemmaTables":
        """Learn from a treebank.

        counts (Mapping[tuple[str, str, str], int]): How often it has each word, tag and lemma. What
            it has 0 times is known, but no rule is made of it.
        RETURNS (LemmaTables): The tables.
        """
        ordered = sorted(counts.items())  # so that what is as frequent is chosen alike
        capitals: Counter[str] = Counter()
        for (word, tag, lemma), count in ordered:
            if count and word != word.lower():  # each word once: "I" is frequent, and no name
                capitals[tag] += 1 if lemma != lemma.lower() else -1
        cased = {tag for tag, excess in capitals.items() if excess > 0}
        numbers = [(w, lemma) for (w, _, lemma), n in ordered if n and WITH_COMMAS.fullmatch(w)]
        dropped = sum(lemma == word.replace(",", "") for word, lemma in numbers)
        tables = cls(
            cased=cased,
            lemmas={lemma for _, _, lemma in counts},
            drops_commas=dropped > len(numbers) / 2,
        )
        by_form: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for (word, tag, lemma), count in ordered:
            by_form[tables.form(word, tag), tag][tables.as_number(lemma)] += count
        best = {key: lemmas.most_common(1)[0][0] for key, lemmas in by_form.items()}
        seen = {key: best[key] for key in best if by_form[key].total()}
        changes, rare, others = _learn_changes(seen)
        tables.changes.update(changes)
        tables.rare.update(rare)
        tables.others.update(others)
        # An exception may be what other words are found by, so they are tried again.
        while wrong := {key: best[key] for key in best if tables.find(*key) != best[key]}:
            for (form, tag), lemma in wrong.items():
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
        rare = {tag: _read_texts(found) for tag, found in _read(parts.get("rare"), dict).items()}
        others = {
            tag: {end: _read_texts(news) for end, news in _read(by_ending, dict).items()}
            for tag, by_ending in _read(parts.get("others"), dict).items()
        }
        return cls(
            cased=_read_texts(parts.get("cased")),
            exceptions=exceptions,
            changes=changes,
            rare=rare,
            others=others,
            lemmas=_read_texts(parts.get("lemmas")),
            drops_commas=_read(parts.get("drops_commas"), bool),
        )

    def to_json(self) -> dict[str, Any]:
        """RETURNS (dict[str, Any]): The tables as JSON can have them."""
        return {
            "cased": sorted(self.cased),
            "exceptions": self.exceptions,
            "changes": self.changes,
            "rare": {tag: sorted(found) for tag, found in self.rare.items()},
            "others": {
                tag: {end: sorted(news) for end, news in by_ending.items()}
                for tag, by_ending in self.others.items()
            },
            "lemmas": sorted(self.lemmas),
            "drops_commas": self.drops_commas,
        }

    def lemma(self, word: str, tag: str) -> str:
        """RETURNS (str): The lemma of a word: its `form` if the treebank lacks the tag."""
        return self.find(self.form(word, tag), tag)

    def form(self, word: str, tag: str) -> str:
        """RETURNS (str): A word as the tables have it, with the apostrophe of their lemmas, and
        numbers with or without commas as these have them.
        """
        word = self.as_number(word)
        # Python makes i and a dot of its own of İ, and treebanks have i alone.
        word = word if tag in self.cased else word.lower().replace("i\u0307", "i")
        return word.replace("'", "’") if self.is_curly else word.replace("’", "'")

    def as_number(self, text: str) -> str:
        """RETURNS (str): A number as lemmas have it; anything else as it is."""
        is_other = self.drops_commas and WITH_COMMAS.fullmatch(text)
        return text.replace(",", "") if is_other else text

    @cached_property
    def is_curly(self) -> bool:
        """Whether more lemmas have ’ than '."""
        curly, straight = (sum(mark in lemma for lemma in self.lemmas) for mark in "’'")
        return curly > straight

    def find(self, form: str, tag: str) -> str:
        """RETURNS (str): The lemma of a word as the tables have it. A name in small letters or in
        capitals has that of the name as the treebank has it ("London", "NASA").
        """
        exceptions = self.exceptions.get(tag, {})
        if form in exceptions:
            return exceptions[form]
        lemma = self.by_ending(form, tag)
        if tag not in self.cased or not (form.islower() or form.isupper()):
            return lemma
        others = [form.capitalize(), form.upper()]
        if not (form.islower() or lemma.isupper()):
            # The rule is one for small letters.
            others, lemma = [form.capitalize(), form.lower()], form
        found = (exceptions.get(other) or self.by_ending(other, tag) for other in others)
        return next((each for each in found if each in self.lemmas), lemma)

    def by_ending(self, form: str, tag: str) -> str:
        """RETURNS (str): The lemma of the longest ending which leads to a known one; or else the
        longest known one that another change leads to; or else that of the longest ending which
        several words have.
        """
        changes, rare = self.changes.get(tag, {}), self.rare.get(tag, ())
        found = [
            (end, form[: len(form) - length] + new)
            for end, (length, new) in ((e, changes[e]) for e in endings(form) if e in changes)
            if length < len(form)
        ]
        known = (lemma for _, lemma in found if lemma in self.lemmas)
        common = (lemma for end, lemma in found if end not in rare)
        return next(chain(known, self.by_other_change(form, tag), common), form)

    def by_other_change(self, form: str, tag: str) -> Iterator[str]:
        """YIELDS (str): The known lemmas that any change of several words leads to, the longest
        first.
        """
        if tag in self.cased:  # "Land" is no "Lan"
            return
        others = self.others.get(tag, {})
        found = {
            form[: len(form) - len(end)] + new
            for end in endings(form)
            if len(end) + 1 < len(form)  # "fled" is not of "f"
            for new in others.get(end, ())
        }
        yield from sorted(found & self.lemmas, key=lambda lemma: (-len(lemma), lemma))


def endings(form: str) -> Iterator[str]:
    """YIELDS (str): The endings of a word, the longest first, the empty one last."""
    for start in range(max(0, len(form) - LONGEST_ENDING), len(form) + 1):
        yield form[start:]


def _learn_changes(
    best: Mapping[tuple[str, str], str],
) -> tuple[dict[str, dict[str, Change]], dict[str, set[str]], dict[str, dict[str, set[str]]]]:
    """RETURNS (tuple): For each tag the change of each ending, where it is another than that of the
    next shorter one that has one; the endings that only one word has with this change; and what
    several words have in the place of an ending.

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
    rare: dict[str, set[str]] = {}
    others: dict[str, dict[str, set[str]]] = {}
    for tag, by_ending in seen.items():
        changes, rare[tag] = learned.setdefault(tag, {}), set()
        several = {
            ending: {new for (n, new), words in found.items() if n == len(ending) and words > 1}
            for ending, found in by_ending.items()
        }
        others[tag] = {ending: news for ending, news in several.items() if news}
        for ending in sorted(by_ending, key=len):
            change, words = by_ending[ending].most_common(1)[0]
            shorter = next((end for end in endings(ending) if end in changes), None)
            if shorter is None or changes[shorter] != change:
                changes[ending] = change
                if words == 1:
                    rare[tag].add(ending)
    return learned, rare, others


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


def _read_texts(value: Any) -> set[str]:
    return {_read(each, str) for each in _read(value, list)}


def _read_change(value: Any) -> Change:
    change = _read(value, list)
    if len(change) != 2 or not is_integer(change[0], 0):
        raise ValueError(f"found {value!r:.60}, expected a number of letters, and new ones")
    return change[0], _read(change[1], str)
