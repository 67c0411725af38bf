"""How sure the taggers of any pipeline are."""

import numpy as np
from numpy.testing import assert_allclose

from spacy_lstm_tagger.taggers import as_probabilities


def test_probabilities_of_logits_and_of_probabilities():
    logits = np.array([[1.0, 2.0, 3.0], [1000.0, 0.0, -1000.0]], dtype="f4")
    expected = np.array([np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum(), [1, 0, 0]])
    assert_allclose(as_probabilities(logits), expected, atol=1e-6)
    assert_allclose(as_probabilities(expected.astype("f4")), expected, atol=1e-6)
