"""The affine map, as fast as PyTorch has it on a CPU."""

import functools

import torch
from torch import Tensor

# Rows at a time. A kernel is built for each new number of them, and kept: so there is just one.
BLOCK = 1024


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    r"""Map rows without taking gradients.

    .. math:: y = x W^\top + b

    On a CPU, blocks of rows go to the library that PyTorch's LSTM kernel is from.
    `torch.nn.functional.linear` calls another one, which takes twice as long on a CPU that is not
    its maker's.

    x (Tensor): *Shape:* ``(rows, input_width)``.
    weight (Tensor): *Shape:* ``(output_width, input_width)``.
    bias (Tensor): *Shape:* ``(output_width,)``.
    RETURNS (Tensor): *Shape:* ``(rows, output_width)``.
    """
    with torch.inference_mode():
        if not has_kernel(x.device.type, x.dtype):
            return torch.nn.functional.linear(x, weight, bias)
        return torch.cat([block_affine(block, weight, bias) for block in x.split(BLOCK)])


def block_affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """RETURNS (Tensor): `affine` of a block, which if it is the last may be of fewer rows."""
    compute = run if len(x) == BLOCK else torch.nn.functional.linear
    return compute(x, weight, bias)


def run(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Run the kernel. *Shapes:* as `affine`."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")


@functools.cache
def has_kernel(device_type: str, dtype: torch.dtype) -> bool:
    """RETURNS (bool): Whether this PyTorch has the kernel on the device, and it computes what
    `torch.nn.functional.linear` does. It is there for PyTorch's compiler rather than for us.
    """
    if device_type != "cpu" or dtype != torch.float32 or not torch.backends.mkldnn.is_available():
        return False
    try:
        with torch.inference_mode():
            x, weight, bias = (torch.linspace(-1, 1, n) for n in (12, 20, 5))
            x, weight = x.view(3, 4), weight.view(5, 4)
            expected = torch.nn.functional.linear(x, weight, bias)
            return torch.allclose(run(x, weight, bias), expected, atol=1e-5)
    except (RuntimeError, AttributeError, NotImplementedError):
        return False
