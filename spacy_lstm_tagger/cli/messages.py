"""What the commands print: errors, on one line with the remedy, and how far they are."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from wasabi import color, msg
from wasabi.util import locale_escape

from ..errors import Errors
from ..progress import Progress


@contextmanager
def clear_errors() -> Iterator[None]:
    """Print what is wrong with the input instead of a traceback, and exit."""
    try:
        yield
    except BrokenPipeError:  # who reads what we print has enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except (ValueError, OSError) as error:
        fail(str(error))
    except MemoryError as error:
        fail(Errors.C003.format(error=error))


def fail(text: str) -> None:
    """Print an error, which wasabi would break into several lines, and exit."""
    line = locale_escape(f"✘ {text}")
    print(color(line, fg="red") if msg.show_color else line, file=sys.stderr)
    raise SystemExit(1)


class LiveLine:
    """A line that shows progress while it changes: on a terminal, and nowhere else."""

    def __init__(self) -> None:
        self.is_shown = sys.stderr.isatty()

    def __call__(self, progress: Progress) -> None:
        """Show the progress."""
        if self.is_shown:
            print(f"\r\x1b[K{progress}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> "LiveLine":
        return self

    def __exit__(self, *error: object) -> None:
        if self.is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
