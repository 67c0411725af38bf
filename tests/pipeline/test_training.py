"""How the `lstm_tagger` component trains."""

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose
from spacy.language import Language
from spacy.pipeline import Tagger
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import Adam, set_dropout_rate
from thinc.util import xp2torch

from ..util import (
    ARCHITECTURES,
    SENTENCES,
    TAGS,
    TEXTS,
    make_examples,
    scores_of,
    small_model,
    tags_of,
    train,
    trained_nlp,
)


def layer(pipe, name):
    return next(node for node in pipe.model.walk() if node.name == name)


def parameters(pipe):
    """RETURNS (dict): A copy of each weight, by name."""
    weights = {}
    for node in pipe.model.walk():
        for name in node.param_names:
            weights[f"{node.name}.{name}"] = node.get_param(name).copy()
        for shim in node.shims:
            for name, value in shim.module.named_parameters():
                weights[f"{node.name}.{name}"] = value.detach().numpy().copy()
    return weights


def test_loss_is_that_of_spacy():
    nlp, _ = trained_nlp(steps=3)
    pipe = nlp.get_pipe("lstm_tagger")
    words = ["The", "dogs", "did", "n't", "sleep"]
    tags = ["DET", "NN", "V", "", "V"]
    examples = [
        *make_examples(nlp),
        Example(Doc(nlp.vocab), Doc(nlp.vocab)),
        Example.from_dict(
            Doc(nlp.vocab, words=["The", "dogs", "didn't", "sl", "eep"]),
            {"words": words, "tags": tags},
        ),
    ]
    scores, _ = pipe.model.begin_update([eg.predicted for eg in examples])
    loss, gradient = pipe.get_loss(examples, scores)
    # Thinc takes neither a list of its subclasses nor a doc without words.
    del examples[len(SENTENCES)], scores[len(SENTENCES)], gradient[len(SENTENCES)]
    expected_loss, expected = Tagger.get_loss(pipe, examples, list(scores))
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    for ours, theirs in zip(gradient, expected, strict=True):
        assert_allclose(ours, theirs, atol=1e-6)


def test_partial_annotation_is_enough():
    """Each word has a tag in one sentence only; the rest of each is learned all the same."""
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model(word_dropout=0.0)})
    words = TEXTS[0].split()
    examples = [
        Example.from_dict(
            nlp.make_doc(TEXTS[0]),
            {"words": words, "tags": [tag if i == j else "" for j, tag in enumerate(TAGS[0])]},
        )
        for i in range(len(words))
    ]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    train(nlp, examples, steps=25, optimizer=optimizer)
    assert tags_of([nlp(TEXTS[0])]) == [TAGS[0]]


def test_negative_tags_push_a_tag_down():
    nlp, optimizer = trained_nlp(steps=10, word_dropout=0.0)
    examples = make_examples(nlp, [("The dog", "!DET !NN")])
    train(nlp, examples, steps=15, optimizer=optimizer)
    tags = tags_of([nlp("The dog")])[0]
    assert tags[0] != "DET" and tags[1] != "NN"


def test_training_dropout_reaches_the_torch_layers():
    losses = {}
    for drop in (0.0, 0.9):
        nlp, optimizer = trained_nlp(steps=20, word_dropout=0.0)
        examples = make_examples(nlp)
        # Nothing is learned in between.
        optimizer.learn_rate = 0.0
        runs = train(nlp, examples, steps=3, drop=drop, optimizer=optimizer)
        losses[drop] = [loss["lstm_tagger"] for loss in runs]
    assert losses[0.0] == pytest.approx([losses[0.0][0]] * 3, rel=1e-4)
    assert len(set(losses[0.9])) == 3
    assert min(losses[0.9]) > 2 * losses[0.0][0]


@pytest.mark.parametrize("name", ["word_char_embed", "lstm_encoder"])
def test_each_layer_drops_out(name):
    nlp, _ = trained_nlp(steps=1, word_dropout=0.0)
    pipe = nlp.get_pipe("lstm_tagger")
    docs = [nlp.make_doc(text) for text in TEXTS]

    def forward():
        return np.concatenate(pipe.model(docs, is_train=True)[0])

    set_dropout_rate(pipe.model, 0.0)
    full = forward()
    assert_allclose(forward(), full, atol=1e-6)
    set_dropout_rate(layer(pipe, name), 0.9)
    assert np.abs(forward() - full).max() > 0.01
    assert np.abs(forward() - forward()).max() > 0.01
    set_dropout_rate(pipe.model, 0.0)
    assert_allclose(forward(), full, atol=1e-6)
    # In tagging nothing is dropped.
    set_dropout_rate(pipe.model, 0.9)
    assert_allclose(scores_of(pipe, docs)[0], scores_of(pipe, docs)[0], atol=1e-6)


def test_averages_take_effect():
    nlp, optimizer = trained_nlp(steps=20)
    pipe = nlp.get_pipe("lstm_tagger")
    before, weights = scores_of(pipe, [nlp.make_doc(TEXTS[0])])[0], parameters(pipe)
    with nlp.use_params(optimizer.averages):
        averaged, inside = scores_of(pipe, [nlp.make_doc(TEXTS[0])])[0], parameters(pipe)
    assert np.abs(averaged - before).max() > 1e-3
    unchanged = {name for name, value in weights.items() if np.array_equal(value, inside[name])}
    assert not unchanged
    assert_allclose(scores_of(pipe, [nlp.make_doc(TEXTS[0])])[0], before, atol=1e-6)
    for name, value in parameters(pipe).items():
        assert np.array_equal(value, weights[name]), name


def test_averages_are_the_mean_of_the_weights():
    """Computed as Thinc's optimizer computes them, from the weights after each step."""
    nlp, optimizer = trained_nlp(steps=0)
    pipe = nlp.get_pipe("lstm_tagger")
    name = "lstm_encoder.forward_lstms.0.weight_hh_l0"
    mean = 0.0
    for step in range(1, 6):
        train(nlp, make_examples(nlp), steps=1, optimizer=optimizer)
        decay = min((1 + step) / (10 + step), 0.9999)
        mean = decay * mean + (1 - decay) * parameters(pipe)[name]
    with nlp.use_params(optimizer.averages):
        assert_allclose(parameters(pipe)[name], mean, atol=1e-5)


def test_gradients_against_finite_differences():
    fix_random_seed(1)
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger", config={"model": small_model(depth=2, word_dropout=0.0)})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    docs = [eg.predicted for eg in examples]
    gold = [pipe.labels.index(tag) for tags in TAGS for tag in tags]
    set_dropout_rate(pipe.model, 0.0)

    def loss():
        probs = np.concatenate(pipe.model(docs, is_train=True)[0]).astype("float64")
        return -np.log(probs[np.arange(len(gold)), gold]).sum()

    loss()  # gives each word its row
    scores, backprop = pipe.model.begin_update(docs)
    backprop(pipe.get_loss(examples, scores)[1])
    softmax = pipe.model.get_ref("softmax")
    pairs = {
        f"softmax.{name}": (xp2torch(softmax.get_param(name)), xp2torch(softmax.get_grad(name)))
        for name in softmax.param_names
    }
    for node in pipe.model.walk():
        for shim in node.shims:
            for name, weight in shim.module.named_parameters():
                pairs[f"{node.name}.{name}"] = (weight.data, weight.grad.clone())
    assert len(pairs) > 20
    for name, (weight, gradient) in pairs.items():
        norm = float(gradient.norm())
        assert norm > 0.0, name
        step = gradient * (1e-2 / norm)
        weight += step
        up = loss()
        weight -= 2 * step
        down = loss()
        weight += step
        # The slope along the gradient is the gradient's norm.
        assert (up - down) / 2e-2 == pytest.approx(norm, rel=0.02, abs=1e-4), name


def test_same_seed_same_weights():
    first, second, other = (trained_nlp(steps=4, seed=seed)[0] for seed in (3, 3, 4))
    assert first.to_bytes() == second.to_bytes()
    assert first.get_pipe("lstm_tagger").to_bytes() != other.get_pipe("lstm_tagger").to_bytes()


def test_frozen_component_stays():
    nlp, optimizer = trained_nlp(steps=5)
    nlp.add_pipe("tagger", last=True)
    examples = make_examples(nlp)
    with nlp.select_pipes(enable="tagger"):
        nlp.initialize(lambda: examples)
    before = nlp.get_pipe("lstm_tagger").to_bytes()
    losses = train(nlp, examples, steps=2, optimizer=optimizer, exclude=["lstm_tagger"])
    assert nlp.get_pipe("lstm_tagger").to_bytes() == before
    assert "tagger" in losses[-1] and "lstm_tagger" not in losses[-1]


class Recorder:
    """A component that is trained on nothing and remembers the tags it was shown."""

    def __init__(self):
        self.seen = []

    def __call__(self, doc):
        return doc

    def update(self, examples, **kwargs):
        self.seen.append(tags_of(eg.predicted for eg in examples))
        return {}


@Language.factory("tag_recorder")
def make_recorder(nlp, name):
    return Recorder()


@pytest.mark.parametrize("frozen", [False, True])
def test_annotating_component_sets_tags_for_the_next(frozen):
    nlp, optimizer = trained_nlp(steps=20)
    recorder = nlp.add_pipe("tag_recorder")
    options = {"exclude": ["lstm_tagger"] if frozen else []}
    train(nlp, make_examples(nlp), steps=1, optimizer=optimizer, **options)
    train(
        nlp, make_examples(nlp), steps=1, optimizer=optimizer, annotates=["lstm_tagger"], **options
    )
    assert recorder.seen == [[[""] * len(tags) for tags in TAGS], TAGS]


def test_rehearse():
    nlp, _ = trained_nlp(steps=20, word_dropout=0.0)
    pipe = nlp.get_pipe("lstm_tagger")
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    teacher = pipe._rehearsal_model
    expected = scores_of(pipe, [nlp.make_doc(TEXTS[0])])[0]
    train(nlp, make_examples(nlp, [(TEXTS[0], "V V V V V")]), steps=8, optimizer=optimizer)
    forgot = np.abs(scores_of(pipe, [nlp.make_doc(TEXTS[0])])[0] - expected).max()
    # The copy that it is to remember has not moved.
    assert_allclose(teacher.predict([nlp.make_doc(TEXTS[0])])[0], expected, atol=1e-5)
    losses = []
    for _ in range(30):
        losses.append(nlp.rehearse(make_examples(nlp), sgd=optimizer, losses={})["lstm_tagger"])
    assert losses[-1] < 0.5 * losses[0]
    assert np.abs(scores_of(pipe, [nlp.make_doc(TEXTS[0])])[0] - expected).max() < forgot


def test_continued_training_with_new_words(tmp_path):
    nlp, _ = trained_nlp(steps=20)
    nlp.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    pipe = nlp.get_pipe("lstm_tagger")
    words = layer(pipe, "word_char_embed").shims[0].module.tables["word"]
    old = dict(words._rows)
    assert len(old) == len({word for text in TEXTS for word in text.split()})
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    new = [*SENTENCES, ("Zebras zigzag", "NN V"), ("Zigzag zebras", "V NN")]
    train(nlp, make_examples(nlp, new), steps=40, optimizer=optimizer)
    assert tags_of(nlp.pipe(text for text, _ in new)) == [tags.split() for _, tags in new]
    assert {key: words._rows[key] for key in old} == old
    assert len(words) == len(old) + 4
    again = spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert tags_of(again.pipe(text for text, _ in new)) == [tags.split() for _, tags in new]


def test_word_dropout_trains_the_unknown_vector():
    sizes = {"embed_width": None, "characters": False, "lower": False, "shape": False}
    sizes |= {"prefixes": [], "suffixes": [], "word_dropout": 0.999}
    nlp, _ = trained_nlp(steps=0, **sizes)
    pipe = nlp.get_pipe("lstm_tagger")
    embed = layer(pipe, "word_char_embed")
    table = embed.shims[0].module.tables["word"]
    examples = make_examples(nlp)
    docs = [eg.predicted for eg in examples]
    set_dropout_rate(pipe.model, 0.0)
    torch.manual_seed(0)
    scores, backprop = pipe.model.begin_update(docs)
    backprop(pipe.get_loss(examples, scores)[1])
    assert len(table) > 10
    assert table.unknown.grad.norm() > 0.0
    assert not table.weight.grad.any()
    # In tagging every word has its own vector.
    vectors = np.concatenate(embed.predict(docs))
    assert len(np.unique(vectors.round(5), axis=0)) == len(table)


def test_unknown_words_are_tagged_by_context_and_form():
    nlp, _ = trained_nlp(steps=60)
    assert tags_of([nlp("The zog ate the wug")]) == [TAGS[0]]


def test_labels_travel_through_initialize():
    nlp, _ = trained_nlp(steps=0)
    data = nlp.get_pipe("lstm_tagger").label_data
    other = spacy.blank("en")
    pipe = other.add_pipe("lstm_tagger", config={"model": small_model()})
    few = make_examples(other, SENTENCES[:1])
    pipe.initialize(lambda: few, nlp=other, labels=data)
    assert pipe.labels == tuple(data) == nlp.get_pipe("lstm_tagger").labels
    assert pipe.model.get_dim("nO") == len(data)


@pytest.mark.parametrize("weight", ["char_lm_weight", "lm_weight"])
def test_what_was_learned_is_what_is_saved(weight):
    """With a language model in training too."""
    nlp, _ = trained_nlp(steps=30, **{weight: 0.3})
    docs = [nlp.make_doc(f"{text} zyx") for text in TEXTS]
    before = scores_of(nlp.get_pipe("lstm_tagger"), docs)
    other = spacy.util.load_model_from_config(nlp.config).from_bytes(nlp.to_bytes())
    after = scores_of(other.get_pipe("lstm_tagger"), [other.make_doc(doc.text) for doc in docs])
    for one, two in zip(before, after, strict=True):
        assert_allclose(one, two, atol=1e-5)


def test_examples_may_be_a_generator():
    nlp, _ = trained_nlp(steps=1, word_dropout=0.0)
    pipe, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    nlp.resume_training()
    pipe.add_label("NEW")  # so that there is something to rehearse
    for learn in (pipe.update, pipe.rehearse):
        losses = [learn(each, losses={})["lstm_tagger"] for each in (examples, iter(examples))]
        assert losses[0] == pytest.approx(losses[1]) and losses[0] > 0.0


@pytest.mark.parametrize("width", [5, 7])
def test_a_number_of_outputs_that_is_not_that_of_tags(width):
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": {**small_model(), "nO": width}})
    with pytest.raises(ValueError, match=rf"P013.*6 tags.*nO = {width}.*nO = null"):
        nlp.initialize(lambda: make_examples(nlp))


def test_a_second_initialization():
    """Tags stay, what was fitted to the old weights does not."""
    nlp, _ = trained_nlp(steps=3)
    pipe = nlp.get_pipe("lstm_tagger")
    before, pipe.cfg["temperature"] = pipe.labels, 3.0
    nlp.initialize(lambda: make_examples(nlp, [("I slept", "PRP SLEEP")]))
    assert pipe.labels == (*before, "SLEEP") and pipe.cfg["temperature"] == 1.0


def test_a_second_initialization_gives_another_network():
    """As in spaCy's own components: nothing of what was learned is left, no word either."""
    nlp, _ = trained_nlp(steps=3, lm_weight=0.1, char_lm_weight=0.1)
    pipe = nlp.get_pipe("lstm_tagger")
    before = parameters(pipe)
    nlp.initialize(lambda: make_examples(nlp))
    for name, weights in parameters(pipe).items():
        assert not weights.any() or not np.array_equal(weights, before[name]), name
    assert len(layer(pipe, "word_char_embed").shims[0].module.tables["word"]) == 0
    other = spacy.blank("en").from_config(nlp.config)
    for each in nlp, other:
        fix_random_seed(0)
        each.initialize(lambda: make_examples(nlp))
    expected = parameters(other.get_pipe("lstm_tagger"))
    for name, weights in parameters(pipe).items():
        assert np.array_equal(weights, expected[name]), name
    train(nlp, make_examples(nlp), steps=20, optimizer=Adam(0.01))
    assert tags_of(nlp.pipe(TEXTS)) == TAGS


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_empty_example_in_front(architecture):
    nlp = spacy.blank("en")
    model = small_model() | {"@architectures": f"spacy-lstm-tagger.{architecture}.v1"}
    nlp.add_pipe("lstm_tagger", config={"model": model})
    empty = Example.from_dict(nlp.make_doc(""), {"tags": []})
    nlp.initialize(lambda: [empty, *make_examples(nlp), empty])
    assert nlp.get_pipe("lstm_tagger").model.get_dim("nO") == 6


def test_a_tagger_that_is_not_initialized():
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model()})
    for use in (
        lambda: nlp("A dog"),
        lambda: list(nlp.pipe(["A dog"])),
        lambda: nlp.update(make_examples(nlp)),
    ):
        with pytest.raises(ValueError, match=r"P020.*lstm_tagger"):
            use()
