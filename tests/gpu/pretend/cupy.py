"""A stub of CuPy, as much of it as Thinc and spaCy use: NumPy's arrays, but as strict as CuPy's."""

import operator
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.lib.mixins import NDArrayOperatorsMixin
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from .counts import Kind, count
from .memory import count_copy, mark, on_gpu

# What says how an array is laid out, and the methods that give the same memory in another shape.
FACTS = {"dtype", "flags", "itemsize", "nbytes", "ndim", "shape", "size", "strides"}
VIEWS = {"ravel", "reshape", "squeeze", "swapaxes", "transpose", "view"}
# How many elements these find is something that the CPU has to know.
FINDS = {"argwhere", "flatnonzero", "nonzero", "unique"}


class ndarray(NDArrayOperatorsMixin):
    """An array on the GPU. Never becomes a NumPy array unless it is asked to, nor takes one.

    data (np.ndarray): Its values.
    """

    __slots__ = ("__weakref__", "_data")

    def __init__(self, data: Any):
        self._data = np.asarray(data)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        count(Kind.KERNEL, f"cupy.{ufunc.__name__}")
        return _wrapped(getattr(ufunc, method)(*_values(inputs), **_values(kwargs)))

    def __reduce__(self) -> tuple:
        return ndarray, (self._data,)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._data, name)
        if name in FACTS:
            return value
        if not callable(value):
            raise AttributeError(f"'cupy.ndarray' object has no attribute {name!r} in this stub")
        if name in VIEWS:
            return lambda *args, **kwargs: _wrapped(value(*args, **kwargs))
        return lambda *args, **kwargs: _launch(name, value, args, kwargs)

    @property
    def device(self) -> "Device":
        """RETURNS (Device): Where it is."""
        return Device()

    @property
    def T(self) -> "ndarray":
        """RETURNS (ndarray): A transposed view."""
        return ndarray(self._data.T)

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: Any) -> "ndarray":
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(part, (ndarray, list)) for part in parts):
            count(Kind.KERNEL, "cupy.take")
        if any(isinstance(part, ndarray) and part.dtype == bool for part in parts):
            count(Kind.SYNC, "cupy.take by mask")
        return ndarray(self._data[_values(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        count(Kind.KERNEL, "cupy.put")
        self._data[_values(index)] = _values(value)

    def __deepcopy__(self, memo: dict) -> "ndarray":
        return self.copy()

    def __repr__(self) -> str:
        return f"cupy.{self._data!r}"

    def get(self, *args: Any, **kwargs: Any) -> np.ndarray:
        """RETURNS (np.ndarray): A copy in the CPU's memory."""
        count_copy("cupy.get")
        return self._data.copy()

    def item(self) -> Any:
        """RETURNS (Any): The only element, as a Python number."""
        return self.get().item()

    def tolist(self) -> Any:
        """RETURNS (list): The elements."""
        return self.get().tolist()

    def __bool__(self) -> bool:
        return bool(self.get())

    def __int__(self) -> int:
        return int(self.get())

    def __float__(self) -> float:
        return float(self.get())

    def __index__(self) -> int:
        return operator.index(self.get())

    def toDlpack(self) -> "Capsule":
        """RETURNS (Capsule): What PyTorch makes a tensor of."""
        return Capsule(self._data)


class Capsule:
    """An array on its way from one library to the other.

    data (np.ndarray): Its values.
    """

    def __init__(self, data: np.ndarray):
        count(Kind.EXCHANGE, "DLPack")
        self.data = data


def _values(x: Any) -> Any:
    """RETURNS (Any): The same with the values of arrays, of which all must be CuPy's."""
    if isinstance(x, ndarray):
        return x._data
    if isinstance(x, (np.ndarray, Tensor)):
        raise TypeError(f"Unsupported type {type(x)}")
    if isinstance(x, dict):
        return {name: _values(y) for name, y in x.items()}
    return type(x)(map(_values, x)) if isinstance(x, (list, tuple)) else x


def _wrapped(x: Any) -> Any:
    """RETURNS (Any): The same with arrays, also for what NumPy makes a number of."""
    if isinstance(x, (np.ndarray, np.generic)):
        return ndarray(x)
    return type(x)(map(_wrapped, x)) if isinstance(x, (list, tuple)) else x


def _launch(name: str, func: Callable, args: Any, kwargs: Any) -> Any:
    """RETURNS (Any): What a function of NumPy computes."""
    count(Kind.KERNEL, f"cupy.{name}")
    if name in FINDS or (name == "where" and len(args) == 1):
        count(Kind.SYNC, f"cupy.{name}")
    return _wrapped(func(*_values(args), **_values(kwargs)))


def array(x: Any, dtype: Any = None, copy: bool = True, **_: Any) -> ndarray:
    """RETURNS (ndarray): The array, or the values, as an array of its own."""
    if isinstance(x, Tensor):
        raise TypeError(f"Unsupported type {type(x)}")
    if isinstance(x, ndarray):
        return x.astype(dtype or x.dtype, copy=copy)
    if isinstance(x, (list, tuple)) and any(isinstance(y, ndarray) for y in x):
        count(Kind.KERNEL, "cupy.stack")
        return ndarray(np.array([_values(y) for y in x], dtype=dtype))
    count_copy("cupy.array")
    return ndarray(np.array(x, dtype=dtype))


def asarray(x: Any, dtype: Any = None, **_: Any) -> ndarray:
    """RETURNS (ndarray): The array, or the values as an array."""
    if isinstance(x, ndarray) and dtype in (None, x.dtype):
        return x
    return array(x, dtype)


def split(x: ndarray, ends: Any, axis: int = 0) -> list[ndarray]:
    """RETURNS (list[ndarray]): Views. Where they end is known to the CPU, as CuPy asks."""
    return [ndarray(part) for part in np.split(_values(x), ends, axis)]


def asnumpy(x: Any, **_: Any) -> np.ndarray:
    """RETURNS (np.ndarray): A copy in the CPU's memory, or what is there already."""
    return x.get() if isinstance(x, ndarray) else np.asarray(x)


def get_array_module(*args: Any) -> Any:
    """RETURNS (ModuleType): CuPy if one of the arrays is CuPy's, else NumPy."""
    return cupy if any(isinstance(x, ndarray) for x in args) else np


def from_dlpack(capsule: Capsule) -> ndarray:
    """RETURNS (ndarray): A tensor's memory as an array."""
    return ndarray(capsule.data)


def tensor_to_dlpack(tensor: Tensor) -> Capsule:
    """`torch.utils.dlpack.to_dlpack`, for a tensor on the GPU."""
    if not on_gpu(tensor):
        raise RuntimeError("CuPy cannot take a tensor of the CPU.")
    with _disable_current_modes(), torch._C.DisableTorchFunction():
        # A tensor made in inference mode gives no array, unless it has been on this way too.
        tensor = _torch_from_dlpack(_torch_to_dlpack(tensor.detach()))
        return Capsule(tensor.numpy())


def tensor_from_dlpack(source: Any) -> Tensor:
    """`torch.utils.dlpack.from_dlpack`, which takes an array of this stub, or its capsule."""
    capsule = source.toDlpack() if isinstance(source, ndarray) else source
    if not isinstance(capsule, Capsule):
        return _torch_from_dlpack(source)
    with _disable_current_modes(), torch._C.DisableTorchFunction():
        return mark(torch.from_numpy(capsule.data), True)


_torch_to_dlpack, _torch_from_dlpack = torch.utils.dlpack.to_dlpack, torch.utils.dlpack.from_dlpack


class ElementwiseKernel:
    """The one kernel of Thinc's that training needs, its Adam."""

    def __init__(self, in_params: str, out_params: str, operation: str, name: str):
        self.name = name

    def __call__(
        self, grad: ndarray, rate: float, fix1: float, fix2: float, eps: float, *state: ndarray
    ) -> None:
        if self.name != "adam":
            raise NotImplementedError(f"This stub of CuPy has no kernel {self.name!r}.")
        count(Kind.KERNEL, "cupy.adam")
        g, (param, m, v) = _values(grad), map(_values, state)
        for values in (g, param, m, v):
            if values.dtype != np.float32 or not values.flags["C_CONTIGUOUS"]:
                raise TypeError(f"adam: {values.dtype} {values.flags}")
        m += np.float32(fix1) * (g - m)
        v += np.float32(fix2) * (g * g - v)
        param -= np.float32(rate) * m / (np.sqrt(v) + np.float32(eps))


class OtherKernel:
    """A kernel whose source is compiled, which cannot be done here."""

    def __init__(self, *args: Any, **kwargs: Any): ...

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("This stub of CuPy compiles no kernels.")

    get_function = __call__


class Device:
    """The only one."""

    id = 0

    def __init__(self, device: int = 0): ...

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *error: Any) -> None: ...

    def use(self) -> None:
        """Make it the current one."""


class MemoryPool:
    """Memory is NumPy's: a pool only tells by its name whose it would be.

    allocator (Optional[Callable]): Where it gets memory.
    """

    def __init__(self, allocator: Callable | None = None):
        self.allocator = allocator

    def malloc(self, size: int) -> None:
        """Allocate."""

    def free_all_blocks(self) -> None:
        """Free what is not in use."""


class CUDARuntimeError(RuntimeError):
    """What CuPy raises where there is no GPU."""


_allocator: list[Callable] = [MemoryPool().malloc]


def _nrm2(x: ndarray) -> ndarray:
    if x.ndim != 1:
        raise ValueError("x must be a 1-D array")
    return _launch("nrm2", np.linalg.norm, (x,), {})


class _Module(ModuleType):
    """A module of the stub. What is not its own is NumPy's.

    name (str): Its name.
    attributes (Any): What it has.
    """

    def __init__(self, name: str, **attributes: Any):
        super().__init__(name)
        self.__path__: list[str] = []  # a package, of which there may be submodules
        self.__dict__.update(attributes)

    def __getattr__(self, name: str) -> Any:
        if self.__name__ != "cupy" or name.startswith("__"):
            raise AttributeError(f"This stub of CuPy has no {self.__name__}.{name}.")
        value = getattr(np, name)
        if isinstance(value, type) or not callable(value):
            return value
        return lambda *args, **kwargs: _launch(name, value, args, kwargs)


cupy = _Module(
    "cupy",
    __version__="13.6.0",
    ElementwiseKernel=ElementwiseKernel,
    RawKernel=OtherKernel,
    RawModule=OtherKernel,
    ReductionKernel=OtherKernel,
    array=array,
    asarray=asarray,
    ascontiguousarray=lambda x, dtype=None: ndarray(np.ascontiguousarray(_values(x), dtype)),
    asnumpy=asnumpy,
    from_dlpack=from_dlpack,
    get_array_module=get_array_module,
    get_default_memory_pool=MemoryPool,
    load=lambda file, **_: array(np.load(file)),
    ndarray=ndarray,
    save=lambda file, x, **_: np.save(file, asnumpy(x)),
    split=split,
    # Its submodules.
    cublas=_Module("cupy.cublas", nrm2=_nrm2),
    cuda=_Module(
        "cupy.cuda",
        Device=Device,
        MemoryPool=MemoryPool,
        device=_Module("cupy.cuda.device", Device=Device),
        get_allocator=lambda: _allocator[-1],
        runtime=_Module(
            "cupy.cuda.runtime", CUDARuntimeError=CUDARuntimeError, getDeviceCount=lambda: 1
        ),
        set_allocator=lambda allocate: _allocator.append(allocate),
        stream=_Module("cupy.cuda.stream", Stream=type("Stream", (), {"null": None})),
    ),
    random=_Module(
        "cupy.random",
        seed=lambda seed: None,
        uniform=lambda *args: _launch("random.uniform", np.random.uniform, args, {}),
    ),
)
cupyx = _Module("cupyx")


def modules() -> Iterator[ModuleType]:
    """YIELDS (ModuleType): All modules of the stub."""
    todo: list[ModuleType] = [cupy, cupyx]
    while todo:
        module = todo.pop()
        todo += [each for each in vars(module).values() if isinstance(each, _Module)]
        yield module
