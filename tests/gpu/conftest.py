"""Where there is no GPU, real or pretended, nothing is collected; otherwise all tests run on it."""

import pytest
import torch
from thinc.api import get_current_ops, require_cpu, require_gpu, set_current_ops
from thinc.compat import has_cupy_gpu

from . import pretend
from .util import copied

HAS_GPU = torch.cuda.is_available() and has_cupy_gpu
IS_PRETENDED = HAS_GPU and torch.cuda.get_device_name(0) == pretend.NAME
collect_ignore_glob = [] if HAS_GPU else ["test_*.py"]


def pytest_configure(config):
    """Tell of the tests' marker."""
    config.addinivalue_line("markers", "counts: counts what a GPU is asked to do")


def pytest_report_header():
    """RETURNS (str): What the tests run on, or how they could."""
    if HAS_GPU:
        return f"GPU: {torch.cuda.get_device_name(0)}"
    return "GPU: none (python -m pytest -p tests.gpu.pretend tests/gpu)"


def pytest_collection_modifyitems(items):
    """What is counted is counted on the pretended GPU."""
    for item in items:
        if item.get_closest_marker("counts") and not IS_PRETENDED:
            item.add_marker(pytest.mark.skip(reason="a real GPU counts nothing"))


@pytest.fixture(autouse=True)
def gpu():
    """What is made in a test lies on the GPU."""
    ops = get_current_ops()
    require_gpu()
    try:
        yield
    finally:
        require_cpu()
        set_current_ops(ops)


@pytest.fixture
def pair(original):
    """The pipeline of a module's own on both devices."""
    return copied(original, "cpu"), copied(original, "gpu")
