"""A GPU to pretend with, for tests where there is none. It fails where a GPU would.

Tensors of the CPU are marked as "cuda"; operations on tensors of two devices raise; `torch.lstm`
obeys cuDNN's rules; a stub of CuPy refuses NumPy's arrays. What a GPU would have to do is counted.

What it cannot see: cuDNN's own errors, streams, how much memory there is, CUDA's rounding, and what
autocast does to operations other than LSTMs, where a GPU differs from a CPU.

    python -m pytest -p tests.gpu.pretend tests/gpu
"""

import sys
from typing import Any

import pytest
import torch
import torch.backends.cudnn.rnn
import torch.cuda.amp.common
import torch.utils.dlpack

from . import cudnn, cupy
from .calls import Calls
from .counts import Counts, Kind, count, counting
from .operations import Operations

__all__ = ["NAME", "Counts", "Kind", "counting", "install"]

NAME = "a pretended GPU"
CUDNN_TYPES = {torch.float16, torch.bfloat16, torch.float32, torch.float64}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Where pytest loads this as a plugin, everything that follows is on the pretended GPU."""
    install()


def install() -> None:
    """Pretend, in this process and to its end.

    RAISES (RuntimeError): If it is too late, as Thinc has looked for a GPU, or there is a real one.
    """
    if torch.cuda.is_available() or "thinc" in sys.modules:
        raise RuntimeError("There is a GPU, or Thinc was imported before.")
    sys.modules.update({module.__name__: module for module in cupy.modules()})
    torch.utils.dlpack.to_dlpack = cupy.tensor_to_dlpack
    torch.utils.dlpack.from_dlpack = cupy.tensor_from_dlpack
    _pretend_cuda()
    operations, calls = Operations(), Calls()
    _watch_autograd(operations, calls)
    operations.__enter__()
    calls.__enter__()


def _pretend_cuda() -> None:
    """Let what PyTorch tells of CUDA and cuDNN be what it would tell with a GPU."""
    answers: dict[str, Any] = {
        "_exchange_device": lambda device: 0,
        "_maybe_exchange_device": lambda device: 0,
        "current_device": lambda: 0,
        "device_count": lambda: 1,
        "empty_cache": lambda: None,
        "get_device_name": lambda device=None: NAME,
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "manual_seed": lambda seed: None,
        "manual_seed_all": lambda seed: None,
        "max_memory_allocated": lambda device=None: 0,
        "reset_peak_memory_stats": lambda device=None: None,
        "set_device": lambda device: None,
        "synchronize": lambda device=None: count(Kind.SYNC, "torch.cuda.synchronize"),
    }
    for name, answer in answers.items():
        setattr(torch.cuda, name, answer)
    torch.cuda.amp.common.amp_definitely_not_available = lambda: False
    torch.backends.cudnn.is_acceptable = lambda tensor: (
        tensor.is_cuda and tensor.dtype in CUDNN_TYPES
    )
    torch.backends.cudnn.rnn.get_cudnn_mode = lambda mode: 2
    torch._use_cudnn_rnn_flatten_weight = lambda: True
    torch._cudnn_rnn_flatten_weight = cudnn.flatten_weights
    torch.autocast = _Autocast  # type: ignore[misc]


class _Autocast(torch.autocast):
    """Autocast for the GPU is that for the CPU, where the tensors are."""

    def __init__(self, device_type: str, dtype: torch.dtype | None = None, **options: Any):
        super().__init__("cpu", dtype=dtype or torch.float16, **options)


def _watch_autograd(operations: Operations, calls: Calls) -> None:
    """Tell where gradients are computed, since autograd makes tensors of nothing at times; and see
    the calls that are made meanwhile from Python.
    """
    run = torch.autograd._engine_run_backward  # type: ignore[attr-defined]

    def run_on_device(outputs: Any, *args: Any, **kwargs: Any) -> Any:
        with operations.backward_from(outputs), calls:
            return run(outputs, *args, **kwargs)

    torch.autograd._engine_run_backward = run_on_device  # type: ignore[attr-defined]
