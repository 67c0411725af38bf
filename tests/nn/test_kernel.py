"""One layer's kernel is PyTorch's LSTM, whether its weights are packed or not."""

import copy
import pickle

import pytest
import torch

from spacy_lstm_tagger.nn import kernel
from spacy_lstm_tagger.nn.kernel import LSTMLayer

TOLERANCE = {torch.float32: 1e-6, torch.bfloat16: 2e-2}


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return LSTMLayer(5, 8).eval()


@pytest.fixture
def x():
    return torch.randn(7, 3, 5, generator=torch.Generator().manual_seed(1))


def run(layer, x, precision=torch.float32):
    return layer.run(x.to(precision), layer.arranged(precision))


def tag(layer, x, precision=torch.float32):
    with torch.inference_mode():
        return run(layer, x, precision)


@pytest.mark.parametrize("packs", [True, False])
@pytest.mark.parametrize("precision", TOLERANCE)
def test_it_is_an_lstm(layer, x, precision, packs, monkeypatch):
    if packs and not kernel.can_pack("cpu", precision):
        pytest.skip("this PyTorch has no kernel for packed weights here")
    monkeypatch.setattr(kernel, "can_pack", lambda *args: packs)
    found, (expected, _) = tag(layer, x, precision), layer(x)
    assert found.dtype == precision
    torch.testing.assert_close(found.float(), expected, atol=TOLERANCE[precision], rtol=0)
    assert layer._kept[1].is_packed == packs


def test_weights_are_packed_once(layer, x, monkeypatch):
    calls = []
    pack = kernel.pack
    monkeypatch.setattr(kernel, "pack", lambda *args: calls.append(args) or pack(*args))
    if not (torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()):
        pytest.skip("this PyTorch has no kernel for packed weights here")
    assert kernel.can_pack("cpu", torch.float32)
    for _ in range(3):
        tag(layer, x)
    assert len(calls) == 1
    if kernel.can_pack("cpu", torch.bfloat16):
        tag(layer, x, torch.bfloat16)
        assert len(calls) == 2


@pytest.mark.parametrize("how", ["in place", "through .data", "state dict", "replaced"])
def test_it_follows_its_weights(layer, x, how):
    before = tag(layer, x)
    other = LSTMLayer(5, 8)
    if how == "in place":
        with torch.no_grad():
            layer.weight_hh_l0.mul_(2)
    elif how == "through .data":  # which PyTorch does not count: training mode tells
        layer.train()
        layer.weight_hh_l0.data.mul_(2)
        layer.eval()
    elif how == "state dict":
        layer.load_state_dict(other.state_dict())
    else:
        layer.weight_ih_l0 = other.weight_ih_l0
    after = tag(layer, x)
    assert not torch.allclose(before, after, atol=1e-3)
    torch.testing.assert_close(after, layer(x)[0], atol=1e-6, rtol=0)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_pack_for_themselves(layer, x, copied):
    expected = tag(layer, x)
    twin = copied(layer)
    assert twin._kept is None
    torch.testing.assert_close(tag(twin, x), expected)


@pytest.mark.parametrize("precision", TOLERANCE)
def test_gradients_flow_in_training(layer, x, precision):
    layer.train()
    run(layer, x, precision).float().sum().backward()
    found = layer.weight_hh_l0.grad.clone()
    layer.zero_grad()
    layer(x)[0].sum().backward()
    assert found.dtype == torch.float32
    scale = layer.weight_hh_l0.grad.abs().max().item()
    torch.testing.assert_close(
        found, layer.weight_hh_l0.grad, atol=TOLERANCE[precision] * scale, rtol=0
    )


def test_cast_weights_lie_in_one_buffer(layer):
    """Or cuDNN copies them together in every call."""
    layer.train()
    tensors, is_packed = layer.arranged(torch.bfloat16)
    assert not is_packed
    places = [tensor.data_ptr() for tensor in tensors]
    sizes = [tensor.numel() * tensor.element_size() for tensor in tensors]
    assert places == [places[0] + sum(sizes[:i]) for i in range(4)]
    for tensor, weight in zip(tensors, layer.parameters(), strict=True):
        assert torch.equal(tensor, weight.bfloat16())


def test_a_cast_is_kept_while_tagging(layer, monkeypatch):
    monkeypatch.setattr(kernel, "can_pack", lambda *args: False)
    with torch.inference_mode():
        assert layer.arranged(torch.bfloat16) is layer.arranged(torch.bfloat16)
    layer.train()
    assert layer.arranged(torch.bfloat16) is not layer.arranged(torch.bfloat16)


def test_a_kernel_that_differs_is_not_used(monkeypatch):
    monkeypatch.setattr(kernel, "run_packed", lambda packed, x, width: x.new_zeros(4, 2, 5))
    kernel.can_pack.cache_clear()
    assert not kernel.can_pack("cpu", torch.float32)
    kernel.can_pack.cache_clear()


def test_only_a_cpu_packs():
    assert not kernel.can_pack("cuda", torch.float32)
