"""New tags for a tagger that is trained already, before it is trained on."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from spacy.language import Language
from spacy.pipeline import Tagger
from spacy.util import registry

from ..errors import Errors
from .notation import Notation
from .training_block import check_steps, read_training


@registry.callbacks("spacy-lstm-tagger.AddLabels.v1")
def create_label_adder(
    *, labels: list[str], component: str = "lstm_tagger"
) -> Callable[[Language], None]:
    """Create a callback for `[initialize] after_init`, which adds tags to a trained tagger. spaCy
    does not initialize a component that has a `source`: tags that are new in the data it is
    trained on would be an error.

    labels (List[str]): The tags, as TagLabels.v1 reads them. Those that are there already stay.
    component (str): The name of the tagger.
    RETURNS (Callable[[Language], None]): The callback.
    """
    return partial(add_labels, component=component, labels=labels)


def add_labels(nlp: Language, *, component: str, labels: Iterable[str]) -> None:
    """Add tags to a tagger of a pipeline.

    nlp (Language): The pipeline.
    component (str): The name of the tagger.
    labels (Iterable[str]): The tags, as the training data names them: sets of tags and negative
        ones are no labels.
    RAISES (ValueError): If the component is no tagger, or [training] of the pipeline's config ends
        before the first evaluation: it has a `source`, so its `initialize` does not tell.
    RAISES (KeyError): If there is no such component.
    """
    check_steps(read_training(nlp))
    pipe: Any = nlp.get_pipe(component)
    if not isinstance(pipe, Tagger) or "neg_prefix" not in pipe.cfg:
        raise ValueError(Errors.P015.format(name=component, kind=type(pipe).__name__))
    for label in Notation.of(pipe.cfg).named(labels):
        pipe.add_label(label)
