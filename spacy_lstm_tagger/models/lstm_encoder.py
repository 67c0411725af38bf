"""The encoding layer: one array a doc through the sentence LSTM."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from thinc.api import ArgsKwargs, Model
from thinc.types import Floats2d
from thinc.util import torch2xp, xp2torch
from torch import Tensor

from ..errors import Errors
from ..nn.buckets import Buckets
from ..nn.lstm import BucketedLSTM
from .flat import FlatList, flatten, no_gradient
from .shim import TorchShim, dropout_rate, shim_of
from .threads import on_our_threads

NAME = "lstm_encoder"
# Plans of lone docs up to this length are kept.
SHORT = 128
# A bucket of more cells leaves a CPU's cache between layers; in one of fewer, too few long docs run
# side by side. Measured.
CACHED = 4096


@dataclass(frozen=True)
class EncoderSettings:
    """What the config says of the layer, beside the sizes of its module. A model file does not
    have it, so the config holds.

    dropout (Optional[float]): Variational dropout on the input and behind each layer. None: the
        rate of `[training] dropout`.
    max_batch_items (int): The size of a padded bucket, in tokens, which bounds memory. On a CPU
        it is `CACHED` at most.
    window (int): A longer doc is read in windows of this many tokens. 0: in one go.
    context (int): How many tokens a window reads beyond each of its ends.
    """

    dropout: float | None
    max_batch_items: int
    window: int
    context: int

    def limits(self, device: torch.device) -> dict[str, Any]:
        """RETURNS (dict[str, Any]): What bounds the buckets, for `make_plan`."""
        size = self.max_batch_items
        if device.type == "cpu":
            size = min(size, CACHED)
        return {"max_batch_items": size, "window": self.window, "context": self.context}


def lstm_encoder(
    module: BucketedLSTM, settings: EncoderSettings, *, precision: str
) -> Model[list[Floats2d], list[Floats2d]]:
    """Wrap the sentence LSTM as a Thinc layer. A doc's vectors do not depend on the docs beside it.

    module (BucketedLSTM): The module.
    settings (EncoderSettings): The settings.
    precision (str): What to compute in, see `TorchShim`.
    RETURNS (Model[List[Floats2d], List[Floats2d]]): The layer.
    """
    return Model(
        NAME,
        forward,
        init=init,
        dims={"nI": module.input_width, "nO": module.output_width},
        shims=[TorchShim(module, precision=precision)],
        attrs={"settings": settings, "dropout_rate": 0.0},
    )


@on_our_threads
def forward(
    model: Model[list[Floats2d], list[Floats2d]], X: Sequence[Floats2d], is_train: bool
) -> tuple[list[Floats2d], Callable]:
    """Encode a batch of docs.

    X (Sequence[Floats2d]): One array a doc. *Shape:* ``(tokens, nI)``.
    RETURNS (tuple): One array a doc, *shape:* ``(tokens, nO)``, and the callback.
    RAISES (ValueError): If the vectors have another width, or the dropout rate is not allowed.
    """
    shim = shim_of(model)
    device = shim.device
    lengths = [len(x) for x in X]
    x = xp2torch(flatten(model.ops, X), requires_grad=is_train, device=device)
    if not is_train:
        return predict(model, x, lengths), no_gradient
    _check_width(model, x.shape[1])
    settings = cast(EncoderSettings, model.attrs["settings"])
    learns_language = cast(BucketedLSTM, shim.module).language_model is not None
    arrays = [followed_rows(lengths)] if learns_language else []
    limits = settings.limits(device)
    buckets, sent = Buckets.beside(arrays, lengths, device=device, training=True, **limits)
    rate = dropout_rate(model, settings.dropout)
    options = {"followed": sent[0] if sent else None, "dropout": rate}
    y, backprop_torch = shim.begin_update(ArgsKwargs((x, buckets), options))

    def backprop(dY: Sequence[Floats2d]) -> list[Floats2d]:
        backprop_torch(xp2torch(flatten(model.ops, dY), device=device))
        return FlatList(torch2xp(cast(Tensor, x.grad)), lengths)

    return FlatList(torch2xp(y), lengths), backprop


@on_our_threads
def predict(
    model: Model[list[Floats2d], list[Floats2d]],
    x: Tensor,
    lengths: Sequence[int],
    *,
    rows: NDArray[np.int64] | None = None,
    head: Callable[[Tensor], Tensor] | None = None,
) -> FlatList:
    """Encode a batch of docs without training.

    x (Tensor): The vectors of tokens, or a table that `rows` are of. *Shape:* ``(rows, nI)``.
    lengths (Sequence[int]): The number of tokens of each doc.
    rows (Optional[NDArray[np.int64]]): The row of `x` that each token has. *Shape:* ``(tokens,)``.
    head (Optional[Callable[[Tensor], Tensor]]): What to make of the outputs, see
        `BucketedLSTM.forward`.
    RETURNS (FlatList): One array a doc. *Shape:* ``(tokens, nO)``, or as wide as `head` makes it.
    RAISES (ValueError): If the vectors have another width.
    """
    _check_width(model, x.shape[1])
    shim = shim_of(model)
    limits = cast(EncoderSettings, model.attrs["settings"]).limits(x.device)
    arrays = [] if rows is None else [rows]
    keep = len(lengths) == 1 and lengths[0] <= SHORT
    buckets, sent = Buckets.beside(arrays, lengths, device=x.device, keep=keep, **limits)
    tokens = sent[0] if sent else None
    y = shim.predict(ArgsKwargs((x, buckets), {"tokens": tokens, "head": head}))
    return FlatList(torch2xp(y), lengths)


def init(
    model: Model[list[Floats2d], list[Floats2d]],
    X: Sequence[Floats2d] | None = None,
    Y: Sequence[Floats2d] | None = None,
) -> None:
    """Draw the weights of the layer, and check it against the one before it.

    RAISES (ValueError): If that has another width.
    """
    shim_of(model).reset_parameters()
    if X:
        _check_width(model, X[0].shape[1])


def _check_width(model: Model, width: int) -> None:
    if width != model.get_dim("nI"):
        raise ValueError(Errors.M002.format(value=width, allowed=model.get_dim("nI")))


def followed_rows(lengths: Sequence[int]) -> NDArray[np.int64]:
    """RETURNS (NDArray[np.int64]): The rows of a flat batch that another one of the same sequence
    follows. *Shape:* ``(pairs,)``.
    """
    sizes = np.array([length for length in lengths if length], dtype=np.int64)
    return np.delete(np.arange(sizes.sum()), np.cumsum(sizes) - 1)
