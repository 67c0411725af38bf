"""From NumPy to the device, in few copies."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def send(array: NDArray, device: torch.device | str) -> Tensor:
    """Send an array to a device. On a CPU the tensor shares its memory; to a GPU it is copied
    without waiting for it.

    array (NDArray): The array.
    device (torch.device): The device.
    RETURNS (Tensor): The same as a tensor.
    """
    tensor = torch.from_numpy(array)
    if torch.device(device).type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def send_joined(arrays: Sequence[NDArray[np.int64]], device: torch.device | str) -> list[Tensor]:
    """Send arrays to a device in one copy.

    arrays (Sequence[NDArray[np.int64]]): The arrays.
    device (torch.device): The device.
    RETURNS (list[Tensor]): The same as tensors, of the same shapes.
    """
    joined = send(np.concatenate([array.ravel() for array in arrays]), device)
    parts = joined.split([array.size for array in arrays])
    return [part.view(array.shape) for part, array in zip(parts, arrays, strict=True)]
