"""What PyTorch's kernels ask of their tensors, checked and counted beneath autograd."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from .counts import Kind, count
from .memory import count_copy, is_pinned, mark, on_gpu, tensors_in

aten = torch.ops.aten
INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_"}
# Beside pointwise operations these take a lone number from the CPU too.
TAKES_NUMBER = {"masked_fill", "masked_fill_", "fill_", *INDEXING}


class Operations(TorchDispatchMode):
    """Sees each operation before it is computed. Tensors of two devices are refused, but as far as
    PyTorch does without them being moved by hand. What is computed from tensors on the GPU is there.
    """

    def __init__(self) -> None:
        super().__init__()
        # Where autograd's own new tensors are: where the outputs are whose gradient it computes.
        self._autograd_on_gpu = False

    @contextmanager
    def backward_from(self, outputs: Sequence[Any]) -> Iterator[None]:
        """While the context lasts, autograd computes the gradients of these outputs."""
        before = self._autograd_on_gpu
        self._autograd_on_gpu = any(isinstance(y, Tensor) and on_gpu(y) for y in outputs)
        try:
            yield
        finally:
            self._autograd_on_gpu = before

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        """Compute."""
        kwargs = kwargs or {}
        if _is_composite(func):
            with self:  # what it consists of
                return func.decompose(*args, **kwargs)
        with torch._C.DisableTorchFunction():
            tensors = list(tensors_in((args, *kwargs.values())))
            if not (any(map(on_gpu, tensors)) if tensors else self._autograd_on_gpu):
                return func(*args, **kwargs)
            if tensors:
                _check(func, args, tensors)
            memory = {t.untyped_storage()._cdata for t in tensors}
            result = func(*args, **kwargs)
            made = list(tensors_in((result,)))
            new = [x for x in made if x.untyped_storage()._cdata not in memory]
            for tensor in new:
                mark(tensor, True)
            if tensors and (new or func._schema.is_mutable or not made):
                _count(func, args, kwargs)
        return result


@cache
def _is_composite(func: Any) -> bool:
    """RETURNS (bool): Whether an operation only consists of others."""
    key = "CompositeImplicitAutograd"
    return torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), key)


def _check(func: Any, args: tuple, tensors: list[Tensor]) -> None:
    """Refuse tensors of the CPU beside one of the GPU."""
    name = func.overloadpacket.__name__
    here = [t for t in tensors if not on_gpu(t)]
    if not here or name == "copy_":
        return
    if name in INDEXING and on_gpu(args[0]):
        for index in args[1]:
            if index is not None and not on_gpu(index):
                count_copy("index from the CPU")
        here = [t for t in args[2:3] if not on_gpu(t)]
    numbers = torch.Tag.pointwise in func.tags or name in TAKES_NUMBER
    written = func._schema.is_mutable and not on_gpu(args[0])
    if written or any(t.dim() or not numbers for t in here):
        shapes = ", ".join(
            f"{tuple(t.shape)} on {'cuda:0' if on_gpu(t) else 'cpu'}" for t in tensors
        )
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, cuda:0 "
            f"and cpu! ({name}: {shapes})"
        )


def _count(func: Any, args: tuple, kwargs: dict) -> None:
    """Count what an operation on the GPU takes."""
    name = func.overloadpacket.__name__
    if name == "copy_" and on_gpu(args[0]) != on_gpu(args[1]):
        non_blocking = (len(args) > 2 and args[2]) or kwargs.get("non_blocking", False)
        count_copy("copy_", waits=not (non_blocking and is_pinned(args[1])))
        return
    if not name.startswith(("empty", "new_empty")):
        count(Kind.KERNEL, name)
    if _waits(func, name, args, kwargs):
        count(Kind.SYNC, name)


def _waits(func: Any, name: str, args: tuple, kwargs: dict) -> bool:
    """RETURNS (bool): Whether the CPU has to see a result: a value, or of how many elements it is."""
    if name in INDEXING:
        masks = [i for i in args[1] if i is not None and i.dtype in (torch.bool, torch.uint8)]
        # To fill what a mask shows with a number from the CPU is `masked_fill`.
        return bool(masks) and not (len(args) > 2 and not on_gpu(args[2]))
    if name == "repeat_interleave":
        return kwargs.get("output_size") is None
    tags = {torch.Tag.dynamic_output_shape, torch.Tag.data_dependent_output}
    return bool(tags & set(func.tags))
