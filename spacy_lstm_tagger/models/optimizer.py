"""One step of the optimizer for all parameters of a module at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

import torch
from thinc.api import Optimizer
from thinc.types import FloatsXd
from thinc.util import torch2xp, xp2torch
from torch import Tensor
from torch.optim.adam import adam

Key = tuple[int, str]
# Thinc's averages never forget more slowly than this.
MAX_DECAY = 0.9999


class Piece(NamedTuple):
    """A parameter, or a part of one, as the optimizer knows it.

    key (tuple[int, str]): The key of its state.
    weights (Tensor): The weights, which are updated in place.
    grad (Tensor): Their gradient, which is used up.
    """

    key: Key
    weights: Tensor
    grad: Tensor


class State(NamedTuple):
    """What the optimizer knows of a piece: the moments and, if there is one, the average.

    arrays (tuple[FloatsXd, ...]): As the optimizer has them.
    tensors (tuple[Tensor, ...]): The same memory in the shape of the weights. To make a tensor of
        an array takes longer, on a GPU, than to compute with it.
    """

    arrays: tuple[FloatsXd, ...]
    tensors: tuple[Tensor, ...]


def update(optimizer: Optimizer, pieces: Iterable[Piece], states: dict[Key, State]) -> None:
    """Update weights in place, as Thinc's optimizer does for each of them. Adam is computed for
    all at once by PyTorch's fused kernel: a tenth of the time on a CPU, a tenth of the launches on
    a GPU. Its state and the averages stay the optimizer's.

    optimizer (Optimizer): Thinc's optimizer.
    pieces (Iterable[Piece]): The weights.
    states (dict[tuple[int, str], State]): Where their states are kept from step to step.
    """
    # Any function of a key, weights and their gradient may be one.
    is_adam = type(optimizer) is Optimizer and not optimizer.use_radam
    if not is_adam or not all(0.0 < beta < 1.0 for beta in (optimizer.b1, optimizer.b2)):
        for key, weights, grad in pieces:
            updated, _ = optimizer(key, as_floats(weights), as_floats(grad))
            # Thinc's optimizers write to the array that they are given; if one does not:
            tensor = xp2torch(updated, device=weights.device)
            if tensor.data_ptr() != weights.data_ptr():
                weights.copy_(tensor)
        return
    groups = defaultdict(list)  # by how often they were updated
    for piece in pieces:
        optimizer.nr_update[piece.key] += 1
        groups[optimizer.nr_update[piece.key]].append(piece)
    for count, group in groups.items():
        _adam(optimizer, group, [_state(optimizer, p, states) for p in group], count)


def _adam(
    optimizer: Optimizer, pieces: Sequence[Piece], states: Sequence[State], count: int
) -> None:
    weights = [piece.weights for piece in pieces]
    grads = [piece.grad for piece in pieces]
    if optimizer.L2 and not optimizer.L2_is_weight_decay:
        torch._foreach_add_(grads, weights, alpha=optimizer.L2)
    if optimizer.grad_clip:
        grads = clip(grads, optimizer.grad_clip)
    mom1, mom2, *averages = map(list, zip(*(state.tensors for state in states), strict=True))
    steps = torch.full((len(pieces),), count - 1.0, dtype=torch.float32, device=weights[0].device)
    learn_rate = float(optimizer.learn_rate)
    adam(
        weights,
        grads,
        mom1,
        mom2,
        [],
        list(steps.unbind()),
        fused=True,
        amsgrad=False,
        beta1=optimizer.b1,
        beta2=optimizer.b2,
        lr=learn_rate,
        weight_decay=0.0,
        # Thinc adds it before the correction of the second moment, PyTorch after it.
        eps=optimizer.eps / (1.0 - optimizer.b2**count) ** 0.5,
        maximize=False,
    )
    if optimizer.L2 and optimizer.L2_is_weight_decay:
        torch._foreach_mul_(weights, 1.0 - learn_rate * optimizer.L2)
    if averages:
        decay = min((1.0 + count) / (10.0 + count), MAX_DECAY)
        torch._foreach_lerp_(averages[0], weights, 1.0 - decay)


def clip(grads: list[Tensor], threshold: float) -> list[Tensor]:
    """Scale each gradient whose norm is larger down to that norm, as Thinc does.

    grads (list[Tensor]): The gradients, which may be changed.
    threshold (float): The norm.
    RETURNS (list[Tensor]): The clipped gradients.
    """
    norms = torch.stack(torch._foreach_norm(grads))
    scales = threshold / norms.clamp(min=threshold)
    if scales.device.type == "cpu":
        for grad, scale in zip(grads, scales.tolist(), strict=True):
            if scale < 1.0:
                grad.mul_(scale)
        return grads
    # As one buffer: PyTorch has no kernel that scales many tensors by numbers of the device.
    flat = torch.cat([grad.flatten() for grad in grads])
    sizes = [grad.numel() for grad in grads]
    flat *= torch.cat([scale.expand(n) for scale, n in zip(scales.unbind(), sizes, strict=True)])
    return [part.view_as(grad) for part, grad in zip(flat.split(sizes), grads, strict=True)]


def _state(optimizer: Optimizer, piece: Piece, states: dict[Key, State]) -> State:
    """RETURNS (State): The state of a piece, which is made if there is none."""
    places = [optimizer.mom1, optimizer.mom2]
    if optimizer.averages is not None:
        places.append(optimizer.averages)
    key, weights = piece.key, piece.weights
    kept = states.get(key)
    found = [place.get(key) for place in places]
    if kept is None or any(a is not b for a, b in zip(found, kept.arrays, strict=False)):
        shapes = [(weights.numel(),), (weights.numel(),), tuple(weights.shape)]
        for place, shape in zip(places, shapes, strict=False):
            if key not in place:
                place[key] = as_floats(weights.new_zeros(shape))
        arrays = tuple(place[key] for place in places)
        tensors = tuple(xp2torch(each, device=weights.device).view_as(weights) for each in arrays)
        kept = states[key] = State(arrays, tensors)
    return kept


def as_floats(tensor: Tensor) -> FloatsXd:
    """RETURNS (FloatsXd): The tensor as an array of the device's operations, sharing memory."""
    return cast(FloatsXd, torch2xp(tensor))
