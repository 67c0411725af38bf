"""The scorer: tag accuracy, on lone sentences and on whole texts, and of a tagger that abstains."""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.attrs import SENT_START
from spacy.pipeline.tagger import tagger_score
from spacy.scorer import MISSING_VALUES
from spacy.strings import get_string_id
from spacy.training import Example
from spacy.util import registry

from .whitespace import SPACE_TAG


@registry.scorers("spacy-lstm-tagger.TaggerScorer.v1")
def make_tagger_scorer() -> Callable:
    """RETURNS (Callable): The scorer of the `lstm_tagger` factory, see `score_tags`."""
    return score_tags


def score_tags(
    examples: Iterable[Example], *, threshold: float | None = None, **kwargs: Any
) -> dict[str, Any]:
    """Score tags as spaCy does (`tag_acc`). If some docs are one sentence and some are several,
    each of the two is scored on its own as well: LSTM taggers trained on lone sentences lose
    accuracy on whole texts, and one figure alone hides that.

    examples (Iterable[Example]): The scored docs.
    threshold (Optional[float]): What the tagger's threshold is. None: it never abstains.
    RETURNS (dict[str, Any]): `tag_acc`, where there are both kinds of docs `acc_sents` and
        `acc_docs`, and with a threshold what `score_abstaining` gives.
    """
    examples = list(examples)
    # Nobody has to guess that a token is white space: spaCy scores those of the reference alone.
    kwargs = {"missing_values": {*MISSING_VALUES, get_string_id(SPACE_TAG)}, **kwargs}
    scores = dict(tagger_score(examples, **kwargs))
    several = [is_document(eg) for eg in examples]
    if any(several) and not all(several):
        for key, kind in (("acc_sents", False), ("acc_docs", True)):
            part = [eg for eg, is_doc in zip(examples, several, strict=True) if is_doc is kind]
            scores[key] = tagger_score(part, **kwargs)["tag_acc"]
    if threshold is not None:
        scores.update(score_abstaining(examples))
    return scores


def score_abstaining(examples: Iterable[Example]) -> dict[str, float | None]:
    """Score a tagger that leaves some tags empty: an empty tag is not wrong, but is missing.

    examples (Iterable[Example]): The scored docs. Tokens without a gold tag do not count.
    RETURNS (dict[str, Optional[float]]): `tag_p`, how many of the tags that are there are right;
        `tag_r`, how many of all tokens have the right tag; `tag_f`, their harmonic mean;
        `tag_f05`, which minds a wrong tag more than a missing one (F₀.₅); and `tag_coverage`, how
        many tokens have a tag. None if no token has a gold tag.
    """
    pairs = [
        (gold, token.tag_)
        for eg in examples
        for gold, token in zip(eg.get_aligned("TAG", as_string=True), eg.predicted, strict=True)
        if gold and not token.is_space
    ]
    if not pairs:
        return dict.fromkeys(("tag_p", "tag_r", "tag_f", "tag_f05", "tag_coverage"))
    right = sum(gold == tag for gold, tag in pairs)
    tagged = sum(bool(tag) for _, tag in pairs)
    return {
        "tag_p": right / tagged if tagged else 0.0,
        "tag_r": right / len(pairs),
        "tag_f": 2 * right / (tagged + len(pairs)),
        "tag_f05": 1.25 * right / (tagged + 0.25 * len(pairs)),
        "tag_coverage": tagged / len(pairs),
    }


def is_document(example: Example) -> bool:
    """RETURNS (bool): Whether the example's reference has more than one sentence."""
    return int((example.reference.to_array(SENT_START) == 1).sum()) > 1
