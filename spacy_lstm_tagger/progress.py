"""How far work on texts is, and how long the rest will take."""

import shutil
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import IO


@dataclass
class Progress:
    """How far the work is.

    total (float): The size of all texts, in bytes. 0: it is not known.
    limit (int): How many texts are worked on. 0: all.
    fraction (float): How much of the work is done, that of earlier runs included.
    words (int): The words of this run.
    speed (float): Words a second.
    left (float): The seconds that are left.
    """

    total: float
    limit: int = 0
    fraction: float = 0.0
    words: int = 0
    speed: float = 0.0
    left: float = float("inf")

    def __post_init__(self) -> None:
        self._texts, self._size, self._skipped = 0.0, 0.0, 0.0
        self._start = time.monotonic()

    def skip(self, *, texts: float, size: float) -> None:
        """Pass over what an earlier run has done.

        texts (float): How many texts, parts of them included.
        size (float): Their size, in bytes.
        """
        before = self.fraction
        self._add(texts, size)
        self._skipped += self.fraction - before
        if not self.words:
            self._start = time.monotonic()

    def add(self, *, texts: float, size: float, words: int) -> None:
        """Count what is done.

        texts (float): How many texts, parts of them included.
        size (float): Their size, in bytes.
        words (int): How many words they have.
        """
        self._add(texts, size)
        self.words += words
        seconds = max(time.monotonic() - self._start, 1e-9)
        self.speed = self.words / seconds
        self.left = seconds * (1.0 - self.fraction) / max(self.fraction - self._skipped, 1e-9)

    def __str__(self) -> str:
        """RETURNS (str): It as a line; of what is not known it tells nothing."""
        line = f"{self.words:>13,} words  {self.speed:>9,.0f} words/s"
        if not self.total and not self.limit:
            return line
        return f"{self.fraction:4.0%}{line}  {timedelta(seconds=round(self.left))} left"

    def _add(self, texts: float, size: float) -> None:
        self._texts += texts
        self._size += size
        by_limit = self._texts / self.limit if self.limit else 0.0
        by_size = self._size / self.total if self.total else 0.0
        self.fraction = min(1.0, max(by_size, by_limit))


class LiveLine:
    """A line that shows progress while it changes: on a terminal, and nowhere else.

    stream (Optional[IO]): Where it is shown. None: standard error.
    is_hidden (bool): Whether it is shown nowhere.
    """

    def __init__(self, stream: IO | None = None, *, is_hidden: bool = False):
        self.stream = sys.stderr if stream is None else stream
        # A process may have no standard error, or one that only writes.
        is_terminal = hasattr(self.stream, "isatty") and self.stream.isatty()
        self.is_shown = is_terminal and not is_hidden
        self._shown = ""

    def __call__(self, progress: object) -> None:
        """Show the progress, as far as it goes into one line: its parts are two spaces apart, and
        one that does not fit is left out whole.
        """
        if not self.is_shown:
            return
        width = shutil.get_terminal_size().columns - 1
        line = str(progress)
        while len(line) > width and "  " in line.strip():
            line = line.rpartition("  ")[0].rstrip()
        self._replace(line[:width])

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._replace("")

    def _replace(self, line: str) -> None:
        # With spaces, as notebooks ignore the sequence that clears a line.
        blank = " " * len(self._shown)
        try:
            print(f"\r{blank}\r{line}", end="", file=self.stream, flush=True)
        except (OSError, ValueError):  # a closed terminal, say; the work goes on
            self.is_shown, line = False, ""
        self._shown = line

    def __enter__(self) -> "LiveLine":
        return self

    def __exit__(self, *error: object) -> None:
        self.clear()
