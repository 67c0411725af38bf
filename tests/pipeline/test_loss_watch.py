"""A training that goes wrong says so: at once if it diverges, or soon if nothing is learned."""

import warnings

import numpy as np
import pytest
import spacy
import torch
from spacy.training import Example
from thinc.api import Adam, warmup_linear
from torch import nn

from spacy_lstm_tagger.models.shim import TorchShim
from spacy_lstm_tagger.pipeline.loss_watch import HOPELESS, WINDOW, LossWatch

from ..util import ARCHITECTURES, SENTENCES, make_examples, train, trained_nlp


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("rate", [1e3, 1e6])
def test_a_learn_rate_that_is_much_too_high(architecture, rate):
    nlp, _ = trained_nlp(steps=0, architecture=architecture)
    with pytest.raises(ValueError, match=r"P009.*'lstm_tagger' has diverged.*lower.*learn_rate"):
        train(nlp, make_examples(nlp), steps=30, optimizer=Adam(rate, grad_clip=5.0))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["output", "module"])
def test_weights_that_are_not_finite(architecture, bad, where):
    nlp, optimizer = trained_nlp(steps=1, architecture=architecture)
    model = nlp.get_pipe("lstm_tagger").model
    if where == "output":
        layer = model.get_ref("output_layer")
        layer.set_param("W", layer.get_param("W") * bad)
    else:
        shim = next(s for node in model.walk() for s in node.shims if isinstance(s, TorchShim))
        nn.init.constant_(next(shim.module.parameters()), bad)
    with pytest.raises(ValueError, match=r"P009"):
        train(nlp, make_examples(nlp), steps=1, optimizer=optimizer)


def test_scores_of_unannotated_tokens_count_too():
    """Their gradient is zero, but not if they are no numbers."""
    nlp, _ = trained_nlp(steps=1)
    pipe, doc = nlp.get_pipe("lstm_tagger"), nlp.make_doc("The dog")
    examples = [Example.from_dict(doc, {"words": ["The", "dog"], "tags": ["DET", ""]})]
    scores, _ = pipe.model.begin_update([eg.predicted for eg in examples])
    assert np.isfinite(pipe.get_loss(examples, scores)[0])
    scores.flat[1] = np.nan
    with pytest.raises(ValueError, match="P009"):
        pipe.get_loss(examples, scores)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_tagger_that_is_sure_may_learn_other_tags(architecture):
    """All tags change after it has learned them well: it is surprised, but not hopeless."""
    nlp, optimizer = trained_nlp(steps=0, architecture=architecture)
    optimizer.learn_rate = 0.03
    train(nlp, make_examples(nlp), steps=60, optimizer=optimizer)
    labels = nlp.get_pipe("lstm_tagger").labels
    other = dict(zip(labels, [*labels[1:], labels[0]], strict=True))
    data = [(text, " ".join(other[tag] for tag in tags.split())) for text, tags in SENTENCES]
    train(nlp, make_examples(nlp, data), steps=20, optimizer=optimizer)
    assert [token.tag_ for token in nlp(data[0][0])] == data[0][1].split()


@pytest.mark.parametrize("docs", [1, 4])
def test_a_loss_is_asked_for_once(monkeypatch, docs):
    """Which a GPU has to be waited for."""
    nlp, _ = trained_nlp(steps=1, config={"label_smoothing": 0.1})
    pipe, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp, SENTENCES[:docs])
    scores, _ = pipe.model.begin_update([eg.predicted for eg in examples])
    calls, tolist = [], torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, "tolist", lambda t: calls.append(t.shape) or tolist(t))
    for name in ("item", "__float__", "__bool__", "__int__"):
        monkeypatch.setattr(torch.Tensor, name, None)
    pipe.get_loss(examples, scores)
    assert calls == [(2,)]


# What is learned


def watch(surprisals, *, tags=(0, 0, 0, 1), progress=None):
    progress = progress or LossWatch()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for surprisal in surprisals:
            progress.update(1.0, surprisal, np.array(tags), name="mine")
    return [str(each.message) for each in caught]


FREQUENCIES = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))


def test_tags_by_their_frequency_alone():
    texts = watch([FREQUENCIES] * (6 * WINDOW))
    assert len(texts) == 1  # once
    assert f"[LW002] After {2 * WINDOW} updates 'mine' hardly" in texts[0]
    assert "learn_rate" in texts[0]


def test_the_first_updates_may_be_bad():
    assert not watch([5.0] * WINDOW + [0.1] * WINDOW * 3)
    assert not watch([5.0] * (2 * WINDOW - 1))


def test_what_was_learned_and_lost_again():
    assert len(watch([0.1] * 3 * WINDOW + [1.0] * WINDOW)) == 1


def test_tags_are_as_frequent_as_they_are_of_late():
    progress = LossWatch()
    assert not watch([0.7] * WINDOW, tags=(0, 1, 0, 1), progress=progress)
    assert len(watch([FREQUENCIES] * WINDOW, progress=progress)) == 1


def test_a_single_tag_is_no_failure():
    assert not watch([0.0, 0.01] * 3 * WINDOW, tags=[3, 3, -1])
    assert not watch([0.0] * 3 * WINDOW, tags=[-1, -2])


@pytest.mark.parametrize("surprisal", [HOPELESS + 1, np.nan, np.inf])
def test_hopeless(surprisal):
    loss = 1.0 if np.isfinite(surprisal) else surprisal
    with pytest.raises(ValueError, match=r"P009.*'mine'"):
        LossWatch().update(loss, surprisal, np.zeros(100, dtype=np.int64), name="mine")


def test_initializing_starts_anew():
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger")
    watch([FREQUENCIES] * WINDOW, progress=pipe._watch)
    nlp.initialize(lambda: make_examples(nlp))
    assert not watch([FREQUENCIES] * WINDOW, progress=pipe._watch)


# How fast


def test_a_rate_that_stays_at_zero():
    """As that of a schedule with a warm-up does where nobody makes steps."""
    nlp, _ = trained_nlp(steps=0)
    schedule = warmup_linear(0.01, warmup_steps=10, total_steps=100)
    with pytest.warns(UserWarning, match=r"LW010.*'lstm_tagger' learns nothing") as caught:
        train(nlp, make_examples(nlp), steps=5, optimizer=Adam(schedule))
    assert len(caught) == 1


def test_a_rate_that_begins_at_zero():
    """Also where one step is an update and a rehearsal, and where training begins again."""
    nlp, _ = trained_nlp(steps=0)
    nlp.resume_training()
    for _ in range(2):
        optimizer = Adam(warmup_linear(0.01, warmup_steps=10, total_steps=100))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _ in range(3):
                train(nlp, make_examples(nlp), steps=1, optimizer=optimizer)
                nlp.rehearse(make_examples(nlp), sgd=optimizer)
                optimizer.step_schedules()


def test_a_single_word_that_is_corrected():
    """A tagger may be very sure that it was right, and go on; of many words it may not."""
    watch = LossWatch()
    watch.update(1.0, HOPELESS + 10, np.array([3, -1]), name="tagger")
    with pytest.raises(ValueError, match="P009"):
        watch.update(1.0, HOPELESS + 10, np.full(100, 3), name="tagger")
