"""Auxiliary losses: tokens' vectors learn more than tags in training, and tagging stays as it is."""

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import SGD, Adam, NumpyOps, Softmax_v2, chain, with_array
from torch.nn.functional import binary_cross_entropy_with_logits

from spacy_lstm_tagger.pipeline import LSTMTagger
from spacy_lstm_tagger.pipeline.auxiliary import TASKS, AuxiliaryTasks

from ..conftest import small_model, train, trained_nlp

VOCAB = spacy.blank("en").vocab
WORDS = ["the", "old", "men", "sleep"]
ANNOTATION = {
    "tags": ["DT", "JJ", "NNS", "VBP"],
    "pos": ["DET", "ADJ", "NOUN", "VERB"],
    "morphs": ["Definite=Def|PronType=Art", "Degree=Pos", "Number=Plur", ""],
}


def example(predicted=None, **annotation):
    reference = Doc(VOCAB, words=WORDS, **{**ANNOTATION, **annotation})
    return Example(Doc(VOCAB, words=predicted or WORDS), reference)


def tagger(auxiliary, *, architecture="spacy-lstm-tagger.Tagger.v1", seed=0, examples=None):
    """RETURNS (Language): An initialized pipeline that learns these tasks."""
    fix_random_seed(seed)
    nlp = spacy.blank("en")
    model = {**small_model(word_dropout=0.0), "@architectures": architecture}
    nlp.add_pipe("lstm_tagger", config={"model": model, "auxiliary": auxiliary})
    nlp.initialize(lambda: examples or [example()])
    return nlp


@pytest.mark.parametrize(
    "architecture",
    ["spacy-lstm-tagger.Tagger.v1", "spacy-lstm-tagger.CRFTagger.v1", "spacy.Tagger.v2"],
)
def test_vectors_learn_the_tasks(architecture):
    """Without tags to learn from, a probe finds the coarse tags in vectors that learned them."""
    examples = [example(tags=[""] * 4), example()]
    nlp = tagger({"pos": 1.0}, architecture=architecture, examples=examples)
    pipe = nlp.get_pipe("lstm_tagger")
    before = task_loss(pipe, examples)
    train(nlp, examples[:1], steps=40, optimizer=Adam(0.01))
    assert task_loss(pipe, examples) < 0.2 * before


def task_loss(pipe, examples):
    """RETURNS (float): The loss of the coarse tags, with the map that the tagger has by now."""
    vectors = pipe.model.get_ref("tok2vec").predict([eg.predicted for eg in examples])
    flat = np.concatenate(vectors)
    has, _ = TASKS["pos"]()(examples)
    heads = pipe._auxiliary._heads
    logits = heads["pos"].predict(flat) if heads else np.zeros((len(flat), 512), "f")
    return binary_cross_entropy_with_logits(
        torch.tensor(logits[:, : has.shape[1]]), torch.tensor(has, dtype=torch.float32)
    ).item()


def test_tagging_knows_nothing_of_it(tmp_path):
    """The model that is saved is that of a tagger without tasks, and loads as one."""
    nlp = tagger({"pos": 0.5, "morph": 0.5, "frequency": 0.1})
    plain = tagger(None)
    for each in (nlp, plain):
        train(each, [example()], steps=3, optimizer=Adam(0.01))
    nlp.to_disk(tmp_path)
    saved = (tmp_path / "lstm_tagger" / "model").stat().st_size
    assert saved == len(plain.get_pipe("lstm_tagger").model.to_bytes())
    doc = nlp(Doc(nlp.vocab, words=WORDS))
    again = spacy.load(tmp_path)
    assert again.get_pipe("lstm_tagger").cfg == plain.get_pipe("lstm_tagger").cfg
    assert [t.tag_ for t in again(Doc(again.vocab, words=WORDS))] == [t.tag_ for t in doc]
    train(again, [example()], steps=3, optimizer=again.resume_training())


def test_no_weight_changes_nothing():
    weights = []
    for auxiliary in (None, {"morph": 0.0}):
        nlp = tagger(auxiliary)
        train(nlp, [example()], steps=5, optimizer=Adam(0.01))
        weights.append(nlp.get_pipe("lstm_tagger").model.to_bytes())
    assert weights[0] == weights[1]


@pytest.mark.parametrize("task", TASKS)
def test_gradient_is_that_of_the_loss(task):
    examples = [example(), example(pos=["", "ADJ", "", "VERB"])]
    tasks = AuxiliaryTasks({task: 0.3})
    vectors = np.random.default_rng(0).normal(size=(8, 6)).astype("f")
    gradient = tasks.learn(NumpyOps(), examples, [vectors[:4], vectors[4:]])
    has, known = TASKS[task]()(examples)
    head = tasks._heads[task]
    x = torch.tensor(vectors, requires_grad=True)
    W, b = (torch.tensor(head.get_param(name), requires_grad=True) for name in ("W", "b"))
    logits = (x @ W.T + b)[:, : has.shape[1]]
    targets = torch.tensor(has, dtype=torch.float32)
    loss = binary_cross_entropy_with_logits(logits, targets, reduction="none")
    (0.3 * loss[torch.tensor(known)].sum()).backward()
    assert_allclose(gradient, x.grad, atol=1e-5)
    assert_allclose(head.get_grad("W"), W.grad, atol=1e-5)
    assert_allclose(head.get_grad("b"), b.grad, atol=1e-5)


def test_weights_move_when_the_update_is_finished():
    """As with gradients that are accumulated over batches."""
    pipe = tagger({"pos": 1.0}).get_pipe("lstm_tagger")
    pipe.update([example()])
    head = pipe._auxiliary._heads["pos"]
    before, gradient = head.get_param("W").copy(), head.get_grad("W").copy()
    pipe.update([example()])
    assert_array_equal(head.get_param("W"), before)
    assert_allclose(head.get_grad("W"), 2 * gradient, atol=1e-5)
    pipe.finish_update(SGD(0.1, L2=0.0, grad_clip=0.0))
    assert_allclose(head.get_param("W"), before - 0.2 * gradient, atol=1e-5)


def test_shared_tok2vec_learns_too():
    """Behind a listener, the gradient goes on to the layer that it listens to."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": small_model()["tok2vec"]})
    model = {
        "@architectures": "spacy-lstm-tagger.Tagger.v1",
        "tok2vec": {"@architectures": "spacy.Tok2VecListener.v1", "width": 32},
    }
    nlp.add_pipe("lstm_tagger", config={"model": model, "auxiliary": {"morph": 1.0}})
    nlp.initialize(lambda: [example()])
    encoder = nlp.get_pipe("tok2vec").model
    before = encoder.predict([example().predicted])[0].copy()
    nlp.update([example(tags=[""] * 4)], sgd=Adam(0.01))
    assert not np.allclose(before, encoder.predict([example().predicted])[0])


def test_properties_of_tokens():
    has, known = TASKS["pos"]()([example(), example(pos=["VERB", "", "DET", "X"])])
    assert known.tolist() == [True] * 5 + [False] + [True] * 2
    assert has.sum(axis=1).tolist() == known.tolist()
    assert_array_equal(has[0], has[6])
    assert_array_equal(has[3], has[4])
    has, known = TASKS["morph"]()([example()])
    assert known.all()  # having no feature is known of the last one
    assert has.sum(axis=1).tolist() == [2, 1, 1, 0]


def test_other_tokens_are_aligned():
    has, known = TASKS["morph"]()([example(predicted=["the", "old", "men", "sle", "ep"])])
    assert known[:3].all()
    assert has[:3].sum(axis=1).tolist() == [2, 1, 1]


def test_unannotated_data_has_nothing_to_tell():
    doc = Doc(VOCAB, words=WORDS)
    for task in ("pos", "morph"):
        assert not TASKS[task]()([Example(doc.copy(), doc)])[1].any()
    gradient = AuxiliaryTasks({"pos": 1.0}).learn(
        NumpyOps(), [Example(doc.copy(), doc)], [np.ones((4, 3), "f")]
    )
    assert not gradient.any()


def test_frequency_goes_by_steps_of_the_logarithm():
    task = TASKS["frequency"]()
    doc = Doc(VOCAB, words=["a"] * 50 + ["b"] * 49 + ["c"])
    has, known = task([Example(doc.copy(), doc)])
    assert known.all()
    assert_array_equal(has[0], has[50])  # log(2) and log(100/49) are in the first step
    assert has[99].argmax() != has[0].argmax()
    assert_array_equal(has.sum(axis=1), np.ones(100))


def test_too_many_properties(monkeypatch):
    """Those that come later are left out."""
    monkeypatch.setattr("spacy_lstm_tagger.pipeline.auxiliary.ROWS", 2)
    has, known = TASKS["pos"]()([example()])
    assert known.all()
    assert has.sum(axis=1).tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("auxiliary", "named"),
    [
        ({"xpos": 0.1}, "'xpos' is not allowed: the tasks are 'pos'"),
        ({"pos": -1.0}, "auxiliary.pos"),
    ],
)
def test_bad_settings(auxiliary, named):
    with pytest.raises(ValueError, match=named):
        trained_nlp(0, config={"auxiliary": auxiliary})


def test_model_of_another_make():
    model = chain(with_array(Softmax_v2(3, 4)), with_array(Softmax_v2(3, 3)))
    with pytest.raises(ValueError, match="P017"):
        LSTMTagger(VOCAB, model, auxiliary={"pos": 0.1})
