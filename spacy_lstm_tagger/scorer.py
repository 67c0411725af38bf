"""The scorer: tag accuracy, on lone sentences and on whole texts."""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.attrs import SENT_START
from spacy.pipeline.tagger import tagger_score
from spacy.training import Example
from spacy.util import registry


@registry.scorers("spacy-lstm-tagger.tagger_scorer.v1")
def make_tagger_scorer() -> Callable:
    """RETURNS (Callable): The scorer of the `lstm_tagger` factory, see `score_tags`."""
    return score_tags


def score_tags(examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
    """Score tags as spaCy does (`tag_acc`). If some docs are one sentence and some are several,
    each of the two is scored on its own as well: LSTM taggers trained on lone sentences lose
    accuracy on whole texts, and one figure alone hides that.

    examples (Iterable[Example]): The scored docs.
    RETURNS (dict[str, Any]): `tag_acc`, and where there are both kinds of docs
        `tag_acc_sentences` and `tag_acc_documents`.
    """
    examples = list(examples)
    scores = dict(tagger_score(examples, **kwargs))
    several = [is_document(eg) for eg in examples]
    if any(several) and not all(several):
        for name, kind in (("sentences", False), ("documents", True)):
            part = [eg for eg, is_doc in zip(examples, several, strict=True) if is_doc is kind]
            scores[f"tag_acc_{name}"] = tagger_score(part, **kwargs)["tag_acc"]
    return scores


def is_document(example: Example) -> bool:
    """RETURNS (bool): Whether the example's reference has more than one sentence."""
    return int((example.reference.to_array(SENT_START) == 1).sum()) > 1
