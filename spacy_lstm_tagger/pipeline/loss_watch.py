"""Tells when a training goes wrong, rather than that it ends with a tagger that knows nothing."""

import math
import warnings

import numpy as np
from numpy.typing import NDArray

from ..errors import Errors
from ..warning_texts import Warnings

# Nats a token. A tagger that knows nothing is surprised by the log of the number of tags, about 4;
# one that was sure of other tags for all words by about 20, and learns. Measured.
HOPELESS = 30.0
# Of so few words, such as one that somebody has corrected, it may have been surer.
FEW = 10
# How many updates are looked at together, and how much less than by the tags' frequencies alone the
# tagger should be surprised in those that come after the first ones.
WINDOW = 200
PART = 0.9
# How many updates in a row with a learning rate of 0 are too many: that of the first step may be 0,
# and a step may be an update and a rehearsal.
IDLE = 3


class LossWatch:
    """Watches the losses of a training."""

    def __init__(self) -> None:
        self._windows, self._warned, self._idle = 0, False, 0
        self._surprisals: list[float] = []
        self._counts = np.zeros(1, dtype=np.int64)

    def update(self, loss: float, surprisal: float, tags: NDArray[np.int64], *, name: str) -> None:
        """Look at the loss of a batch.

        loss (float): The loss.
        surprisal (float): The mean −log probability of the right tags.
        tags (NDArray[np.int64]): The right tags, negative where they are not known.
        name (str): The name of the component.
        RAISES (ValueError): If the training has diverged.
        """
        if not math.isfinite(loss):
            raise ValueError(Errors.P009.format(name=name, found=f"the loss is {loss}"))
        if surprisal > HOPELESS and np.count_nonzero(tags >= 0) > FEW:
            found = f"the right tags have a mean probability of exp(-{surprisal:.0f})"
            raise ValueError(Errors.P009.format(name=name, found=found))
        counts = np.bincount(tags[tags >= 0], minlength=len(self._counts))
        counts[: len(self._counts)] += self._counts
        self._counts = counts
        self._surprisals.append(surprisal)
        if len(self._surprisals) == WINDOW:
            self._look_back(name)

    def step(self, rate: float | None, *, name: str) -> None:
        """Look at the learning rate of an update.

        rate (Optional[float]): The learning rate. None: the optimizer does not tell.
        name (str): The name of the component.
        """
        self._idle = self._idle + 1 if rate == 0 else 0
        if self._idle == IDLE:
            warnings.warn(Warnings.LW010.format(name=name), stacklevel=2)

    def _look_back(self, name: str) -> None:
        """Compare a tagger with one that knows only how frequent tags are."""
        self._windows += 1
        shares = self._counts[self._counts > 0] / max(int(self._counts.sum()), 1)
        entropy, mean = float(-(shares * np.log(shares)).sum()), np.mean(self._surprisals)
        if self._windows > 1 and mean > PART * entropy > 0.0 and not self._warned:
            self._warned = True
            text = Warnings.LW002.format(name=name, updates=self._windows * WINDOW)
            warnings.warn(text, stacklevel=2)
        self._surprisals, self._counts = [], np.zeros(1, dtype=np.int64)
