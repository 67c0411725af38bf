"""What makes tagging fast, guarded by counts and not by clocks."""

from dataclasses import replace

import pytest
import spacy
import torch
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_lstm_tagger.nn.buckets import kept_buckets
from spacy_lstm_tagger.nn.embedding import WordEmbedding
from spacy_lstm_tagger.nn.kernel import LSTMLayer

from . import small_tok2vec

TEXTS = ["the dog ate the apple", "everybody read that book", "the book ate that dog", "read"]


@pytest.fixture
def docs():
    nlp = spacy.blank("en")
    return [nlp(text) for text in TEXTS]


@pytest.fixture
def model():
    return small_tok2vec(depth=2)


@pytest.fixture
def counts(monkeypatch):
    """Counts kernel calls, distinct words encoded and copies to the device."""
    found = {"kernel calls": 0, "types": 0, "copies": 0}
    run, embed, to = LSTMLayer.run, WordEmbedding.forward, torch.Tensor.to

    def count_run(self, *args):
        found["kernel calls"] += 1
        return run(self, *args)

    def count_types(self, features, *args, **kwargs):
        found["types"] += features.shape[1]
        return embed(self, features, *args, **kwargs)

    def count_copies(self, *args, **kwargs):
        # Vectors pass between the layers on the device: only indices come from outside.
        to_device = any(isinstance(arg, (torch.device, str)) for arg in args)
        found["copies"] += to_device and self.dtype == torch.int64
        return to(self, *args, **kwargs)

    monkeypatch.setattr(LSTMLayer, "run", count_run)
    monkeypatch.setattr(WordEmbedding, "forward", count_types)
    monkeypatch.setattr(torch.Tensor, "to", count_copies)
    return found


def test_tagging(model, docs, counts):
    model.predict(docs)
    n_types = len({token.text for doc in docs for token in doc})
    assert counts["types"] == n_types
    # Two directions of letters in buckets of words, two layers of two directions in one of docs.
    assert counts["kernel calls"] <= 2 * 2 + 2 * 2
    # The new words, the index of tokens to words, the encoder's plan.
    assert counts["copies"] == 3
    # Words that were met before cost nothing but their place.
    model.predict(docs[::-1])
    assert counts["types"] == n_types
    assert counts["copies"] == 5


def test_the_plan_of_a_short_lone_doc_is_kept(model, docs, counts):
    model.predict(docs)
    kept_buckets.cache_clear()
    for window, expected in ((256, 2), (256, 1), (2, 2), (2, 1)):
        attrs = model.get_ref("encode").attrs
        attrs["settings"] = replace(attrs["settings"], window=window)
        counts["copies"] = 0
        # Another doc of as many words each time: the index of tokens to words has to be sent.
        model.predict([docs[0] if expected == 2 else docs[2]])
        assert counts["copies"] == expected


def test_plans_of_few_new_words_are_kept(model):
    vocab = Vocab()
    kept_buckets.cache_clear()
    misses = []
    for words in (["one", "two"], ["six", "ten"], ["six", "seven"]):
        model.predict([Doc(vocab, words=words)])
        misses.append(kept_buckets.cache_info().misses)
    # The plan of the letters and that of the doc; the letters of a single new word.
    assert misses == [2, 2, 3]


def test_training(model, docs, counts):
    model.begin_update(docs)
    assert counts["types"] == len({token.text for doc in docs for token in doc})
    assert counts["copies"] == 2  # one a layer


def test_many_docs_need_few_calls(docs, counts):
    """Kernel calls follow the number of lengths, not of docs."""
    model = small_tok2vec(depth=2)
    model.predict(docs * 500)
    assert counts["kernel calls"] <= 2 * 3 + 4 * 3
