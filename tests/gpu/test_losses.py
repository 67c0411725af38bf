"""A loss makes the CPU wait for the GPU once, whatever is asked of it."""

import pytest

from ..util import make_examples, trained_nlp
from .pretend import Kind, counting
from .util import on

pytestmark = pytest.mark.counts
SETTINGS = {"label_smoothing": 0.1, "class_weights": {"NN": 2.0}, "tag_separator": "|"}
DATA = [("The dog ate", "DET NN|V V"), ("I slept", "PRP V")]


@pytest.mark.parametrize(
    ("architecture", "waits"),
    [("Tagger", 1), ("CRFTagger", 1 + 4)],  # four copies are of the plan of a CRF's steps
)
@pytest.mark.parametrize("settings", [{}, SETTINGS], ids=["plain", "settings"])
def test_waits(architecture, waits, settings):
    with on("gpu"):
        nlp, _ = trained_nlp(steps=2, architecture=architecture, config=settings)
        pipe = nlp.get_pipe("lstm_tagger")
        examples = make_examples(nlp, DATA if settings else DATA[1:])
        scores, _ = pipe.model.begin_update([eg.predicted for eg in examples])
        with counting() as counts:
            pipe.get_loss(examples, scores)
        assert counts.only(Kind.SYNC).total() <= waits, counts
