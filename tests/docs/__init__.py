"""The pages, and the blocks of code in them."""

import re

from ..util import ROOT

PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for folder in (".", "docs", "benchmarks", "corpus", "projects", "pipelines")
    for path in sorted((ROOT / folder).glob("*.md"))
}


def blocks(text, language):
    """RETURNS (list): The blocks of a language in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
