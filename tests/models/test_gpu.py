"""On a GPU the models compute what they compute on a CPU, train, and save files that load on one."""

import pytest
import spacy
import torch
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import Adam, get_current_ops, require_cpu, require_gpu, set_current_ops
from thinc.compat import has_cupy_gpu

from ..util import tok2vec_config
from . import TAGS, WORDS, assert_same, make_docs, small_tagger

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no CUDA device"),
    pytest.mark.skipif(not has_cupy_gpu, reason="CuPy, by which Thinc uses a GPU, is not here"),
]
# TensorFloat-32 rounds the factors of a product to 10 bits.
TOLERANCE = 5e-3


@pytest.fixture
def gpu():
    """Models that are built in the test lie on the GPU."""
    ops = get_current_ops()
    require_gpu()
    try:
        yield
    finally:
        require_cpu()
        set_current_ops(ops)


def on_cpu(arrays):
    """RETURNS (list): The arrays, which must be on the GPU, as numpy arrays."""
    assert all(hasattr(array, "get") for array in arrays)
    return [array.get() for array in arrays]


def batch():
    return make_docs(*WORDS, [], ["dog"], ["zebra"] * 40)


@pytest.fixture
def cpu_model():
    """A model with a vocabulary, made on the CPU."""
    require_cpu()
    fix_random_seed(0)
    model = small_tagger(depth=2, word_dropout=0.0)
    model.begin_update(make_docs())
    return model


@pytest.fixture
def files(cpu_model):
    """What the CPU's model is, computes, and learns in one step."""
    scores = [array.copy() for array in cpu_model.predict(batch())]
    data = cpu_model.to_bytes()
    Y, backprop = cpu_model.begin_update(make_docs())
    backprop(Y)
    cpu_model.finish_update(Adam(0.01))
    return data, scores, cpu_model.predict(batch())


def load(data, **sizes):
    return small_tagger(depth=2, word_dropout=0.0, **sizes).from_bytes(data)


def test_scores_are_those_of_the_cpu(files, gpu):
    data, scores, _ = files
    model = load(data)
    assert all(
        p.is_cuda for node in model.walk() for s in node.shims for p in s.module.parameters()
    )
    for _ in range(2):  # computed, then from the cache
        assert_same(on_cpu(model.predict(batch())), scores, atol=TOLERANCE)


def test_a_step_of_training_is_that_of_the_cpu(files, gpu):
    data, scores, trained = files
    model = load(data)
    pointers = pointers_of(model)
    Y, backprop = model.begin_update(make_docs())
    backprop(Y)
    model.finish_update(Adam(0.01))
    found = on_cpu(model.predict(batch()))
    # Adam divides by the gradient's size, so a tiny gradient may step in either direction.
    assert abs(found[0] - trained[0]).mean() < 0.2 * abs(trained[0] - scores[0]).mean()
    assert pointers_of(model) == pointers


def pointers_of(model):
    return [
        p.data_ptr() for node in model.walk() for s in node.shims for p in s.module.parameters()
    ]


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_mixed_precision_is_close(precision, files, gpu):
    data, scores, _ = files
    found = on_cpu(load(data, precision=precision).predict(batch()))
    assert all(array.dtype == "float32" for array in found)
    assert_same(found, scores, atol=0.05)
    assert abs(found[0] - scores[0]).max() > 0


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_a_tagger_learns(precision, gpu):
    fix_random_seed(0)
    nlp = spacy.blank("en")
    tok2vec = tok2vec_config(width=16, depth=1, embed_width=16, precision=precision)
    model = {"@architectures": "spacy-lstm-tagger.Tagger.v1", "tok2vec": tok2vec}
    nlp.add_pipe("tagger", config={"model": model})
    examples = [
        Example.from_dict(doc, {"tags": tags})
        for doc, tags in zip(make_docs(vocab=nlp.vocab), TAGS, strict=True)
    ]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.02
    for _ in range(40):
        nlp.update(examples, sgd=optimizer, drop=0.1)
    with nlp.use_params(optimizer.averages):
        tagged = list(nlp.pipe(make_docs(vocab=nlp.vocab)))
    assert [[token.tag_ for token in doc] for doc in tagged] == TAGS


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize("words", [[[]], [[], []], [[], ["dog"]]])
def test_empty_docs(words, precision, gpu):
    model, docs = small_tagger(precision=precision), make_docs(*words)
    Y, backprop = model.begin_update(docs)
    backprop(Y)
    model.finish_update(Adam(0.01))
    assert [len(scores) for scores in model.predict(docs)] == [len(each) for each in words]


def test_gradients_of_several_batches_add_up_in_fp16(files, gpu):
    """Each batch's gradients are scaled back by themselves."""
    data, _, _ = files
    once, twice = (load(data, precision="fp16") for _ in range(2))
    Y, backprop = once.begin_update(make_docs() * 2)
    backprop(Y)
    for _ in range(2):
        Y, backprop = twice.begin_update(make_docs())
        backprop(Y)
    for one, two in zip(once.walk(), twice.walk(), strict=True):
        for a, b in zip(one.shims, two.shims, strict=True):
            for p, q in zip(a.module.parameters(), b.module.parameters(), strict=True):
                scale = max(1e-3, p.grad.abs().max().item())
                assert (p.grad - q.grad).abs().max().item() < 0.05 * scale


def test_a_file_from_the_gpu_loads_on_the_cpu(files, gpu):
    data, _, _ = files
    model = load(data)
    saved = model.to_bytes()
    scores = on_cpu(model.predict(batch()))
    require_cpu()
    assert_same(load(saved).predict(batch()), scores, atol=TOLERANCE)


def test_a_model_moves_to_the_gpu_and_back(cpu_model):
    scores = [array.copy() for array in cpu_model.predict(batch())]
    ops = get_current_ops()
    try:
        require_gpu()
        cpu_model.to_gpu(0)
        assert_same(on_cpu(cpu_model.predict(batch())), scores, atol=TOLERANCE)
    finally:
        require_cpu()
        set_current_ops(ops)
    cpu_model.to_cpu()
    assert_same(cpu_model.predict(batch()), scores)
