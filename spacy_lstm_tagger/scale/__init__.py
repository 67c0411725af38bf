"""Tagging on a cluster of Ray. It is imported only where it is asked for."""

from ..errors import Errors

try:
    import ray.data  # noqa: F401
except ImportError as error:
    raise ImportError(Errors.C013) from error

from .batches import TagBatches
from .pipelines import ship

__all__ = ["TagBatches", "ship"]
