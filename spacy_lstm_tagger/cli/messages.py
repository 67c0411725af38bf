"""What the commands print: errors, on one line with the remedy."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

import wasabi.util
from wasabi import color, msg

from ..files.whole import is_stream
from ..memory import memory_error


class Terminated(KeyboardInterrupt):
    """The process was told to end, as by `timeout`, a cluster's scheduler, or a terminal that is
    closed.

    number (int): The signal.
    """

    def __init__(self, number: int):
        super().__init__()
        self.number = number


@contextmanager
def clear_errors() -> Iterator[None]:
    """Print what is wrong with the input instead of a traceback, and exit. A process that is told
    to end does so as if it was interrupted: what was done is kept.
    """
    _print_any_text()
    try:
        with _terminable():
            yield
    except BrokenPipeError:  # who reads what we print has enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except KeyboardInterrupt as error:
        if str(error):
            print(error, file=sys.stderr)
        number = error.number if isinstance(error, Terminated) else signal.SIGINT
        raise SystemExit(128 + number) from None
    except (ValueError, OSError, ImportError) as error:
        fail(str(error))
    except (MemoryError, RuntimeError) as error:
        told = memory_error(error)
        if told is None:
            raise
        fail(told)


def _print_any_text() -> None:
    """Escape what the encoding of a stream lacks, as cp1252 of a file on Windows lacks most of
    Unicode: when it is printed, the work is done.
    """
    wasabi.util.ENCODING = "utf-8"  # what it encodes otherwise it takes for UTF-8 all the same
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def _terminable() -> Iterator[None]:
    """Raise `Terminated` when the process is told to end. From then on it heeds no such signal, as
    it has to keep what was done.
    """

    def end(number: int, _: object) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        before.clear()
        raise Terminated(number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    hang_up = getattr(signal, "SIGHUP", signal.SIGTERM)  # Windows has none
    found = {each: signal.getsignal(each) for each in (signal.SIGTERM, hang_up)}
    # What is ignored stays so, as `nohup` has it.
    before = {each: handler for each, handler in found.items() if handler != signal.SIG_IGN}
    for each in before:
        signal.signal(each, end)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler or signal.SIG_DFL)


def tell_done(text: str, output: str) -> None:
    """Print that a file was written: on standard error, if it is a stream, as that may be what is
    standard output.

    text (str): What is told.
    output (str): The file.
    """
    with redirect_stdout(sys.stderr if is_stream(Path(output)) else sys.stdout):
        msg.good(text, output)


def fail(text: str) -> NoReturn:
    """Print an error, which wasabi would break into several lines, and exit.

    RAISES (SystemExit): Always.
    """
    line = f"{msg.icons['fail']} {text}"
    print(color(line, fg="red") if msg.show_color else line, file=sys.stderr)
    raise SystemExit(1)
