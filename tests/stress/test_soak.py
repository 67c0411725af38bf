"""Tags millions of tokens: the memory stays where it is."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from ..distil import stock_teacher
from ..processes import children
from ..util import ARCHITECTURES, ROOT
from .soak import STATM, make_texts

ALLOWED = 30  # MB
MILLION = 1_000_000
ENV = {**os.environ, "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16"}
needs_memory = pytest.mark.skipif(
    not STATM.exists(), reason="this system does not tell its memory in /proc"
)


@needs_memory
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_memory_is_flat(campaign, architecture):
    """After the first million tokens, beside PyTorch's kernels: it keeps 1,024 of them."""
    tokens = campaign.times(10 * MILLION)
    command = [sys.executable, "-m", "tests.stress.soak", architecture, tokens, campaign.seed]
    result = subprocess.run(
        [str(each) for each in command], env=ENV, cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    found = [int(each) for each in result.stdout.split()]
    assert max(found) - found[0] < ALLOWED, f"MB after each tenth of {tokens:,} tokens: {found}"


@needs_memory
@pytest.mark.parametrize(
    "kind,n_process,new", [(".jsonl", 1, 1), (".spacy", 1, 0), (".jsonl", 2, 1)]
)
def test_memory_is_flat_when_files_are_tagged(campaign, tmp_path, kind, n_process, new):
    """After the first million words of each process, with as many new ones as ever stay in memory. Those of
    a .spacy file all do.
    """
    model, output = tmp_path / "model", tmp_path / f"tagged{kind}"
    stock_teacher(factory="lstm_tagger").to_disk(model)
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "tag", model, "-"]
    command += ["--input-format", "jsonl", "--output", output, "--n-process", n_process]
    numbers = campaign.random(f"{kind} {n_process}")
    process = subprocess.Popen(
        [str(each) for each in command], env=ENV, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    write_words(process.stdin, MILLION * n_process, numbers, new=15)
    before = {pid: peak(pid) for pid in [process.pid, *children(process.pid)]}
    write_words(process.stdin, campaign.times(9 * MILLION), numbers, new=new)
    after = {pid: peak(pid) for pid in before}
    process.stdin.close()
    end = dict(after)
    while process.poll() is None:
        for pid in end:
            with suppress(OSError, StopIteration):  # it has ended
                end[pid] = peak(pid)
    assert process.returncode == 0 and output.exists()
    found = f"MB of each process: {before} after a million words, {after} after all, at last {end}"
    # A process with a PyTorch for CUDA takes 100 MB when it ends, whatever it did.
    most = after if torch.version.cuda else end
    assert all(most[pid] - before[pid] < ALLOWED for pid in before), found


def write_words(stream, count, numbers, *, new):
    """Write texts as JSONL until they have so many words."""
    while count > 0:
        texts = make_texts(numbers, new=new)
        stream.write("".join(f"{json.dumps({'text': text})}\n" for text in texts).encode())
        count -= sum(text.count(" ") + 1 for text in texts)


def peak(pid):
    """RETURNS (int): The most megabytes of a process that ever were in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) >> 10
