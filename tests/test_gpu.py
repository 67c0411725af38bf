"""The tests of `tests/gpu` run in a process of their own, on a pretended GPU."""

import subprocess
import sys

import pytest
import torch

from .util import ROOT


@pytest.mark.skipif(torch.cuda.is_available(), reason="tests/gpu runs on the GPU that is here")
def test_on_a_pretended_gpu():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.gpu.pretend", "tests/gpu"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
