"""cuDNN's LSTM as PyTorch calls it: computed on the CPU, as strict as it is on a GPU."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from .counts import Kind, count
from .memory import mark, on_gpu

NOT_FLAT = "RNN module weights are not part of single contiguous chunk of memory."


def lstm(
    input: Tensor,
    hx: tuple[Tensor, Tensor],
    params: list[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """`torch.lstm`, on either device.

    Under autocast it computes in float16 whatever autocast was asked for (PyTorch's
    `AutocastRNN.cpp`), and casts all weights in each call. In bfloat16 it is cuDNN's from version
    9.13 on, and PyTorch's own kernels, a few a step, with an older one.
    """
    options: Any = (has_biases, num_layers, dropout, train, bidirectional, batch_first)
    tensors = [input, *hx, *params]
    if not any(map(on_gpu, tensors)):
        return torch.lstm(input, hx, params, *options)
    if not all(map(on_gpu, tensors)):
        raise RuntimeError("Input, hidden and parameter tensors are not at the same device")
    flat = _is_flat(params)
    if torch.is_autocast_enabled("cpu"):  # what `torch.autocast("cuda")` is here
        with torch.autocast("cpu", enabled=False):
            tensors = [t.half() for t in tensors]
        flat = True
    kinds = {t.dtype for t in tensors}
    if len(kinds) > 1:
        names = ", ".join(str(t.dtype) for t in tensors)
        raise RuntimeError(f"Input, hidden and parameter tensors are not the same dtype: {names}")
    if not flat:
        warnings.warn(NOT_FLAT, stacklevel=2)
        count(Kind.KERNEL, "cuDNN's weights made flat", len(params))
    return _LSTM.apply(options, *tensors)


def _is_flat(weights: Sequence[Tensor]) -> bool:
    """RETURNS (bool): Whether weights lie one after the other, from the start of their memory on:
    `RNN.cpp` looks there, so a part of a larger buffer does not do.
    """
    ends = [0, *(w.storage_offset() + w.numel() for w in weights)]
    starts = [w.storage_offset() for w in weights]
    one_buffer = len({w.untyped_storage()._cdata for w in weights}) == 1
    follow = all(start == end for start, end in zip(starts, ends, strict=False))
    return one_buffer and follow and all(w.is_contiguous() for w in weights)


def is_acceptable(tensor: Tensor) -> bool:
    """`torch.backends.cudnn.is_acceptable`, where there is cuDNN."""
    return on_gpu(tensor) and tensor.dtype in torch.backends.cudnn.CUDNN_TENSOR_DTYPES


def flatten_weights(weights: Sequence[Tensor], *_: Any) -> Tensor:
    """`torch._cudnn_rnn_flatten_weight`: move weights into one buffer, in place."""
    with _disable_current_modes(), torch._C.DisableTorchFunction(), torch.no_grad():
        buffer = mark(torch.cat([w.reshape(-1) for w in weights]), True)
        for weight, part in zip(weights, buffer.split([w.numel() for w in weights]), strict=True):
            weight.set_(part.view_as(weight))
    count(Kind.KERNEL, "cuDNN's weights made flat", len(weights))
    return buffer


class _LSTM(torch.autograd.Function):
    """Computes in float32 what has been rounded to the tensors' type, and rounds the results."""

    @staticmethod
    def forward(ctx: Any, options: tuple, *tensors: Tensor) -> tuple[Tensor, ...]:
        count(Kind.KERNEL, "cuDNN's LSTM")
        dtype = tensors[0].dtype
        with _computing(), torch.enable_grad():
            inputs = [t.detach().to(_exact(dtype)).requires_grad_() for t in tensors]
            x, h, c, *weights = inputs
            outputs = torch.lstm(x, (h, c), weights, *options)
            results = tuple(mark(y.detach().to(dtype).clone(), True) for y in outputs)
        ctx.options, ctx.dtype, ctx.inputs, ctx.outputs = options, dtype, inputs, outputs
        return results

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        train = ctx.options[3]
        if not train:
            raise RuntimeError("cudnn RNN backward can only be called in training mode")
        count(Kind.KERNEL, "cuDNN's LSTM, backward")
        with _computing():
            exact = [g.to(_exact(ctx.dtype)) for g in gradients]
            found = torch.autograd.grad(ctx.outputs, ctx.inputs, exact, retain_graph=True)
            return None, *(mark(g.to(ctx.dtype).clone(), True) for g in found)


@contextmanager
def _computing() -> Iterator[None]:
    """While the context lasts, nothing is checked, counted or cast."""
    autocast = torch.autocast("cpu", enabled=False)
    with _disable_current_modes(), torch._C.DisableTorchFunction(), autocast:
        yield


def _exact(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype == torch.float64 else torch.float32
