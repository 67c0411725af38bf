"""The benchmarks on a GPU."""

import json

import cupy
import pytest
import torch
from thinc.api import get_current_ops, require_cpu
from thinc.backends import context_pools

from benchmarks import gpu, measure


def test_memory_comes_from_pytorch():
    """Else the peak that PyTorch reports leaves out what other libraries have."""
    require_cpu()
    cupy.cuda.set_allocator(cupy.cuda.MemoryPool().malloc)
    measure.use_device(0)
    assert get_current_ops().name == "cupy"
    assert cupy.cuda.get_allocator() == context_pools.get()["pytorch"].malloc


@pytest.fixture
def run(tmp_path, small_corpus, monkeypatch):
    """Measures next to nothing; returns the paths of what was written."""

    def run(*options):
        monkeypatch.setattr(gpu, "OUTPUT", tmp_path)
        gpu.main(["--quick", "--train", str(small_corpus), "--dev", str(small_corpus), *options])
        return list(tmp_path.iterdir())

    return run


def test_all_of_it_is_measured_and_written_with_the_name_of_the_card(run, capsys):
    sections = ["tagging", "training", "reading", "profile", "memory", "kernels"]
    path, *others = sorted(run("--variants", "gpu.cfg", "bf16", "--only", *sections))
    name = torch.cuda.get_device_name(0)
    assert path.name == f"gpu-{gpu.slug(name)}.json" and others == [path.with_suffix(".md")]
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["machine"]["gpu"] == name
    figures = {(f["section"], f["peer"]) for f in report["figures"]}
    for section in ("tagging", "training", "memory"):
        assert {(section, "gpu.cfg"), (section, "bf16")} <= figures
    assert {("a batch", "training"), ("a batch", "tagging")} <= figures
    for way in ("one after the other", "a thread reads ahead"):
        assert ("reading", way) in figures
    for way in ("one after the other", "on two streams", "in one call"):
        assert ("directions of a layer, 96 to 112 wide, float16", way) in figures
    tables = others[0].read_text(encoding="utf-8")
    assert name in tables and tables in capsys.readouterr().out


def test_every_variant_is_a_pipeline(run):
    path, _ = sorted(run("--only", "training"))
    report = json.loads(path.read_text(encoding="utf-8"))
    assert [figure["peer"] for figure in report["figures"]] == list(gpu.VARIANTS)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--train", "no-file"], "error: --train and --dev: give both, or none of them."),
        (["--train", "a", "--dev", "a"], "error: There is no file a."),
    ],
)
def test_options_are_checked(options, error, capsys):
    with pytest.raises(SystemExit):
        gpu.main(options)
    assert error in capsys.readouterr().err
