"""What the commands print: errors, on one line with the remedy."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from wasabi import color, msg
from wasabi.util import locale_escape

from ..errors import Errors


@contextmanager
def clear_errors() -> Iterator[None]:
    """Print what is wrong with the input instead of a traceback, and exit."""
    try:
        yield
    except BrokenPipeError:  # who reads what we print has enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except KeyboardInterrupt as error:
        if str(error):
            print(error, file=sys.stderr)
        raise SystemExit(130) from None
    except (ValueError, OSError, ImportError) as error:
        fail(str(error))
    except MemoryError as error:
        fail(Errors.C003.format(error=error))


def fail(text: str) -> None:
    """Print an error, which wasabi would break into several lines, and exit."""
    line = locale_escape(f"✘ {text}")
    print(color(line, fg="red") if msg.show_color else line, file=sys.stderr)
    raise SystemExit(1)
