"""Where results go, and how they are written."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# By default: never over what is published.
OUTPUT = ROOT / "output"


def write(path: Path, figures: Any) -> None:
    """Write figures as JSON.

    path (Path): The file. Its folder is made.
    figures (Any): What JSON can hold.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """RETURNS (str): A table whose first row is its head."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def slug(name: str) -> str:
    """RETURNS (str): A name that can be part of that of a file."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
