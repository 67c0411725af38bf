"""Reports: how well pipelines tag a corpus, and where they go wrong."""

from .report import Report

__all__ = ["Report"]
