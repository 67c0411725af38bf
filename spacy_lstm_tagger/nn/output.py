"""What a module gives: its vectors, and in training a loss of its own."""

from typing import NamedTuple

from torch import Tensor


class ModuleOutput(NamedTuple):
    """The output of a module.

    vectors (Tensor): The vectors of tokens or of types. *Shape:* ``(rows, width)``.
    loss (Optional[Tensor]): What training adds to the loss of the task. *Shape:* ``()``.
    """

    vectors: Tensor
    loss: Tensor | None = None
