"""Memory for large tensors."""

import numpy as np
import torch
from torch import Tensor

# From this number of bytes on NumPy asks the system for huge pages.
LARGE = 1 << 22


def empty_rows(n_rows: int, width: int, *, like: Tensor) -> Tensor:
    """A tensor whose values are still to be written. On a CPU the memory of a large one is NumPy's,
    in huge pages where Linux has them: PyTorch's comes page by page, 4 kB each.

    n_rows (int): The number of rows.
    width (int): Their width.
    like (Tensor): Whose type and device it has.
    RETURNS (Tensor): *Shape:* ``(n_rows, width)``.
    """
    n_bytes = n_rows * width * like.itemsize
    if like.device.type != "cpu" or n_bytes < LARGE:
        return like.new_empty(n_rows, width)
    return torch.from_numpy(np.empty(n_bytes, dtype=np.uint8)).view(like.dtype).view(n_rows, width)
