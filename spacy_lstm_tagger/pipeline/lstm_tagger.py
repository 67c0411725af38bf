"""The `lstm_tagger` component: a spaCy tagger with defaults, loss and annotations of its own."""

import copy
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import TAG
from spacy.errors import Errors as SpacyErrors
from spacy.language import Language
from spacy.pipeline import Tagger
from spacy.pipeline.tagger import tagger_score
from spacy.tokens import Doc
from spacy.training import Example, validate_examples
from spacy.vocab import Vocab
from thinc.api import Config, Model
from thinc.types import Floats2d

from ..errors import Errors
from ..models.flat import FlatList, flatten
from .loss import gold_tags, softmax_gradient
from .soft_targets import add_soft_targets, check_soft_settings, soft_targets

DEFAULT_CONFIG = """
[model]
@architectures = "spacy-lstm-tagger.Tagger.v1"
nO = null

[model.tok2vec]
@architectures = "spacy-lstm-tagger.WordCharLSTM.v1"
"""
DEFAULT_MODEL = Config().from_str(DEFAULT_CONFIG)["model"]


@Language.factory(
    "lstm_tagger",
    assigns=["token.tag"],
    default_config={
        "model": DEFAULT_MODEL,
        "overwrite": False,
        "scorer": {"@scorers": "spacy-lstm-tagger.tagger_scorer.v1"},
        "neg_prefix": "!",
        "label_smoothing": 0.0,
        "soft_share": 1.0,
        "soft_weight": 1.0,
    },
    default_score_weights={"tag_acc": 1.0, "tag_acc_sentences": None, "tag_acc_documents": None},
)
def make_lstm_tagger(
    nlp: Language,
    name: str,
    model: Model[list[Doc], list[Floats2d]],
    overwrite: bool,
    scorer: Callable | None,
    neg_prefix: str,
    label_smoothing: float,
    soft_share: float,
    soft_weight: float,
) -> "LSTMTagger":
    """Make the component. See `LSTMTagger` for the values."""
    return LSTMTagger(
        nlp.vocab,
        model,
        name,
        overwrite=overwrite,
        scorer=scorer,
        neg_prefix=neg_prefix,
        label_smoothing=label_smoothing,
        soft_share=soft_share,
        soft_weight=soft_weight,
    )


class LSTMTagger(Tagger):
    """Tags words, with a word + character LSTM by default.

    vocab (Vocab): The shared vocabulary.
    model (Model[List[Doc], List[Floats2d]]): Docs to one score a tag for each token.
    name (str): The component's name.
    overwrite (bool): Whether tags that are there already are replaced.
    scorer (Optional[Callable]): The scoring method.
    neg_prefix (str): A tag in the training data that starts with it says what a token is not.
    label_smoothing (float): The probability that the loss spreads over the other tags.
    soft_share (float): How much of a token's target is a teacher's distribution, where there is
        one; the rest is its tag. 0: learn from tags alone.
    soft_weight (float): How much such a token counts in the loss, against 1 for one that has a
        tag alone.
    RAISES (ValueError): If a value is out of range.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "lstm_tagger",
        *,
        overwrite: bool = False,
        scorer: Callable | None = tagger_score,
        neg_prefix: str = "!",
        label_smoothing: float = 0.0,
        soft_share: float = 1.0,
        soft_weight: float = 1.0,
    ):
        if not 0.0 <= label_smoothing < 1.0:
            allowed = "it must be from 0 up to below 1"
            raise ValueError(
                Errors.M001.format(name="label_smoothing", value=label_smoothing, allowed=allowed)
            )
        check_soft_settings(soft_share=soft_share, soft_weight=soft_weight)
        super().__init__(
            vocab,
            model,
            name,
            overwrite=overwrite,
            scorer=scorer,
            neg_prefix=neg_prefix,
            label_smoothing=label_smoothing,
        )
        self.cfg |= {"soft_share": soft_share, "soft_weight": soft_weight}

    def _scores2guesses(self, scores: Sequence[Floats2d]) -> list[NDArray[np.int64]]:
        """RETURNS (list[NDArray[np.int64]]): The best tag of each token, one array a doc."""
        best = self.model.ops.to_numpy(flatten(self.model.ops, scores).argmax(axis=1))
        return FlatList(best, [len(doc_scores) for doc_scores in scores])

    def set_annotations(
        self, docs: Iterable[Doc] | Doc, batch_tag_ids: Sequence[NDArray[np.int64]]
    ) -> None:
        """Set `token.tag_`. A tag that is there already stays unless `overwrite` is set.

        docs (Iterable[Doc]): The docs.
        batch_tag_ids (Sequence[NDArray[np.int64]]): The tags' indices, from `predict`.
        """
        if isinstance(docs, Doc):
            docs = [docs]
        strings = self.vocab.strings
        tags = np.array([strings.add(label) for label in self.labels], dtype=np.uint64)
        for doc, tag_ids in zip(docs, batch_tag_ids, strict=True):
            if not len(doc):
                continue
            values = tags[self.model.ops.to_numpy(tag_ids)]
            if not self.cfg["overwrite"]:
                present = doc.to_array(TAG)
                if present.any():
                    values = np.where(present == 0, values, present)
            doc.from_array(TAG, values)

    def get_loss(
        self, examples: Iterable[Example], scores: Sequence[Floats2d]
    ) -> tuple[float, Sequence[Floats2d]]:
        """The cross-entropy's gradient, and as the loss its squared norm, as in spaCy's taggers.

        examples (Iterable[Example]): The batch.
        scores (Sequence[Floats2d]): The tags' probabilities, one array a doc.
        RETURNS (tuple): The loss, and the gradient of the logits, one array a doc.
        RAISES (ValueError): If a tag is not in the tag set, or the loss is not a number.
        """
        examples = list(examples)
        validate_examples(examples, "LSTMTagger.get_loss")
        ops = self.model.ops
        gold = gold_tags(examples, self.labels, neg_prefix=self.cfg["neg_prefix"])
        gradient = softmax_gradient(
            ops, flatten(ops, scores), gold, label_smoothing=self.cfg["label_smoothing"]
        )
        soft = soft_targets(examples, self.labels)
        if soft is not None:
            share, weight = self.cfg["soft_share"], self.cfg["soft_weight"]
            probs = flatten(ops, scores)
            gradient = add_soft_targets(ops, gradient, probs, soft, share=share, weight=weight)
        loss = float(ops.xp.square(gradient).sum())
        if np.isnan(loss):
            raise ValueError(SpacyErrors.E910.format(name=self.name))
        return loss, FlatList(gradient, [len(s) for s in scores])

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "LSTMTagger":
        """Load the component.

        path (Union[str, Path]): The component's folder.
        exclude (Iterable[str]): Names of fields to leave out.
        RETURNS (LSTMTagger): Itself.
        RAISES (ValueError): If the model file is damaged or of another architecture.
        """
        return self._load(super().from_disk, path, exclude=exclude, source=str(path))

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "LSTMTagger":
        """Load the component from bytes. See `from_disk`."""
        return self._load(super().from_bytes, bytes_data, exclude=exclude, source="bytes")

    def _load(self, load: Callable, data: Any, *, exclude: Iterable[str], source: str) -> Any:
        cfg = copy.deepcopy(self.cfg)  # type: ignore[has-type]
        weights = self.model.to_bytes()
        try:
            return load(data, exclude=tuple(exclude))
        except (ValueError, KeyError, IndexError, TypeError, UnicodeDecodeError) as e:
            self.cfg = cfg
            self.model.from_bytes(weights)
            raise ValueError(Errors.L003.format(path=source, error=e)) from e
