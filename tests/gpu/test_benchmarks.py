"""The benchmarks on a GPU."""

import cupy
from thinc.api import get_current_ops, require_cpu
from thinc.backends import context_pools

from benchmarks import measure


def test_memory_comes_from_pytorch():
    """Else the peak that PyTorch reports leaves out what other libraries have."""
    require_cpu()
    cupy.cuda.set_allocator(cupy.cuda.MemoryPool().malloc)
    measure.use_device(0)
    assert get_current_ops().name == "cupy"
    assert cupy.cuda.get_allocator() == context_pools.get()["pytorch"].malloc
