"""Tags millions of tokens: the memory stays where it is."""

import os
import subprocess
import sys

import pytest

from ..util import ROOT
from .soak import STATM

ALLOWED = 30  # MB


@pytest.mark.skipif(not STATM.exists(), reason="this system does not tell its memory in /proc")
@pytest.mark.parametrize("architecture", ["Tagger", "CRFTagger"])
def test_memory_is_flat(campaign, architecture):
    """After the first million tokens, beside PyTorch's kernels: it keeps 1,024 of them."""
    tokens = campaign.times(10_000_000)
    command = [sys.executable, "-m", "tests.stress.soak", architecture, tokens, campaign.seed]
    env = {**os.environ, "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16"}
    result = subprocess.run(
        [str(each) for each in command], env=env, cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    found = [int(each) for each in result.stdout.split()]
    assert max(found) - found[0] < ALLOWED, f"MB after each tenth of {tokens:,} tokens: {found}"
