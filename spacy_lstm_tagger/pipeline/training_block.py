"""What the block [training] of a config says: is the last step scored, is the corpus streamed?"""

import warnings
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from spacy.language import Language
from spacy.training import Example

from ..checks import check
from ..errors import Errors
from ..warning_texts import Warnings

SAMPLE = 100  # so many examples of a streamed corpus spaCy shows when a pipeline is initialized


def read_training(nlp: Language) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): The block [training] of a pipeline's config, whose variables
    `spacy train` leaves as they are. Empty if there is none.
    """
    return nlp.config.interpolate().get("training", {})


def is_sample(get_examples: Callable[[], Iterable[Example]], nlp: Language | None) -> bool:
    """RETURNS (bool): Whether these are only the first examples of a training corpus that is
    streamed: of it spaCy shows a component no more.

    get_examples (Callable[[], Iterable[Example]]): The examples.
    nlp (Optional[Language]): The pipeline.
    """
    if nlp is None or read_training(nlp).get("max_epochs") != -1:
        return False
    return sum(1 for _ in islice(get_examples(), SAMPLE + 1)) == SAMPLE


def check_steps(training: Mapping[str, Any]) -> None:
    """Warn if `spacy train` does not score its last step. It scores step 0 and every
    `eval_frequency` steps, and saves as model-best what was scored best.

    training (Mapping[str, Any]): The block [training] of a config.
    RAISES (ValueError): If it scores no step but that one, of a tagger that has seen one batch.
    """
    steps, every = training.get("max_steps", 0), training.get("eval_frequency", 1)
    check(every > 0, "[training] eval_frequency", every, "1 or more")
    check(steps >= 0, "[training] max_steps", steps, "0 or more (0: no limit)")
    if 0 < steps < every:  # without max_steps, the epochs tell when to stop
        raise ValueError(Errors.T001.format(steps=steps, every=every))
    if steps % every:
        found = {"steps": steps, "every": every, "unscored": steps % every}
        warnings.warn(Warnings.LW007.format(**found), stacklevel=3)
