"""The bucketed LSTM is PyTorch's own, whatever the sequences' lengths and neighbours."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call
from torch.nn.utils.rnn import pack_sequence, unpack_sequence

from spacy_lstm_tagger.nn.buckets import Buckets
from spacy_lstm_tagger.nn.kernel import LSTMLayer
from spacy_lstm_tagger.nn.lstm import BucketedLSTM, variational_dropout

INPUT, HIDDEN = 5, 4
properties = settings(max_examples=10, deadline=None)
some_lengths = st.lists(st.integers(1, 12), min_size=1, max_size=8)
both_directions = pytest.mark.parametrize("bidirectional", [False, True])
both_depths = pytest.mark.parametrize("depth", [1, 2])


def make(depth=1, bidirectional=True, seed=0, hidden=HIDDEN):
    torch.manual_seed(seed)
    return BucketedLSTM(
        input_width=INPUT, hidden_width=hidden, depth=depth, bidirectional=bidirectional
    )


def batch(lengths, seed=1):
    torch.manual_seed(seed)
    return torch.randn(sum(lengths), INPUT)


def pytorch_lstm(module):
    """RETURNS (nn.LSTM): PyTorch's stacked LSTM with the same weights."""
    depth, bidirectional = len(module.forward_lstms), len(module.backward_lstms) > 0
    hidden = module.forward_lstms[0].hidden_size
    lstm = nn.LSTM(INPUT, hidden, num_layers=depth, bidirectional=bidirectional)
    for ending, layers in [("", module.forward_lstms), ("_reverse", module.backward_lstms)]:
        for i, layer in enumerate(layers):
            for name, weight in layer.named_parameters():
                target = getattr(lstm, f"{name.removesuffix('_l0')}_l{i}{ending}")
                target.data.copy_(weight.data)
    return lstm


def packed(lstm, x, lengths):
    """RETURNS (Tensor): What PyTorch makes of the flat batch as a packed sequence."""
    y, _ = lstm(pack_sequence(list(x.split(lengths)), enforce_sorted=False))
    return torch.cat(unpack_sequence(y))


@both_directions
@pytest.mark.parametrize("merge", ["sum", "concat"])
@pytest.mark.parametrize("last_width", [None, 2])
@pytest.mark.parametrize("all_layers", [False, True])
@properties
@given(lengths=some_lengths)
def test_what_layers_read_and_write(bidirectional, merge, last_width, all_layers, lengths):
    """Against single layers of PyTorch, one after the other."""
    torch.manual_seed(0)
    module = BucketedLSTM(
        input_width=INPUT,
        hidden_width=HIDDEN,
        depth=3,
        bidirectional=bidirectional,
        merge=merge,
        last_width=last_width,
        all_layers=all_layers,
    )
    x = batch(lengths)
    ahead, back = [], []
    for layer in range(3):
        hidden = HIDDEN if layer < 2 or last_width is None else last_width
        lstm = nn.LSTM(x.shape[1], hidden, bidirectional=bidirectional)
        directions = {"": module.forward_lstms, "_reverse": module.backward_lstms}
        for ending, layers in directions.items():
            for name, weight in layers[layer].named_parameters() if layers else []:
                getattr(lstm, f"{name}{ending}").data.copy_(weight.data)
        y = packed(lstm, x, lengths)
        ahead.append(y[:, :hidden])
        back.append(y[:, hidden:])
        x = ahead[-1] + back[-1] if bidirectional and merge == "sum" else y
    if all_layers:
        y = torch.cat(ahead + back, dim=1)
    assert module.output_width == y.shape[1]
    found = module(batch(lengths), Buckets.of(lengths)).vectors
    torch.testing.assert_close(found, y, atol=1e-5, rtol=1e-4)


@both_depths
@both_directions
@properties
@given(lengths=some_lengths)
def test_equals_pytorch_on_a_packed_sequence(depth, bidirectional, lengths):
    module, x = make(depth, bidirectional), batch(lengths)
    y = module(x, Buckets.of(lengths)).vectors
    torch.testing.assert_close(y, packed(pytorch_lstm(module), x, lengths), atol=1e-5, rtol=1e-4)


@both_depths
@both_directions
@properties
@given(lengths=some_lengths, data=st.data())
def test_rows_of_a_table_and_a_head(depth, bidirectional, lengths, data):
    """What comes of vectors that tokens share, and of a head on each bucket, is what comes of the
    same vectors one after the other, and of a head on all outputs."""
    module, table = make(depth, bidirectional), batch([6])
    rows = st.lists(st.integers(0, 5), min_size=sum(lengths), max_size=sum(lengths))
    tokens = torch.tensor(data.draw(rows))
    head = nn.Linear(module.output_width, 3)
    buckets = Buckets.of(lengths, max_batch_items=16)
    y = module(table, buckets, tokens=tokens, head=head).vectors
    expected = head(module(table[tokens], buckets).vectors)
    torch.testing.assert_close(y, expected, atol=1e-5, rtol=1e-4)


def test_a_head_without_tokens():
    assert make()(batch([]), Buckets.of([0]), head=nn.Linear(2 * HIDDEN, 3)).vectors.shape == (0, 3)


@both_directions
def test_gradients_equal_those_of_pytorch(bidirectional):
    lengths = [3, 7, 1, 12]
    module, x = make(2, bidirectional), batch(lengths).requires_grad_()
    lstm, x_ref = pytorch_lstm(module), batch(lengths).requires_grad_()
    y = module(x, Buckets.of(lengths, step_cost=0)).vectors
    y_ref = packed(lstm, x_ref, lengths)
    d_y = torch.randn_like(y)
    y.backward(d_y)
    y_ref.backward(d_y)
    torch.testing.assert_close(x.grad, x_ref.grad, atol=1e-4, rtol=1e-3)
    found = sorted(p.grad.norm().item() for p in module.parameters())
    expected = sorted(p.grad.norm().item() for p in lstm.parameters())
    assert found == pytest.approx(expected, rel=1e-3)


@both_directions
def test_gradients_agree_with_finite_differences(bidirectional):
    lengths = [2, 0, 3, 1]
    module = make(2, bidirectional, hidden=2).double()
    x = batch(lengths).double().requires_grad_()
    names, weights = zip(*module.named_parameters(), strict=True)
    buckets = Buckets.of(lengths, step_cost=0)

    def run(x, *weights):
        return torch.func.functional_call(
            module, dict(zip(names, weights, strict=True)), (x, buckets)
        ).vectors

    assert torch.autograd.gradcheck(run, (x, *weights))


@both_depths
@properties
@given(lengths=some_lengths, step_cost=st.sampled_from([0, 2, 512]))
def test_a_sequence_does_not_depend_on_its_neighbours(depth, lengths, step_cost):
    module, x = make(depth), batch(lengths)
    together = module(x, Buckets.of(lengths, step_cost=step_cost)).vectors.split(lengths)
    for one, y in zip(x.split(lengths), together, strict=True):
        torch.testing.assert_close(
            module(one, Buckets.of([len(one)])).vectors, y, atol=1e-6, rtol=1e-5
        )


def test_stepping_with_the_state_carried_equals_the_whole():
    """What the tutorial shows first."""
    module, x = make(bidirectional=False), batch([6])
    state, steps = None, []
    for word in x:
        h, state = module.forward_lstms[0](word.view(1, 1, -1), state)
        steps.append(h.view(-1))
    torch.testing.assert_close(module(x, Buckets.of([6])).vectors, torch.stack(steps))


@both_directions
@pytest.mark.parametrize("lengths", [[], [0, 0]])
def test_an_empty_batch_has_no_rows(bidirectional, lengths):
    module = make(bidirectional=bidirectional)
    assert module(batch([0]), Buckets.of(lengths)).vectors.shape == (0, module.output_width)


def test_empty_sequences_change_nothing():
    module, x = make(2), batch([3, 2])
    y = module(x, Buckets.of([0, 3, 0, 0, 2, 0])).vectors
    assert torch.equal(y, module(x, Buckets.of([3, 2])).vectors)


@both_depths
@both_directions
def test_dropout_zero_changes_nothing(depth, bidirectional):
    module, x = make(depth, bidirectional), batch([4, 2])
    assert torch.equal(
        module(x, Buckets.of([4, 2]), dropout=0.0).vectors,
        module.eval()(x, Buckets.of([4, 2])).vectors,
    )


@both_directions
def test_dropout_drops_the_same_features_at_all_steps_of_a_sequence(bidirectional):
    lengths = [9, 5, 7]
    module, x = make(bidirectional=bidirectional, hidden=32), batch(lengths)
    y = module(x, Buckets.of(lengths, step_cost=512), dropout=0.5).vectors
    # No hidden state of an LSTM is exactly zero unless it was dropped.
    masks = [part == 0 for part in y.split(lengths)]
    for mask in masks:
        assert torch.equal(mask, mask[:1].expand_as(mask))
        assert 0.2 < mask.float().mean() < 0.8
    assert not torch.equal(masks[0][0], masks[1][0])


def test_variational_dropout_keeps_the_expectation():
    torch.manual_seed(0)
    x = torch.ones(3, 5000, 4)
    y = variational_dropout(x, 0.3)
    assert y.mean().item() == pytest.approx(1.0, abs=0.02)
    assert (y == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert torch.equal(y[0], y[1]) and torch.equal(y[0], y[2])
    assert torch.equal(variational_dropout(x, 0.0), x)


@both_depths
def test_bfloat16_stays_close(depth):
    lengths = [12, 3, 8]
    module, x = make(depth, hidden=32), batch(lengths)
    with torch.inference_mode():
        exact = module(x, Buckets.of(lengths)).vectors
        rough = module(x, Buckets.of(lengths), precision=torch.bfloat16).vectors
    assert rough.dtype == torch.bfloat16
    assert not torch.equal(rough.float(), exact)
    torch.testing.assert_close(rough.float(), exact, atol=0.03, rtol=0.03)


def test_initial_weights():
    lstm = LSTMLayer(7, 6)
    bias = lstm.bias_ih_l0 + lstm.bias_hh_l0
    # PyTorch's order of gates: input, forget, cell, output.
    assert bias.tolist() == [0.0] * 6 + [1.0] * 6 + [0.0] * 12
    for gate in lstm.weight_hh_l0.chunk(4):
        torch.testing.assert_close(gate @ gate.T, torch.eye(6), atol=1e-5, rtol=0)
    bound = (6 / (7 + 6)) ** 0.5
    assert 0.5 * bound < lstm.weight_ih_l0.abs().max() <= bound


@both_depths
def test_dropout_is_on_the_input_and_between_layers(depth):
    """What is not dropped at the end tells what was dropped before."""
    module, x = make(depth, hidden=32), batch([9])
    for _ in range(2):
        y = module(x, Buckets.of([9]), dropout=0.5).vectors
        kept, plain = y != 0, module(x, Buckets.of([9])).vectors
        assert not torch.allclose(0.5 * y[kept], plain[kept], atol=1e-4)
        if depth == 1:
            return
        for lstm in (module.forward_lstms[0], module.backward_lstms[0]):
            torch.nn.init.zeros_(lstm.weight_ih_l0)  # it does not see its input any more
            torch.nn.init.normal_(lstm.bias_ih_l0)


@pytest.mark.parametrize("training", [True, False])
def test_functional_call_takes_the_weights_given(training):
    module, other = (BucketedLSTM(input_width=5, hidden_width=4).train(training) for _ in range(2))
    x, buckets = torch.randn(8, 5), Buckets.of([3, 5])
    with torch.set_grad_enabled(training):
        expected = other(x, buckets).vectors
        assert not torch.equal(module(x, buckets).vectors, expected)
        found = functional_call(module, dict(other.named_parameters()), (x, buckets)).vectors
        assert torch.equal(found, expected)


@pytest.mark.parametrize("width", [4, 6])
def test_a_wrong_width_is_an_error(width):
    with pytest.raises(ValueError, match=f"{width} wide"):
        BucketedLSTM(input_width=5, hidden_width=4)(torch.randn(8, width), Buckets.of([3, 5]))


def test_autocast_while_evaluating():
    module, x, buckets = BucketedLSTM(input_width=5, hidden_width=4), torch.randn(8, 5), [3, 5]
    module.eval()
    with torch.no_grad():
        expected = module(x, Buckets.of(buckets)).vectors  # for which weights were packed
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = module(x, Buckets.of(buckets)).vectors
    torch.testing.assert_close(found.float(), expected, atol=0.05, rtol=0.0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_language_model_of_another_type(dtype):
    module = BucketedLSTM(input_width=5, hidden_width=4, lm_weight=0.1).to(dtype)
    x = torch.randn(8, 5, dtype=dtype)
    module(x, Buckets.of([3, 5]), followed=torch.tensor([0, 1])).loss.backward()
