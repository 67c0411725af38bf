"""How a tagger learns: a step of training, and one of rehearsal."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from spacy.training import Example, validate_examples
from thinc.api import Optimizer, set_dropout_rate
from thinc.types import Floats2d

from ..errors import Errors
from ..models.flat import as_tensor, flatten
from ..models.lattice import model_crf, predict_lattice
from ..models.resize import n_tags
from ..models.threads import on_our_threads
from ..whitespace import is_space
from .class_weights import class_weights_array
from .gold import GoldTags, gold_tags
from .listening import encoder_name, listener_of
from .loss import crf_loss, softmax_gradient, softmax_loss, token_weights
from .loss_watch import LossWatch
from .notation import Notation
from .rehearsal import rehearsal_gradient
from .saving import SavedTagger
from .settings import check_smoothing
from .soft_targets import add_soft_targets, soft_targets


class LearningTagger(SavedTagger):
    """A tagger with losses of its own, that tells when training goes wrong. See `LSTMTagger` for
    its settings.
    """

    _watch: LossWatch

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch.

        examples (Iterable[Example]): The batch.
        drop (float): The dropout rate.
        sgd (Optional[Optimizer]): The optimizer.
        losses (Optional[Dict[str, float]]): Where the loss is added.
        RETURNS (Dict[str, float]): The losses.
        RAISES (ValueError): As `get_loss`, or if the model is not initialized.
        """
        examples = list(examples)
        validate_examples(examples, "LSTMTagger.update")
        return self._learn(self.get_loss, examples, drop=drop, sgd=sgd, losses=losses)

    @on_our_threads
    def _learn(
        self,
        get_loss: Callable,
        examples: Iterable[Example],
        *,
        drop: float,
        sgd: Optimizer | None,
        losses: dict[str, float] | None,
    ) -> dict[str, float]:
        """Make a step. See `update`.

        get_loss (Callable): From the batch and its scores to the loss and its gradient.
        """
        self._check_initialized()
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        docs = [eg.predicted for eg in examples]
        if not any(len(doc) for doc in docs):
            return losses
        with self._lock.changing():
            set_dropout_rate(self.model, drop)
            scores, backprop = self.model.begin_update(docs)
            loss, gradient = get_loss(examples, scores)
            backprop(gradient)
            if sgd not in (None, False):
                self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def finish_update(self, sgd: Optimizer) -> None:
        """Let the optimizer change the weights.

        sgd (Optimizer): The optimizer.
        """
        self._watch.step(getattr(sgd, "learn_rate", None), name=self.name)
        with self._lock.changing():
            super().finish_update(sgd)

    def use_params(self, params: dict) -> Iterator[None]:
        """Take other weights, such as averages, until it is resumed: `Language.use_params` does.

        params (dict): The weights.
        """
        context = self.model.use_params(params)
        with self._lock.changing():
            count = len(self.labels)
            context.__enter__()
        try:
            yield
        finally:
            with self._lock.changing():
                context.__exit__(None, None, None)
                if len(self.labels) > count and n_tags(self.model) is not None:
                    self.set_output(len(self.labels))  # these weights know no later `add_label`

    def _check_initialized(self) -> None:
        """RAISES (ValueError): If the model is not initialized."""
        if self.model.maybe_get_dim("nO") is None:
            raise ValueError(Errors.P020.format(name=self.name))

    @on_our_threads
    def get_loss(
        self, examples: Iterable[Example], scores: Sequence[Floats2d]
    ) -> tuple[float, Sequence[Floats2d]]:
        """The gradient of the loss: of the cross-entropy, with its squared norm as the loss, as in
        spaCy's taggers, or of a CRF's negative log-likelihood, with this as the loss.

        examples (Iterable[Example]): The batch.
        scores (Sequence[Floats2d]): The tags' probabilities, one array a doc, or a CRF's emissions.
        RETURNS (tuple): The loss, and the gradient of the logits, one array a doc. A CRF's also
            has that of the transitions; a plain list of arrays leaves them as they are.
        RAISES (ValueError): If a tag is not in the tag set, a setting in `cfg` is not allowed, or
            the training has diverged.
        """
        examples = list(examples)
        validate_examples(examples, "LSTMTagger.get_loss")
        check_smoothing(self.cfg["label_smoothing"])
        gold, lengths = self._gold(examples), [len(array) for array in scores]
        weights = class_weights_array(
            self.cfg["class_weights"], self.labels, counts=self.cfg["tag_counts"]
        )
        options: dict[str, Any] = {
            "label_smoothing": self.cfg["label_smoothing"],
            "weights": None if weights is None else token_weights(gold, weights),
        }
        tensor, crf = as_tensor(flatten(self.model.ops, scores)), model_crf(self.model)
        if crf is not None:  # which learns from tags alone
            spaces = is_space(eg.predicted for eg in examples)
            loss = crf_loss(tensor, lengths, crf, gold, spaces=spaces, **options)
        else:
            d_logits = softmax_gradient(tensor, gold, **options)
            soft = soft_targets(examples, self.labels) if self.cfg["soft_share"] else None
            if soft is not None:
                d_logits = add_soft_targets(d_logits, tensor, soft, share=self.cfg["soft_share"])
            loss = softmax_loss(tensor, d_logits, lengths, gold)
        self._watch.update(loss.value, loss.surprisal, gold.tags, name=self.name)
        return loss.value, loss.gradient

    def _gold(self, examples: Iterable[Example]) -> GoldTags:
        """RETURNS (GoldTags): The tags that the predicted docs should have."""
        return gold_tags(examples, self.labels, Notation.of(self.cfg))

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
        RAISES (ValueError): If the model is not initialized, or listens to an encoder, of which no
            copy was kept.
        """
        examples = list(examples)
        validate_examples(examples, "LSTMTagger.rehearse")
        listener = listener_of(self.model)
        if listener is not None:
            names = {"name": self.name, "encoder": encoder_name(listener)}
            raise ValueError(Errors.P014.format(**names))
        known = [] if self._rehearsal_model is None else examples
        return self._learn(self._rehearsal_loss, known, drop=drop, sgd=sgd, losses=losses)

    def _rehearsal_loss(
        self, examples: Iterable[Example], scores: Sequence[Floats2d]
    ) -> tuple[float, Sequence[Floats2d]]:
        docs = [eg.predicted for eg in examples]
        tutor = predict_lattice(self._rehearsal_model, docs)
        flat, crf = flatten(self.model.ops, scores), model_crf(self.model)
        gradient = rehearsal_gradient(flat, crf, tutor, spaces=is_space(docs))
        return float((gradient.flat**2).sum()), gradient
