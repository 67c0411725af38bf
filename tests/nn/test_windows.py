"""Windows cover every token once, with context, and change nothing that the context covers."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_lstm_tagger.nn.buckets import Buckets
from spacy_lstm_tagger.nn.lstm import BucketedLSTM
from spacy_lstm_tagger.nn.windows import cut_windows

from . import n_cells

properties = settings(max_examples=50, deadline=None)
some_lengths = st.lists(st.integers(0, 60), min_size=1, max_size=6)


@properties
@given(some_lengths, st.integers(1, 20), st.integers(0, 8))
def test_windows_against_a_loop(lengths, window, context):
    found = cut_windows(np.array(lengths), window=window, context=context)
    rows, sizes, keep, offset = [], [], [], 0
    for length in lengths:
        n = -(-length // window)
        for k in range(n):
            start, stop = k * length // n, (k + 1) * length // n
            assert 0 < stop - start <= window
            first, last = max(0, start - context), min(length, stop + context)
            keep += range(len(rows) + start - first, len(rows) + stop - first)
            rows += range(offset + first, offset + last)
            sizes.append(last - first)
        offset += length
    assert found.lengths.tolist() == sizes
    assert found.rows.tolist() == rows
    assert found.keep.tolist() == keep
    # Every token is read in its place exactly once.
    assert found.rows[found.keep].tolist() == list(range(sum(lengths)))


@properties
@given(some_lengths)
def test_enough_context_changes_nothing(lengths):
    torch.manual_seed(0)
    module, x = BucketedLSTM(input_width=3, hidden_width=4, depth=2), torch.randn(sum(lengths), 3)
    whole = module(x, Buckets.of(lengths)).vectors
    cut = module(x, Buckets.of(lengths, window=7, context=60)).vectors
    torch.testing.assert_close(cut, whole, atol=1e-6, rtol=0)


def test_windows_bound_the_steps():
    """A guard by count: a long doc is no chain of as many steps."""
    buckets = Buckets.of([100_000], window=512, context=32)
    assert max(b.rows.shape[0] for b in buckets.buckets) <= 576
    assert n_cells(buckets) <= 1.15 * buckets.n_tokens


def test_short_docs_are_not_cut():
    plain, windowed = Buckets.of([5, 512]), Buckets.of([5, 512], window=512, context=32)
    assert all(
        torch.equal(a.rows, b.rows) for a, b in zip(plain.buckets, windowed.buckets, strict=True)
    )
