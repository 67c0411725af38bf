"""Checks of settings: each raises one error that names the setting, its value and what is allowed.

A value of a wrong type, as a file may have it, is not allowed either.
"""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, cast

from .errors import Errors

# Beyond what anyone could want, and what NumPy and PyTorch can take.
LARGEST = 2**31 - 1

SHOWN, LONG = 10, 200  # items, and characters of a value, in a message


def check(holds: bool, name: str, value: object, allowed: str) -> None:
    """Raise an error unless something holds.

    holds (bool): What must hold.
    name (str): The setting.
    value (object): Its value.
    allowed (str): What it must be, such as "null or 1 or more".
    RAISES (ValueError): M001.
    """
    if not holds:
        shown = repr(value) if isinstance(value, str) else str(value)
        if len(shown) > LONG:
            shown = f"{shown[:LONG]}…"
        raise ValueError(Errors.M001.format(name=name, value=shown, allowed=allowed))


def is_number(value: object, low: float = float("-inf"), high: float = float("inf")) -> bool:
    """RETURNS (bool): Whether a value is a number between two others, which it may be too."""
    # Not as a float: an integer may be larger than those are.
    is_real = isinstance(value, Real) and not isinstance(value, bool)
    return is_real and low <= cast(Any, value) <= high


def is_integer(value: object, low: int, high: int = LARGEST) -> bool:
    """RETURNS (bool): Whether a value is an integer between two others, which it may be too."""
    return isinstance(value, Integral) and is_number(value, low, high)


def is_range(value: object) -> bool:
    """RETURNS (bool): Whether a value is [low, high], two integers from 1 on, in order."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return False
    return all(is_integer(bound, 1) for bound in value) and value[0] <= value[1]


def is_list_of_strings(value: object) -> bool:
    """RETURNS (bool): Whether a value is a list, or tuple, of strings."""
    return isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value)


def is_counted(value: object, strings: int, *, least: int = 1) -> bool:
    """RETURNS (bool): Whether a value is a list, or tuple, of so many strings, and of how often
    there are such, at least so often.
    """
    if not isinstance(value, (list, tuple)) or len(value) != strings + 1:
        return False
    return is_list_of_strings(value[:-1]) and is_integer(value[-1], least)


def check_positive(**values: Any) -> None:
    """RAISES (ValueError): If a value is neither an integer from 1 to `LARGEST` nor None."""
    for name, value in values.items():
        check(value is None or is_integer(value, 1), name, value, "1 or more")


def check_size(most: int, **values: Any) -> None:
    """Check sizes before memory is allocated for them.

    most (int): The largest that is allowed.
    RAISES (ValueError): If a value is neither an integer from 1 to this nor None.
    """
    for name, value in values.items():
        check(value is None or is_integer(value, 1, most), name, value, f"from 1 to {most}")


def check_not_negative(**values: Any) -> None:
    """RAISES (ValueError): If a value is not a number from 0 to `LARGEST`."""
    for name, value in values.items():
        check(is_number(value, 0.0), name, value, "0 or more")
        check(value <= LARGEST, name, value, f"{LARGEST} or less")


def check_rate(**values: Any) -> None:
    """RAISES (ValueError): If a value is neither a number from 0 up to below 1 nor None."""
    for name, value in values.items():
        holds = value is None or (is_number(value, 0.0) and value < 1.0)
        check(holds, name, value, "from 0 up to below 1")


def check_share(**values: Any) -> None:
    """RAISES (ValueError): If a value is not a number from 0 to 1."""
    for name, value in values.items():
        check(is_number(value, 0.0, 1.0), name, value, "from 0 to 1")


def check_flag(**values: Any) -> None:
    """RAISES (ValueError): If a value is neither true nor false."""
    for name, value in values.items():
        check(isinstance(value, bool), name, value, "true or false")


def check_choice(name: str, value: object, choices: Mapping[str, Any] | tuple[str, ...]) -> None:
    """RAISES (ValueError): If a value is not one of some strings."""
    quoted = [f'"{each}"' for each in choices]
    allowed = " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
    check(isinstance(value, str) and value in choices, name, value, allowed)


def first_of(items: Sequence[str]) -> str:
    """RETURNS (str): The first of some items, as a message shows them."""
    return ", ".join(items[:SHOWN]) + (", …" if len(items) > SHOWN else "")
