"""Draws the pictures of the pages from what was measured, each for light and for dark pages.

python -m benchmarks.plots
"""

import argparse
import json
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from .accuracy import of_variant
from .machines import COLUMNS, find, read_reports
from .outputs import OUTPUT

Reports = dict[str, dict[str, Any]]  # of machines

RESULTS = Path(__file__).parent / "results"
PIPELINES = Path(__file__).parents[1] / "pipelines"
CNN, ACCURATE, FAST = "spaCy's CNN tagger", "ours, accurate.cfg", "ours, fast.cfg"
# What the peers are called in the results, and to a reader.
VARIANTS = {"cnn": CNN, "accurate": ACCURATE, "fast": FAST}
PANELS = {
    "English Web Treebank, 200,000 words, Penn tags": VARIANTS,
    "… a tenth of it": {"tenth-cnn": CNN, "tenth": ACCURATE},
    "Greek GUD, 15,000 words, universal tags": {
        "greek-cnn": CNN,
        "greek": "ours, small.cfg",
    },
}
PACKED = "our network in plain PyTorch\n(packed sequences)"
# Of each, what it is called in the results, first in single precision, then in bfloat16.
SPEEDS = {
    CNN: ("cnn",),
    PACKED: ("packed",),
    ACCURATE: ("accurate", "accurate-bf16"),
    FAST: ("fast", "fast-bf16"),
    "spaCy's en_core_web_sm,\nall of it": ("en_core_web_sm",),
    "en_lstm_accurate,\nall of it": ("en_lstm_accurate",),
    "en_lstm_fast,\nall of it": ("en_lstm_fast",),
}
# On which side of its name a point is. The others are on the right.
LEFT = ("en_core_web_sm", "en_lstm_fast")
TAGGING = next(iter(COLUMNS))
THEMES = {
    "": {
        "text": "#1f2328",
        "paper": "#ffffff",
        "faint": "#d1d9e0",
        "ours": "#0969da",
        "theirs": "#6e7781",
    },
    "-dark": {
        "text": "#f0f6fc",
        "paper": "#0d1117",
        "faint": "#3d444d",
        "ours": "#4493f8",
        "theirs": "#848d97",
    },
}


def main(argv: Sequence[str] | None = None) -> None:
    """Draw all pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder of the results")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the folder for the pictures")
    parser.add_argument("--format", choices=["svg", "png"], default="svg")
    args = parser.parse_args(argv)
    draw(args.results, args.results / "machines", args.output, kind=args.format)


def draw(results: Path, machines: Path, output: Path, *, kind: str = "svg") -> None:
    """Draw all pictures.

    results (Path): The folder with what was found of accuracy.
    machines (Path): The folder with what was found on each machine.
    output (Path): The folder for the pictures.
    kind (str): "svg" or "png".
    """
    accuracy = json.loads((results / "accuracy.json").read_text(encoding="utf-8"))
    reports = read_reports(machines)
    output.mkdir(parents=True, exist_ok=True)
    for suffix, colours in THEMES.items():
        for name, picture in PICTURES.items():
            figure = picture(accuracy, reports, colours)
            path = output / f"{name}{suffix}.{kind}"
            # No date, so that the same results give the same file.
            metadata = {"Date": None} if kind == "svg" else None
            figure.savefig(path, dpi=150, transparent=True, metadata=metadata)


def words_a_second(report: dict[str, Any]) -> dict[str, list[float]]:
    """RETURNS (dict[str, list[float]]): Thousand words a second, see `SPEEDS`."""
    found = {
        name: [find(report, TAGGING, peer) for peer in peers] for name, peers in SPEEDS.items()
    }
    return {
        name: [figure[0] / 1000 for figure in figures if figure]
        for name, figures in found.items()
        if any(figures)
    }


def overview(accuracy: dict[str, Any], reports: Reports, colours: dict[str, str]) -> Any:
    """RETURNS (Figure): Accuracy against speed, a point for each tagger, on the last machine."""
    figure, axis = canvas(colours, 6.4, 3.4)
    machine, report = list(reports.items())[-1]
    speeds = words_a_second(report)
    for variant, name in [*VARIANTS.items(), ("accurate", PACKED)]:
        y = mean(sentences(accuracy, variant))
        error = deviation(sentences(accuracy, variant))
        colour = colours["theirs" if name in (CNN, PACKED) else "ours"]
        if name not in speeds:
            continue
        x, *others = speeds[name]
        axis.errorbar(x, y, yerr=error, fmt="o", color=colour, markersize=9)
        for other in others:
            axis.plot([x, other], [y, y], color=colour, linewidth=1.2)
            axis.plot(other, y, "o", color=colour, markersize=9, fillstyle="none")
        short = name.removeprefix("ours, ")
        beside(axis, short, (x, y), colour, side="left" if name == CNN else "right")
    for name in speeds:
        (pipeline, *_) = SPEEDS[name]
        if not pipeline.startswith("en_"):
            continue
        figures = json.loads((PIPELINES / f"{pipeline}.json").read_text(encoding="utf-8"))
        point = speeds[name][0], 100 * figures["en_ewt"]["sentences"]["tag_acc"]
        colour = colours["ours" if "lstm" in pipeline else "theirs"]
        axis.plot(*point, "s", color=colour, markersize=8)
        beside(axis, name, point, colour, side="left" if pipeline in LEFT else "right")
    axis.margins(0.15)
    axis.set_xscale("log")
    axis.set_xticks(ticks := [10, 20, 50, 100, 200, 400], list(map(str, ticks)))
    axis.minorticks_off()
    axis.set(ylabel="accuracy, %")
    axis.set_xlabel(f"thousand words a second, one core of an {machine}; rings: in bfloat16")
    axis.grid(color=colours["faint"], linewidth=0.6)
    axis.set_title("English Web Treebank: accuracy and speed", loc="left")
    return figure


def beside(axis: Any, name: str, point: tuple[float, float], colour: str, *, side: str) -> None:
    """Write a name beside a point, which is at this side of it."""
    at = {"xytext": (9 if side == "left" else -9, 0), "textcoords": "offset points"}
    axis.annotate(name, point, color=colour, weight="bold", ha=side, va="center", **at)


def bars(accuracy: dict[str, Any], reports: Reports, colours: dict[str, str]) -> Any:
    """RETURNS (Figure): Words a second on each machine: a bar for each tagger, and a line to what
    it does in bfloat16.
    """
    panels = {machine: words_a_second(report) for machine, report in reports.items()}
    heights = [len(speeds) + 1.2 for speeds in panels.values()]
    figure, axes = canvas(colours, 7.4, 0.5 * sum(heights), heights)
    for axis, (machine, speeds) in zip(axes, panels.items(), strict=True):
        for y, (name, (value, *others)) in enumerate(reversed(speeds.items())):
            is_ours = name in (ACCURATE, FAST) or "lstm" in name
            colour = colours["ours" if is_ours else "theirs"]
            axis.barh(y, value, color=colour, height=0.55)
            for other in others:
                axis.plot([value, other], [y, y], color=colours["text"], linewidth=1.2, marker="|")
            at = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
            # Where it is too short, behind the bar.
            fits = value > max(chain(*speeds.values())) / 8
            where, colour = (0, colours["paper"]) if fits else (value, colours["text"])
            axis.annotate(f"{value:,.0f}", (where, y), color=colour, weight="bold", **at)
        axis.set_yticks(range(len(speeds)), reversed(speeds))
        axis.margins(x=0.1)
        axis.set_title(f"Thousand words a second, one core of an {machine}", loc="left")
    axes[-1].set_xlabel("bars: single precision; lines: to bfloat16")
    return figure


def dots(accuracy: dict[str, Any], reports: Reports, colours: dict[str, str]) -> Any:
    """RETURNS (Figure): Accuracy by treebank: a dot a seed, a line at the mean."""
    panels = {
        title: {name: sentences(accuracy, variant) for variant, name in panel.items()}
        for title, panel in PANELS.items()
    }
    panels = {t: {n: v for n, v in panel.items() if v} for t, panel in panels.items()}
    panels = {title: panel for title, panel in panels.items() if panel}
    heights = [len(panel) + 1.2 for panel in panels.values()]
    figure, axes = canvas(colours, 7.0, 0.42 * sum(heights) + 0.4, heights)
    for axis, (title, panel) in zip(axes, panels.items(), strict=True):
        for y, (name, values) in enumerate(reversed(panel.items())):
            colour = colours["theirs" if name == CNN else "ours"]
            axis.plot(values, [y] * len(values), "o", color=colour, alpha=0.6, markersize=5)
            axis.plot(mean(values), y, "|", color=colour, markersize=16, markeredgewidth=2)
            at = {"xytext": (0, 10), "textcoords": "offset points", "ha": "center"}
            axis.annotate(f"{mean(values):.2f}", (mean(values), y), color=colours["text"], **at)
        axis.set_yticks(range(len(panel)), reversed(panel))
        axis.set_ylim(-0.6, len(panel) - 0.1)
        axis.margins(x=0.1)
        axis.set_title(title, loc="left")
        axis.grid(axis="x", color=colours["faint"], linewidth=0.6)
    axes[-1].set_xlabel("accuracy, %: a dot for each seed, a line at their mean")
    return figure


PICTURES: dict[str, Callable] = {"overview": overview, "speed": bars, "accuracy": dots}


def canvas(
    colours: dict[str, str], width: float, height: float, panels: Sequence[float] = ()
) -> tuple[Any, Any]:
    """RETURNS (tuple): A figure in the colours of a theme, and its axis, or its axes if it has
    several panels.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    text, faint = colours["text"], colours["faint"]
    style: Any = {
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), text),
        **{"axes.edgecolor": faint, "axes.axisbelow": True, "font.size": 10},
        **{"axes.titlesize": 10, "axes.spines.top": False, "axes.spines.right": False},
        **{"svg.hashsalt": "benchmarks", "figure.constrained_layout.use": True},
    }
    with plt.rc_context(style):
        plt.close("all")
        figure, axes = plt.subplots(
            max(1, len(panels)),
            1,
            figsize=(width, height),
            squeeze=False,
            height_ratios=list(panels) or None,
        )
    matplotlib.rcParams["svg.hashsalt"] = "benchmarks"
    return figure, axes[:, 0] if panels else axes[0, 0]


def sentences(accuracy: dict[str, Any], variant: str) -> list[float]:
    """RETURNS (list[float]): The accuracy on lone sentences, of each seed."""
    return [run["sentences"] for run in of_variant(accuracy, variant).values()]


def deviation(values: Sequence[float]) -> float:
    """RETURNS (float): The standard deviation, 0 of a single value."""
    return stdev(values) if len(values) > 1 else 0.0


if __name__ == "__main__":
    main()
