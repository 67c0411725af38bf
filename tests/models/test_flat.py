"""A flat list is a list to others, and one array to us."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from thinc.api import NumpyOps

from spacy_lstm_tagger.models.flat import FlatList, affine, flatten

OPS = NumpyOps()


def make(lengths):
    return FlatList(np.arange(2.0 * sum(lengths), dtype="f").reshape(-1, 2), lengths)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=10))
def test_its_items_lie_one_after_the_other(lengths):
    arrays = make(lengths)
    assert isinstance(arrays, list)
    assert [array.shape for array in arrays] == [(length, 2) for length in lengths]
    assert np.array_equal(np.concatenate(arrays), arrays.flat)
    assert np.array_equal(flatten(OPS, list(arrays)), arrays.flat)


def test_it_is_not_copied_together_again():
    arrays = make([2, 0, 3])
    assert flatten(OPS, arrays) is arrays.flat


def test_what_has_no_rows_may_have_another_width():
    """As the vectors of an empty doc have that a transformer is asked for."""
    arrays, empty = list(make([2, 3])), np.zeros((0, 0), dtype="f")
    assert np.array_equal(flatten(OPS, [empty, *arrays, empty]), np.concatenate(arrays))
    assert flatten(OPS, [empty, empty]).shape == (0, 0)


def test_a_change_of_an_item_shows_in_the_whole():
    arrays = make([2, 3])
    arrays[1] += 1
    assert np.array_equal(flatten(OPS, arrays), np.concatenate(list(arrays)))


@pytest.mark.parametrize("part", [slice(1, None), slice(0, 2), slice(None, None, -1)])
def test_a_part_is_a_plain_list(part):
    arrays = make([2, 1, 3])
    assert np.array_equal(flatten(OPS, arrays[part]), np.concatenate(list(arrays)[part]))


def test_affine():
    rng = np.random.default_rng(0)
    X, W, b = (rng.normal(size=size).astype("f") for size in ((7, 3), (4, 3), (4,)))
    expected = [[sum(x * w) + c for w, c in zip(W, b, strict=True)] for x in X]
    np.testing.assert_allclose(affine(X, W, b), expected, atol=1e-5)
    assert affine(X[:0], W, b).shape == (0, 4)


def test_weights_in_shared_memory(recwarn):
    """PyTorch warns of memory that cannot be written to."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=size).astype("f") for size in ((7, 3), (4, 3), (4,))]
    expected = affine(*arrays)
    for array in arrays:
        array.flags.writeable = False
    torch.set_warn_always(True)
    try:
        assert np.array_equal(affine(*arrays), expected)
    finally:
        torch.set_warn_always(False)
    assert not recwarn.list


def test_what_others_put_into_a_flat_list_holds():
    arrays = make([2, 1])
    arrays[0] = np.zeros((2, 2), dtype="f")
    assert not flatten(OPS, arrays)[:2].any()
