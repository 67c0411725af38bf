"""The pipeline components."""

from .extensions import register
from .factory import make_lstm_tagger
from .lstm_tagger import LSTMTagger
from .tag_lemmatizer import TagLemmatizer, make_tag_lemmatizer

__all__ = ["LSTMTagger", "TagLemmatizer", "make_lstm_tagger", "make_tag_lemmatizer"]

register()
