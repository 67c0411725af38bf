"""The figures of the pages are those of the results."""

import json
import re
from statistics import mean

import pytest

from benchmarks.accuracy import columns, of_variant
from benchmarks.machines import find, read_reports, table

from ..util import ROOT
from . import PAGES

RESULTS = ROOT / "benchmarks" / "results"
ACCURACY = json.loads((RESULTS / "accuracy.json").read_text(encoding="utf-8"))
# What the columns of the tables of experiments are called in the results.
COLUMNS = {
    **{"sentences": "sentences", "as it is": "sentences", "docs of ten": "tens"},
    **{"new words": "unknown", "lower case": "lower", "capitals": "upper"},
    **{"no final": "no_final", "typos": "typos"},
}


def tables(text):
    """YIELDS (tuple): The head and the rows of each block."""
    for block in re.findall(r"^\|.*\n\|[-:|]+\|\n(?:\|.*\n)+", text, re.M):
        head, _, *rows = (re.split(r" *(?<!\\)\| *", line)[1:-1] for line in block.splitlines())
        yield head, rows


def speed(name, setting, section="tagging"):
    """RETURNS (dict): What the speed benchmark measured, by peer."""
    report = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return {
        figure["peer"]: figure["value"]
        for figure in report["figures"]
        if (figure["section"], figure["setting"]) == (section, setting)
    }


def test_experiments():
    seen = set()
    for head, rows in tables(PAGES["benchmarks/EXPERIMENTS.md"]):
        names = [COLUMNS[column] for column in head[3:]]
        for _, variant, *cells in rows:
            name = variant.strip("`")
            runs = of_variant(ACCURACY, name)
            digits = [1 if column == "unknown" else 2 for column in names]
            pairs = zip(names, digits, strict=True)
            figures = [columns(runs, [column], places)[0] for column, places in pairs]
            assert cells == [str(len(runs)), *figures], name
            seen.add(name)
    assert {key.split("/")[0] for key in ACCURACY} == seen


@pytest.mark.parametrize("name", ["cnn", "accurate", "fast"])
def test_readme(name):
    head, rows = next(tables(PAGES["README.md"]))
    (column,) = [
        i for i, text in enumerate(head) if {"cnn": "CNN"}.get(name, f"`{name}.cfg`") in text
    ]
    shown = {row[0]: row[column].strip("*") for row in rows}
    size = speed("speed-memory", "on disk", "memory")[name]

    def times(column):
        """RETURNS (str): How many times as fast as the CNN, from machine to machine."""
        ratios = [find(report, column, name)[1] for report in read_reports().values()]
        return " to ".join(dict.fromkeys(f"{ratio:.1f}" for ratio in (min(ratios), max(ratios))))

    def accuracy(kind):
        return f"{mean(run[kind] for run in of_variant(ACCURACY, name).values()):.1f} %"

    assert shown == {
        "accuracy, sentences": accuracy("sentences"),
        "accuracy, texts of ten sentences": accuracy("tens"),
        "accuracy, words not seen in training": accuracy("unknown"),
        "times as fast, tagging": times("words a second") if name != "cnn" else "1",
        "times as fast, training": times("words a second, training") if name != "cnn" else "1",
        "size on disk": f"{size:.1f} MB",
    }


def test_machines():
    page = PAGES["benchmarks/README.md"]
    shown = re.findall(r"^### (.+)\n\n((?:\|.*\n)+)", page.split("## The scripts")[0], re.M)
    reports = read_reports()
    assert [(name, lines.splitlines()) for name, lines in shown] == [
        (name, table(report)) for name, report in reports.items()
    ]
    assert all(len(table(report)) <= 12 for report in reports.values())


def test_recipe():
    (_, rows) = list(tables(PAGES["docs/recipe.md"]))[-1]
    shown = [tuple(cell.replace("*", "") for cell in row[1:]) for row in rows]
    assert shown == [
        (over_seeds("cnn", "sentences"), both("sentences")),
        (over_seeds("cnn", "tens"), both("tens")),
        ("", f"`accurate.cfg` {over_seeds('accurate-upos', 'sentences')}"),
        (
            over_seeds("tenth-cnn", "sentences"),
            f"`accurate.cfg` {over_seeds('tenth', 'sentences')}",
        ),
        (over_seeds("greek-cnn", "sentences"), f"`small.cfg` {over_seeds('greek', 'sentences')}"),
    ]


def over_seeds(name, kind):
    """RETURNS (str): Mean and standard deviation of a variant."""
    return columns(of_variant(ACCURACY, name), [kind], 2)[0]


def both(kind):
    """RETURNS (str): What the page says of our two configs."""
    return f"`accurate.cfg` {over_seeds('accurate', kind)}, `fast.cfg` {over_seeds('fast', kind)}"


def test_distillation():
    page = PAGES["docs/distillation.md"]
    found = json.loads((RESULTS / "distillation" / "results.json").read_text(encoding="utf-8"))
    kinds = {"sentences": 2, "tens": 2, "unknown": 1}
    (_, first), (_, last) = (block for block in tables(page) if block[0][1:2] == ["sentences"])
    parts = ["gold", "0.1 M words", "0.4 M words", "probabilities", "tags", "tags, gold's words"]
    named = dict(zip(parts, last, strict=True)) | {"fast": first[2], "accurate": first[3]}
    for name, (_, *cells) in [
        *((f"{name}/0", row) for name, row in named.items()),
        ("teacher", first[0]),
    ]:
        figures = [f"{found[name][kind]:.{digits}f}" for kind, digits in kinds.items()]
        assert [cell.strip("*") for cell in cells] == figures, name
    for name, (_, *cells) in zip(("fast", "accurate"), first[4:], strict=True):
        runs = of_variant(ACCURACY, name).values()
        assert cells == [f"{mean(run[k] for run in runs):.{d}f}" for k, d in kinds.items()]


def test_clusters():
    found = json.loads((RESULTS / "cluster.json").read_text(encoding="utf-8"))
    speeds = {
        name: [round(run["words_per_second"], -3) for run in found[name]["runs"].values()]
        for name in ("en_lstm_fast", "fast.cfg")
    }
    (rows,) = (rows for head, rows in tables(PAGES["docs/scale.md"]) if head[1:] == ["one", "two"])
    pipe, ray, pipe_2, ray_2 = (f"{speed:,}" for speed in speeds["en_lstm_fast"])
    assert [row[1:] for row in rows] == [[ray, ray_2], [pipe, pipe_2]]
    _, ray, _, ray_2 = (f"{speed:,}" for speed in speeds["fast.cfg"])
    assert f"{ray} with one actor, {ray_2} with two" in PAGES["docs/scale.md"].replace("\n", " ")
