"""The tests of `tests/gpu` run in a process of their own, on a pretended GPU."""

import os
import subprocess
import sys

import pytest
import torch

from .util import ROOT


@pytest.mark.skipif(torch.cuda.is_available(), reason="tests/gpu runs on the GPU that is here")
def test_on_a_pretended_gpu():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.gpu.pretend", "tests/gpu"]
    # What would run on a GPU takes a thread each core here, which beside other tests is slower.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
