"""How training data say that a token has one of several tags, or has not a tag."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ..whitespace import SPACE_TAG


@dataclass(frozen=True)
class Notation:
    """How annotations are read.

    neg_prefix (Optional[str]): A tag that starts with it is one that the token does not have.
    separator (Optional[str]): What stands between tags of which the token has one.
    """

    neg_prefix: str | None = None
    separator: str | None = None

    @classmethod
    def of(cls, cfg: Mapping[str, Any]) -> "Notation":
        """RETURNS (Notation): That of a tagger's settings; those of spaCy's know no separator."""
        return cls(cfg.get("neg_prefix"), cfg.get("tag_separator"))

    def split(self, tag: str, labels: Container[str] = ()) -> tuple[list[str], bool]:
        """Read an annotation. One that is a tag of the tag set is this tag.

        tag (str): The annotation.
        labels (Container[str]): The tag set.
        RETURNS (tuple): The tags that it names, and whether they are those that the token has not.
        """
        if not tag or tag in labels:
            return [tag] if tag else [], False
        # A tag that is nothing but such characters, as "!!" or "|" are, is none of these.
        prefix = self.neg_prefix or ""
        negative = prefix != "" and tag.startswith(prefix) and tag.replace(prefix, "") != ""
        if negative:
            tag = tag.removeprefix(prefix)
        if self.separator and tag not in labels:
            return [each for each in tag.split(self.separator) if each] or [tag], negative
        return [tag], negative

    def open(self, annotations: Iterable[str], labels: Iterable[str]) -> list[str]:
        """RETURNS (list[str]): The annotations that name several tags of which a word has one, or
        tags that it has not.

        annotations (Iterable[str]): What words are annotated with.
        labels (Iterable[str]): The tag set.
        """
        known = frozenset(labels)

        def is_open(annotation: str) -> bool:
            named, negative = self.split(annotation, known)
            several = negative or named not in ([], [annotation])
            return several and known.issuperset(named)

        return list(filter(is_open, annotations))

    def count(self, annotations: Mapping[str, int], labels: Container[str]) -> Counter[str]:
        """Count tags in what words are annotated with.

        annotations (Mapping[str, int]): How many words have each annotation.
        labels (Container[str]): The tag set.
        RETURNS (Counter[str]): For each tag how many words may have it. 0: some are said not to.
        """
        counts: Counter[str] = Counter()
        for text, count in annotations.items():
            named, negative = self.split(text, labels)
            counts.update(dict.fromkeys(named, 0 if negative else count))
        return counts

    def named(self, annotations: Iterable[str]) -> list[str]:
        """RETURNS (list[str]): The tags that annotations name, in order, without repetition, but
        for that of white space.
        """
        named = chain.from_iterable(self.split(tag)[0] for tag in annotations)
        return [tag for tag in dict.fromkeys(named) if tag != SPACE_TAG]
