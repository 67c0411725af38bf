"""The models compute on a GPU what they compute on a CPU, learn the same, and go back and forth."""

import warnings

import numpy as np
import pytest
from spacy.util import fix_random_seed
from spacy.vectors import Vectors
from thinc.api import SGD, Adam

from spacy_lstm_tagger.distil.vocabulary import fill_pretrained

from ..models import WORDS, make_docs, small_tagger
from .pretend.cudnn import NOT_FLAT
from .util import PRECISIONS, TOLERANCE, assert_close, on

# As deep as in the configs, and with all losses of the network's own.
SIZES = {
    "depth": 2,
    "merge": "sum",
    "last_width": 4,
    "all_layers": True,
    "char_attention": True,
    "lm_weight": 0.1,
    "char_lm_weight": 0.03,
    "word_dropout": 0.0,
    "pretrained_width": 3,
}
# How far a gradient may be from that of the CPU, relative to its size.
ERROR = {"fp32": 0.02, "fp16": 0.02, "bf16": 0.2}


def batch():
    return make_docs(*WORDS, [], ["dog"], ["zebra"] * 40)


@pytest.fixture(scope="module")
def data():
    """What is saved of a model that has a vocabulary."""
    with on("cpu"):
        fix_random_seed(0)
        model = small_tagger(**SIZES)
        layer = next(node for node in model.walk() if node.name == "word_char_embed")
        vectors = Vectors(data=np.full((2, 3), 0.5, dtype="f"), keys=["dog", "zebra"])
        fill_pretrained(layer, vectors, name="")
        model.begin_update(batch())
        return model.to_bytes()


@pytest.fixture
def load(data):
    """Makes the model anew."""

    def run(device, precision="fp32"):
        with on(device):
            return small_tagger(**SIZES, precision=precision).from_bytes(data)

    return run


def modules(model):
    return [shim._model for node in model.walk() for shim in node.shims]


def logits(model, docs):
    return [model.ops.to_numpy(scores) for scores in model.predict(docs)]


def weights(model):
    """RETURNS (dict): Copies of all weights, on the CPU."""
    found = {
        f"{i} {name}": weight.detach().cpu().numpy().copy()
        for i, module in enumerate(modules(model))
        for name, weight in module.named_parameters()
    }
    for node in model.walk():
        for name in node.param_names:
            found[f"{node.name} {name}"] = model.ops.to_numpy(node.get_param(name)).copy()
    return found


def learn(model, docs, *, scale=1.0):
    """Run there and back, with some gradient, which depends on nothing but its place."""
    Y, backprop = model.begin_update(docs)
    flat = np.cos(np.arange(sum(map(len, Y)) * 4, dtype="f")).reshape(-1, 4) * scale
    ends = np.cumsum([len(y) for y in Y])
    backprop([model.ops.asarray(flat[end - len(y) : end]) for y, end in zip(Y, ends, strict=True)])


def gradients(model, *batches, scale=1.0):
    """RETURNS (dict): The gradient of each weight, as seen in one step of the simplest optimizer."""
    before = weights(model)
    for docs in batches:
        learn(model, docs, scale=scale)
    model.finish_update(SGD(1.0 / scale, grad_clip=0.0, L2=0.0, use_averages=False))
    return {name: before[name] - after for name, after in weights(model).items()}


def assert_gradients(found, expected, error):
    """Check gradients, each relative to its size, and that there is something to check."""
    assert found.keys() == expected.keys()
    sizes = {name: np.linalg.norm(gradient) for name, gradient in expected.items()}
    assert sum(size > 1e-2 for size in sizes.values()) > 20
    for name, size in sizes.items():
        assert np.linalg.norm(found[name] - expected[name]) <= error * size + 1e-4, name


@pytest.mark.parametrize("precision", PRECISIONS)
def test_scores(precision, load):
    expected = logits(load("cpu"), batch())
    model = load("gpu", precision)
    for _ in range(2):  # computed, then from the cache
        found = logits(model, batch())
        assert all(array.dtype == "float32" for array in found)
        assert_close(found, expected, TOLERANCE[precision])
    assert precision == "fp32" or any(
        map(np.any, (a - b for a, b in zip(found, expected, strict=True)))
    )


@pytest.mark.parametrize("precision", PRECISIONS)
def test_gradients(precision, load):
    expected = gradients(load("cpu"), batch())
    assert_gradients(gradients(load("gpu", precision), batch()), expected, ERROR[precision])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_gradients_of_several_batches_add_up(precision, load):
    batches = batch(), make_docs()
    expected = gradients(load("cpu"), *batches)
    assert_gradients(gradients(load("gpu", precision), *batches), expected, ERROR[precision])


def test_what_is_too_large_for_fp16_is_done_again(load, monkeypatch):
    """With a smaller scale: the first one here is beyond what float16 has numbers for."""
    expected = gradients(load("cpu"), batch())
    monkeypatch.setattr("spacy_lstm_tagger.models.loss_scale.LARGEST", 1e9)
    assert_gradients(gradients(load("gpu", "fp16"), batch()), expected, ERROR["fp16"])


def test_bf16_has_the_range_of_fp32(load):
    """Unlike float16, which PyTorch's autocast puts in its place in an LSTM."""
    expected = gradients(load("cpu"), batch(), scale=1e8)
    assert_gradients(gradients(load("gpu", "bf16"), batch(), scale=1e8), expected, ERROR["bf16"])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_step_is_applied_by_all_modules_or_by_none(precision, load):
    model, optimizer = load("gpu", precision), Adam(0.01)
    trained = [f"{i} " for i in range(len(modules(model)))]

    def step(scale=1.0):
        """RETURNS (list): For each module, whether one of its weights is another now."""
        before = weights(model)
        learn(model, batch(), scale=scale)
        model.finish_update(optimizer)
        after = weights(model)
        names = [[n for n in before if n.startswith(prefix)] for prefix in trained]
        assert all(map(np.isfinite, (a.sum() for a in after.values())))
        return [any(np.any(before[n] != after[n]) for n in each) for each in names]

    assert len(trained) == 2
    for _ in range(3):
        assert step() == [True, True]
    # More than float16 has numbers for.
    assert len(set(step(1e8))) == 1
    assert step() == [True, True]


def test_a_step_leaves_weights_where_they_are(load):
    model = load("gpu")
    places = [weight.data_ptr() for each in modules(model) for weight in each.parameters()]
    learn(model, batch())
    model.finish_update(Adam(0.01))
    assert places == [w.data_ptr() for each in modules(model) for w in each.parameters()]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_cudnn_finds_the_weights_in_one_buffer(precision, load):
    model = load("gpu", precision)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for each in (model, model.copy()):
            learn(each, batch())
            each.finish_update(Adam(0.01))
            each.predict(batch())
    assert not [w for w in caught if NOT_FLAT in str(w.message)]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("words", [[[]], [[], []], [[], ["dog"]]])
def test_empty_docs(words, precision, load):
    model, docs = load("gpu", precision), make_docs(*words)
    learn(model, docs)
    model.finish_update(Adam(0.01))
    assert [len(scores) for scores in model.predict(docs)] == [len(each) for each in words]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_file_from_the_gpu_loads_on_the_cpu(precision, load):
    model = load("gpu", precision)
    learn(model, batch())
    model.finish_update(Adam(0.01))
    with on("cpu"):
        other = small_tagger(**SIZES).from_bytes(model.to_bytes())
        assert_close(logits(other, batch()), logits(model, batch()), TOLERANCE[precision])


def test_a_model_moves_to_the_gpu_and_back(load):
    model = load("cpu")
    expected = logits(model, batch())
    model.to_gpu(0)
    assert all(weight.is_cuda for each in modules(model) for weight in each.parameters())
    with on("gpu"):
        assert_close(logits(model, batch()), expected, TOLERANCE["fp32"])
    model.to_cpu()
    assert_close(logits(model, batch()), expected, 1e-6)
