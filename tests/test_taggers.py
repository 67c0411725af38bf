"""How sure the taggers of any pipeline are."""

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose

from spacy_lstm_tagger.taggers import as_probabilities, tagger_name


def test_probabilities_of_logits_and_of_probabilities():
    logits = np.array([[1.0, 2.0, 3.0], [1000.0, 0.0, -1000.0]], dtype="f4")
    expected = np.array([np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum(), [1, 0, 0]])
    assert_allclose(as_probabilities(logits), expected, atol=1e-6)
    assert_allclose(as_probabilities(expected.astype("f4")), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("overwrite", "name"), [((False, False), "a"), ((True, False), "a"), ((False, True), "b")]
)
def test_whose_tags_are_in_docs(overwrite, name):
    nlp = spacy.blank("en")
    for each, value in zip("ab", overwrite, strict=True):
        nlp.add_pipe("tagger", name=each, config={"overwrite": value})
    assert tagger_name(nlp) == name and tagger_name(spacy.blank("en")) is None
