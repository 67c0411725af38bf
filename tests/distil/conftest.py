"""Shards that tests of several readers read."""

import pytest
import spacy

from spacy_lstm_tagger.distil.shards import to_bytes

from . import make_doc


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


@pytest.fixture
def shards(tmp_path, nlp):
    """Three shards of four docs, each of some sentences."""
    for shard in range(3):
        docs = [make_doc(nlp.vocab, [2, 1, 3, 2], 4 * shard + i) for i in range(4)]
        (tmp_path / f"shard-{shard}.spacy").write_bytes(to_bytes(docs))
    return tmp_path
