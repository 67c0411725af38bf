"""An affine map, by the faster of PyTorch's two kernels."""

import functools

import torch
from torch import Tensor

from .rows import empty_rows

# So many rows at a time: each number of them is a kernel of its own, of half a megabyte.
BLOCK = 512


def affine_map(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Map rows to rows, without gradients.

    For many rows on a CPU that is oneDNN's matrix product: on an AMD EPYC it is more than twice as
    fast as MKL's, which PyTorch takes for single precision. Without MKL, as on ARM, PyTorch's own
    choice is the better one.

    x (Tensor): The rows. *Shape:* ``(rows, nI)``.
    weight (Tensor): The weights. *Shape:* ``(nO, nI)``.
    bias (Tensor): The bias. *Shape:* ``(nO,)``.
    RETURNS (Tensor): *Shape:* ``(rows, nO)``.
    """
    n_rows = len(x)
    if n_rows < BLOCK or not has_onednn(x.device.type):
        return torch.addmm(bias, x, weight.t())
    y = empty_rows(n_rows, len(weight), like=x)
    rest = n_rows - n_rows % BLOCK
    for start in range(0, rest, BLOCK):
        block = slice(start, start + BLOCK)
        y[block] = run_onednn(x[block], weight, bias)
    torch.addmm(bias, x[rest:], weight.t(), out=y[rest:])
    return y


def run_onednn(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The map by oneDNN. *Shape:* as `affine_map`."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")


@functools.cache
def has_onednn(device_type: str) -> bool:
    """RETURNS (bool): Whether this PyTorch has both kernels on the device, and oneDNN's computes
    what `torch.addmm` does. It is there for PyTorch's compiler rather than for us.
    """
    backends = torch.backends
    if device_type != "cpu" or not (backends.mkl.is_available() and backends.mkldnn.is_available()):
        return False
    try:
        values = torch.linspace(-1, 1, 24, dtype=torch.float32)
        x, weight, bias = values.view(8, 3), values[:15].view(5, 3), values[:5]
        expected = torch.addmm(bias, x, weight.t())
        return torch.allclose(run_onednn(x, weight, bias), expected, atol=1e-5)
    except (RuntimeError, AttributeError):
        return False
