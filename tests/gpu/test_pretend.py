"""A pretended GPU refuses what a real one does, and counts. Of a real one, the same is true."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from thinc.api import get_current_ops
from thinc.util import torch2xp, xp2torch
from torch import nn

from .pretend import Kind, counting
from .pretend.cudnn import NOT_FLAT

CPU = torch.device("cpu")


@pytest.fixture
def here():
    return torch.arange(6, dtype=torch.float32).view(2, 3)


@pytest.fixture
def there(here):
    return here.to("cuda")


# Devices


def test_a_tensor_is_where_it_was_sent(here, there):
    assert there.device == torch.device("cuda", 0) and there.is_cuda and not there.is_cpu
    assert here.device == CPU and not here.is_cuda
    assert torch.equal(there.cpu(), here) and there.cpu().device == CPU
    assert there.to(here).device == CPU and here.to(there).is_cuda
    assert there.to(here.device, torch.float64).dtype == torch.float64


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x + 1,
        lambda x: x[0],
        lambda x: x.T.contiguous(),
        lambda x: x.new_zeros(2),
        lambda x: torch.zeros_like(x),
        lambda x: torch.zeros(2, device=x.device),
        lambda x: torch.tensor([1.0], device="cuda"),
        lambda x: x.sum(),
        lambda x: x.detach(),
        lambda x: copy.deepcopy(x),
        lambda x: pickle.loads(pickle.dumps(x)),
        lambda x: pickle.loads(pickle.dumps(nn.Linear(3, 2).cuda())).bias,
        lambda x: nn.Parameter(x).data,
        lambda x: nn.Linear(3, 2).to(x.device).weight,
        lambda x: nn.Linear(3, 2).cuda()(x),
        lambda x: copy.deepcopy(nn.Linear(3, 2).cuda()).bias,
        lambda x: xp2torch(torch2xp(x), device=x.device),
    ],
)
def test_what_is_made_of_it_is_there_too(make, there):
    assert make(there).is_cuda
    with torch.inference_mode():
        assert make(there).is_cuda


def test_what_is_made_without_it_is_not(there):
    for made in (torch.zeros(2), torch.tensor([1]), there.new_zeros(2, device="cpu")):
        assert made.device == CPU
    assert torch.zeros_like(there, device="cpu").device == CPU


@pytest.mark.parametrize(
    "mix",
    [
        lambda x, y: x + y,
        lambda x, y: x @ y.T,
        lambda x, y: torch.cat([x, y]),
        lambda x, y: torch.stack([x, y]),
        lambda x, y: x.masked_fill(y > 1, 0.0),
        lambda x, y: x.add_(y),
        lambda x, y: x[0].index_put((x[0].long(),), y[0]),
        lambda x, y: x.index_select(0, y[0].long()),
        lambda x, y: nn.functional.linear(x, y),
        lambda x, y: nn.functional.embedding(x.long(), y),
        lambda x, y: torch.where(x > 1, x, y),
    ],
)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_tensors_of_two_devices_are_refused(mix, mode, there):
    host = torch.zeros(2, 3)
    for pair in ((there, host), (host, there)):
        with mode(), pytest.raises(RuntimeError, match="device"):
            mix(*pair)


def test_a_lone_number_there_is_none_here(here, there):
    number = there.sum()
    for mix in (
        lambda: here * number,
        lambda: torch.zeros(()).add_(number),
        lambda: here.masked_fill(here > 1, number),
    ):
        with pytest.raises(RuntimeError, match="device"):
            mix()


def test_lone_numbers_of_the_cpu_are_not_refused(there):
    number = torch.tensor(2.0)
    for result in (there * number, there.masked_fill(there > 1, number), number - there):
        assert result.is_cuda
    there[0] = number
    assert there[0].tolist() == [2.0] * 3


def test_indices_of_the_cpu_are_taken_along(there):
    assert there[torch.tensor([1])].tolist() == [[3.0, 4.0, 5.0]]


def test_gradients_are_where_their_tensors_are(here):
    here.requires_grad_()
    there = here.to("cuda")
    weight = torch.ones(3, 3, device="cuda", requires_grad=True)
    (there @ weight)[:, :2].square().sum().backward()
    assert weight.grad.is_cuda and here.grad.device == CPU


def test_numpy_takes_no_tensor_from_there(there):
    for convert in (lambda: there.numpy(), lambda: np.asarray(there)):
        with pytest.raises(TypeError, match="cuda"):
            convert()


# CuPy


def test_cupy_refuses_arrays_of_numpy():
    xp = get_current_ops().xp
    array, other = xp.ones((2, 3), dtype="float32"), np.ones((2, 3), dtype="float32")
    for mix in (
        lambda: array + other,
        lambda: other * array,
        lambda: xp.dot(array, other.T),
        lambda: xp.concatenate([array, other]),
        lambda: np.asarray(array),
    ):
        with pytest.raises((TypeError, ValueError)):
            mix()
    assert (array + xp.asarray(other)).get().tolist() == (other + other).tolist()


def test_cupy_and_pytorch_share_memory(there):
    array = torch2xp(there)
    array += 1
    array[0] = 7
    assert there.tolist() == [[7.0] * 3, [4.0, 5.0, 6.0]]
    assert xp2torch(array, device=there.device).data_ptr() == there.data_ptr()


def test_arrays_of_cupy_are_copied_and_pickled():
    array = get_current_ops().xp.arange(3)
    for other in (copy.copy(array), copy.deepcopy(array), pickle.loads(pickle.dumps(array))):
        assert type(other) is type(array) and other.get().tolist() == [0, 1, 2]


def test_results_of_cupy_are_arrays():
    xp = get_current_ops().xp
    array = xp.arange(6, dtype="float32").reshape(2, 3)
    for result in (array.sum(), array.argmax(axis=1), array.T, array[0], xp.sqrt(array), -array):
        assert isinstance(result, xp.ndarray)
    assert float(array.sum()) == 15.0 and len(array) == 2 and array.shape == (2, 3)
    assert xp.get_array_module(array) is xp


# cuDNN's LSTM


@pytest.fixture
def lstm():
    return nn.LSTM(3, 4).cuda()


def sequence(dtype=torch.float32):
    return torch.linspace(-1, 1, 30, device="cuda").view(5, 2, 3).to(dtype)


def run(lstm, x, *, train=True, weights=None):
    state = x.new_zeros(1, x.shape[1], 4)
    weights = lstm.all_weights[0] if weights is None else weights
    return torch.lstm(x, (state, state), weights, True, 1, 0.0, train, False, False)[0]


def test_lstm_computes_and_learns_what_it_does_on_a_cpu(lstm):
    other = nn.LSTM(3, 4)
    other.load_state_dict({name: w.cpu() for name, w in lstm.state_dict().items()})
    outputs = []
    for module, x in ((lstm, sequence()), (other, sequence().cpu())):
        y, (h, c) = module(x)
        (y.square().sum() + (h * c).sum()).backward()
        outputs.append([y, h, c, *(w.grad for w in module.parameters())])
    for one, two in zip(*outputs, strict=True):
        assert one.is_cuda and not two.is_cuda
        torch.testing.assert_close(one.cpu(), two, atol=1e-3, rtol=1e-3)


def test_lstm_needs_one_type(lstm):
    with pytest.raises((RuntimeError, ValueError), match="dtype"):
        run(lstm, sequence(torch.float16))
    half = [w.half() for w in lstm.all_weights[0]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert run(lstm, sequence(torch.float16), weights=half).dtype == torch.float16


def test_lstm_needs_one_device(lstm):
    with pytest.raises(RuntimeError, match="device"):
        run(lstm, sequence().cpu())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_lstm_under_autocast_is_half(dtype, lstm):
    with torch.autocast("cuda", dtype=dtype):
        assert run(lstm, sequence()).dtype == torch.float16


def test_lstm_has_gradients_only_if_it_ran_in_training(lstm):
    x = sequence().requires_grad_()
    run(lstm, x).sum().backward()
    y = run(lstm, x, train=False)
    with pytest.raises(RuntimeError, match="training mode"):
        y.sum().backward()


def test_lstm_says_when_its_weights_are_not_one_buffer(lstm):
    def warned(module):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            module(sequence())
        return [w for w in caught if NOT_FLAT in str(w.message)]

    assert not warned(lstm)
    copied = copy.deepcopy(lstm)
    copied.weight_ih_l0.data = copied.weight_ih_l0.data.clone()
    assert warned(copied)
    copied.flatten_parameters()
    assert not warned(copied)
    # A part of a larger buffer does not do: cuDNN's is looked for at the start of the memory.
    buffer = torch.cat([torch.zeros(1, device="cuda"), *(w.flatten() for w in lstm.parameters())])
    start = 1
    for weight in copied.parameters():
        weight.data = buffer[start : start + weight.numel()].view_as(weight)
        start += weight.numel()
    assert warned(copied)


# Counts


@pytest.mark.counts
@pytest.mark.parametrize(
    ("work", "kernels", "syncs", "copies"),
    [
        (lambda x: x + x, 1, 0, 0),
        (lambda x: x.T[0].view(-1), 0, 0, 0),
        (lambda x: torch.empty(2, device="cuda"), 0, 0, 0),
        (lambda x: torch.zeros(2, device="cuda"), 1, 0, 0),
        (lambda x: x.fill_(1.0), 1, 0, 0),
        (lambda x: x.sum().item(), 2, 1, 0),
        (lambda x: bool(x.sum()), 2, 1, 0),
        (lambda x: x.tolist(), 0, 1, 1),
        (lambda x: x.cpu(), 0, 1, 1),
        (lambda x: torch.ones(3).to("cuda"), 0, 1, 1),
        (lambda x: torch.ones(3).pin_memory().to("cuda", non_blocking=True), 0, 0, 1),
        (lambda x: torch.tensor([1, 2], device="cuda"), 0, 1, 1),
        (lambda x: x[x > 2], 2, 1, 0),
        (lambda x: x.masked_fill(x > 2, 0.0), 2, 0, 0),
        (lambda x: x[torch.tensor([0])], 1, 1, 1),
        (lambda x: x[x[:, 0].long() * 0], 3, 0, 0),
        (lambda x: x.nonzero(), 1, 1, 0),
        (lambda x: torch.unique(x), 1, 1, 0),
        (lambda x: x.copy_(torch.ones(2, 3)), 0, 1, 1),
        (lambda x: x.repeat_interleave(x[:, 0].long(), 0, output_size=3), 3, 0, 0),
        (lambda x: torch.cuda.synchronize(), 0, 1, 0),
    ],
)
def test_counts(work, kernels, syncs, copies, there):
    for context in (torch.no_grad, torch.inference_mode):
        with context(), counting() as counts:
            work(there)
        found = [counts.only(kind).total() for kind in (Kind.KERNEL, Kind.SYNC, Kind.COPY)]
        assert found == [kernels, syncs, copies], counts


@pytest.mark.counts
def test_counts_of_cupy(there):
    with counting() as counts:
        array = torch2xp(there)
    assert counts.only(Kind.EXCHANGE).total() == counts.total() == 1
    with counting() as counts:
        array += 1
        array[0].reshape(3, 1).T  # noqa: B018
        array.sum().get()
    assert [counts.only(kind).total() for kind in (Kind.KERNEL, Kind.SYNC)] == [2, 1], counts


@pytest.mark.counts
def test_counts_of_cudnn(lstm):
    with counting() as counts:
        lstm(sequence())[0].sum().backward()
    assert counts.of("cuDNN's LSTM") == counts.of("cuDNN's LSTM, backward") == 1
    assert not counts.of("cuDNN's weights made flat")
    half = [w.half() for w in lstm.all_weights[0]]
    with counting() as counts, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run(lstm, sequence(torch.float16), weights=half)
    assert counts.of("cuDNN's weights made flat") == 4
