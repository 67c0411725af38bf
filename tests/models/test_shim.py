"""What the shim adds to Thinc's: averages, copies, updates in place, precision."""

import itertools
import pickle
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest
import torch
from thinc.api import SGD, Adam, ArgsKwargs, RAdam, use_ops

from spacy_lstm_tagger.models import shim as shim_module
from spacy_lstm_tagger.models.shim import PRECISIONS, TorchShim, cpu_has_bf16
from spacy_lstm_tagger.nn.output import ModuleOutput
from spacy_lstm_tagger.nn.vocabulary import VocabularyEmbedding

from ..util import SENTENCES, trained_nlp
from . import assert_same, interrupted_at_jump, learn_vocabulary, make_docs, small_embed


class Affine(torch.nn.Module):
    """The smallest module of ours. Remembers what it was asked to compute in."""

    def __init__(self, nO=3):
        super().__init__()
        self.linear = torch.nn.Linear(2, nO)

    def forward(self, x, *, precision=None):
        self.precision = precision
        return ModuleOutput(self.linear(x))


def make(**kwargs):
    torch.manual_seed(0)
    return TorchShim(Affine(), **kwargs)


def step(shim, optimizer, rows=None):
    """Train for a step."""
    rows = torch.ones(4, 2) if rows is None else rows
    Y, backprop = shim.begin_update(ArgsKwargs((rows,), {}))
    backprop(torch.ones_like(Y))
    shim.finish_update(optimizer)


def weights(shim):
    """RETURNS (dict): A copy of everything that the shim may train."""
    return {name: p.detach().clone() for name, p in shim.module.named_parameters()}


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for name in found:
        assert torch.equal(found[name], expected[name]), name


# Training


def anew(key, weights, gradient):
    """An optimizer that does not write to the weights that it is given."""
    return weights - 0.1 * gradient, gradient


@pytest.mark.parametrize("optimizer", [Adam(0.1), SGD(0.1), RAdam(0.1), anew])
def test_weights_are_updated_in_place(optimizer):
    shim = make()
    before = weights(shim)
    parameters = list(shim.module.parameters())
    pointers = [p.data_ptr() for p in parameters]
    step(shim, optimizer)
    # The same objects in the same places, or cuDNN would copy its weights in every call.
    assert all(a is b for a, b in zip(shim.module.parameters(), parameters, strict=True))
    assert [p.data_ptr() for p in parameters] == pointers
    assert all(not torch.equal(after, before[name]) for name, after in weights(shim).items())


def test_a_seed_gives_the_same_weights():
    found = []
    for seed in (0, 0, 1):
        model = learn_vocabulary(small_embed())
        torch.manual_seed(seed)
        model.initialize()
        assert not any(map(len, model.shims[0].module.tables.values()))
        found.append(weights(model.shims[0]))
    assert_equal(found[0], found[1])
    assert not torch.equal(found[0]["projection.weight"], found[2]["projection.weight"])


def test_gradients_add_up_until_the_update_clears_them():
    once, twice = make(), make()
    step(once, SGD(0.1), torch.ones(8, 2))
    for _ in range(2):
        Y, backprop = twice.begin_update(ArgsKwargs((torch.ones(4, 2),), {}))
        backprop(torch.ones_like(Y))
    twice.finish_update(SGD(0.1))
    assert_equal(weights(twice), weights(once))
    assert all(p.grad is None for p in twice.module.parameters())
    after = weights(twice)
    twice.finish_update(SGD(0.1))
    assert_equal(weights(twice), after)


def test_averages_take_effect_and_end():
    shim, optimizer = make(), Adam(0.1, use_averages=True)
    for _ in range(5):
        step(shim, optimizer)
    trained = weights(shim)
    with shim.use_params(optimizer.averages):
        averaged = weights(shim)
        assert len(averaged) == len(optimizer.averages) == 2
        for name, weight in averaged.items():
            expected = torch.from_numpy(optimizer.averages[shim.id, name])
            assert torch.equal(weight, expected)
            assert not torch.equal(weight, trained[name])
    assert_equal(weights(shim), trained)


def test_averages_end_with_an_exception():
    shim, optimizer = make(), Adam(0.1, use_averages=True)
    step(shim, optimizer)
    step(shim, optimizer)
    trained = weights(shim)
    with pytest.raises(KeyError), shim.use_params(optimizer.averages):
        raise KeyError
    assert_equal(weights(shim), trained)


def test_the_averages_of_another_model_do_nothing():
    shim, other, optimizer = make(), make(), Adam(0.1, use_averages=True)
    step(other, optimizer)
    before = weights(shim)
    with shim.use_params(optimizer.averages):
        assert_equal(weights(shim), before)


def test_a_table_has_an_optimizer_state_for_each_block_in_use():
    """An optimizer's state has a fixed size for each key, and its work should follow the symbols
    seen and not the capacity."""

    class Table(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = VocabularyEmbedding(width=2, capacity=5000)

        def forward(self, rows, *, precision=None):
            return ModuleOutput(self.table(rows))

    shim, optimizer = TorchShim(Table()), Adam(0.1)
    table = shim.module.table
    sizes = {}
    for n_symbols, n_blocks in [(10, 1), (1000, 1), (1024, 2), (3000, 3), (5000, 5)]:
        table.add(range(n_symbols))
        before = table.weight.detach().clone()
        step(shim, optimizer, torch.tensor([1, n_symbols]))
        # The symbols that were read have learned, first and last, and no others.
        moved = (table.weight != before).any(dim=1).nonzero().flatten().tolist()
        assert {1, n_symbols} <= set(moved) <= {1, 10, 1000, 1024, 3000, 5000}
        now = {key: state.size for key, state in optimizer.mom1.items() if "weight" in key[1]}
        assert len(now) == n_blocks
        assert {**now, **sizes} == now
        sizes = now
    assert sum(sizes.values()) == 5001 * 2


# Precision


@pytest.mark.parametrize("precision", ["fp64", "", None, "BF16"])
def test_an_unknown_precision_is_an_error(precision):
    with pytest.raises(ValueError, match=rf"M001.* precision = {precision!r} .*fp32.*bf16.*fp16"):
        TorchShim(Affine(), precision=precision)


@pytest.mark.parametrize(
    ("precision", "has_bf16", "expected"),
    [
        ("fp32", True, None),
        ("bf16", True, torch.bfloat16),
        ("bf16", False, None),
        ("fp16", True, None),
    ],
)
def test_precision_on_a_cpu(precision, has_bf16, expected, monkeypatch):
    monkeypatch.setattr("spacy_lstm_tagger.models.shim.cpu_has_bf16", lambda: has_bf16)
    shim = make(precision=precision)
    inputs = ArgsKwargs((torch.ones(1, 2),), {})
    assert shim.predict(inputs).dtype == torch.float32
    assert shim.module.precision == expected
    # It holds for tagging alone.
    shim.begin_update(inputs)
    assert shim.module.precision is None


def test_a_pytorch_that_does_not_tell_of_bfloat16(monkeypatch):
    """It tells in functions of its own, which may go."""
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    for name in names:
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert cpu_has_bf16() is False
    monkeypatch.setattr(torch.cpu, names[1], lambda: True, raising=False)
    assert cpu_has_bf16() is True


def test_every_precision_trains_and_tags():
    for precision in PRECISIONS:
        step(make(precision=precision), SGD(0.1))


# The stamp


def test_the_stamp_tells_when_weights_change():
    shim, optimizer = make(), Adam(0.1, use_averages=True)
    inputs = ArgsKwargs((torch.ones(1, 2),), {})
    stamps = [shim.stamp()]
    shim.predict(inputs)
    assert shim.stamp() == stamps[0]
    step(shim, optimizer)
    stamps.append(shim.stamp())
    with shim.use_params(optimizer.averages):
        stamps.append(shim.stamp())
    stamps.append(shim.stamp())
    shim.from_bytes(shim.to_bytes())
    stamps.append(shim.stamp())
    with torch.no_grad():
        shim.module.linear.weight.zero_()
    stamps.append(shim.stamp())
    assert len(set(stamps)) == len(stamps)


# Copies


def test_a_copy_shares_nothing_with_its_original():
    shim, optimizer = make(), Adam(0.1)
    step(shim, optimizer)
    keys, before = set(optimizer.mom1), weights(shim)
    copied = shim.copy()
    assert copied.id != shim.id
    assert_equal(weights(copied), before)
    step(copied, optimizer)
    assert_equal(weights(shim), before)
    new = set(optimizer.mom1) - keys
    assert new == {(copied.id, name) for _, name in keys}
    assert all(optimizer.nr_update[key] == 1 for key in new | keys)


def test_pickling_for_a_worker_leaves_the_weights_where_they_are():
    """PyTorch shares the memory of tensors that `multiprocessing` pickles, which frees what a
    thread that tags meanwhile reads."""
    model = learn_vocabulary(small_embed())
    shim, docs = model.shims[0], make_docs(["dog", "new"])
    tensors, expected = dict(shim.module.named_parameters()), model.predict(docs)
    places = {name: tensor.data_ptr() for name, tensor in tensors.items()}
    pickled = ForkingPickler.dumps(model)
    assert not any(tensor.is_shared() for tensor in tensors.values())
    assert {name: tensor.data_ptr() for name, tensor in tensors.items()} == places
    unpickled = pickle.loads(pickled)
    assert not any(tensor.is_shared() for tensor in unpickled.shims[0].module.parameters())
    assert_same(unpickled.predict(docs), expected)


@pytest.mark.filterwarnings("error:.*not writable")
def test_what_is_unpickled_has_memory_of_its_own():
    """Buffers out of band may be read-only, or those of the original."""
    model, docs, buffers = learn_vocabulary(small_embed()), make_docs(["dog", "new"]), []
    pickled = pickle.dumps(model, protocol=5, buffer_callback=buffers.append)
    before = weights(model.shims[0])
    for given in (buffers, [bytes(buffer) for buffer in buffers]):
        unpickled = pickle.loads(pickled, buffers=given)
        Y, backprop = unpickled.begin_update(docs)
        backprop(Y)
        unpickled.finish_update(Adam(0.1))
        assert_equal(weights(model.shims[0]), before)


def test_a_copied_model_trains_by_itself():
    model = learn_vocabulary(small_embed())
    copied = model.copy()
    docs = make_docs()
    before = [array.copy() for array in model.predict(docs)]
    Y, backprop = copied.begin_update(make_docs(["dog", "new"]))
    backprop(Y)
    copied.finish_update(Adam(0.1))
    assert_same(model.predict(docs), before)
    assert (
        model.shims[0]
        .module.tables["word"]
        .lookup(copied.shims[0].module.tables["word"]._rows)
        .count(0)
        == 1
    )


def test_a_pickle_has_nothing_of_the_optimizer():
    shim = make()
    before = len(pickle.dumps(shim))
    step(shim, Adam(0.1))
    assert len(pickle.dumps(shim)) < before + 100


def test_caches_are_told_of_another_device():
    shim = make()
    before = shim.stamp()
    shim.to_device("cpu", -1)
    assert shim.stamp() != before


def test_with_apples_gpu_all_stays_on_the_cpu():
    """Thinc's arrays are there; PyTorch on this machine would refuse the other device."""
    with use_ops("mps"):
        nlp, _ = trained_nlp(steps=3)
        tags = [token.tag_ for token in nlp(SENTENCES[0][0])]
    expected, _ = trained_nlp(steps=3)
    assert nlp.to_bytes() == expected.to_bytes()
    assert tags == [token.tag_ for token in expected(SENTENCES[0][0])]


@pytest.mark.parametrize("left_out", [None, 3])
def test_who_is_interrupted_where_a_loop_jumps_back_has_its_own_weights_again(left_out):
    """One of the weights may have no average."""
    shim = TorchShim(torch.nn.Sequential(*(torch.nn.Linear(2, 2) for _ in range(3))))
    before = {key: weights.clone() for key, weights, _ in shim._pieces()}
    params = {key: np.full(tuple(weights.shape), 7, "f") for key, weights in before.items()}
    if left_out is not None:
        del params[list(params)[left_out]]
    for place in itertools.count():
        with interrupted_at_jump(place, shim_module) as was_interrupted, shim.use_params(params):
            pass
        if not was_interrupted:
            break
        for key, weights, _ in shim._pieces():
            assert torch.equal(weights, before[key]), (place, key)
    assert place > 10
