"""What users read of probabilities and sequences: `token._.tag_probabilities` and its like."""

from collections.abc import Callable
from typing import Any

from spacy.tokens import Doc, Token

from ..probabilities import TagProbabilities, TagSequences
from ..whitespace import SPACE_TAG


def get_tag_probabilities(token: Token) -> dict[str, float] | None:
    """RETURNS (Optional[dict[str, float]]): The probabilities of a token's tags, best first. None
    if none are kept with its doc.
    """
    kept = TagProbabilities.from_token(token)
    if kept is None:
        return None
    (tags,), (probabilities,) = kept.tags.tolist(), kept.probabilities.tolist()
    if not any(probabilities):
        return {SPACE_TAG: 1.0}
    return {kept.labels[tag]: p for tag, p in zip(tags, probabilities, strict=True)}


def get_tag_confidence(token: Token) -> float | None:
    """RETURNS (Optional[float]): The probability of `token.tag_`, or, if the token has no tag, of
    the best one: the tagger abstained there. 0 for a tag that is not among those kept. None if no
    probabilities are kept with the doc.
    """
    probabilities = get_tag_probabilities(token)
    if probabilities is None:
        return None
    return probabilities.get(token.tag_, 0.0) if token.tag_ else next(iter(probabilities.values()))


def get_tag_n_best(doc: Doc) -> list[tuple[list[str], float]] | None:
    """RETURNS (Optional[list[tuple[list[str], float]]]): The best tag sequences of a doc and their
    probabilities, best first. None if the doc has none.
    """
    sequences = TagSequences.from_doc(doc)
    if sequences is None:
        return None
    tags = [[sequences.labels[tag] for tag in row] for row in sequences.tags.tolist()]
    return list(zip(tags, sequences.probabilities.tolist(), strict=True))


def register() -> None:
    """Register the attributes, but for those that somebody else has registered."""
    attributes: list[tuple[Any, str, Callable]] = [
        (Token, "tag_probabilities", get_tag_probabilities),
        (Token, "tag_confidence", get_tag_confidence),
        (Doc, "tag_n_best", get_tag_n_best),
    ]
    for owner, name, getter in attributes:
        if not owner.has_extension(name):
            owner.set_extension(name, getter=getter)
