"""What runs on one's own machine before a commit is what CI runs."""

import re
from importlib.metadata import metadata

import pytest
import srsly

from ..util import ROOT

if not (ROOT / ".github").exists():
    pytest.skip("a source distribution has no workflows", allow_module_level=True)

CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
WORKFLOW = srsly.read_yaml(ROOT / ".github" / "workflows" / "ci.yml")


def test_pre_commit_runs_the_tools_of_ci():
    (local,) = srsly.read_yaml(ROOT / ".pre-commit-config.yaml")["repos"]
    entries = [hook["entry"].removesuffix(" --fix") for hook in local["hooks"]]
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    for entry in entries:
        assert re.search(rf"^{entry}\b", CI, re.M), entry
    tools = re.findall(r"^(?:ruff \w+|mypy)", CI, re.M)
    assert sorted(entries) == sorted(tools)


def test_workflow_runs_ci_on_every_python():
    job = WORKFLOW["jobs"]["test"]
    assert job["steps"][-1]["run"] == ".ci/run"
    known = metadata("spacy-lstm-tagger")
    classifiers = known.get_all("Classifier")
    named = [name.rsplit(" :: ", 1)[1] for name in classifiers if "Python :: 3." in name]
    assert job["strategy"]["matrix"]["python"] == named
    low, high = sorted(int(n) for n in re.findall(r"3\.(\d+)", known["Requires-Python"]))
    assert named == [f"3.{minor}" for minor in range(low, high)]
