"""A packaged pipeline installs beside our wheel, and loads, in an environment of its own."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv

import pytest

from .util import ROOT

pytest.importorskip("setuptools", reason="wheels are built with setuptools")

pytestmark = pytest.mark.slow

TAG = """
import spacy, spacy_lstm_tagger, sys
assert spacy_lstm_tagger.__file__.startswith(sys.prefix), spacy_lstm_tagger.__file__
nlp = spacy.load("en_tiny")
assert nlp._path.is_relative_to(sys.prefix), nlp._path
print(*[token.tag_ for token in nlp("The dog ate the apple")])
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs Python from outside of the repository, without a network."""
    here = tmp_path_factory.mktemp("elsewhere")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def run(python, *arguments):
        result = subprocess.run(
            [str(python), *map(str, arguments)],
            cwd=here,
            env={**env, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return run


def build_wheel(run, source, target):
    """RETURNS (Path): The wheel of a project."""
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", target]
    run(sys.executable, "-m", "pip", "wheel", source, *options)
    (wheel,) = target.glob("*.whl")
    return wheel


def copy_project(target):
    """Building writes beside the sources, so it gets a copy of them."""
    if not (ROOT / "spacy_lstm_tagger").is_dir():
        pytest.skip("the package's sources are not beside its tests")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "spacy_lstm_tagger", target / "spacy_lstm_tagger", ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, target / name)
    return target


def test_package_loads_in_a_fresh_environment(run, spacy_command, trained, tmp_path):
    ours = build_wheel(run, copy_project(tmp_path / "project"), tmp_path / "ours")
    trained.to_disk(tmp_path / "pipeline")
    (tmp_path / "package").mkdir()
    options = ["--name", "tiny", "--build", "none"]
    spacy_command("package", tmp_path / "pipeline", tmp_path / "package", *options)
    (folder,) = (tmp_path / "package").iterdir()
    theirs = build_wheel(run, folder, tmp_path / "theirs")

    venv.create(tmp_path / "venv", with_pip=False, system_site_packages=True)
    python = tmp_path / "venv" / "bin" / "python"
    if not python.exists():
        python = tmp_path / "venv" / "Scripts" / "python.exe"
    (site,) = (tmp_path / "venv").rglob("site-packages")
    # The packages of this environment, behind those of the new one.
    (site / "behind.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = ["-m", "pip", "install", "--no-deps", "--no-index", "--target", site]
    run(sys.executable, *install, ours, theirs)
    assert run(python, "-c", TAG).split() == ["DET", "NN", "V", "DET", "NN"]
    requires = "import importlib.metadata as m; print(*m.requires('en_tiny'))"
    assert "spacy-lstm-tagger" in run(python, "-c", requires)
