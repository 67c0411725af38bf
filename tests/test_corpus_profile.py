"""What is counted in a corpus."""

from itertools import repeat

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from spacy_lstm_tagger.corpus_profile import CorpusProfile

VOCAB = spacy.blank("en").vocab


def example(words):
    doc = Doc(VOCAB, words=words)
    return Example(doc, Doc(VOCAB, words=words, tags=["A"] * len(words)))


@pytest.mark.parametrize(("words", "docs"), [([], 4), (["a"], 4), (["a", "b"], 2), (["a"] * 3, 2)])
def test_a_corpus_is_read_as_far_as_asked_for(words, docs):
    """Also where its docs have no words."""
    profile = CorpusProfile.of(repeat(example(words), 100), max_words=4)
    assert profile.is_cut and profile.lengths == [len(words)] * docs
    whole = CorpusProfile.of(repeat(example(words), docs), max_words=4)
    assert not whole.is_cut and whole.lengths == profile.lengths


def test_an_empty_doc_has_no_sentence():
    profile = CorpusProfile.of([example([]), example(["a"])], max_words=4)
    assert len(profile.lengths) == 2 and profile.sentences.total() == 1


def test_white_space_lacks_nothing():
    texts = (["a"], ["\n"], ["a", "\n", "b"])
    docs = [Doc(VOCAB, words=words, spaces=[False] * len(words)) for words in texts]
    tagged = Doc(VOCAB, words=["a", "b"], tags=["A", "B"])
    examples = [Example(doc, doc.copy()) for doc in docs[:2]] + [Example(docs[2], tagged)]
    profile = CorpusProfile.of(examples, max_words=9)
    assert (profile.untagged_docs, profile.misaligned) == (1, 0)
