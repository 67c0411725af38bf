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


def test_all_of_it_is_measured_and_written_with_the_name_of_the_card(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(gpu, "RESULTS", tmp_path)
    sections = ["tagging", "training", "profile", "memory", "kernels"]
    gpu.main(["--quick", "--variants", "gpu.cfg", "fp32", "bf16", "--only", *sections])
    name = torch.cuda.get_device_name(0)
    (path,) = tmp_path.glob("*.json")
    assert path.name == f"gpu-{gpu.slug(name)}.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["machine"]["gpu"] == name
    figures = {(f["section"], f["peer"]) for f in report["figures"]}
    for variant in ("gpu.cfg", "fp32", "bf16"):
        for section in ("tagging", "training", "memory"):
            assert (section, variant) in figures
    for way in ("one after the other", "on two streams", "in one call"):
        assert ("directions of a layer, 96 to 112 wide, float16", way) in figures
    tables = path.with_suffix(".md").read_text(encoding="utf-8")
    assert name in tables and tables in capsys.readouterr().out


def test_every_variant_is_a_pipeline(tmp_path):
    options = ["--quick", "--only", "training", "--output", str(tmp_path / "figures.json")]
    gpu.main(options)
    report = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert [figure["peer"] for figure in report["figures"]] == list(gpu.VARIANTS)


@pytest.mark.parametrize("options", [["--train", "no-file"], ["--train", "a", "--dev", "a"]])
def test_options_are_checked(options, capsys):
    with pytest.raises(SystemExit):
        gpu.main(options)
    assert "--dev" in (error := capsys.readouterr().err) or "no file a" in error
