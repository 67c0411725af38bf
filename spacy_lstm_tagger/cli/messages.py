"""What the commands print: errors, on one line with the remedy."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from wasabi import color, msg
from wasabi.util import locale_escape

from ..errors import Errors


class Terminated(KeyboardInterrupt):
    """The process was told to end, as by `timeout` or a cluster's scheduler."""


@contextmanager
def clear_errors() -> Iterator[None]:
    """Print what is wrong with the input instead of a traceback, and exit. A process that is told
    to end does so as if it was interrupted: what was done is kept.
    """
    try:
        with _terminable():
            yield
    except BrokenPipeError:  # who reads what we print has enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except KeyboardInterrupt as error:
        if str(error):
            print(error, file=sys.stderr)
        raise SystemExit(143 if isinstance(error, Terminated) else 130) from None
    except (ValueError, OSError, ImportError) as error:
        fail(str(error))
    except MemoryError as error:
        fail(Errors.C003.format(error=error))


@contextmanager
def _terminable() -> Iterator[None]:
    """Raise `Terminated` when the process is told to end."""

    def end(*_: object) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def fail(text: str) -> NoReturn:
    """Print an error, which wasabi would break into several lines, and exit.

    RAISES (SystemExit): Always.
    """
    line = locale_escape(f"✘ {text}")
    print(color(line, fg="red") if msg.show_color else line, file=sys.stderr)
    raise SystemExit(1)
