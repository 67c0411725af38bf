"""What the pages point to is there."""

import re

import pytest

from ..util import ROOT
from . import PAGES


def anchors(text):
    """RETURNS (set): The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


def links(text):
    return re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"", text)


@pytest.mark.parametrize("name", PAGES)
def test_links(name):
    folder = (ROOT / name).parent
    for link in ("".join(pair) for pair in links(PAGES[name])):
        if link.startswith(("http:", "https:")):
            continue
        path, _, anchor = link.partition("#")
        target = (folder / path).resolve() if path else ROOT / name
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("name", PAGES)
def test_configs_and_scripts_that_are_named(name):
    for path in re.findall(
        r"(?<![\w/])(?:configs|projects|benchmarks|docs)/[\w/-]+\.\w+", PAGES[name]
    ):
        assert "/assets/" in path or (ROOT / path).exists(), path


def test_every_page_is_linked_from_the_readme():
    linked = {"".join(pair).split("#")[0] for pair in links(PAGES["README.md"])}
    assert {page for page in PAGES if page.startswith("docs/")} <= linked


def test_every_config_is_in_the_readme_or_on_the_page_about_training():
    for path in (ROOT / "configs").glob("*.cfg"):
        assert f"configs/{path.name}" in PAGES["README.md"] + PAGES["docs/training.md"]


def test_the_readme_is_short():
    lines = PAGES["README.md"].splitlines()
    assert len(lines) <= 120 and max(map(len, lines)) < 250


def test_every_picture_is_there_for_dark_pages_too():
    for text in PAGES.values():
        assert not re.findall(r"!\[[^\]]*\]\([^)]+\.svg\)", text)
        for picture in re.findall(r"<picture>.*?</picture>", text, re.S):
            (dark,), (light,) = (
                re.findall(rf'{name}="([^"]+)"', picture) for name in ("srcset", "src")
            )
            assert dark == light.replace(".svg", "-dark.svg")


@pytest.mark.parametrize("name", PAGES)
def test_tables_are_whole(name):
    """An empty line within one would make text of its rest."""
    lines = ["", *PAGES[name].splitlines(), ""]
    for before, line, after in zip(lines, lines[1:], lines[2:], strict=False):
        if line.startswith("|") and not before.startswith("|"):
            assert re.fullmatch(r"\|[ :|-]+\|", after), line
