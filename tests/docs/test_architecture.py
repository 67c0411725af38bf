"""The rooms of the package import what the page on architecture allows them."""

import ast
import re

import pytest

from ..util import ROOT

PACKAGE = ROOT / "spacy_lstm_tagger"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)/` \| .+ \| (.+) \|$", PAGE, re.M)
ROOMS = [room for room, _ in ROWS]
# Beside the rooms, for all: they may import each other, and nothing of a room.
FOR_ALL = {"augmenters", "checks", "comparison", "errors", "lemmas", "lexicon", "memory"}
FOR_ALL |= {"probabilities", "progress", "scorer", "warning_texts", "whitespace", "workers"}
# Upon the pipeline.
UPON = {"corpus_profile", "evaluation", "logger", "missing_tags", "taggers", "tagging"}


def imported(place):
    """RETURNS (set): What the modules of a room, or a module beside them, import of the package."""
    found = set()
    for path in place.rglob("*.py") if place.is_dir() else [place]:
        inside = path.relative_to(PACKAGE).parent.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                above = inside[: len(inside) + 1 - node.level]
                names = [node.module] if node.module else [each.name for each in node.names]
                found |= {(*above, *name.split("."))[0] for name in names}
    return found - {place.stem}


def test_every_module_has_its_place():
    assert set(ROOMS) == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"} == FOR_ALL | UPON


@pytest.mark.parametrize(("room", "told"), ROWS)
def test_a_room_imports_what_it_may(room, told):
    """All: what is above it on the page, and what is beside the rooms."""
    if told.startswith("all"):
        allowed = {*ROOMS[: ROOMS.index(room)], *FOR_ALL, *UPON}
    elif room in ("nn", "files"):
        allowed = {"errors"} if told == "errors alone" else set()
    else:
        allowed = {*re.findall(r"`(\w+)`", told), *FOR_ALL}
    assert imported(PACKAGE / room) <= allowed


@pytest.mark.parametrize("module", sorted(FOR_ALL))
def test_what_is_for_all_imports_no_room(module):
    assert imported(PACKAGE / f"{module}.py") <= FOR_ALL
