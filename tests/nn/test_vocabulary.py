"""The vocabulary fills while training, knows when it is full, and is saved with the weights."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from spacy_lstm_tagger.nn.vocabulary import PretrainedEmbedding, VocabularyEmbedding

some_keys = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=30)


def make(keys=(), capacity=10, width=4, seed=0):
    torch.manual_seed(seed)
    table = VocabularyEmbedding(width=width, capacity=capacity)
    torch.nn.init.normal_(table.unknown)
    table.add(keys)
    return table


def embed(table, *keys, **kwargs):
    return table(torch.tensor(table.lookup(keys), dtype=torch.int64), **kwargs)


@settings(max_examples=50, deadline=None)
@given(some_keys)
def test_symbols_get_rows_in_order_until_the_table_is_full(keys):
    table = make(keys)
    distinct = list(dict.fromkeys(keys))
    known, unknown = distinct[:10], distinct[10:]
    assert table.lookup(known) == list(range(1, len(known) + 1))
    assert table.lookup(unknown) == [0] * len(unknown)
    assert len(table) == len(known)
    assert table.is_full == (len(known) == 10)


def test_adding_again_moves_nothing():
    table = make([5, -7])
    table.add([3, -7, 5])
    assert table.lookup([5, -7, 3]) == [1, 2, 3]


def test_unknown_symbols_are_alike_and_known_ones_differ():
    table = make([1, 2])
    one, two, three, four = embed(table, 1, 2, 3, 4)
    assert torch.equal(three, table.unknown) and torch.equal(four, table.unknown)
    assert not torch.allclose(one, two) and not torch.allclose(one, three)


def test_filling_keeps_what_was_learned_and_its_gradients():
    table = make([1, 2])
    embed(table, 1, 2).pow(2).sum().backward()
    gradient, before = table.weight.grad.clone(), embed(table, 1, 2)
    table.add(range(3, 20))
    assert torch.equal(table.weight.grad, gradient)
    assert torch.equal(embed(table, 1, 2), before)


def test_a_symbol_added_to_a_loaded_table_starts_as_unknown():
    table = make(seed=1)
    table.load_state_dict(make([1, 2]).state_dict())
    table.add([3])
    assert table.lookup([3]) == [3]
    one, three = embed(table, 1, 3)
    assert torch.equal(three, table.unknown) and not torch.allclose(one, table.unknown)
    # It departs from there: it has a row, which learns.
    embed(table, 3).sum().backward()
    assert table.weight.grad[3].abs().sum() > 0


def test_an_unknown_symbol_trains_the_unknown_vector_alone():
    table = make([1])
    embed(table, 99).sum().backward()
    assert table.unknown.grad.abs().sum() > 0
    assert table.weight.grad.abs().sum() == 0


def test_drop_takes_symbols_for_unknown_at_its_rate():
    table = make([1])
    y = embed(table, *[1] * 5000, drop=0.3)
    dropped = (y == table.unknown).all(dim=1).float().mean().item()
    assert dropped == pytest.approx(0.3, abs=0.03)
    y.sum().backward()
    assert table.unknown.grad.tolist() == [5000.0] * 4
    assert table.weight.grad[1].tolist() == [pytest.approx(5000 * (1 - dropped))] * 4


def test_drop_zero_drops_nothing():
    table = make([1, 2])
    assert torch.equal(embed(table, 1, 2, drop=0.0), embed(table, 1, 2))


@settings(max_examples=25, deadline=None)
@given(some_keys)
def test_round_trip(keys):
    table, loaded = make(keys), make([77, 78], seed=1)
    loaded.load_state_dict(table.state_dict())
    assert loaded.lookup(keys) == table.lookup(keys)
    assert torch.equal(embed(loaded, *keys, 99), embed(table, *keys, 99))
    assert len(loaded) == len(table)


def test_a_table_inside_a_module_is_loaded_by_its_name():
    both = torch.nn.ModuleDict({"a": make([1, 2]), "b": make([3])})
    loaded = torch.nn.ModuleDict({"a": make(), "b": make()})
    loaded.load_state_dict(both.state_dict())
    assert loaded["a"].lookup([1, 2, 3]) == [1, 2, 0]
    assert loaded["b"].lookup([1, 2, 3]) == [0, 0, 1]


def test_a_saved_table_is_as_large_as_its_symbols():
    small = len(save(make(range(5), capacity=5).state_dict()))
    assert len(save(make(range(5), capacity=5000).state_dict())) == small
    assert len(save(make(range(50), capacity=5000).state_dict())) > small + 45 * 4 * 4


def test_a_larger_capacity_is_no_error():
    loaded = make(capacity=20)
    loaded.load_state_dict(make(range(10)).state_dict())
    assert len(loaded) == 10 and not loaded.is_full


def test_a_smaller_capacity_is_an_error():
    with pytest.raises(RuntimeError, match="10 symbols do not fit in the 9 rows"):
        make(capacity=9).load_state_dict(make(range(10)).state_dict())


@pytest.mark.parametrize("missing", ["keys", "weight", "unknown"])
def test_missing_parts_are_an_error(missing):
    state = make([1, 2]).state_dict()
    del state[missing]
    with pytest.raises(RuntimeError, match=r"[Mm]issing"):
        make().load_state_dict(state)


def test_keys_without_their_rows_are_an_error():
    state = make([1, 2]).state_dict()
    state["keys"] = state["keys"][:1]
    with pytest.raises(RuntimeError, match="do not match"):
        make().load_state_dict(state)


def test_another_width_is_an_error():
    with pytest.raises(RuntimeError, match="rows of width 4"):
        make(width=5).load_state_dict(make([1], width=4).state_dict())


def test_a_failed_load_keeps_the_vocabulary_and_its_vectors():
    table = make([1, 2])
    before = embed(table, 1, 2, 3)
    with pytest.raises(RuntimeError):
        table.load_state_dict(make(range(7), width=5).state_dict())
    assert table.lookup([1, 2, 3]) == [1, 2, 0]
    assert torch.equal(embed(table, 1, 2, 3), before)


def test_all_vectors_of_a_table():
    """The row of the unknown symbol learns nothing: it would not be saved."""
    table = make([5, -7])
    torch.testing.assert_close(table.used(), table(torch.tensor([0, 1, 2])))
    table.used().square().sum().backward()
    assert not table.weight.grad[0].any() and table.weight.grad[1:3].any()


def make_pretrained(keys=(5, -7), capacity=10):
    table = PretrainedEmbedding(width=4, capacity=capacity)
    vectors = torch.randn(len(keys), 4).half()
    table.fill(keys, vectors)
    return table, vectors


def test_pretrained_vectors_are_found_and_others_are_zero():
    table, vectors = make_pretrained()
    y = embed(table, -7, 3, 5)
    assert y.dtype == torch.float
    assert torch.equal(y, torch.stack([vectors[1], torch.zeros(4), vectors[0]]).float())


def test_pretrained_vectors_do_not_learn():
    table, _ = make_pretrained()
    assert not list(table.parameters()) and not embed(table, 5).requires_grad


def test_pretrained_vectors_beyond_the_capacity_are_left_out():
    table, vectors = make_pretrained(keys=(5, -7, 3), capacity=2)
    assert table.lookup([5, -7, 3]) == [1, 2, 0] and table.is_full
    table.fill([3], vectors[2:])  # in their place, not beside them
    assert table.lookup([5, -7, 3]) == [0, 0, 1]
    assert torch.equal(embed(table, 3)[0], vectors[2].float())


def test_pretrained_vectors_are_saved_in_half_precision():
    table, vectors = make_pretrained()
    state = table.state_dict()
    assert torch.equal(state["weight"], vectors) and state["weight"].dtype == torch.half
    other = PretrainedEmbedding(width=4, capacity=3)
    other.load_state_dict(state)
    assert torch.equal(embed(other, 5, -7, 3), embed(table, 5, -7, 3))
    with pytest.raises(RuntimeError, match="2 symbols do not fit"):
        PretrainedEmbedding(width=4, capacity=1).load_state_dict(state)


def test_drop_takes_pretrained_vectors_away():
    table, _ = make_pretrained()
    assert not embed(table, 5, -7, drop=1.0).any()


def test_a_full_table_takes_no_more():
    table = make(range(10))
    table.add([50, 51])
    assert len(table) == 10 and table.lookup([9, 50, 51]) == [10, 0, 0]


def test_training_adds_nothing_to_pretrained_vectors():
    table, _ = make_pretrained()
    table.add([3])
    assert table.is_full and len(table) == 2 and table.lookup([3]) == [0]
