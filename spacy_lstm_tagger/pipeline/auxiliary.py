"""Auxiliary losses: in training, token vectors also learn to tell what else is known of a word."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ORTH
from spacy.parts_of_speech import NAMES
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Linear, Model, Ops, Optimizer
from thinc.types import Floats2d

from ..errors import Errors
from ..models.flat import flatten
from .gold import aligned_keys

# How many properties a task tells apart at most. A treebank has a hundred features or two.
ROWS = 512


class Task:
    """What is to be told of tokens: which of the properties that were met so far they have."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._rows_of_key: dict[int, list[int]] = {0: []}

    def keys(self, eg: Example) -> NDArray[np.uint64]:
        """RETURNS (NDArray[np.uint64]): What is known of each token of the predicted doc. 0:
        nothing. *Shape:* ``(tokens,)``.
        """
        raise NotImplementedError

    def properties(self, doc: Doc, key: int) -> Iterable[str]:
        """RETURNS (Iterable[str]): The properties that such a token has."""
        raise NotImplementedError

    def __call__(self, examples: Iterable[Example]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """RETURNS (tuple): Which properties each token has, *shape:* ``(tokens, properties)``, and
        of which tokens that is known, *shape:* ``(tokens,)``.
        """
        columns = []
        for eg in examples:
            columns.append(self.keys(eg))
            for key in np.unique(columns[-1]).tolist():
                if key not in self._rows_of_key:
                    self._rows_of_key[key] = self._number(self.properties(eg.reference, key))
        distinct, kinds = np.unique(np.concatenate(columns), return_inverse=True)
        sets = np.zeros((len(distinct), len(self._rows)), dtype=bool)
        for i, key in enumerate(distinct.tolist()):
            sets[i, self._rows_of_key[key]] = True
        return sets[kinds], (distinct != 0)[kinds]

    def _number(self, names: Iterable[str]) -> list[int]:
        """RETURNS (list[int]): The properties' numbers, first come first served."""
        for name in names:
            if len(self._rows) < ROWS:
                self._rows.setdefault(name, len(self._rows))
        return [self._rows[name] for name in names if name in self._rows]


class CoarseTag(Task):
    """Which coarse tag it is, `token.pos_`."""

    def keys(self, eg: Example) -> NDArray[np.uint64]:  # noqa: D102
        return aligned_keys(eg, "POS")

    def properties(self, doc: Doc, key: int) -> Iterable[str]:  # noqa: D102
        return [NAMES[key]]


class Features(Task):
    """Which features it has, `token.morph`. Each is a property, such as "Case=Acc"."""

    def keys(self, eg: Example) -> NDArray[np.uint64]:  # noqa: D102
        return aligned_keys(eg, "MORPH")

    def properties(self, doc: Doc, key: int) -> Iterable[str]:  # noqa: D102
        return [each for each in doc.vocab.strings[key].split("|") if each != "_"]


class Frequency(Task):
    """How frequent the word has been so far, in steps of its logarithm (Plank et al., 2016,
    https://aclanthology.org/P16-2067).
    """

    def __init__(self) -> None:
        super().__init__()
        self._counts: Counter[int] = Counter()
        self._total = 0

    def keys(self, eg: Example) -> NDArray[np.uint64]:  # noqa: D102
        words, inverse, counts = np.unique(
            eg.predicted.to_array(ORTH), return_inverse=True, return_counts=True
        )
        self._total += len(eg.predicted)
        self._counts.update(dict(zip(words.tolist(), counts.tolist(), strict=True)))
        steps = [1 + int(log(self._total / self._counts[word])) for word in words.tolist()]
        return np.array(steps, dtype=np.uint64)[inverse]

    def properties(self, doc: Doc, key: int) -> Iterable[str]:  # noqa: D102
        return [str(key)]


TASKS: dict[str, type[Task]] = {"pos": CoarseTag, "morph": Features, "frequency": Frequency}


def check_auxiliary(weights: Mapping[str, float] | None) -> None:
    """RAISES (ValueError): If the setting names a task that there is not, or a weight is wrong."""
    for task, weight in (weights or {}).items():
        if task not in TASKS:
            allowed = f"the tasks are {', '.join(map(repr, TASKS))}"
            raise ValueError(
                Errors.M001.format(name="auxiliary", value=repr(task), allowed=allowed)
            )
        if not weight >= 0.0:
            name = f"auxiliary.{task}"
            raise ValueError(
                Errors.M001.format(name=name, value=weight, allowed="it must be 0 or more")
            )


class AuxiliaryTasks:
    r"""Tasks that share the token vectors with the tagger in training, and that tagging knows
    nothing of (Caruana, 1997, https://doi.org/10.1023/A:1007379606734). With an affine map
    :math:`g` of a token's vector :math:`h`, a task's loss is

    .. math:: - w \sum_p \left[ y_p \log \sigma(g_p(h)) + (1 - y_p) \log (1 - \sigma(g_p(h)))
        \right]

    summed over the properties that were met so far. Nothing of this is saved with the tagger.

    weights (Mapping[str, float]): How much each of `TASKS` counts, :math:`w`.
    """

    def __init__(self, weights: Mapping[str, float]):
        self._weights = dict(weights)
        self._tasks = {name: TASKS[name]() for name in weights}
        self._heads: dict[str, Model[Floats2d, Floats2d]] = {}

    def learn(self, ops: Ops, examples: Sequence[Example], vectors: Sequence[Floats2d]) -> Floats2d:
        """Learn from a batch.

        ops (Ops): The device's operations.
        examples (Sequence[Example]): The batch.
        vectors (Sequence[Floats2d]): The token vectors, one array a doc.
        RETURNS (Floats2d): The gradient of the vectors. *Shape:* ``(tokens, width)``.
        """
        flat = flatten(ops, vectors)
        gradient = ops.xp.zeros_like(flat)
        for name, task in self._tasks.items():
            has, known = task(examples)
            if not known.any():
                continue
            if name not in self._heads:
                head = Linear(ROWS, flat.shape[1])
                head.ops = ops
                self._heads[name] = head.initialize()
            logits, backprop = self._heads[name].begin_update(flat)
            d_logits = ops.sigmoid(logits)
            d_logits[:, has.shape[1] :] = 0.0
            d_logits[:, : has.shape[1]] -= ops.xp.asarray(has, dtype="f")
            d_logits *= self._weights[name] * ops.xp.asarray(known[:, None], dtype="f")
            gradient += backprop(d_logits)
        return gradient

    def finish_update(self, sgd: Optimizer) -> None:
        """Update the maps.

        sgd (Optimizer): The optimizer.
        """
        for head in self._heads.values():
            head.finish_update(sgd)
