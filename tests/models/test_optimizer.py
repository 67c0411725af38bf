"""All parameters at once are updated as Thinc's optimizer updates each of them."""

import copy

import numpy as np
import pytest
import torch
from thinc.api import SGD, Adam, Optimizer, RAdam, warmup_linear

from spacy_lstm_tagger.models.optimizer import Piece, clip, update

SHAPES = [(3, 4), (5,), (1, 1), (4, 2)]


def draw(seed):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for shape in SHAPES]


def pieces(weights, grads):
    """RETURNS (list): All but the last of them from the third step on: a block that comes later."""
    return [Piece((1, str(i)), w, g) for i, (w, g) in enumerate(zip(weights, grads, strict=True))]


class Halving(Optimizer):
    """An optimizer of somebody's own, which changes what Thinc's does."""

    def __call__(self, key, weights, gradient, **kwargs):
        return super().__call__(key, weights, gradient * 0.5, **kwargs)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Adam(0.1),
        lambda: Adam(0.01, L2=0.1, L2_is_weight_decay=True, grad_clip=0.5),
        lambda: Adam(0.01, L2=0.1, L2_is_weight_decay=False, grad_clip=2.0),
        lambda: Adam(warmup_linear(0.1, 3, 9), beta1=0.8, beta2=0.99, eps=1e-3),
        lambda: Adam(0.1, use_averages=False, grad_clip=0.0),
        lambda: RAdam(0.1),
        lambda: SGD(0.1, grad_clip=1.0),
        lambda: Adam(0.1, beta2=0.0),
        lambda: Adam(0.1, beta2=1.0),
        lambda: Halving(0.1),
    ],
)
def test_it_is_thincs_optimizer(make):
    ours, thincs, states = make(), make(), {}
    weights, expected = draw(0), [w.numpy().copy() for w in draw(0)]
    for step in range(6):
        grads = [g * 10 ** (step - 3) for g in draw(step + 1)]
        used = pieces(weights, grads)[: 3 if step < 2 else 4]
        for piece in used:
            i = int(piece.key[1])
            thincs(piece.key, expected[i], grads[i].numpy().copy())
        update(ours, used, states)
        for optimizer in (ours, thincs):
            optimizer.step_schedules()
        for found, value in zip(weights, expected, strict=True):
            np.testing.assert_allclose(found, value, rtol=2e-4, atol=1e-6)
    assert dict(ours.nr_update) == dict(thincs.nr_update)
    for place in ("mom1", "mom2", "averages"):
        one, other = getattr(ours, place), getattr(thincs, place)
        assert (one is None) == (other is None)
        for key in other or {}:
            assert one[key].shape == other[key].shape
            np.testing.assert_allclose(one[key], other[key], rtol=2e-4, atol=1e-6)


def test_a_copied_optimizer_goes_on_by_itself():
    optimizer, weights, states = Adam(0.1), draw(0), {}
    update(optimizer, pieces(weights, draw(1)), states)
    twin, twins = copy.deepcopy(optimizer), [w.clone() for w in weights]
    before = {key: value.copy() for key, value in optimizer.mom1.items()}
    update(twin, pieces(twins, draw(2)), states)
    assert all((optimizer.mom1[key] == value).all() for key, value in before.items())
    update(optimizer, pieces(weights, draw(2)), states)
    for one, other in zip(weights, twins, strict=True):
        assert torch.equal(one, other)


def test_clipping():
    grads = [torch.tensor([3.0, 4.0]), torch.tensor([0.3, 0.4]), torch.zeros(2)]
    found = clip([g.clone() for g in grads], 1.0)
    torch.testing.assert_close(found, [grads[0] / 5, grads[1], grads[2]])


def test_nothing_to_update():
    update(Adam(0.1), [], {})


def test_averages_of_a_long_training_are_thincs():
    """After 9,000 steps or more the decay reaches its bound."""
    ours, thincs, weights = Adam(0.1), Adam(0.1), draw(0)
    used = pieces(weights, draw(1))
    for piece in used:
        for optimizer in (ours, thincs):
            optimizer.nr_update[piece.key] = 500_000
        thincs(piece.key, piece.weights.numpy().copy(), piece.grad.numpy().copy())
    update(ours, used, {})
    for key, expected in thincs.averages.items():
        np.testing.assert_allclose(ours.averages[key], expected, rtol=2e-3)


def test_an_optimizer_may_be_any_function():
    """As with spaCy's components."""
    weights, grads = draw(0), draw(1)
    expected = [w - 0.5 * g for w, g in zip(weights, grads, strict=True)]

    def descend(key, weights, gradient):
        weights -= 0.5 * gradient
        return weights, gradient

    update(descend, pieces(weights, grads), {})
    for found, value in zip(weights, expected, strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-6)
