"""The affine map is PyTorch's, whichever kernel computes it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_lstm_tagger.nn import affine as module
from spacy_lstm_tagger.nn.affine import affine


@pytest.fixture(params=[True, False], ids=["kernel", "linear"])
def kernel(request, monkeypatch):
    if request.param and not module.has_kernel("cpu", torch.float32):
        pytest.skip("this PyTorch has no such kernel here")
    monkeypatch.setattr(module, "has_kernel", lambda *args: request.param)
    monkeypatch.setattr(module, "BLOCK", 4)


def check(x, n_out):
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(n_out, x.shape[1], generator=generator)
    bias = torch.randn(n_out, generator=generator)
    expected = (x[:, None].double() * weight.double()).sum(2) + bias.double()
    y = affine(x, weight, bias)
    assert y.dtype == torch.float32
    torch.testing.assert_close(y.double(), expected, atol=1e-5, rtol=1e-5)


@settings(deadline=None)
@given(st.integers(0, 40) | st.integers(1000, 3000), st.integers(1, 40), st.integers(1, 40))
def test_it_is_affine(n_rows, n_in, n_out):
    check(torch.randn(n_rows, n_in, generator=torch.Generator().manual_seed(0)), n_out)


def test_rows_need_not_lie_together(kernel):
    x = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
    for rows in (x, x.t(), x[:, ::2], x[:1].expand(5, 8), x[:0]):
        check(rows, 3)


def test_few_shapes(monkeypatch):
    """A kernel for each number of rows would cost the memory of a thousand."""
    if not module.has_kernel("cpu", torch.float32):
        pytest.skip("this PyTorch has no such kernel here")
    sizes = []
    run = module.run
    monkeypatch.setattr(module, "run", lambda x, *args: sizes.append(len(x)) or run(x, *args))
    for n_rows in (3, 1023, 1024, 1500, 4096, 5000):
        check(torch.ones(n_rows, 2), 3)
    assert sizes == [1024] * (1 + 1 + 4 + 4)


def test_other_devices_and_types_have_another_kernel():
    assert not module.has_kernel("cuda", torch.float32)
    assert not module.has_kernel("cpu", torch.float64)
    x, weight, bias = (torch.ones(n, dtype=torch.float64) for n in (6, 4, 2))
    y = affine(x.view(3, 2), weight.view(2, 2), bias)
    assert y.tolist() == [[3.0, 3.0]] * 3


def test_a_pytorch_without_the_kernel(monkeypatch):
    def missing(*args):
        raise RuntimeError("no such operator")

    module.has_kernel.cache_clear()
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", missing, raising=False)
    try:
        assert not module.has_kernel("cpu", torch.float32)
        check(torch.ones(3, 2), 4)
    finally:
        module.has_kernel.cache_clear()
