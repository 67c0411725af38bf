"""The report as a page that needs nothing else: no network, no other file.

Whatever words, tags and names have in them is text there, never markup: Jinja2 escapes it, and the
page allows no script but its own.
"""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .names import BANDS, HEADLINE, count_bands, percent, probability
from .plots import MARKERS, learning_curve, plot_bands, plot_reliability, plot_training

STATIC_ERRORS = 12  # so many confusions are shown with sentences where no script runs
STATIC_SENTENCES = 4
CURVES = ("tag_acc", "tag_acc_unknown", "tag_whole_sents", "tag_macro_f")


class Plot(NamedTuple):
    """A plot, and its figures as a table.

    title (str): What it is called.
    svg (Markup): The drawing.
    header (list[str]): What stands above the first columns; those of the pipelines follow.
    rows (list[tuple[str, ...]]): The rows.
    """

    title: str
    svg: Markup
    header: list[str]
    rows: list[tuple[str, ...]]


def render_html(figures: dict[str, Any]) -> str:
    """RETURNS (str): The page.

    figures (dict[str, Any]): The figures of a report.
    """
    loader = PackageLoader(__package__, "templates")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}  # half as large, in Greek
    environment.filters.update(percent=percent, probability=probability)
    files = (loader.get_source(environment, name) for name in ("page.js", "page.css"))
    (script, *_), (style, *_) = files
    pipelines = figures["pipelines"]
    return environment.get_template("page.html").render(
        **figures,
        headline=HEADLINE,
        plots=[*_by_band(pipelines), *_by_confidence(pipelines), *_by_step(pipelines)],
        data=_data(pipelines),
        script=Markup(script),
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        style=Markup(style),
        markers=list(MARKERS.values()),
        static_errors=STATIC_ERRORS,
        static_sentences=STATIC_SENTENCES,
    )


def _by_band(pipelines: list[dict[str, Any]]) -> Iterator[Plot]:
    """YIELDS (Plot): The accuracy by each property of words."""
    for key, label in BANDS.items():
        tables = [pipe["bands"].get(key, []) for pipe in pipelines]
        if any(tables):
            right = [{row["band"]: _with_interval(row) for row in rows} for rows in tables]
            rows = [
                (band, count, *(each.get(band, "–") for each in right))
                for band, count in count_bands(tables).items()
            ]
            svg = Markup(plot_bands(tables, label))
            yield Plot(f"By {label}", svg, ["", "words"], rows)


def _by_confidence(pipelines: list[dict[str, Any]]) -> Iterator[Plot]:
    """YIELDS (Plot): The accuracy by how sure a pipeline is."""
    found = [pipe["reliability"] for pipe in pipelines]
    if any(found):
        bins = [
            {(row["from"], row["to"]): row["accuracy"] for row in each["bins"]} if each else {}
            for each in found
        ]
        rows = [
            (
                f"{100 * low:.0f}–{100 * high:.0f} % sure",
                *(percent(each.get((low, high))) for each in bins),
            )
            for low, high in sorted({bounds for each in bins for bounds in each})
        ]
        rows.append(("calibration error", *(percent(each and each["error"]) for each in found)))
        svg = Markup(plot_reliability(found))
        yield Plot("How right it is, by how sure it is", svg, [""], rows)


def _by_step(pipelines: list[dict[str, Any]]) -> Iterator[Plot]:
    """YIELDS (Plot): The learning curve of each score."""
    for score in CURVES:
        label = HEADLINE[score]
        curves = [learning_curve(pipe["training"], score) for pipe in pipelines]
        if any(curves):
            steps = sorted({step for each in curves for step, _ in each})
            values = [dict(each) for each in curves]
            rows = [(f"step {n:,}", *(percent(each.get(n)) for each in values)) for n in steps]
            svg = Markup(plot_training(curves, label))
            yield Plot(f"Learning curve: {label}", svg, [""], rows)


def _with_interval(row: dict[str, Any]) -> str:
    """RETURNS (str): The accuracy on a band of words, and where its interval begins and ends."""
    interval = f"{percent(row['low'])}–{percent(row['high'])}"
    return f"{percent(row['accuracy'])}\n({interval})"


def _data(pipelines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """RETURNS (list[dict[str, Any]]): What the page's script shows of each pipeline."""
    return [
        {
            "name": pipe["name"],
            "tags": [row["tag"] for row in pipe["tags"]],
            "confusion": [list(row.values()) for row in pipe["confusion"]],
            "mistakes": [
                [row["gold"], row["guess"], row["sentences"]]
                for row in pipe["mistakes"]
                if row["sentences"]
            ],
        }
        for pipe in pipelines
    ]
