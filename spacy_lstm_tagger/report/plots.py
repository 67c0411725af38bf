"""The plots of the page, as SVG whose colours are those of the page, be it light or dark."""

import re
from collections.abc import Callable, Sequence
from io import StringIO
from threading import Lock
from typing import Any

from ..errors import Errors
from .names import count_bands

try:
    from matplotlib import style
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError as error:  # pragma: no cover
    raise ValueError(Errors.C021.format(package="matplotlib")) from error

# The colours of a plot, and what the page's style calls them.
INK, SOFT, FAINT = "#010101", "#010102", "#020202"
SERIES = ("#030301", "#030302", "#030303", "#030304", "#030305", "#030306")
VARIABLES = {INK: "var(--ink)", SOFT: "var(--soft)", FAINT: "var(--faint)"}
VARIABLES |= {colour: f"var(--series-{i})" for i, colour in enumerate(SERIES, 1)}
MOST_POINTS = 300  # of a curve, so that a long training does not make a large page
LOCK = Lock()  # matplotlib's settings are those of all threads
MARKERS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "*": "★"}  # as the page writes them
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "text.parse_math": False,
    "font.size": 10,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}

Draw = Callable[[Axes], None]


def plot_bands(bands: Sequence[Sequence[dict[str, Any]]], label: str) -> str:
    """RETURNS (str): The accuracy of each pipeline by bands of a property of words, as SVG.

    bands (Sequence[Sequence[dict[str, Any]]]): The bands of each pipeline, see `figures.bands`.
    label (str): What the property is called.
    """
    names = list(count_bands(bands))

    def draw(axes: Axes) -> None:
        shift = 0.5 / len(bands)
        for i, rows in enumerate(bands):
            places = [names.index(row["band"]) + (i - (len(bands) - 1) / 2) * shift for row in rows]
            values = [100 * row["accuracy"] for row in rows]
            ends = [
                [100 * (row["accuracy"] - row["low"]) for row in rows],
                [100 * (row["high"] - row["accuracy"]) for row in rows],
            ]
            axes.errorbar(places, values, yerr=ends, linestyle="none", elinewidth=1.5, **_style(i))
        axes.set_xticks(range(len(names)), names)
        axes.grid(axis="x", visible=False)
        axes.set_xlabel(label)
        axes.set_ylabel("right, %")

    return _svg(draw)


def plot_reliability(found: Sequence[dict[str, Any] | None]) -> str:
    """RETURNS (str): How right tags are, by how sure each pipeline is of them, as SVG."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 100], [0, 100], color=SOFT, linewidth=1.5, linestyle="--")
        for i, each in enumerate(found):
            if each is not None:
                sure = [100 * row["confidence"] for row in each["bins"]]
                right = [100 * row["accuracy"] for row in each["bins"]]
                axes.plot(sure, right, **_style(i))
        axes.set_xlim(0, 102)
        axes.set_ylim(0, 102)
        axes.set_xlabel("sure, %")
        axes.set_ylabel("right, %")

    return _svg(draw)


def plot_training(curves: Sequence[Sequence[tuple[int, float]]], label: str) -> str:
    """RETURNS (str): The learning curve of each pipeline, as SVG."""

    def draw(axes: Axes) -> None:
        for i, curve in enumerate(curves):
            steps, values = [step for step, _ in curve], [100 * value for _, value in curve]
            axes.plot(steps, values, **_style(i, size=3))
        axes.set_xlabel("step")
        axes.set_ylabel(f"{label}, %")

    return _svg(draw)


def learning_curve(records: Sequence[dict[str, Any]] | None, score: str) -> list[tuple[int, float]]:
    """RETURNS (list[tuple[int, float]]): The steps of the evaluations that have a score, and this,
    but for the first one, before anything is learned; some of very many.
    """
    told = [(each["step"], each["scores"].get(score)) for each in records or []]
    curve = [(step, value) for step, value in told if step > 0 and value is not None]
    every = 1 + max(0, len(curve) - 1) // MOST_POINTS
    return curve[::-every][::-1]  # the last one stays


def _style(series: int, *, size: int = 5) -> dict[str, Any]:
    number = series % len(SERIES)
    return {"color": SERIES[number], "marker": list(MARKERS)[number], "markersize": size}


def _svg(draw: Draw) -> str:
    # Whatever a notebook has set for its own plots.
    with LOCK, style.context(["default", STYLE]):
        figure = Figure(figsize=(4.6, 2.8), layout="constrained")
        draw(figure.subplots())
        file = StringIO()
        figure.savefig(file, format="svg", transparent=True)
    text = file.getvalue()
    text = text[text.index("<svg") :]
    # It is as wide as its place on the page, in the page's letters, and leaves its style alone.
    text = re.sub(
        r"<svg .*?(viewBox=\"[^\"]+\").*?>",
        r'<svg \1 aria-hidden="true">',
        text,
        count=1,
        flags=re.S,
    )
    text = re.sub(
        r"<metadata>.*?</metadata>|<style.*?</style>| font-family: [^;\"]+;", "", text, flags=re.S
    )
    text = re.sub(r"font: ([\d.]+px) [^;\"]+", r"font-size: \1", text)
    text = re.sub(r'<g id="[^"]+"', "<g", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, variable)
    return text
