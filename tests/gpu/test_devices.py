"""A pipeline works on its own device, whichever is current: two of them, in turn."""

import pytest

from ..util import ARCHITECTURES, TAGS, TEXTS, make_examples, scores_of, tags_of, train, trained_nlp
from .util import TOLERANCE, assert_close, device_of, on

SIZES = {"depth": 2, "lm_weight": 0.1, "char_lm_weight": 0.03}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def original(request):
    config = {"label_smoothing": 0.05}
    with on("cpu"):
        return trained_nlp(steps=10, architecture=request.param, config=config, **SIZES)[0]


def test_in_turn(pair):
    optimizers = []
    for nlp in pair:
        with on(device_of(nlp)):
            optimizers.append(nlp.resume_training())
        optimizers[-1].learn_rate = 0.01
    with on("gpu"):
        for _ in range(20):
            for nlp, optimizer in zip(pair, optimizers, strict=True):
                train(nlp, make_examples(nlp), steps=1, optimizer=optimizer)
        for nlp, optimizer in zip(pair, optimizers, strict=True):
            nlp.get_pipe("lstm_tagger").cfg.update(save_probabilities=True, n_best=2)
            with nlp.use_params(optimizer.averages):
                assert nlp.evaluate(make_examples(nlp))["tag_acc"] > 0.9
            nlp.rehearse(make_examples(nlp), sgd=optimizer)
            nlp.get_pipe("lstm_tagger").set_tag_dictionary({"dog": ["NN"]})
            tagged = list(nlp.pipe(TEXTS))
            assert tags_of(tagged) == TAGS
    assert [device_of(nlp) for nlp in pair] == ["cpu", "gpu"]


def test_it_is_loaded_where_it_is(pair):
    for nlp in pair:
        before, data = tags_of(nlp.pipe(TEXTS)), nlp.to_bytes()
        with on("gpu"):
            nlp.from_bytes(data)
        assert tags_of(nlp.pipe(TEXTS)) == before
    assert [device_of(nlp) for nlp in pair] == ["cpu", "gpu"]


@pytest.mark.parametrize("current", ["cpu", "gpu"])
def test_they_compute_the_same(pair, current):
    """In a new thread the CPU is current, whatever is in the main one."""
    with on(current):
        docs = [[nlp.make_doc(text) for text in TEXTS] for nlp in pair]
        scores = [
            scores_of(nlp.get_pipe("lstm_tagger"), each)
            for nlp, each in zip(pair, docs, strict=True)
        ]
    assert_close(*scores, atol=TOLERANCE["fp32"])
