"""Backpropagation through float16, whose numbers end at 65,504 and 6e-8."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import Errors

# What the largest gradient of an output is scaled to, and how much less in each further attempt.
LARGEST, LESS, ATTEMPTS = 16.0, 2.0**-6, 5


def scaled_backward(
    outputs: Sequence[Tensor], grads: Sequence[Tensor], leaves: Sequence[Tensor]
) -> None:
    """Add gradients to the `grad` of leaves, by way of float16. They are scaled so that small ones
    are not rounded to zero, and scaled back. Where that makes one too large, it is done again with
    a smaller scale, so that no step of training is lost or taken by some modules alone
    (Micikevicius et al., 2018, https://arxiv.org/abs/1710.03740, skip such steps).

    outputs (Sequence[Tensor]): What was computed.
    grads (Sequence[Tensor]): The gradient of each.
    leaves (Sequence[Tensor]): Tensors that require a gradient, float32.
    RAISES (ValueError): If a gradient is not a finite number, whatever the scale.
    """
    if not any(grad.numel() for grad in grads):
        torch.autograd.backward(outputs, grads)  # of empty docs: zeros
        return
    # On the device: to know it here, one would have to wait.
    largest = torch.stack([grad.abs().amax() for grad in grads if grad.numel()]).amax()
    for attempt in range(ATTEMPTS):
        scale = LARGEST * LESS**attempt / largest.clamp(min=1e-30)
        found = torch.autograd.grad(
            outputs,
            leaves,
            [grad * scale for grad in grads],
            retain_graph=True,
            allow_unused=True,
        )
        used = [grad for grad in found if grad is not None]
        overflow = torch.zeros(1, dtype=torch.float32, device=scale.device)
        torch._amp_foreach_non_finite_check_and_unscale_(used, overflow, 1.0 / scale)
        if not overflow.item():
            break
    else:
        raise ValueError(Errors.M005)
    for leaf, grad in zip(leaves, found, strict=True):
        if grad is not None:
            leaf.grad = grad if leaf.grad is None else leaf.grad.add_(grad)
