"""Tagging on a cluster of Ray. It is imported only where it is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import Errors

try:
    import ray.data  # noqa: F401
except ImportError as error:
    raise ImportError(Errors.C013) from error

if TYPE_CHECKING:
    from .batches import TagBatches
    from .pipelines import ship

__all__ = ["TagBatches", "ship"]

MODULES = {"TagBatches": "batches", "ship": "pipelines"}


def __getattr__(name: str) -> Any:
    """RETURNS (Any): What tags: a process that only reads or writes files does not import it."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    """RETURNS (list[str]): What there is: `help` and completion list what is not imported yet."""
    return sorted({*globals(), *__all__})
