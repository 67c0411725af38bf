"""A GPU to pretend with, for tests where there is none. It fails where a GPU would.

Tensors of the CPU are marked as "cuda"; operations on tensors of two devices raise; `torch.lstm`
obeys cuDNN's rules; a stub of CuPy refuses NumPy's arrays. What a GPU would have to do is counted.

What it cannot see: cuDNN's own errors, streams, how much memory there is, CUDA's rounding, and what
autocast does to operations other than LSTMs, where a GPU differs from a CPU.

    python -m pytest -p tests.gpu.pretend tests/gpu
"""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
import torch.backends.cudnn.rnn
import torch.cuda.amp.common
import torch.utils.dlpack

from . import cudnn, cupy
from .calls import Calls
from .counts import Counts, Kind, count, counting
from .memory import pickled
from .operations import Operations

__all__ = ["NAME", "Counts", "Kind", "counting", "install"]

NAME = "a pretended GPU"


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
    operations, calls = Operations(), Calls()
    for where, answers in _answers(_autograd(operations, calls)).items():
        for name, answer in answers.items():
            setattr(where, name, answer)
    operations.__enter__()
    calls.__enter__()


def _answers(run_backward: Callable) -> dict[Any, dict[str, Any]]:
    """RETURNS (dict): What PyTorch's modules would have where there is a GPU."""
    return {
        torch: {
            "_cudnn_rnn_flatten_weight": cudnn.flatten_weights,
            "_use_cudnn_rnn_flatten_weight": lambda: True,
            "autocast": _Autocast,
        },
        torch.Tensor: {
            "_reduce_ex_internal": pickled,
            "record_stream": lambda tensor, stream: None,
        },
        torch.autograd: {"_engine_run_backward": run_backward},
        torch.backends.cudnn: {"is_acceptable": cudnn.is_acceptable, "version": lambda: None},
        torch.backends.cudnn.rnn: {"get_cudnn_mode": lambda mode: 2},
        torch.cuda: {
            "Stream": Stream,
            "_exchange_device": lambda device: 0,
            "_maybe_exchange_device": lambda device: 0,
            "current_device": lambda: 0,
            "current_stream": Stream,
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
            "stream": nullcontext,
            "synchronize": lambda device=None: count(Kind.SYNC, "torch.cuda.synchronize"),
        },
        torch.cuda.amp.common: {"amp_definitely_not_available": lambda: False},
        torch.utils.dlpack: {
            "from_dlpack": cupy.tensor_from_dlpack,
            "to_dlpack": cupy.tensor_to_dlpack,
        },
    }


class Stream:
    """Everything is done when it is asked for: a stream changes nothing."""

    def __init__(self, device: Any = None, priority: int = 0): ...

    def wait_stream(self, stream: "Stream") -> None:
        """Let the GPU wait for what another stream has to do."""

    def synchronize(self) -> None:
        """Let the CPU wait."""
        count(Kind.SYNC, "torch.cuda.Stream.synchronize")


class _Autocast(torch.autocast):
    """Autocast for the GPU is that for the CPU, where the tensors are."""

    def __init__(self, device_type: str, dtype: torch.dtype | None = None, **options: Any):
        if device_type == "cuda":
            device_type, dtype = "cpu", dtype or torch.float16
        super().__init__(device_type, dtype=dtype, **options)


def _autograd(operations: Operations, calls: Calls) -> Callable:
    """RETURNS (Callable): How autograd is run: it is told where the gradients belong, since it
    makes tensors out of nothing at times; and what Python calls meanwhile is seen.
    """
    run = torch.autograd._engine_run_backward

    def run_backward(outputs: Any, *args: Any, **kwargs: Any) -> Any:
        with operations.backward_from(outputs), calls:
            return run(outputs, *args, **kwargs)

    return run_backward
