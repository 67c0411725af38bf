"""The scorer: tag accuracy, of which words and texts, and tag by tag."""

from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any, cast

import numpy as np
from spacy.attrs import SENT_START
from spacy.pipeline.tagger import tagger_score
from spacy.scorer import MISSING_VALUES, Scorer
from spacy.strings import get_string_id
from spacy.symbols import SPACE as SPACE_POS
from spacy.tokens import Token
from spacy.training import Example
from spacy.util import registry

from .checks import check_flag
from .comparison import Comparison
from .lexicon import Lexicon
from .whitespace import SPACE_TAG


@registry.scorers("spacy-lstm-tagger.TaggerScorer.v1")
def make_tagger_scorer(*, per_type: bool = True) -> Callable:
    """The scorer of the `lstm_tagger` factory, see `score_tags`.

    per_type (bool): Whether to score each tag. A logger that sends all scores elsewhere names them
        by their tags, and not every service takes such names.
    RETURNS (Callable): The scorer.
    RAISES (ValueError): If the value is not allowed.
    """
    check_flag(per_type=per_type)
    return partial(score_tags, per_type=per_type)


def score_tags(
    examples: Iterable[Example],
    *,
    threshold: float | None = None,
    lexicon: Lexicon | None = None,
    tag_set: str = "xpos",
    missing: Collection[str] = (),
    per_type: bool = True,
    **kwargs: Any,
) -> dict[str, Any]:
    """Score tags as spaCy does (`tag_acc`), and tell more: one figure hides that a tagger does
    worse on whole texts than on lone sentences, on words that are new to it, or on rare tags.

    examples (Iterable[Example]): The scored docs.
    threshold (Optional[float]): What the tagger's threshold is. None: it never abstains.
    lexicon (Optional[Lexicon]): The words of its training data. None: they are not known.
    tag_set (str): What the tags are, as in `LSTMTagger`.
    missing (Collection[str]): Annotations that are no tag, see `Notation.open`.
    per_type (bool): Whether to score each tag.
    RETURNS (dict[str, Any]): `tag_acc`; `tag_acc_sents` and `tag_acc_docs`, if some docs are one
        sentence and some are several; `tag_acc_known`, `tag_acc_unknown` and `tag_acc_ambiguous`,
        on words that training had, had not, and had with several tags; `tag_whole_sents`, the share
        of sentences without an error; `tag_per_type`, precision, recall and F1 of each tag;
        `tag_macro_f`, the mean of the latter; with a threshold what `score_abstaining` gives; of
        universal tags `pos_acc`, and with features what spaCy's morphologizer has. None: there are
        no such words, they are not known, or not asked for.
    """
    examples = list(examples)
    # Nobody has to guess that a token is white space: spaCy scores those of the reference alone.
    no_tags = {*MISSING_VALUES, *map(get_string_id, (SPACE_TAG, *missing))}
    scores = dict(tagger_score(examples, **{"missing_values": no_tags, **kwargs}))
    found = Comparison(examples, missing=missing)
    several = np.array([is_document(eg) for eg in examples], dtype=bool)
    if several.any() and not several.all():
        in_docs = several[found.docs]
        scores.update(tag_acc_sents=found.accuracy(~in_docs), tag_acc_docs=found.accuracy(in_docs))
    scores.update(score_words(found, lexicon))
    scores["tag_whole_sents"] = found.whole_sentences()
    scores.update(score_tag_by_tag(found, examples))
    if not per_type:
        scores["tag_per_type"] = None
    if threshold is not None:
        scores.update(score_abstaining(found))
    if tag_set != "xpos":
        no_parts = {*MISSING_VALUES, SPACE_POS}
        scores.update(Scorer.score_token_attr(examples, "pos", missing_values=no_parts))
    if tag_set == "upos+feats":
        for score in (Scorer.score_token_attr, Scorer.score_token_attr_per_feat):
            scores.update(score(examples, "morph", getter=morph_of_word))
    return scores


def score_words(found: Comparison, lexicon: Lexicon | None) -> dict[str, float | None]:
    """RETURNS (dict[str, Optional[float]]): The accuracy on words that training had, had not, and
    had with several tags.
    """
    if lexicon is None:
        return dict.fromkeys(("tag_acc_known", "tag_acc_unknown", "tag_acc_ambiguous"))
    kinds = lexicon.kinds(found.words).items()
    return {f"tag_acc_{name}": found.accuracy(kind) for name, kind in kinds}


def score_tag_by_tag(found: Comparison, examples: list[Example]) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): `tag_per_type` in spaCy's form, and `tag_macro_f`."""
    scores = found.tag_scores()
    if not len(scores.tags):
        return {"tag_macro_f": None, "tag_per_type": None}
    docs = (doc for eg in examples for doc in (eg.reference, eg.predicted))
    stores = [*{id(doc.vocab): doc.vocab.strings for doc in docs}.values()]
    names = [next(store[tag] for store in stores if tag in store) for tag in scores.tags.tolist()]
    figures = zip(scores.precision, scores.recall, scores.f1, strict=True)
    return {
        "tag_macro_f": scores.macro_f1,
        "tag_per_type": {
            name: {"p": float(p), "r": float(r), "f": float(f)}
            for name, (p, r, f) in zip(names, figures, strict=True)
        },
    }


def score_abstaining(found: Comparison) -> dict[str, float | None]:
    """Score a tagger that leaves some tags empty: an empty tag is not wrong, but is missing.

    found (Comparison): The tags.
    RETURNS (dict[str, Optional[float]]): `tag_p`, how many of the tags that are there are right;
        `tag_r`, how many of all words have the right tag; `tag_f`, their harmonic mean;
        `tag_f05`, which minds a wrong tag more than a missing one (F₀.₅); and `tag_coverage`, how
        many words have a tag. None if there is no word.
    """
    words, given = len(found.words), found.guesses != 0
    tagged = int(given.sum())
    if not words:
        return dict.fromkeys(("tag_p", "tag_r", "tag_f", "tag_f05", "tag_coverage"))
    right = int(found.is_hit.sum())
    return {
        "tag_p": right / tagged if tagged else 0.0,
        "tag_r": right / words,
        "tag_f": 2 * right / (tagged + words),
        "tag_f05": 1.25 * right / (tagged + 0.25 * words),
        "tag_coverage": len(np.unique(found.places[given])) / words,
    }


def morph_of_word(token: Token, attr: str) -> int:
    """RETURNS (int): The features of a token, 0 of white space."""
    return 0 if token.pos == SPACE_POS else cast(Any, token.morph).key


def is_document(example: Example) -> bool:
    """RETURNS (bool): Whether the example's reference has more than one sentence."""
    return int((example.reference.to_array(SENT_START) == 1).sum()) > 1
