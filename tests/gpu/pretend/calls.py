"""What is asked of tensors before an operation comes of it: where they are, and to be elsewhere."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from . import cudnn
from .counts import Kind, count
from .memory import CPU, GPU, count_copy, is_gpu, is_pinned, mark, move, on_gpu, pin, tensors_in

# Calls that are answered here, rather than by PyTorch.
ANSWERS: dict[Any, Callable] = {
    torch.lstm: cudnn.lstm,
    Tensor.device.__get__: lambda tensor, *_: GPU if on_gpu(tensor) else CPU,
    Tensor.is_cuda.__get__: lambda tensor, *_: on_gpu(tensor),  # type: ignore[attr-defined]
    Tensor.is_cpu.__get__: lambda tensor, *_: not on_gpu(tensor),  # type: ignore[attr-defined]
    Tensor.get_device: lambda tensor: 0 if on_gpu(tensor) else -1,
    Tensor.is_pinned: is_pinned,
    Tensor.pin_memory: pin,
}
# Factories whose values come from the CPU's memory.
FROM_VALUES = {torch.tensor, torch.as_tensor, torch.asarray}


class Calls(TorchFunctionMode):
    """Sees each call of PyTorch that is made from Python."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        """Answer."""
        kwargs = dict(kwargs or {})
        if func in ANSWERS:
            return ANSWERS[func](*args, **kwargs)
        if kwargs.get("device") is not None:
            return _make(func, args, kwargs)
        result = func(*args, **kwargs)
        if isinstance(result, Tensor) and not types and next(tensors_in(args), None) is None:
            mark(result, False)  # made by Python, not by autograd
        return result


def answers(*functions: Any) -> Callable[[Callable], Callable]:
    """Let a function answer in the place of others."""

    def register(answer: Callable) -> Callable:
        ANSWERS.update(dict.fromkeys(functions, answer))
        return answer

    return register


@answers(Tensor.to)
def _to(tensor: Tensor, *args: Any, copy: bool = False, **kwargs: Any) -> Tensor:
    if args and isinstance(args[0], Tensor):
        args = (GPU if on_gpu(args[0]) else CPU, args[0].dtype, *args[1:])
    device, dtype, non_blocking, _ = torch._C._nn._parse_to(*args, **kwargs)
    result = tensor
    if device is not None:
        result = move(tensor, gpu=is_gpu(device), non_blocking=non_blocking)
    if dtype is not None and result.dtype != dtype:
        result = result.to(dtype)
    return result.clone() if copy and result is tensor else result


@answers(Tensor.cpu)
def _cpu(tensor: Tensor, **_: Any) -> Tensor:
    return move(tensor, gpu=False)


@answers(Tensor.cuda)
def _cuda(tensor: Tensor, device: Any = None, non_blocking: bool = False) -> Tensor:
    return move(tensor, gpu=True, non_blocking=non_blocking)


@answers(Tensor.numpy, Tensor.__array__)
def _numpy(tensor: Tensor, dtype: Any = None, **kwargs: Any) -> Any:
    if kwargs.get("force"):
        tensor = move(tensor, gpu=False)
    if on_gpu(tensor):
        raise TypeError(
            "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor "
            "to host memory first."
        )
    array = tensor.numpy(**kwargs)
    return array if dtype is None else array.astype(dtype, copy=False)


@answers(Tensor.tolist)
def _tolist(tensor: Tensor) -> Any:
    return move(tensor, gpu=False).tolist()


@answers(Tensor.__deepcopy__)
def _deepcopy(tensor: Tensor, memo: dict) -> Tensor:
    return mark(copy.deepcopy(tensor, memo), on_gpu(tensor))


def _as_it_is(func: Callable) -> Callable:
    """RETURNS (Callable): A function that casts nothing, as on a GPU, where autocast on a CPU does."""

    def answer(*args: Any, **kwargs: Any) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return func(*args, **kwargs)

    return answer


ANSWERS.update({func: _as_it_is(func) for func in (torch.cat, torch.stack)})


def _make(func: Any, args: tuple, kwargs: dict) -> Any:
    """Make a tensor that is asked for on some device."""
    gpu = is_gpu(kwargs.pop("device"))
    result = func(*args, **kwargs)
    if not isinstance(result, Tensor):
        return result
    if func in FROM_VALUES:
        if args and isinstance(args[0], Tensor):
            return move(args[0], gpu=gpu)
        if gpu:
            count_copy(func.__name__)
    elif gpu and next(tensors_in(args), None) is None and not func.__name__.startswith("empty"):
        count(Kind.KERNEL, func.__name__)
    return mark(result, gpu)
