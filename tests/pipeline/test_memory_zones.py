"""What is written in a memory zone can be read after it, and what was read in one be written."""

import numpy as np
import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_lstm_tagger.pipeline.annotations import annotate
from spacy_lstm_tagger.readers.encoded import Strings


def test_features_whose_string_was_one_of_a_memory_zone():
    """spaCy's table of features outlives it, and adds it no more."""
    vocab, feats = Vocab(), "Case=Acc|Number=Sing"
    with vocab.memory_zone():
        vocab.strings.add(feats)  # as `DocBin.get_docs` does
        vocab.morphology.add(feats)
    doc = Doc(vocab, words=["apple"])
    tagged = {"tag_set": "upos+feats", "overwrite": False}
    annotate([doc], [np.array([0])], [f"NOUN|{feats}"], **tagged)
    assert str(doc[0].morph) == feats
    with vocab.memory_zone():
        Doc(vocab, words=["apple"])
    assert vocab.strings[Strings(vocab).add_morph(feats)] == feats


@pytest.mark.parametrize("reads", [False, True])
def test_features_of_a_memory_zone_outlive_it(reads):
    """So does spaCy's table of them, which other components use."""
    vocab, feats = Vocab(), "Case=Acc|Number=Sing"
    with vocab.memory_zone():
        doc = Doc(vocab, words=["apple"])
        if reads:
            doc.from_array(["MORPH"], np.array([Strings(vocab).add_morph(feats)], dtype=np.uint64))
        else:
            tagged = {"tag_set": "upos+feats", "overwrite": False}
            annotate([doc], [np.array([0])], [f"NOUN|{feats}"], **tagged)
    doc = Doc(vocab, words=["apple"])
    doc[0].set_morph(feats)
    assert str(doc[0].morph) == feats
