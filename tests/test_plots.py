"""The pictures: who has never seen the code can read them."""

import json
from itertools import combinations

import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from benchmarks import plots
from benchmarks.machines import COLUMNS, ROWS, read_reports

THEME = plots.THEMES[""]
ACCURACY = json.loads((plots.RESULTS / "accuracy.json").read_text(encoding="utf-8"))
REPORTS = read_reports()


def boxes(figure):
    """RETURNS (list): Each text of a figure, and where it is, in pixels."""
    figure.canvas.draw()
    texts = []
    for axes in figure.axes:
        texts += [child for child in axes.get_children() if isinstance(child, Text)]
        texts += [axes.xaxis.label, axes.yaxis.label]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = axis.get_view_interval()
            texts += [
                tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high
            ]
    return [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]


@pytest.mark.parametrize("name", plots.PICTURES)
def test_labels(name):
    figure = plots.PICTURES[name](ACCURACY, REPORTS, THEME)
    texts = boxes(figure)
    assert len(texts) > 8
    for (a, box), (b, other) in combinations(texts, 2):
        assert not box.overlaps(other), (a, b)
    width, height = figure.canvas.get_width_height()
    for text, box in texts:
        assert min(box.x0, box.y0) >= 0 and box.x1 <= width and box.y1 <= height, text
        # No name of a variant or a peer, as the results have them.
        assert text not in {*ACCURACY, *ROWS, *(key.split("/")[0] for key in ACCURACY)}


def luminance(colour):
    """RETURNS (float): As WCAG 2 defines it, https://www.w3.org/TR/WCAG21/#dfn-relative-luminance."""
    parts = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in to_rgb(colour)
    ]
    return sum(part * weight for part, weight in zip(parts, (0.2126, 0.7152, 0.0722), strict=True))


@pytest.mark.parametrize("theme", plots.THEMES)
def test_figures_can_be_read_on_their_bars(theme):
    paper, *bars = (luminance(plots.THEMES[theme][name]) for name in ("paper", "ours", "theirs"))
    for bar in bars:
        dark, light = sorted((paper, bar))
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_both_themes(tmp_path, monkeypatch):
    plots.main(["--output", str(tmp_path)])
    names = {f"{name}{theme}.svg" for name in plots.PICTURES for theme in plots.THEMES}
    assert {path.name for path in tmp_path.iterdir()} == names
    # They say what there is in the repository, and are the same when they are drawn again.
    assert names <= {path.name for path in plots.RESULTS.iterdir()}
    first = (tmp_path / "overview.svg").read_bytes()
    monkeypatch.setattr(plots, "PICTURES", {"overview": plots.overview})
    plots.main(["--output", str(tmp_path)])
    assert (tmp_path / "overview.svg").read_bytes() == first
    assert plots.THEMES["-dark"]["text"] in (tmp_path / "speed-dark.svg").read_text()


def test_what_was_not_measured_is_left_out():
    results = {"cnn/0": {"sentences": 94.0}, "accurate/0": {"sentences": 95.0}}
    figure = plots.dots(results, {}, THEME)
    texts = [text for text, _ in boxes(figure)]
    assert plots.CNN in texts and "95.00" in texts and plots.FAST not in texts
    section, setting = COLUMNS[plots.TAGGING]
    cnn = {"section": section, "setting": setting, "peer": "cnn", "value": 30000.0, "ratio": 1.0}
    figure = plots.bars({}, {"A machine": {"figures": [cnn]}}, THEME)
    assert plots.PACKED not in [text for text, _ in boxes(figure)]
