"""A step of training and one of rehearsal: what they take, and what they leave as it was."""

from functools import partial

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from ..util import ARCHITECTURES, make_examples, scores_of, small_model, trained_nlp


def test_losses_of_several_batches_add_up():
    nlp, _ = trained_nlp(steps=1, word_dropout=0.0)
    pipe, examples, losses = nlp.get_pipe("lstm_tagger"), make_examples(nlp), {"ner": 1.0}
    first = pipe.update(examples, losses=losses)["lstm_tagger"]
    assert pipe.update(examples, losses=losses) is losses
    assert losses == {"ner": 1.0, "lstm_tagger": pytest.approx(2 * first)} and first > 0.0


def test_without_losses_and_an_optimizer():
    """As in spaCy, `False` is no optimizer either: gradients are there, the weights stay."""
    nlp, _ = trained_nlp(steps=1, word_dropout=0.0)
    pipe, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    losses = [pipe.update(examples, sgd=sgd) for sgd in (None, False)]
    assert losses[0] == losses[1] and losses[0]["lstm_tagger"] > 0.0


def test_nothing_is_learned_of_docs_without_a_word():
    nlp, optimizer = trained_nlp(steps=1)
    examples = [Example.from_dict(nlp.make_doc(""), {"tags": []})]
    nlp.resume_training()
    pipe, docs = nlp.get_pipe("lstm_tagger"), [nlp.make_doc("I slept")]
    before = scores_of(pipe, docs)[0].tolist()
    for learn in (pipe.update, pipe.rehearse):
        assert learn(examples, sgd=optimizer, losses={}) == {"lstm_tagger": 0.0}
    assert scores_of(pipe, docs)[0].tolist() == before


def test_nothing_is_rehearsed_before_training_is_resumed():
    nlp, optimizer = trained_nlp(steps=1)
    losses = nlp.rehearse(make_examples(nlp), sgd=optimizer, losses={})
    assert losses == {"lstm_tagger": 0.0}


def test_what_are_no_examples():
    nlp, _ = trained_nlp(steps=1)
    pipe = nlp.get_pipe("lstm_tagger")
    for learn in (pipe.update, pipe.rehearse, partial(pipe.get_loss, scores=[])):
        name = getattr(learn, "func", learn).__name__
        with pytest.raises(TypeError, match=rf"E978.*LSTMTagger\.{name}"):
            learn([nlp.make_doc("I slept")])


def test_weights_are_given_back_where_an_error_ends_their_use():
    nlp, optimizer = trained_nlp(steps=5)
    pipe, docs = nlp.get_pipe("lstm_tagger"), [nlp.make_doc("I slept")]
    before = scores_of(pipe, docs)[0].tolist()
    use = pipe.use_params(optimizer.averages)
    next(use)
    assert scores_of(pipe, docs)[0].tolist() != before
    use.close()
    assert scores_of(pipe, docs)[0].tolist() == before


def test_an_error_tells_which_tagger_diverged():
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger", name="fine_tags", config={"model": small_model()})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    scores = pipe.model.predict([eg.predicted for eg in examples])
    with pytest.raises(ValueError, match=r"P009.*fine_tags"):
        pipe.get_loss(examples, [each * float("nan") for each in scores])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_docs_whose_tokens_are_not_those_of_the_data(architecture):
    """White space is that of the docs that are tagged."""
    nlp, _ = trained_nlp(steps=1, architecture=architecture)
    predicted = Doc(nlp.vocab, words=["icecream", "is", "\n", "gone"])
    words, tags = ["ice", "cream", "is", "\n", "gone"], ["DET", "NN", "V", "_SP", "V"]
    reference = Doc(nlp.vocab, words=words, tags=tags)
    example = Example(predicted, reference)
    scores, _ = nlp.get_pipe("lstm_tagger").model.begin_update([predicted])
    _, (gradient,) = nlp.get_pipe("lstm_tagger").get_loss([example], scores)
    learned = [architecture == "CRFTagger", True, False, True]  # of a chain all of them
    assert gradient.any(axis=1).tolist() == learned


def test_no_dropout_rate():
    nlp, _ = trained_nlp(steps=1)
    assert nlp.update(make_examples(nlp), drop=None)["lstm_tagger"] > 0.0


@pytest.mark.parametrize("drop", [1.0, -0.1, "0.1"])
def test_a_dropout_rate_that_is_none(drop):
    nlp, _ = trained_nlp(steps=1)
    with pytest.raises(ValueError, match=r"M001.*dropout = .*from 0 up to below 1"):
        nlp.update(make_examples(nlp), drop=drop)
