"""Where new models are."""

import pytest
import torch
from thinc.api import CupyOps

from spacy_lstm_tagger.models import shim


def test_a_gpu_that_pytorch_does_not_see(monkeypatch):
    """CuPy beside PyTorch without CUDA, as from PyPI on Windows: an error that says so."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(shim, "get_current_ops", lambda: CupyOps.__new__(CupyOps))
    with pytest.raises(ValueError, match=r"M007.*PyTorch .* finds none"):
        shim.TorchShim(torch.nn.Linear(2, 2))
