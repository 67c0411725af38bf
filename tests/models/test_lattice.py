"""From the scores of a model to a lattice, whatever model it is."""

import numpy as np
import pytest
from spacy.util import registry

from spacy_lstm_tagger.models.lattice import TINY, predict_lattice

from . import make_docs, small_tok2vec


@pytest.mark.filterwarnings("error")
def test_a_probability_that_is_rounded_to_zero_excludes_no_tag():
    model = registry.get("architectures", "spacy.Tagger.v1")(small_tok2vec(), nO=3)
    model.initialize(X=make_docs())
    model.get_ref("softmax").set_param("b", np.array([200, 0, 150], dtype="f"))
    rows = predict_lattice(model, make_docs()).emissions
    assert rows.isfinite().all()
    assert rows[0].tolist() == pytest.approx([0.0, np.log(TINY), -50.0], rel=0.05)
