"""The `lstm_tagger` component: a spaCy tagger with decoding, losses and annotations of its own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.attrs import TAG
from spacy.errors import Errors as SpacyErrors
from spacy.language import Language
from spacy.pipeline.tagger import tagger_score
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate
from thinc.types import Floats2d

from ..errors import Errors
from ..models.flat import FlatList, flatten
from ..models.lattice import model_crf, predict_lattice
from ..models.resize import can_resize, resize_output
from ..nn.lattice import Lattice
from .calibration import Calibration, calibrate
from .class_weights import BALANCED, class_weights_array
from .decoding import Decoding, Guesses
from .dictionary import TagDictionary, as_table
from .gold import GoldTags, gold_tags, named_tags
from .gold import tag_counts as count_tags
from .loss import crf_gradient, softmax_gradient, token_weights
from .rehearsal import rehearsal_gradient
from .saving import SavedTagger
from .settings import check_settings
from .soft_targets import add_soft_targets, soft_targets
from .steps import check_steps


class LSTMTagger(SavedTagger):
    """Tags words, with a word + character LSTM by default. Other models work too, as long as their
    scores are logits in tagging; with a `crf` ref they are those of a CRF (`CRFTagger.v1`).

    All settings are in `cfg`, as those of spaCy's tagger are: `pipe.cfg["threshold"] = 0.9` changes
    one in a trained pipeline, and is saved with it. What was saved holds when a pipeline is loaded,
    whatever its config says.

    vocab (Vocab): The shared vocabulary.
    model (Model[List[Doc], List[Floats2d]]): Docs to one score a tag for each token.
    name (str): The component's name.
    overwrite (bool): Whether tags that are there already are replaced.
    scorer (Optional[Callable]): The scoring method.
    neg_prefix (str): A tag in the training data that starts with it says what a token is not.
    label_smoothing (float): The probability that the loss spreads over the other tags.
    tag_separator (Optional[str]): Stands between the tags in the training data of which a token
        has one ("NN|NNP"). None: there are no such sets.
    class_weights (Optional[Union[Dict[str, float], str]]): How much tokens of a tag count in
        training, 1 if not given; or "balanced".
    save_probabilities (bool): Whether to keep the tags' probabilities with the doc.
    n_best (Optional[int]): How many of the best tag sequences to keep with it. None: none.
    threshold (Optional[float]): A tag that is less probable is left empty. None: none is.
    soft_share (float): How much of a token's target is a teacher's distribution, where there is
        one; the rest is its tag. 0: learn from tags alone.
    soft_weight (float): How much such a token counts in the loss, against 1 for one that has a
        tag alone.
    RAISES (ValueError): If a value is out of range.
    """

    cfg: dict[str, Any]

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
        tag_separator: str | None = None,
        class_weights: Mapping[str, float] | str | None = None,
        save_probabilities: bool = False,
        n_best: int | None = None,
        threshold: float | None = None,
        soft_share: float = 1.0,
        soft_weight: float = 1.0,
    ):
        super().__init__(
            vocab,
            model,
            name,
            overwrite=overwrite,
            scorer=scorer,
            neg_prefix=neg_prefix,
            label_smoothing=label_smoothing,
        )
        self.cfg.update(
            tag_separator=tag_separator,
            class_weights=class_weights,
            soft_share=soft_share,
            soft_weight=soft_weight,
            save_probabilities=save_probabilities,
            n_best=n_best,
            threshold=threshold,
            temperature=1.0,
            tag_counts=None,
            tag_dictionary=None,
        )
        check_settings(self.cfg)
        self._dictionary: TagDictionary | None = None
        if model.has_ref("crf"):
            model.get_ref("crf").attrs["decoded"] = True
        if can_resize(model):
            model.attrs["resize_output"] = resize_output

    def add_label(self, label: str) -> int:
        """Add a tag. In a trained tagger the output layer grows; what the others score stays as it
        is, and the new one is never the best until it is trained. Shrinking is not possible.

        label (str): The tag.
        RETURNS (int): 0 if it is there already, otherwise 1.
        RAISES (ValueError): If the model is initialized and its output layer cannot grow.
        """
        added = super().add_label(label)
        if added and self.is_resizable:
            width = self.model.get_ref("output_layer").maybe_get_dim("nO")
            if width is not None and width < len(self.labels):
                self.set_output(len(self.labels))
        return added

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: list[str] | None = None,
        tag_dictionary: dict[str, list[str]] | None = None,
        tag_counts: dict[str, int] | None = None,
    ) -> None:
        """Prepare for training.

        get_examples (Callable[[], Iterable[Example]]): Gives a representative sample.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[List[str]]): The tag set. None: the tags of the sample.
        tag_dictionary (Optional[Dict[str, List[str]]]): See `set_tag_dictionary`. None: what was
            set stays.
        tag_counts (Optional[Dict[str, int]]): How often the training data has each tag, for
            "balanced" class weights. None: as often as the sample.
        RAISES (ValueError): If there is no tag, the dictionary or the weights name others, or
            [training] of the pipeline's config ends between two evaluations.
        """
        if nlp is not None:
            check_steps(nlp.config["training"])
        validate_get_examples(get_examples, "LSTMTagger.initialize")
        check_settings(self.cfg)
        weigh = self.cfg["class_weights"] == BALANCED
        if labels is None or (weigh and tag_counts is None):
            seen = count_tags(get_examples())
            labels = sorted(self._named(seen)) if labels is None else labels
            tag_counts = seen if tag_counts is None else tag_counts
        super().initialize(get_examples, nlp=nlp, labels=self._named(labels))
        if weigh:
            counts = tag_counts or {}
            self.cfg["tag_counts"] = {label: counts.get(label, 0) for label in self.labels}
        self._class_weights()  # now that the tags are known, those of others are an error
        if tag_dictionary is not None:
            self.set_tag_dictionary(tag_dictionary)

    def set_tag_dictionary(
        self, entries: Mapping[str, Iterable[str]] | None, *, ignore_unknown: bool = False
    ) -> None:
        """Say which tags words may have. It holds for decoding, from now on, and is saved with the
        pipeline: the tags, probabilities and sequences found are those without all others. Words
        are compared as they are written. Words that are not in it may have any tag.

        entries (Optional[Mapping[str, Iterable[str]]]): The tags of each word. None: there is no
            dictionary any more.
        ignore_unknown (bool): Whether tags that are not in the tag set are left out, and words
            that then have none; by default, they are an error.
        RAISES (ValueError): If a word has no tag, or one that is not in the tag set.
        """
        if entries is not None:
            entries = as_table(entries, self.labels if ignore_unknown else None)
            TagDictionary(entries, self.labels)
        self.cfg["tag_dictionary"] = entries

    def predict(self, docs: Iterable[Doc]) -> Guesses:
        """Find the tags of a batch of docs, without changing them.

        docs (Iterable[Doc]): The docs.
        RETURNS (Guesses): Indices of tags, one array a doc, and what else `cfg` asks for.
        """
        docs = list(docs)
        if any(len(doc) for doc in docs):
            lattice = self._lattice(docs)
        else:
            lattice = Lattice(torch.empty(0, max(len(self.labels), 1)), [0] * len(docs))
        return Decoding.of(self.cfg)(lattice, self.labels)

    def _lattice(self, docs: Sequence[Doc]) -> Lattice:
        """RETURNS (Lattice): The model's scores, as far as the dictionary allows."""
        lattice = predict_lattice(self.model, docs)
        entries, labels = self.cfg["tag_dictionary"], self.cfg["labels"]
        if entries:
            if self._dictionary is None or not self._dictionary.is_of(entries, labels):
                self._dictionary = TagDictionary(entries, labels)
            self._dictionary.apply(docs, lattice.emissions)
        return lattice

    def set_annotations(
        self, docs: Iterable[Doc] | Doc, batch_tag_ids: Sequence[NDArray[np.int64]]
    ) -> None:
        """Set `token.tag_`, but where the tagger abstains. A tag that is there already stays unless
        `overwrite` is set.

        docs (Iterable[Doc]): The docs.
        batch_tag_ids (Sequence[NDArray[np.int64]]): The tags' indices, from `predict`, whose
            scores and sequences are kept with the docs.
        """
        if isinstance(docs, Doc):
            docs = [docs]
        strings = self.vocab.strings
        # The last one is that of tokens where the tagger abstains, `ABSTAINED`.
        tags = np.array([*map(strings.add, self.labels), 0], dtype=np.uint64)
        for doc, tag_ids in zip(docs, batch_tag_ids, strict=True):
            if not len(doc):
                continue
            values = tags[self.model.ops.to_numpy(tag_ids)]
            if not self.cfg["overwrite"] and doc.has_annotation("TAG"):
                present = doc.to_array(TAG)
                values = np.where(present == 0, values, present)
            doc.from_array(TAG, values)
        if isinstance(batch_tag_ids, Guesses):
            batch_tag_ids.keep(docs)

    def get_loss(
        self, examples: Iterable[Example], scores: Sequence[Floats2d]
    ) -> tuple[float, Sequence[Floats2d]]:
        """The gradient of the loss: of the cross-entropy, with its squared norm as the loss, as in
        spaCy's taggers, or of a CRF's negative log-likelihood, with this as the loss.

        examples (Iterable[Example]): The batch.
        scores (Sequence[Floats2d]): The tags' probabilities, one array a doc, or a CRF's emissions.
        RETURNS (tuple): The loss, and the gradient of the logits, one array a doc.
        RAISES (ValueError): If a tag is not in the tag set, or the loss is not a number.
        """
        examples = list(examples)
        validate_examples(examples, "LSTMTagger.get_loss")
        ops = self.model.ops
        lengths = [len(s) for s in scores]
        gold = self._gold(examples)
        class_weights = self._class_weights()
        options = {
            "label_smoothing": self.cfg["label_smoothing"],
            "weights": None if class_weights is None else token_weights(gold, class_weights),
        }
        flat = flatten(ops, scores)
        crf = model_crf(self.model)
        gradient: FlatList
        if crf is not None:
            loss, gradient = crf_gradient(ops, flat, lengths, crf, gold, **options)
        else:
            d_logits = softmax_gradient(ops, flat, gold, **options)
            soft = soft_targets(examples, self.labels)
            if soft is not None:
                share, weight = self.cfg["soft_share"], self.cfg["soft_weight"]
                d_logits = add_soft_targets(ops, d_logits, flat, soft, share=share, weight=weight)
            gradient = FlatList(d_logits, lengths)
            loss = float(ops.xp.square(gradient.flat).sum())
        if np.isnan(loss):
            raise ValueError(SpacyErrors.E910.format(name=self.name))
        return loss, gradient

    def _gold(self, examples: Iterable[Example]) -> GoldTags:
        """RETURNS (GoldTags): The tags that the predicted docs should have."""
        return gold_tags(examples, self.labels, **self._notation)

    def _named(self, annotations: Iterable[str]) -> list[str]:
        """RETURNS (list[str]): The tags that annotations of the training data name."""
        return named_tags(annotations, **self._notation)

    @property
    def _notation(self) -> dict[str, str | None]:
        return {"neg_prefix": self.cfg["neg_prefix"], "separator": self.cfg["tag_separator"]}

    def _class_weights(self) -> NDArray[np.float32] | None:
        """RETURNS (Optional[NDArray[np.float32]]): The weight of each tag. None if all count the
        same.
        """
        weights, counts = self.cfg["class_weights"], self.cfg["tag_counts"]
        return class_weights_array(weights, self.labels, counts=counts)

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Train the model to score as it did when `nlp.resume_training` was called, also if it has
        more tags now.

        examples (Iterable[Example]): The batch; its annotation is not read.
        drop (float): The dropout rate.
        sgd (Optional[Optimizer]): The optimizer.
        losses (Optional[Dict[str, float]]): Where the loss is added.
        RETURNS (Dict[str, float]): The losses.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        validate_examples(examples, "LSTMTagger.rehearse")
        docs = [eg.predicted for eg in examples]
        if self._rehearsal_model is None or not any(len(doc) for doc in docs):
            return losses
        set_dropout_rate(self.model, drop)
        scores, backprop = self.model.begin_update(docs)
        ops = self.model.ops
        tutor = predict_lattice(self._rehearsal_model, docs)
        gradient = rehearsal_gradient(flatten(ops, scores), model_crf(self.model), tutor)
        backprop(gradient)
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += float(ops.xp.square(gradient.flat).sum())
        return losses

    def calibrate(self, examples: Iterable[Example], *, batch_size: int = 256) -> Calibration:
        """Fit a temperature to dev data, by which probabilities become as sure as the tagger is
        right. Tags do not change. The temperature is saved with the pipeline.

        examples (Iterable[Example]): The dev data: not what the model was trained on.
        batch_size (int): How many docs are tagged at a time.
        RETURNS (Calibration): The temperature, and the expected calibration error before and after.
        RAISES (ValueError): If no token has a tag.
        """
        examples = list(examples)
        validate_examples(examples, "LSTMTagger.calibrate")
        examples = [eg for eg in examples if len(eg.predicted)]
        lattices, labels = [], []
        for batch in minibatch(examples, batch_size):
            lattices.append(self._lattice([eg.predicted for eg in batch]))
            labels.append(self._gold(batch).tags)
        if not labels or max(map(np.max, labels)) < 0:
            raise ValueError(Errors.P015)
        result = calibrate(lattices, np.concatenate(labels), temperature=self.cfg["temperature"])
        self.cfg["temperature"] = result.temperature
        return result

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score tags. If the tagger may abstain, the scorer is told so.

        examples (Iterable[Example]): The scored docs.
        RETURNS (Dict[str, Any]): The scores.
        """
        if self.cfg["threshold"] is not None:
            kwargs.setdefault("threshold", self.cfg["threshold"])
        return super().score(examples, **kwargs)
