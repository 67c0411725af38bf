"""How fast the taggers are on this machine, in some five minutes: a table of the page, and its
pictures.

python -m benchmarks.machines --ud UD_FOLDER --name "Intel Xeon with AMX" \
  --pipeline accurate=output/accurate/model-best --pipeline fast=output/fast/model-best \
  --whole en_lstm_fast=en_lstm_fast --whole en_core_web_sm=en_core_web_sm
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import speed
from .outputs import OUTPUT, slug, write
from .treebanks import add_ud_option

RESULTS = Path(__file__).parent / "results" / "machines"
# The same for all machines.
OPTIONS = ["--batch-size", "1000", "--tokens", "25000", "--rounds", "5"]
OF_TAGGERS = ["--bf16", "--peers", "cnn,packed", "--only", "tagging,latency,training"]
OF_PIPELINES = ["--peers", "cnn", "--only", "tagging,latency"]
# What the peers are called in the results, and to a reader.
ROWS = {
    "cnn": "spaCy's CNN tagger",
    "packed": "our network in plain PyTorch",
    "accurate": "`accurate.cfg`",
    "accurate-bf16": "… in bfloat16",
    "fast": "`fast.cfg`",
    "fast-bf16": "… in bfloat16",
    "en_lstm_fast": "`en_lstm_fast`, all of it",
    "en_lstm_accurate": "`en_lstm_accurate`, all of it",
    "en_core_web_sm": "spaCy's `en_core_web_sm`, all of it",
}
COLUMNS = {
    "words a second": ("tagging", "batches of 1,000"),
    "ms for a sentence": ("latency", "a sentence of 20 words"),
    "words a second, training": ("training", "batches of 1,000 words"),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--name", required=True, help="what the machine is called")
    parser.add_argument("--output", type=Path, default=OUTPUT / "machines")
    add_ud_option(parser)
    parser.add_argument(
        "--pipeline",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="trained taggers: accurate and fast",
    )
    parser.add_argument(
        "--whole",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="pipelines that do more than tag: en_lstm_fast, en_lstm_accurate, en_core_web_sm",
    )
    args = parser.parse_args(argv)
    given = [options_for(args.pipeline, OF_TAGGERS, ud=args.ud)]
    if args.whole:
        given.append(options_for(args.whole, OF_PIPELINES, ud=args.ud))
    for options in given:  # what is wrong is told before anything is measured
        speed.parse(options)
    report, *others = map(measure, given)
    for other in others:
        for figure in other["figures"]:
            if figure["peer"] == "cnn":  # what the ratios of this run are to
                figure["peer"] = "cnn, beside whole pipelines"
            report["figures"].append(figure)
    report["machine"]["name"] = args.name
    write(args.output / f"{slug(args.name)}.json", report)
    print("\n".join(table(report)))
    from .plots import draw  # which reads what is written here

    draw(RESULTS.parent, args.output, args.output)


def options_for(pipelines: Sequence[str], options: Sequence[str], *, ud: Path | None) -> list[str]:
    """RETURNS (list[str]): What the speed benchmark is given."""
    given = ["--ud", str(ud)] if ud else []
    given += [word for pipeline in pipelines for word in ("--pipeline", pipeline)]
    return [*OPTIONS, *options, *given]


def measure(options: Sequence[str]) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): What the speed benchmark has found."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speed.json"
        speed.main([*options, "--output", str(path)])
        return json.loads(path.read_text(encoding="utf-8"))


def read_reports(folder: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """RETURNS (dict[str, dict[str, Any]]): What was measured, by the name of the machine."""
    paths = sorted(folder.glob("*.json"))
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    return {report["machine"]["name"]: report for report in reports}


def find(report: dict[str, Any], column: str, row: str) -> tuple[float, float] | None:
    """Look up a figure, on running text where that makes a difference.

    report (dict[str, Any]): What was measured on a machine.
    column (str): One of `COLUMNS`.
    row (str): One of `ROWS`.
    RETURNS (Optional[tuple[float, float]]): The figure, and its ratio to the CNN's.
    """
    figures = {
        (figure["section"], figure["setting"], figure["peer"]): (figure["value"], figure["ratio"])
        for figure in report["figures"]
    }
    plain = figures.get((*COLUMNS[column], row))
    return figures.get((*COLUMNS[column], f"{row}, running text"), plain)


def table(report: dict[str, Any]) -> list[str]:
    """RETURNS (list[str]): The lines of a machine's table, with ratios to the CNN in brackets."""
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---|" + "--:|" * len(COLUMNS)]
    for row, name in ROWS.items():
        cells = []
        for column in COLUMNS:
            # A CPU trains in single precision.
            is_same = row.endswith("bf16") and column.endswith("training")
            found = None if is_same else find(report, column, row)
            form = "{:.2f} ({:.2f})" if column.startswith("ms") else "{:,.0f} ({:.1f})"
            cells.append(form.format(*found) if found else "")
        if any(cells):
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    speed.fix_threads(1)
    main()
