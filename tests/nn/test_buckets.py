"""Buckets hold every token once, bring everything back in order, and pad little."""

import random
import weakref
from itertools import chain, combinations, pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_lstm_tagger.nn.buckets import Buckets
from spacy_lstm_tagger.nn.lstm import gather_cells
from spacy_lstm_tagger.nn.plan import FILL, batch_size, n_steps

from . import n_cells

properties = settings(max_examples=50, deadline=None)
# Empty sequences among others, but at least one token.
some_lengths = st.lists(st.integers(0, 40), min_size=1, max_size=30).filter(any)
step_costs = st.sampled_from([0, 2, 512])
rounding = st.booleans()


def tokens(buckets):
    """RETURNS (Tensor): A batch in which each token is its own number. *Shape:* `(tokens, 1)`."""
    return torch.arange(buckets.n_tokens).unsqueeze(1)


def spans(lengths):
    """RETURNS (list): The flat rows of each sequence that is not empty."""
    ends = torch.tensor(lengths).cumsum(0).tolist()
    return [list(range(end - n, end)) for n, end in zip(lengths, ends, strict=True) if n]


@properties
@given(some_lengths, step_costs, rounding)
def test_every_token_lands_exactly_once(lengths, step_cost, rounded):
    buckets = Buckets.of(lengths, step_cost=step_cost, rounded=rounded)
    expected = spans(lengths)
    columns = [column.tolist() for b in buckets.buckets for column in b.rows.T[: len(b.last)]]
    # Padding repeats the last row, so what is left of a column is its sequence.
    found = [list(dict.fromkeys(column)) for column in columns]
    assert sorted(found) == expected
    for column, sequence in zip(columns, found, strict=True):
        assert column == sequence + sequence[-1:] * (len(column) - len(sequence))
    assert buckets.n_tokens == sum(lengths)


@properties
@given(some_lengths, step_costs)
def test_a_bucket_is_filled_up_with_its_last_sequence(lengths, step_cost):
    for b in Buckets.of(lengths, step_cost=step_cost, rounded=True).buckets:
        n = len(b.last)
        assert b.rows.shape[1] == batch_size(n, len(b.rows))
        assert len(b.rows) == n_steps(int(b.mask[:, 0].sum()))
        for column in b.rows.T[n:]:
            assert torch.equal(column, b.rows.T[n - 1])


def test_buckets_come_in_few_shapes():
    times = {n_steps(n) for n in range(1, 513)}
    assert all(n_steps(n) == n for n in [1, 2, 3, 4, *times])
    assert all(n <= n_steps(n) < max(n + 2, 1.125 * n) for n in range(1, 2000))
    assert len(times) <= 60
    for time in times:
        sizes = {batch_size(n, time) for n in range(1, 513)}
        assert all(batch_size(size, time) == size for size in sizes)
        assert batch_size(1, time) == 1
        # Fewer are filled up than there are, and no more cells than this.
        fill = [batch_size(n, time) - n for n in range(1, 2000)]
        assert all(0 <= more < min(n, FILL / time) or more == 0 for n, more in enumerate(fill, 1))
    assert {batch_size(n, 20) for n in range(1, 34)} == {1, 2, 4, 8, 16, 24, 32, 40}
    # Only a CPU builds a kernel for each.
    assert n_cells(Buckets.of([17] * 15, device="cpu")) == 18 * 16
    assert n_cells(Buckets.of([17] * 15, device="meta")) == 17 * 15


def test_running_text_needs_few_kernels():
    """A guard by count: each shape is a kernel a layer, and a CPU keeps 1,024 of them."""
    draw = random.Random(0)
    shapes = {
        tuple(b.rows.shape) for _ in range(200) for b in Buckets.of(draw_lengths(draw, 256)).buckets
    }
    assert len(shapes) <= 200


@properties
@given(some_lengths, step_costs, rounding)
def test_flatten_undoes_the_gathering(lengths, step_cost, rounded):
    buckets = Buckets.of(lengths, step_cost=step_cost, rounded=rounded)
    x = tokens(buckets)
    assert torch.equal(buckets.flatten([[[x[b.rows]]] for b in buckets.buckets]), x)


@properties
@given(some_lengths, step_costs)
def test_sequences_are_read_backwards_and_back(lengths, step_cost):
    buckets = Buckets.of(lengths, step_cost=step_cost)
    x = tokens(buckets)
    backwards = [gather_cells(x[b.rows], b.reverse) for b in buckets.buckets]
    columns = [
        column.tolist()
        for y, b in zip(backwards, buckets.buckets, strict=True)
        for column in y.squeeze(2).T[: len(b.last)]
    ]
    found = [column[: column.index(min(column)) + 1] for column in columns]
    assert sorted(sequence[::-1] for sequence in found) == spans(lengths)
    outputs = [
        [[x[b.rows], -x[b.rows]], [y]] for b, y in zip(buckets.buckets, backwards, strict=True)
    ]
    assert torch.equal(buckets.flatten(outputs), torch.cat([x, -x, x], dim=1))


def test_without_gradients_no_more_than_one_buckets_outputs_are_held():
    buckets = Buckets.of([300, 1, 20, 5], step_cost=0)
    x = tokens(buckets)
    alive: list[weakref.ref] = []

    def outputs():
        for b in buckets.buckets:
            assert sum(ref() is not None for ref in alive) <= 1
            y = x[b.rows]
            alive.append(weakref.ref(y))
            yield [[y]]

    with torch.no_grad():
        assert torch.equal(buckets.flatten(outputs()), x)
    assert len(alive) > 2


@pytest.mark.parametrize("window", [0, 4])
def test_gradients_of_flatten_agree_with_finite_differences(window):
    buckets = Buckets.of([3, 0, 1, 9, 5], step_cost=0, window=window, context=2, rounded=True)
    shapes = [(*b.rows.shape, width) for b in buckets.buckets for width in (1, 2, 1)]
    cells = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]

    def run(*cells):
        return buckets.flatten(
            [[cells[i : i + 2], [cells[i + 2]]] for i in range(0, len(cells), 3)]
        )

    assert torch.autograd.gradcheck(run, cells)


@properties
@given(some_lengths)
def test_last_is_the_last_element_in_either_direction(lengths):
    for b in Buckets.of(lengths).buckets:
        rows = b.rows.flatten()
        assert torch.equal(rows[b.last], b.rows[-1, : len(b.last)])
        assert torch.equal(rows[b.reverse][b.last], b.rows[0, : len(b.last)])


@properties
@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), step_costs)
def test_order_returns_the_order_of_the_batch(lengths, step_cost):
    buckets = Buckets.of(lengths, step_cost=step_cost)
    firsts = [b.rows[0, : len(b.last)].unsqueeze(1) for b in buckets.buckets]
    assert buckets.order(firsts).flatten().tolist() == [span[0] for span in spans(lengths)]


@properties
@given(some_lengths, step_costs)
def test_a_plan_for_final_states_is_the_same_without_a_way_home(lengths, step_cost):
    full, finals = (
        Buckets.of(lengths, step_cost=step_cost, finals_only=finals_only)
        for finals_only in (False, True)
    )
    assert torch.equal(full._finals, finals._finals)
    for a, b in zip(full.buckets, finals.buckets, strict=True):
        for name in ("rows", "reverse", "last"):
            assert torch.equal(getattr(a, name), getattr(b, name))
        assert b.targets.numel() == 0


@properties
@given(some_lengths)
def test_empty_sequences_do_not_disturb_the_order(lengths):
    buckets = Buckets.of(lengths)
    firsts = [b.rows[0, : len(b.last)].unsqueeze(1) for b in buckets.buckets]
    found = buckets.order(firsts).flatten().tolist()
    assert len(found) == len(lengths)
    kept = [row for row, length in zip(found, lengths, strict=True) if length]
    assert kept == [span[0] for span in spans(lengths)]


@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_nothing_to_read_makes_no_bucket(lengths):
    buckets = Buckets.of(lengths)
    assert (buckets.buckets, buckets.n_tokens) == ([], 0)


@properties
@given(some_lengths, st.integers(1, 200))
def test_max_cells_bounds_a_bucket(lengths, max_batch_items):
    for b in Buckets.of(lengths, max_batch_items=max_batch_items, step_cost=512).buckets:
        assert b.rows.numel() <= max_batch_items or b.rows.shape[1] == 1


@pytest.mark.parametrize("n", [14, 15, 20, 29])
def test_what_max_cells_cuts_is_cut_evenly(n):
    """No few sequences are left for a call of their own."""
    sizes = [len(b.last) for b in Buckets.of([288] * n, max_batch_items=4096).buckets]
    assert sum(sizes) == n and len(sizes) == -(-n // 14)
    assert max(sizes) - min(sizes) <= 1


def draw_lengths(draw, n):
    """RETURNS (list[int]): About the lengths of the English Web Treebank: half of them up to 12, a
    long tail."""
    return [min(80, 1 + int(draw.lognormvariate(2.4, 0.9))) for _ in range(n)]


def test_padding_stays_small_on_sentences():
    """A guard by count: on a CPU, where a padded cell costs as much as a word."""
    draw = random.Random(0)
    for _ in range(8):
        buckets = Buckets.of(draw_lengths(draw, 256))
        assert n_cells(buckets) <= 1.2 * buckets.n_tokens
        # As many buckets as sequences would not pad either.
        assert len(buckets.buckets) <= 25


def test_dear_steps_make_fewer_buckets():
    lengths = list(range(1, 100))
    cheap, dear = Buckets.of(lengths, step_cost=1), Buckets.of(lengths, step_cost=512)
    assert 1 <= len(dear.buckets) < len(cheap.buckets)
    # A device that is no CPU is taken for one whose steps are dear.
    assert len(Buckets.of(lengths, device="meta").buckets) == len(dear.buckets)
    assert len(Buckets.of(lengths, device="cpu").buckets) == len(cheap.buckets)


def test_training_makes_fewer_buckets():
    lengths = list(range(1, 100))
    assert len(Buckets.of(lengths, training=True).buckets) < len(Buckets.of(lengths).buckets)


@properties
@given(
    st.lists(st.integers(1, 12) | st.integers(16, 24), min_size=1, max_size=10),
    st.integers(0, 5),
    st.integers(0, 15),
    rounding,
)
def test_the_plan_is_the_cheapest(lengths, step_cost, call_cost, rounded):
    """Against every way to cut the sorted sequences where their steps change, or in eights."""
    steps = n_steps if rounded else int

    def cost(sizes):
        total, rest = 0, sorted(lengths, reverse=True)
        for size in sizes:
            time = steps(rest[0])
            filled = batch_size(size, time) if rounded else size
            total += time * (filled + step_cost) + call_cost
            rest = rest[size:]
        return total

    n = len(lengths)
    times = [n_steps(length) for length in sorted(lengths, reverse=True)]
    places = [k for k in range(1, n) if times[k] != times[k - 1] or k % 8 == 0]
    cuts = chain.from_iterable(combinations(places, k) for k in range(n))
    every = [[b - a for a, b in pairwise([0, *cut, n])] for cut in cuts]
    plan = Buckets.of(lengths, step_cost=step_cost, call_cost=call_cost, rounded=rounded)
    assert cost([len(b.last) for b in plan.buckets]) == min(map(cost, every))


def test_a_negative_length_is_an_error():
    with pytest.raises(ValueError, match="-3"):
        Buckets.of([2, -3, 1])


def test_the_plan_travels_to_the_device_in_one_copy():
    buckets = Buckets.of([3, 1, 0, 2, 40], step_cost=0)
    assert len(buckets.buckets) > 1
    indices = [buckets._finals]
    for b in buckets.buckets:
        indices += [b.rows, b.reverse, b.last, b.targets]
    assert len({index.untyped_storage().data_ptr() for index in indices}) == 1


def test_max_cells_bounds_a_bucket_without_padding():
    """As of a batch of sequences that are all as long."""
    buckets = Buckets.of([10] * 320, max_batch_items=1000).buckets
    assert max(b.rows.numel() for b in buckets) <= 1000
    # Thirteen would do, but they are filled up to sixteen.
    buckets = Buckets.of([3] * 26, max_batch_items=40).buckets
    assert max(b.rows.numel() for b in buckets) <= 40
