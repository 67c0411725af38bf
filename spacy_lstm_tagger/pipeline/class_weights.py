"""Class weights: how much the tokens of a tag count in training."""

from collections.abc import Mapping, Sequence
from configparser import Error as ConfigParserError
from typing import Any

import numpy as np
from numpy.typing import NDArray
from thinc.api import Config

from ..checks import check, check_not_negative, first_of
from ..errors import Errors

BALANCED = "balanced"


def check_class_weights(value: Any) -> None:
    """RAISES (ValueError): If the setting is neither weights, nor "balanced", nor None."""
    if value is None or value == BALANCED:
        return
    allowed = f'null, "{BALANCED}" or a weight for each tag'
    check(isinstance(value, Mapping), "class_weights", value, allowed)
    check_not_negative(**{f"class_weights[{tag!r}]": weight for tag, weight in value.items()})


def check_as_config(value: Any) -> None:
    """RAISES (ValueError): If the weight of a tag would be lost in a config, or the config could
    not be read again: there some characters are more than a part of a name.
    """
    for tag, weight in value.items() if isinstance(value, Mapping) else ():
        section = {"class_weights": {tag: weight}}
        try:
            is_kept = Config().from_str(Config(section).to_str()) == section
        except (ValueError, ConfigParserError):  # the latter since Python 3.14
            is_kept = False
        allowed = 'set by pipe.cfg["class_weights"], as a config cannot keep this tag'
        check(is_kept, f"class_weights[{tag!r}]", weight, allowed)


def balanced_weights(counts: Mapping[str, int], labels: Sequence[str]) -> dict[str, float]:
    """Weigh tags by the inverse of how often they are, so that all of them count the same in sum
    and a token counts 1 on average (King & Zeng, 2001, https://doi.org/10.1093/oxfordjournals.pan.a004868).

    counts (Mapping[str, int]): How often the training data has each tag. 0 counts as 1.
    labels (Sequence[str]): The tag set.
    RETURNS (dict[str, float]): The weight of each tag that was counted. One that was added later
        has none.
    """
    seen = {label: max(counts[label], 1) for label in labels if label in counts}
    total = sum(seen.values())
    return {label: total / (len(seen) * count) for label, count in seen.items()}


def class_weights_array(
    weights: Mapping[str, float] | str | None,
    labels: Sequence[str],
    *,
    counts: Mapping[str, int] | None = None,
) -> NDArray[np.float32] | None:
    """RETURNS (Optional[NDArray[np.float32]]): The weight of each tag, 1 if it has none. None if
    there are no weights. *Shape:* ``(tags,)``.

    weights (Optional[Union[Mapping[str, float], str]]): The setting.
    labels (Sequence[str]): The tag set.
    counts (Optional[Mapping[str, int]]): How often the training data has each tag.
    RAISES (ValueError): If the setting is not allowed, a weight is that of a tag which is not in
        the tag set, or the tags are to be balanced and nobody has counted them.
    """
    check_class_weights(weights)
    if weights is None:
        return None
    if isinstance(weights, str):
        if counts is None:
            raise ValueError(Errors.P006)
        weights = balanced_weights(counts, labels)
    known = set(labels)
    for tag in weights:
        if tag not in known:
            raise ValueError(Errors.P005.format(tag=tag, labels=first_of(labels)))
    return np.array([weights.get(label, 1.0) for label in labels], dtype=np.float32)
