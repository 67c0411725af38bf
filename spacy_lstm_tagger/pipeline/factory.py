"""The `lstm_tagger` factory: what a config may say, and what holds if it says nothing."""

from collections.abc import Callable

from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Config, Model
from thinc.types import Floats2d

from .class_weights import check_as_config
from .lstm_tagger import LSTMTagger

# The network of `configs/accurate.cfg`, as wide as the architectures are by default.
DEFAULT_CONFIG = """
[model]
@architectures = "spacy-lstm-tagger.Tagger.v1"
nO = null

[model.tok2vec]
@architectures = "spacy.Tok2Vec.v2"

[model.tok2vec.embed]
@architectures = "spacy-lstm-tagger.WordCharEmbed.v1"

[model.tok2vec.encode]
@architectures = "spacy-lstm-tagger.LSTMEncoder.v1"
"""
DEFAULT_MODEL = Config().from_str(DEFAULT_CONFIG)["model"]


@Language.factory(
    "lstm_tagger",
    assigns=[
        "token.tag",
        "token.pos",
        "token.morph",
        "token._.tag_probabilities",
        "token._.tag_confidence",
        "doc._.tag_n_best",
    ],
    default_config={
        "model": DEFAULT_MODEL,
        "overwrite": False,
        "scorer": {"@scorers": "spacy-lstm-tagger.TaggerScorer.v1"},
        "neg_prefix": "!",
        "label_smoothing": 0.0,
        "tag_set": "xpos",
        "tag_separator": None,
        "class_weights": None,
        "soft_share": 1.0,
        "save_probabilities": False,
        "n_best": None,
        "threshold": None,
    },
    default_score_weights={
        "tag_acc": 1.0,
        "tag_whole_sents": None,
        "tag_macro_f": None,
        "tag_per_type": None,
    },
)
def make_lstm_tagger(
    nlp: Language,
    name: str,
    model: Model[list[Doc], list[Floats2d]],
    overwrite: bool,
    scorer: Callable | None,
    neg_prefix: str,
    label_smoothing: float,
    tag_set: str,
    tag_separator: str | None,
    class_weights: dict[str, float] | str | None,
    soft_share: float,
    save_probabilities: bool,
    n_best: int | None,
    threshold: float | None,
) -> LSTMTagger:
    """Make the component. See `LSTMTagger` for the values."""
    check_as_config(class_weights)
    return LSTMTagger(
        nlp.vocab,
        model,
        name,
        overwrite=overwrite,
        scorer=scorer,
        neg_prefix=neg_prefix,
        label_smoothing=label_smoothing,
        tag_set=tag_set,
        tag_separator=tag_separator,
        class_weights=class_weights,
        soft_share=soft_share,
        save_probabilities=save_probabilities,
        n_best=n_best,
        threshold=threshold,
    )
