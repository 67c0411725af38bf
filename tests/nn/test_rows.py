"""Tests of memory for large tensors."""

import pytest
import torch

from spacy_lstm_tagger.nn.rows import LARGE, empty_rows


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("n_rows", [0, 1, LARGE // 4])
def test_rows_are_as_asked_for_and_can_be_written(dtype, n_rows):
    like = torch.ones(2, dtype=dtype)
    rows = empty_rows(n_rows, 3, like=like)
    assert rows.shape == (n_rows, 3) and rows.dtype == dtype and rows.is_contiguous()
    rows.fill_(2.5)
    assert torch.equal(rows, torch.full((n_rows, 3), 2.5, dtype=dtype))


def test_memory_of_large_tensors_is_numpys():
    small, large = (empty_rows(n, 1, like=torch.ones(1)) for n in (LARGE // 4 - 1, LARGE // 4))
    assert small.untyped_storage().resizable()
    assert not large.untyped_storage().resizable()
