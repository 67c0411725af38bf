"""Gradients through float16 are those of float32, whatever their size."""

import pytest
import torch

from spacy_lstm_tagger.models.loss_scale import scaled_backward

# float16 ends at 65,504 and 6e-8.
SIZES = [1e-30, 1e-9, 1.0, 1e6, 1e30]


class ThroughHalf(torch.autograd.Function):
    """The sum of the products with a factor, whose gradients are rounded to float16."""

    @staticmethod
    def forward(ctx, x, factor):
        ctx.save_for_backward(torch.tensor(factor))
        return x * factor

    @staticmethod
    def backward(ctx, dy):
        (factor,) = ctx.saved_tensors  # as most functions have some, until the graph is freed
        return (dy.half() * factor).float(), None


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("factor", [1.0, 3e4])
def test_gradients_are_those_of_float32(size, factor):
    x = torch.ones(3, requires_grad=True)
    d_y = torch.tensor([1.0, -0.5, 0.25]) * size
    scaled_backward([ThroughHalf.apply(x, factor)], [d_y], [x])
    torch.testing.assert_close(x.grad / size, d_y / size * factor)


def test_they_add_up():
    x = torch.ones(2, requires_grad=True)
    for size in (1e-9, 1e-9, 2e-9):
        scaled_backward([ThroughHalf.apply(x, 2.0)], [torch.full((2,), size)], [x])
    torch.testing.assert_close(x.grad / 8e-9, torch.ones(2))


def test_leaves_that_were_not_used_stay():
    x, other = (torch.ones(2, requires_grad=True) for _ in range(2))
    scaled_backward([ThroughHalf.apply(x, 2.0)], [torch.ones(2)], [x, other])
    assert other.grad is None
    scaled_backward([ThroughHalf.apply(other, 2.0)], [torch.ones(2)], [x, other])
    assert x.grad.tolist() == other.grad.tolist() == [2.0, 2.0]


def test_no_gradient_is_no_gradient():
    x = torch.ones(2, requires_grad=True)
    scaled_backward([ThroughHalf.apply(x, 2.0)], [torch.zeros(2)], [x])
    assert x.grad.tolist() == [0.0, 0.0]


def test_of_empty_docs_they_are_zero():
    x = torch.ones(2, requires_grad=True)
    scaled_backward([ThroughHalf.apply(x, 2.0)[:0]], [torch.ones(0)], [x])
    assert x.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_what_is_no_number_is_an_error(value):
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match=r"M005.*learn_rate"):
        scaled_backward([ThroughHalf.apply(x, 2.0)], [torch.tensor([1.0, value])], [x])
    assert x.grad is None
