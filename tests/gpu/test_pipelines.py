"""What a tagger can do it can do on a GPU: it finds the same there, and learns the same."""

import pytest

from ..pipeline import test_paragraph_senter as sentences
from ..pipeline import test_tag_morphologizer as morphology
from ..util import ARCHITECTURES, SENTENCES, TAGS, TEXTS, make_examples, tags_of, train, trained_nlp
from .util import TOLERANCE, assert_close, copied, device_of, on

HARD = [*TEXTS, "", "the aardvark"]
NEW = ("The dog barked wow", "DET NN V UH")
SIZES = {
    "depth": 2,
    "merge": "sum",
    "all_layers": True,
    "lm_weight": 0.1,
    "char_lm_weight": 0.03,
    "word_dropout": 0.0,
}
ATOL = TOLERANCE["fp32"]


@pytest.fixture(scope="module", params=ARCHITECTURES)
def original(request):
    with on("gpu"):
        return trained_nlp(steps=30, architecture=request.param, char_attention=True, **SIZES)[0]


def test_it_learned(original):
    assert tags_of(original.pipe(TEXTS)) == TAGS


def test_probabilities_and_sequences(pair):
    docs = []
    for nlp in pair:
        nlp.get_pipe("lstm_tagger").cfg.update(save_probabilities=True, n_best=3, temperature=2.0)
        with on(device_of(nlp)):
            docs.append(list(nlp.pipe(HARD)))
    assert tags_of(docs[0]) == tags_of(docs[1])
    for here, there in zip(*docs, strict=True):
        for one, other in zip(here, there, strict=True):
            assert one._.tag_probabilities == pytest.approx(other._.tag_probabilities, abs=ATOL)
        for one, other in zip(here._.tag_n_best, there._.tag_n_best, strict=True):
            assert one[1] == pytest.approx(other[1], abs=ATOL)
        assert here._.tag_n_best[:1] == [
            (tags_of([here])[0], pytest.approx(there._.tag_n_best[0][1], abs=ATOL))
        ]


def test_dictionary_and_threshold(pair):
    found = []
    for nlp in pair:
        pipe = nlp.get_pipe("lstm_tagger")
        pipe.set_tag_dictionary({"dog": ["V"], "the": ["DET", "NN"], "aardvark": ["ADJ", "NN"]})
        pipe.cfg.update(threshold=0.9, temperature=4.0)
        with on(device_of(nlp)):
            found.append(tags_of(nlp.pipe(HARD)))
    assert found[0] == found[1] and found[1][0][1] == "V"
    assert any("" in tags for tags in found[1])


def test_temperature(pair):
    temperatures = []
    for nlp in pair:
        with on(device_of(nlp)):
            result = nlp.get_pipe("lstm_tagger").calibrate(make_examples(nlp))
        temperatures.append(result.temperature)
    assert temperatures[0] == pytest.approx(temperatures[1], rel=0.05)


def test_labels_grow(original):
    nlp = copied(original, "gpu")
    pipe, before = nlp.get_pipe("lstm_tagger"), tags_of(nlp.pipe(HARD))
    pipe.add_label("UH")
    assert tags_of(nlp.pipe(HARD)) == before
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    data = [*SENTENCES, NEW]
    train(nlp, make_examples(nlp, data), steps=40, optimizer=optimizer)
    texts, expected = [text for text, _ in data], [tags.split() for _, tags in data]
    assert tags_of(nlp.pipe(texts)) == expected
    with nlp.use_params(optimizer.averages):
        assert tags_of(copied(nlp, "cpu").pipe(texts)) == tags_of(nlp.pipe(texts))


def test_rehearsal(original):
    nlp = copied(original, "gpu")
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    nlp.get_pipe("lstm_tagger").add_label("UH")
    wrong = make_examples(nlp, [("The dog ate the apple", "UH UH UH UH UH")])
    train(nlp, wrong, steps=10, optimizer=optimizer)
    losses = [
        nlp.rehearse(make_examples(nlp), sgd=optimizer, losses={})["lstm_tagger"] for _ in range(30)
    ]
    assert losses[-1] < 0.2 * losses[0]


# What else the loss may have to take into account.
LOSSES = {
    "smoothed": {"label_smoothing": 0.1},
    "weighted": {"class_weights": {"NN": 3.0, "V": 0.5}},
    "balanced": {"class_weights": "balanced"},
    "ambiguous": {"tag_separator": "|"},
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradient_of_the_loss(architecture, loss):
    with on("cpu"):
        here = trained_nlp(steps=1, architecture=architecture, config=LOSSES[loss], **SIZES)[0]
    found = []
    for nlp in (here, copied(here, "gpu")):
        pipe = nlp.get_pipe("lstm_tagger")
        examples = make_examples(nlp)
        examples[0].reference[0].tag = 0
        if loss == "ambiguous":
            examples[1].reference[0].tag_ = "NN|V"
        with on(device_of(nlp)):
            scores, _ = pipe.model.begin_update([eg.predicted for eg in examples])
            value, gradient = pipe.get_loss(examples, scores)
            found.append([[float(value) / 100], *map(pipe.model.ops.to_numpy, gradient)])
    assert_close(*found, atol=ATOL)


def test_morphology_that_agrees_with_the_tags():
    with on("gpu"):
        nlp = morphology.make_pipeline()
    found = []
    for device in ("cpu", "gpu"):
        with on(device):
            tags = ["VBD", "DT", "NN", "", "NN"]
            found.append(morphology.annotate(copied(nlp, device), morphology.WORDS, tags))
    assert found[0] == found[1] and found[1][0][:3] == ["VERB", "DET", "NOUN"]


def test_sentences_of_several_lines():
    with on("gpu"):
        nlp = sentences.make_pipelines()[0]
    found = []
    for device in ("cpu", "gpu"):
        with on(device):
            found.append(sentences.sentences(copied(nlp, device)("We slept\n\nslept too .")))
    assert found[0] == found[1] == ["We slept\n\n", "slept too ."]
