"""A part-of-speech tagger for spaCy: word + character LSTM."""

__version__ = "0.1.0"
