"""Arrays arrive as they are, several of them in one piece of memory."""

import numpy as np
import pytest
import torch

from spacy_lstm_tagger.nn.transfer import send, send_joined

SHAPES = [(2, 3), (0,), (4,), (1, 1, 2)]


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_one(device):
    array = np.arange(6.0).reshape(2, 3)
    tensor = send(array, device)
    assert tensor.tolist() == array.tolist()
    array[0, 0] = 7.0
    assert tensor[0, 0] == 7.0  # on a CPU it is the same memory


def test_many():
    rng = np.random.default_rng(0)
    arrays = [rng.integers(0, 99, size=shape) for shape in SHAPES]
    tensors = send_joined(arrays, "cpu")
    assert [tensor.tolist() for tensor in tensors] == [array.tolist() for array in arrays]
    assert len({tensor.untyped_storage().data_ptr() for tensor in tensors}) == 1
