"""What comes out: the machine, tables and JSON."""

import datetime
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from .measure import Figure
from .outputs import write

FORMATS = {"words/s": ",.0f", "ms": ".2f", "MB": ",.1f", "µs/token": ".1f", "%": ".0f", "×": ".2f"}
FORMATS[""] = ",.5g"  # what has no unit
CPUINFO = Path("/proc/cpuinfo")


def describe_machine(*, threads: int, gpu_id: int) -> dict[str, Any]:
    """RETURNS (dict): What the figures were measured on, and how busy it was beside."""
    found = re.search(r"model name\s*:\s*(.+)", CPUINFO.read_text()) if CPUINFO.exists() else None
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "cpu": found[1] if found else platform.processor() or platform.machine(),
        "cpu_features": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": threads,
        "gpu": torch.cuda.get_device_name(gpu_id) if gpu_id >= 0 else None,
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "spacy", "thinc", "numpy")},
        },
    }


def to_markdown(figures: Sequence[Figure], machine: dict[str, Any], *, reference: str) -> str:
    """RETURNS (str): A table a section."""
    device = machine["gpu"] or machine["cpu"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    lines = [
        f"{device}, {machine['threads']} of {machine['cores']} cores, {machine['date']}, "
        f"load average {machine['load_average'][0]}; {versions}.",
        f"Medians; in brackets the ratio to {reference}.",
    ]
    for section in dict.fromkeys(figure.section for figure in figures):
        lines += ["", f"### {section[0].upper()}{section[1:]}", ""]
        lines += _table([figure for figure in figures if figure.section == section])
    return "\n".join(lines) + "\n"


def _table(figures: Sequence[Figure]) -> list[str]:
    columns = list(dict.fromkeys((figure.setting, figure.unit) for figure in figures))
    cells = {(figure.peer, figure.setting): _cell(figure) for figure in figures}
    lines = [
        "| | " + " | ".join(", ".join(filter(None, column)) for column in columns) + " |",
        "|---|" + "--:|" * len(columns),
    ]
    for peer in dict.fromkeys(figure.peer for figure in figures):
        row = [cells.get((peer, setting), "") for setting, _ in columns]
        lines.append(f"| {peer} | " + " | ".join(row) + " |")
    return lines


def _cell(figure: Figure) -> str:
    value = format(figure.value, FORMATS[figure.unit])
    return value if figure.ratio is None else f"{value} ({figure.ratio:.2f})"


def write_json(
    path: Path, figures: Sequence[Figure], machine: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Write everything, with the figure of each round."""
    found = [asdict(figure) for figure in figures]
    write(path, {"machine": machine, "settings": settings, "figures": found})
