"""An affine map is the same by both kernels."""

import pytest
import torch

from spacy_lstm_tagger.nn import affine
from spacy_lstm_tagger.nn.affine import BLOCK, affine_map


def make(n_rows, nI=13, nO=7):
    generator = torch.Generator().manual_seed(n_rows)
    x, weight, bias = (
        torch.randn(*size, generator=generator) for size in ((n_rows, nI), (nO, nI), (nO,))
    )
    return x, weight, bias, (x.double() @ weight.double().T + bias.double()).float()


@pytest.mark.parametrize("n_rows", [0, 1, BLOCK - 1, BLOCK, 3 * BLOCK + 5])
@pytest.mark.parametrize("has_onednn", [True, False])
def test_it_is_the_formula(n_rows, has_onednn, monkeypatch):
    if has_onednn and not affine.has_onednn("cpu"):
        pytest.skip("this PyTorch has no such kernel here")
    monkeypatch.setattr(affine, "has_onednn", lambda device_type: has_onednn)
    x, weight, bias, expected = make(n_rows)
    torch.testing.assert_close(affine_map(x, weight, bias), expected, atol=1e-5, rtol=1e-5)


def test_without_mkl_pytorch_chooses(monkeypatch):
    """On ARM `addmm` is oneDNN's best product, and what is called here its slowest."""
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: False)
    assert not affine.has_onednn.__wrapped__("cpu")


def test_rows_may_lie_apart_in_memory():
    x, weight, bias, expected = make(BLOCK)
    wide = torch.cat([x, x], dim=1)[:, : x.shape[1]]
    torch.testing.assert_close(affine_map(wide, weight, bias), expected, atol=1e-5, rtol=1e-5)


def test_there_is_one_kernel_whatever_the_number_of_rows(monkeypatch):
    if not affine.has_onednn("cpu"):
        pytest.skip("this PyTorch has no such kernel here")
    calls = []
    run = affine.run_onednn
    monkeypatch.setattr(affine, "run_onednn", lambda *args: calls.append(args) or run(*args))
    for n_rows in (1, BLOCK - 1, BLOCK, 2 * BLOCK + 3):
        affine_map(*make(n_rows)[:3])
    assert [len(x) for x, *_ in calls] == [BLOCK] * 3


def test_a_kernel_that_computes_something_else_is_not_taken(monkeypatch):
    monkeypatch.setattr(affine, "run_onednn", lambda x, weight, bias: x @ weight.T)
    assert not affine.has_onednn.__wrapped__("cpu")
    assert not affine.has_onednn("cuda")


def test_without_the_kernel(monkeypatch):
    def missing(*args):
        raise AttributeError("no such operator")

    monkeypatch.setattr(affine, "run_onednn", missing)
    assert not affine.has_onednn.__wrapped__("cpu")
