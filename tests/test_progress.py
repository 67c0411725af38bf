"""How far the work is, and what is said of it."""

from io import BytesIO, TextIOWrapper

import pytest

from spacy_lstm_tagger.progress import LiveLine, Progress

from .util import Terminal


def test_progress(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("spacy_lstm_tagger.progress.time.monotonic", lambda: now[0])
    progress = Progress(total=100.0)
    for _ in range(2):
        progress.skip(texts=1, size=10.0)
    assert progress.fraction == pytest.approx(0.2)
    now[0] += 10
    progress.add(texts=3, size=40.0, words=500)
    assert progress.fraction == pytest.approx(0.6)
    assert progress.speed == pytest.approx(50.0)
    # Half of what this run has to do took 10 seconds.
    assert progress.left == pytest.approx(10.0)


def test_progress_towards_a_limit():
    progress = Progress(total=1000.0, limit=4)
    progress.add(texts=3, size=40.0, words=5)
    assert progress.fraction == pytest.approx(0.75)
    progress.add(texts=3, size=40.0, words=5)
    assert progress.fraction == 1.0


def test_the_time_of_what_an_earlier_run_has_done_does_not_count(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("spacy_lstm_tagger.progress.time.monotonic", lambda: now[0])
    progress = Progress(total=100.0)
    now[0] += 60
    progress.skip(texts=1, size=20.0)
    for _ in range(2):
        now[0] += 10
        progress.add(texts=1, size=20.0, words=500)
        progress.skip(texts=1, size=20.0)
    assert progress.speed == pytest.approx(50.0)


def test_a_limit_where_the_size_is_not_known():
    progress = Progress(total=0.0, limit=4)
    progress.add(texts=1, size=40.0, words=5)
    assert progress.fraction == 0.25 and str(progress).startswith(" 25%")


def test_line(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("spacy_lstm_tagger.progress.time.monotonic", lambda: now[0])
    progress = Progress(total=100.0)
    unknown = Progress(total=0.0)
    now[0] += 10
    for each in (progress, unknown):
        each.add(texts=1, size=25.0, words=12_345)
    assert str(progress).split() == "25% 12,345 words 1,234 words/s 0:00:30 left".split()
    assert str(unknown).split() == "12,345 words 1,234 words/s".split()


@pytest.mark.parametrize("is_hidden", [False, True])
def test_a_live_line(is_hidden):
    stream = Terminal()
    with LiveLine(stream, is_hidden=is_hidden) as line:
        line("half")
    assert ("half" in stream.getvalue()) != is_hidden


def test_the_line_is_on_standard_error_at_once(monkeypatch):
    """Where a stream keeps what it is given until a line ends."""

    class Buffered(TextIOWrapper):
        def isatty(self):
            return True

    shown = BytesIO()
    monkeypatch.setattr("sys.stderr", Buffered(shown))
    LiveLine()("half")
    assert b"half" in shown.getvalue()


@pytest.mark.parametrize(
    "error",
    [
        OSError(5, "Input/output error"),
        ValueError("I/O operation on closed file"),
        UnicodeEncodeError("ascii", "ä", 0, 1, "ordinal not in range(128)"),
    ],
)
def test_work_goes_on_when_the_line_cannot_be_shown(error):
    class Closed(Terminal):
        def write(self, text):
            raise error

    with LiveLine(Closed()) as line:
        line("half")
        line("more")


def test_a_process_without_standard_error(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    live = LiveLine()
    live("some progress")
    live.clear()
    assert not live.is_shown


def seen(printed):
    """RETURNS (str): What a screen shows that knows of carriage returns alone, as of a notebook."""
    cells, place = [], 0
    for letter in printed:
        if letter == "\r":
            place = 0
        else:
            cells[place : place + 1] = letter
            place += 1
    return "".join(cells).rstrip()


def test_a_shorter_line_leaves_nothing_of_the_one_before():
    stream = Terminal()
    with LiveLine(stream) as line:
        line("step 100  0:00:09 left")
        line("step 101")
        assert seen(stream.getvalue()) == "step 101"
    assert seen(stream.getvalue()) == ""
    with LiveLine(stream) as line:
        line.clear()  # nothing is there
    assert stream.getvalue().endswith("\r")


@pytest.mark.parametrize(
    ("columns", "shown"), [(23, "step 100  0:00:09 left"), (22, "step 100"), (8, "step 10")]
)
def test_a_part_that_does_not_fit_is_left_out(columns, shown, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = Terminal()
    with LiveLine(stream) as line:
        line("step 100  0:00:09 left")
        assert seen(stream.getvalue()) == shown


def test_a_stream_that_only_writes():
    """As those that pass on to a log."""

    class Log:
        def write(self, text):
            raise AssertionError

    line = LiveLine(Log())
    line("1 of 10")
    line.clear()
