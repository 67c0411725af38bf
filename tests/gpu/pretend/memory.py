"""Which tensors pretend to lie on the GPU, and how they get there and back."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from .counts import Kind, count

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


def on_gpu(tensor: Tensor) -> bool:
    """RETURNS (bool): Whether a tensor pretends. It is known of its memory, which views share."""
    return getattr(tensor.untyped_storage(), "on_gpu", False)


def tensors_in(values: Iterable[Any]) -> Iterator[Tensor]:
    """YIELDS (Tensor): The tensors among values, and in lists among them."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from tensors_in(value)


def mark(tensor: Tensor, gpu: bool) -> Tensor:
    """Say where a tensor, and all that share its memory, pretend to lie."""
    tensor.untyped_storage().on_gpu = gpu  # type: ignore[attr-defined]
    return tensor


def is_gpu(device: Any) -> bool:
    """RETURNS (bool): Whether what PyTorch takes for a device is the GPU."""
    return isinstance(device, int) or torch.device(device).type == "cuda"


def is_pinned(tensor: Tensor) -> bool:
    """RETURNS (bool): Whether a GPU could read the memory while the CPU goes on."""
    return getattr(tensor.untyped_storage(), "pinned", False)


def pin(tensor: Tensor) -> Tensor:
    """RETURNS (Tensor): A copy in pinned memory."""
    if on_gpu(tensor):
        raise RuntimeError(
            "cannot pin 'torch.cuda.FloatTensor' only dense CPU tensors can be pinned"
        )
    pinned = tensor.clone()
    pinned.untyped_storage().pinned = True  # type: ignore[attr-defined]
    return pinned


def count_copy(name: str, *, waits: bool = True) -> None:
    """Count a copy between the two memories, for which the CPU waits unless told otherwise."""
    count(Kind.COPY, name)
    if waits:
        count(Kind.SYNC, name)


def move(tensor: Tensor, *, gpu: bool, non_blocking: bool = False) -> Tensor:
    """RETURNS (Tensor): The tensor, or if it lies elsewhere a copy of it where it should be."""
    if on_gpu(tensor) == gpu:
        return tensor
    name = "CPU to GPU" if gpu else "GPU to CPU"
    count_copy(name, waits=not (non_blocking and is_pinned(tensor)))
    return _Move.apply(tensor, gpu)


_pickled = Tensor._reduce_ex_internal


def pickled(tensor: Tensor, protocol: int) -> tuple:
    """RETURNS (tuple): What becomes of a tensor in a pickle, which tells where it is."""
    return unpickled, (*_pickled(tensor, protocol), on_gpu(tensor))


def unpickled(function: Callable, args: tuple, gpu: bool) -> Tensor:
    """RETURNS (Tensor): The tensor, where it was then."""
    return mark(function(*args), gpu)


class _Move(torch.autograd.Function):
    """A copy whose gradient travels back."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, gpu: bool) -> Tensor:
        ctx.gpu = gpu
        with _disable_current_modes():
            return mark(tensor.clone(), gpu)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return move(gradient, gpu=not ctx.gpu), None
