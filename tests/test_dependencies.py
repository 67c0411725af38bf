"""The lowest versions that are allowed are those that CI tests on."""

import re
import sys

import pytest

from .util import ROOT


@pytest.mark.skipif(sys.version_info < (3, 11), reason="this Python cannot read TOML")
def test_the_lowest_versions_are_tested():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    given = [*project["dependencies"], *project["optional-dependencies"]["files"]]
    given += project["optional-dependencies"]["bench"] + project["optional-dependencies"]["test"]
    floors = dict(re.findall(r"(?m)^([\w-]+)>=([\d.]+)", "\n".join(given)))
    lines = (ROOT / ".ci" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    tested = dict(line.split("==") for line in lines if not line.startswith("#"))
    # torch is too large, and setuptools no part of what is tested.
    del floors["torch"], floors["setuptools"]
    assert tested.keys() == floors.keys()
    for name, version in floors.items():
        assert re.fullmatch(rf"{re.escape(version)}(\.0)*", tested[name]), name
