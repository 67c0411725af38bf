"""The pipeline components."""

from .extensions import register
from .factory import make_lstm_tagger
from .lstm_tagger import LSTMTagger
from .paragraph_senter import ParagraphSenter, make_paragraph_senter
from .tag_lemmatizer import TagLemmatizer, make_tag_lemmatizer
from .tag_morphologizer import TagMorphologizer, make_tag_morphologizer

__all__ = [
    "LSTMTagger",
    "ParagraphSenter",
    "TagLemmatizer",
    "TagMorphologizer",
    "make_lstm_tagger",
    "make_paragraph_senter",
    "make_tag_lemmatizer",
    "make_tag_morphologizer",
]

register()
