"""What SECURITY.md says: reading a tagger or data executes nothing."""

import ast
import subprocess
import sys

import pytest

from .util import ROOT

# What makes code of data, starts programs or reaches out: modules, built-in functions, and the
# doors to them in other modules.
MODULES = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "code", "codeop", "runpy",
           "ctypes", "subprocess", "pty", "socket", "urllib", "http", "requests", "yaml"}  # fmt: skip
BUILTINS = {"eval", "exec", "compile", "__import__"}
NAMES = ("torch.load", "torch.jit", "torch.hub", "torch.package", "np.load", "numpy.load",
         "srsly.pickle_", "srsly.cloudpickle", "srsly.yaml_", "srsly.read_yaml", "os.system",
         "os.popen", "os.exec", "os.spawn", "os.posix_spawn")  # fmt: skip


def dangers(code):
    """RETURNS (list): The names in code by which data could be executed."""
    used = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name) and node.id in BUILTINS:
            used.append(node.id)
        elif isinstance(node, ast.Attribute):
            used.append(ast.unparse(node))
        elif isinstance(node, ast.Import):
            used += [f"{alias.name}." for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            used += [f"{node.module}.{alias.name}" for alias in node.names]
    imported = {name for name in used if "." in name and name.split(".")[0] in MODULES}
    return [n for n in used if n in imported or n in BUILTINS or n.startswith(NAMES)]


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "import pickle as p",
        "from pickle import loads",
        "def f():\n    import marshal",
        "torch.load(path)",
        "from torch import load",
        "eval('1')",
        "run = exec",
        "subprocess.run(command, shell=True)",
        "from subprocess import run",
        "os.system('true')",
        "srsly.pickle_loads(data)",
        "np.load(path, allow_pickle=True)",
    ],
)
def test_dangers_are_found(code):
    assert dangers(code)


@pytest.mark.parametrize("code", ["module.eval()", "re.compile('a')", "from .pickle import a"])
def test_namesakes_are_none(code):
    assert not dangers(code)


def test_the_package_has_none():
    paths = sorted((ROOT / "spacy_lstm_tagger").rglob("*.py"))
    found = {path.name: dangers(path.read_text(encoding="utf-8")) for path in paths}
    assert len(found) > 50
    assert {name: each for name, each in found.items() if each} == {}


LOAD = """
import sys
import spacy

pipe = spacy.load(sys.argv[1]).get_pipe("lstm_tagger")
events = []

def note(event, arguments):
    if event != "open" or set(arguments[1] or "") & set("wax+"):  # reading is what it is for
        events.append(event)

sys.addaudithook(note)
pipe.from_disk(sys.argv[1] + "/lstm_tagger", exclude=["vocab"])
found = events.copy()
eval("1")
print(*sorted({*found}), "then", *sorted({*events[len(found):]}))
"""
# Python's own, of looking into objects.
HARMLESS = {"object.__getattr__", "sys._getframe", "builtins.id"}


def test_python_sees_nothing_executed_while_a_tagger_is_loaded(trained, tmp_path):
    """Its audit events name what is imported, executed, started and written."""
    trained.to_disk(tmp_path)
    command = [sys.executable, "-c", LOAD, str(tmp_path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    events, seen = printed.strip().split("then")
    assert set(events.split()) <= HARMLESS
    assert {"compile", "exec"} <= set(seen.split())
