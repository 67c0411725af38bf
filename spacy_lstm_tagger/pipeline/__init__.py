"""The pipeline component."""

from .lstm_tagger import LSTMTagger

__all__ = ["LSTMTagger"]
