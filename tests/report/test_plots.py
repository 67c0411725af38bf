"""The plots of the page: where the marks are, and what stands at the axes."""

import pytest
from matplotlib.figure import Figure

from spacy_lstm_tagger.report import plots


@pytest.fixture
def drawn(monkeypatch):
    """RETURNS (list): The axes of each plot that is made."""
    found = []

    class Drawn(Figure):
        def subplots(self):
            found.append(super().subplots())
            return found[-1]

    monkeypatch.setattr(plots, "Figure", Drawn)
    return found


def points(line):
    return [pytest.approx(point) for point in line.get_xydata().tolist()]


def test_bands_with_their_intervals(drawn):
    """Those of several pipelines stand side by side, around the name of the band."""
    rows = [
        {"band": "1–4", "count": 8, "accuracy": 0.75, "low": 0.5, "high": 0.875},
        {"band": "5+", "count": 8, "accuracy": 0.5, "low": 0.25, "high": 0.625},
    ]
    plots.plot_bands([rows, rows[1:]], "letters of the word")
    (axes,) = drawn
    (first, _, (bars,)), (second, _, _) = axes.containers
    (left, accuracy), (other_left, _) = first.get_xydata()
    assert accuracy == 75.0 and points(second) == [(1.0 - left, 50.0)]
    assert -0.5 < left < 0.0 and other_left == 1.0 + left
    assert [bar[:, 1].tolist() for bar in bars.get_segments()] == [[50.0, 87.5], [25.0, 62.5]]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1–4", "5+"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("letters of the word", "right, %")


def test_how_right_and_how_sure(drawn):
    """Beside a line on which both are the same. A pipeline may not tell."""
    bins = [{"confidence": 0.25, "accuracy": 0.5}, {"confidence": 1.0, "accuracy": 1.0}]
    plots.plot_reliability([None, {"bins": bins}])
    (axes,) = drawn
    same, found = axes.lines
    assert points(same) == [(0.0, 0.0), (100.0, 100.0)]
    assert points(found) == [(25.0, 50.0), (100.0, 100.0)]
    assert found.get_color() == plots.SERIES[1]
    assert all(low == 0.0 and high > 100.0 for low, high in (axes.get_xlim(), axes.get_ylim()))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("sure, %", "right, %")


def test_learning_curves(drawn):
    svg = plots.plot_training([[(10, 0.5), (20, 0.75)], [(10, 0.25)]], "all words")
    (axes,) = drawn
    first, second = axes.lines
    assert points(first) == [(10.0, 50.0), (20.0, 75.0)] and points(second) == [(10.0, 25.0)]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "all words, %")
    assert svg.startswith('<svg viewBox="')  # as wide as its place on the page
