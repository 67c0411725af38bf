"""Tests of the Thinc models, and the small models and docs that they share."""

import contextlib
import dis
import itertools
import sys

import numpy as np
import spacy
from spacy.tokens import Doc
from spacy.util import registry

from spacy_lstm_tagger.models.architectures import (
    build_lstm_encoder,
    build_tagger,
    build_word_char_embed,
)

from ..util import PLAIN, tok2vec_config

SMALL_EMBED = {
    "word_width": 6,
    "word_rows": 50,
    "char_width": 3,
    "char_rows": 50,
    "char_hidden_width": 4,
    "feature_width": 3,
    "feature_rows": 50,
}
VOCAB = spacy.blank("xx").vocab
WORDS = [
    ["The", "dog", "ate", "the", "apple"],
    ["Everybody", "read", "that", "book", ",", "quickly"],
    ["Dogs"],
]
TAGS = [["DET", "NN", "V", "DET", "NN"], ["NN", "V", "DET", "NN", "PUNCT", "ADV"], ["NN"]]


def make_docs(*words, vocab=VOCAB):
    """RETURNS (list): A doc of each list of words."""
    return [Doc(vocab, words=list(each)) for each in words or WORDS]


def make_batch(lengths, width):
    """RETURNS (list): An array of random vectors for each doc."""
    rng = np.random.default_rng(0)
    return [rng.normal(size=(length, width)).astype("f") for length in lengths]


def small_embed(**sizes):
    return build_word_char_embed(**{"width": 8, **SMALL_EMBED, **sizes})


def small_encoder(**sizes):
    return build_lstm_encoder(**{**PLAIN, "width": 6, "input_width": 5, "depth": 2, **sizes})


def small_tok2vec(**sizes):
    config = tok2vec_config(**{"width": 8, "embed_width": 6, "depth": 1, **SMALL_EMBED, **sizes})
    return registry.resolve({"model": config})["model"]


def small_tagger(n_tags=4, **sizes):
    """RETURNS (Model): A tagger that is ready for use."""
    model = build_tagger(tok2vec=small_tok2vec(**sizes), nO=n_tags)
    model.initialize(X=make_docs())
    return model


def learn_vocabulary(model, docs=None):
    """Let the embedding layer see docs in training, without a change of its weights."""
    model.begin_update(docs or make_docs())
    return model


def assert_same(found, expected, atol=1e-6):
    """Check two lists of arrays."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol, rtol=1e-5)


@contextlib.contextmanager
def interrupted_at_jump(place, module):
    """Raise at the nth place in a file at which a loop jumps back: there Python calls the handlers
    of signals.

    YIELDS (list): Not empty after the block if there are so many places.
    """
    jumps, found, before = itertools.count(), [], sys.gettrace()

    def trace(frame, event, argument):
        frame.f_trace_opcodes = True
        if event == "opcode" and frame.f_code.co_filename == module.__file__:
            name = dis.opname[frame.f_code.co_code[frame.f_lasti]]
            if name.startswith(("JUMP_BACKWARD", "JUMP_ABSOLUTE")) and next(jumps) == place:
                raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        yield found
    except KeyboardInterrupt:
        found.append(place)
    finally:
        sys.settrace(before)
