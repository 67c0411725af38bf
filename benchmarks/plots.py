"""Draws the pictures of the pages from what was measured, each for light and for dark pages.

python -m benchmarks.plots
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from .accuracy import of_variant

RESULTS = Path(__file__).parent / "results"
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
# Of each, the figure with no word known, on running text, and with all words known.
SPEEDS = {
    CNN: ("cnn",),
    PACKED: ("packed",),
    ACCURATE: ("accurate", "accurate, running text", "accurate, warm"),
    FAST: ("fast", "fast, running text", "fast, warm"),
}
BATCHES = "batches of 256"
THEMES = {
    "": {"text": "#1f2328", "faint": "#d1d9e0", "ours": "#0969da", "theirs": "#6e7781"},
    "-dark": {"text": "#f0f6fc", "faint": "#3d444d", "ours": "#4493f8", "theirs": "#848d97"},
}


def main(argv: Sequence[str] | None = None) -> None:
    """Draw all pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder of the results")
    parser.add_argument("--output", type=Path, required=True, help="the folder for the pictures")
    parser.add_argument("--format", choices=["svg", "png"], default="svg")
    args = parser.parse_args(argv)
    accuracy = json.loads((args.results / "accuracy.json").read_text(encoding="utf-8"))
    speed = words_a_second(json.loads((args.results / "speed.json").read_text(encoding="utf-8")))
    args.output.mkdir(parents=True, exist_ok=True)
    for suffix, colours in THEMES.items():
        for name, draw in PICTURES.items():
            figure = draw(accuracy, speed, colours)
            path = args.output / f"{name}{suffix}.{args.format}"
            # No date, so that the same results give the same file.
            metadata = {"Date": None} if args.format == "svg" else None
            figure.savefig(path, dpi=150, transparent=True, metadata=metadata)


def words_a_second(report: dict[str, Any]) -> dict[str, float]:
    """RETURNS (dict[str, float]): The speed of each peer in batches of 256."""
    return {
        figure["peer"]: figure["value"]
        for figure in report["figures"]
        if (figure["section"], figure["setting"]) == ("tagging", BATCHES)
    }


def overview(accuracy: dict[str, Any], speed: dict[str, float], colours: dict[str, str]) -> Any:
    """RETURNS (Figure): Accuracy against speed, a point for each tagger."""
    figure, axis = canvas(colours, 6.4, 3.4)
    for variant, name in VARIANTS.items():
        values = sentences(accuracy, variant)
        x = speed[middle(SPEEDS[name])] / 1000
        colour = colours["theirs" if name == CNN else "ours"]
        axis.errorbar(x, mean(values), yerr=deviation(values), fmt="o", color=colour, markersize=9)
        at = {"xytext": (0, 14), "textcoords": "offset points", "ha": "center"}
        axis.annotate(name, (x, mean(values)), color=colour, weight="bold", **at)
    axis.margins(0.2)  # for the names
    axis.set(xlabel="thousand words a second, one CPU core", ylabel="accuracy, %")
    axis.grid(color=colours["faint"], linewidth=0.6)
    axis.set_title("English Web Treebank: accuracy and speed", loc="left")
    return figure


def bars(accuracy: dict[str, Any], speed: dict[str, float], colours: dict[str, str]) -> Any:
    """RETURNS (Figure): Words a second: a bar each, and a line from all new to all known words."""
    figure, axis = canvas(colours, 7.4, 3.2)
    shown = {
        name: [speed[peer] / 1000 for peer in peers if peer in speed]
        for name, peers in reversed(SPEEDS.items())
    }
    shown = {name: values for name, values in shown.items() if values}
    for y, (name, values) in enumerate(shown.items()):
        colour = colours["ours" if name in (ACCURATE, FAST) else "theirs"]
        axis.barh(y, middle(values), color=colour, height=0.55)
        if len(values) > 1:
            ends = [values[0], values[-1]]
            axis.plot(ends, [y, y], color=colours["text"], linewidth=1.2, marker="|")
        at = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
        axis.annotate(f"{middle(values):,.0f}", (0, y), color="white", weight="bold", **at)
    axis.set_yticks(range(len(shown)), shown)
    axis.margins(x=0.05)
    axis.set_title("Thousand words a second, one CPU core", loc="left")
    axis.set_xlabel("lines: from no word known to every word known")
    return figure


def dots(accuracy: dict[str, Any], speed: dict[str, float], colours: dict[str, str]) -> Any:
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


def middle(values: Sequence[Any]) -> Any:
    """RETURNS (Any): That of one, or of three."""
    return values[len(values) // 2]


if __name__ == "__main__":
    main()
