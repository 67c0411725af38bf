"""The pipeline component."""

from .extensions import register
from .factory import make_lstm_tagger
from .lstm_tagger import LSTMTagger

__all__ = ["LSTMTagger", "make_lstm_tagger"]

register()
