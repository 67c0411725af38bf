"""What a GPU is asked to do for a batch of about 4,000 words of `configs/gpu.cfg`, in its bounds."""

import copy

import pytest
import torch
from spacy.training.batchers import minibatch_by_words
from spacy.util import registry
from thinc.api import Adam

from spacy_lstm_tagger.nn.kernel import LSTMLayer

from .pretend import Kind, counting
from .util import PRECISIONS, device_of, nlp_from, on, with_precision

pytestmark = pytest.mark.counts


@pytest.fixture(scope="module", params=PRECISIONS)
def nlp(request):
    return nlp_from("gpu.cfg", with_precision("gpu.cfg", request.param))


@pytest.fixture(scope="module")
def batch(nlp):
    corpus = registry.resolve(nlp.config.interpolate()["corpora"])["train"]
    return next(minibatch_by_words(corpus(nlp), 4000))


@pytest.fixture(scope="module")
def optimizer(nlp, batch):
    optimizer = Adam(0.001, grad_clip=5.0, use_averages=True)
    with on("gpu"):
        nlp.update(batch, sgd=optimizer, drop=0.33)  # the first one allocates
    assert device_of(nlp) == "gpu"
    return optimizer


def test_a_step_of_training_waits_at_most_8_times(nlp, batch, optimizer):
    assert 3500 < sum(len(eg.predicted) for eg in batch) < 4500
    with counting() as counts:
        nlp.update(batch, sgd=optimizer, drop=0.33)
    waits = counts.only(Kind.SYNC)
    assert waits.total() <= 8, waits


def test_the_optimizer_takes_at_most_60_kernels_and_exchanges(nlp, batch, optimizer):
    nlp.update(batch, sgd=None, drop=0.33)
    with counting() as counts:
        for _, pipe in nlp.pipeline:
            pipe.finish_update(optimizer)
    launches = counts.only(Kind.KERNEL, Kind.EXCHANGE)
    assert launches.total() <= 60, launches


def test_tagging_waits_at_most_3_times_a_batch(nlp, batch, optimizer):
    for _ in range(2):  # of new words, and of known ones
        docs = [nlp.make_doc(eg.reference.text) for eg in batch]
        with counting() as counts:
            list(nlp.pipe(docs, batch_size=len(docs)))
        waits = counts.only(Kind.SYNC)
        assert waits.total() <= 3, waits


def test_weights_are_ready_for_cudnn(nlp, batch, optimizer):
    """They are neither cast nor gathered anew for each call, in the copy that rehearsal needs too."""
    nlp.resume_training(sgd=optimizer)
    with counting() as counts:
        nlp.update(batch, sgd=optimizer)
        nlp.rehearse(batch, sgd=optimizer)
        with nlp.use_params(optimizer.averages):
            list(nlp.pipe([eg.predicted.copy() for eg in batch]))
    calls = counts.of("cuDNN's LSTM")
    assert calls > 20 and not counts.of("cuDNN's weights made flat"), counts
    assert counts.of("_to_copy") < 3 * calls, counts  # there and back, with the inputs


def test_weights_of_a_copied_layer_are_ready_for_cudnn():
    layer = copy.deepcopy(LSTMLayer(4, 6).to("cuda")).train()
    with counting() as counts:
        states = layer.run(torch.randn(3, 2, 4).to("cuda"), layer.arranged(torch.float32))
        states.sum().backward()
    assert counts.of("cuDNN's LSTM") and not counts.of("cuDNN's weights made flat"), counts
