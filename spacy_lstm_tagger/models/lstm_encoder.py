"""The encoding layer: one array a doc through the sentence LSTM."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from thinc.api import ArgsKwargs, Model
from thinc.types import Floats2d
from thinc.util import torch2xp, xp2torch
from torch import Tensor

from ..errors import Errors
from ..nn.buckets import Buckets, kept_plan
from ..nn.lstm import BucketedLSTM
from .flat import FlatList, flatten, no_gradient
from .shim import TorchShim, survive_fork

NAME = "lstm_encoder"
# Plans of lone docs up to this length are kept.
SHORT = 128
# A bucket of more cells leaves a CPU's cache between layers; in one of fewer, too few long docs run
# side by side. Measured.
CACHED = 4096


def lstm_encoder(
    module: BucketedLSTM,
    *,
    dropout: float | None = None,
    max_batch_items: int = 16384,
    window: int = 0,
    context: int = 0,
    precision: str = "fp32",
) -> Model[list[Floats2d], list[Floats2d]]:
    """Wrap the sentence LSTM as a Thinc layer. A doc's vectors do not depend on the docs beside it.

    module (BucketedLSTM): The module.
    dropout (Optional[float]): Variational dropout on its input and behind each layer. None: the
        rate of `[training] dropout`.
    max_batch_items (int): The size of a padded bucket, in tokens, which bounds memory. On a CPU
        it is `CACHED` at most.
    window (int): A longer doc is read in windows of this many tokens. 0: in one go.
    context (int): How many tokens a window reads beyond each of its ends.
    precision (str): What to compute in, see `TorchShim`.
    RETURNS (Model[List[Floats2d], List[Floats2d]]): The layer.
    """
    return Model(
        NAME,
        forward,
        init=init,
        dims={"nI": module.input_width, "nO": module.output_width},
        shims=[TorchShim(module, precision=precision)],
        attrs={
            "dropout": dropout,
            "dropout_rate": 0.0,
            "max_batch_items": max_batch_items,
            "window": window,
            "context": context,
        },
    )


def forward(
    model: Model[list[Floats2d], list[Floats2d]], X: Sequence[Floats2d], is_train: bool
) -> tuple[list[Floats2d], Callable]:
    """Encode a batch of docs.

    X (Sequence[Floats2d]): One array a doc. *Shape:* ``(tokens, nI)``.
    RETURNS (tuple): One array a doc, *shape:* ``(tokens, nO)``, and the callback.
    """
    survive_fork()
    shim = cast(TorchShim, model.shims[0])
    device = shim.device
    lengths = [len(x) for x in X]
    x = xp2torch(flatten(model.ops, X), requires_grad=is_train, device=device)
    if not is_train:
        return predict(model, x, lengths), no_gradient
    _check_width(model, x.shape[1])
    along = []
    if cast(BucketedLSTM, shim._model).neighbours is not None:
        along = [followed_rows(lengths)]
    buckets = Buckets(lengths, training=True, along=along, device=device, **_limits(model))
    inputs = ArgsKwargs((x, buckets), {"followed": buckets.along[0]} if along else {})
    rate = model.attrs["dropout"]
    inputs.kwargs["dropout"] = model.attrs["dropout_rate"] if rate is None else rate
    y, backprop_torch = shim.begin_update(inputs)

    def backprop(dY: Sequence[Floats2d]) -> list[Floats2d]:
        backprop_torch(xp2torch(flatten(model.ops, dY), device=device))
        return FlatList(cast(Floats2d, torch2xp(cast(Tensor, x.grad))), lengths)

    return FlatList(cast(Floats2d, torch2xp(y)), lengths), backprop


def predict(
    model: Model[list[Floats2d], list[Floats2d]],
    x: Tensor,
    lengths: Sequence[int],
    *,
    tokens: Tensor | None = None,
    head: Callable[[Tensor], Tensor] | None = None,
) -> FlatList:
    """Encode a batch of docs without training.

    x (Tensor): The vectors of tokens, see `BucketedLSTM.forward`. *Shape:* ``(rows, nI)``.
    lengths (Sequence[int]): The number of tokens of each doc.
    tokens (Optional[Tensor]): The row of `x` that each token has, likewise.
    head (Optional[Callable[[Tensor], Tensor]]): What to make of the outputs, likewise.
    RETURNS (FlatList): One array a doc. *Shape:* ``(tokens, nO)``, or as wide as `head` makes it.
    """
    _check_width(model, x.shape[1])
    make = kept_plan if len(lengths) == 1 and lengths[0] <= SHORT else Buckets
    plan = make(tuple(lengths), device=x.device, **_limits(model))
    shim = cast(TorchShim, model.shims[0])
    y = shim.predict(ArgsKwargs((x, plan), {"tokens": tokens, "head": head}))
    return FlatList(cast(Floats2d, torch2xp(y)), lengths)


def init(
    model: Model[list[Floats2d], list[Floats2d]],
    X: Sequence[Floats2d] | None = None,
    Y: Sequence[Floats2d] | None = None,
) -> None:
    """Check the layer against the one before it."""
    if X:
        _check_width(model, X[0].shape[1])


def _check_width(model: Model, width: int) -> None:
    if width != model.get_dim("nI"):
        raise ValueError(Errors.M002.format(value=width, allowed=model.get_dim("nI")))


def _limits(model: Model) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): What bounds the size of a bucket."""
    limits = {name: model.attrs[name] for name in ("max_batch_items", "window", "context")}
    if cast(TorchShim, model.shims[0]).device.type == "cpu":
        limits["max_batch_items"] = min(limits["max_batch_items"], CACHED)
    return limits


def followed_rows(lengths: Sequence[int]) -> Tensor:
    """RETURNS (Tensor): The rows of a flat batch that another one of the same sequence follows,
    int64. *Shape:* ``(pairs,)``.
    """
    sizes = torch.tensor(lengths, dtype=torch.int64)
    sizes = sizes[sizes > 0]
    followed = torch.ones(int(sizes.sum()), dtype=torch.bool)
    followed[sizes.cumsum(0) - 1] = False
    return followed.nonzero().squeeze(1)
