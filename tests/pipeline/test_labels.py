"""Labels that grow: a trained tagger learns a new tag without forgetting the others."""

import pickle

import numpy as np
import pytest
import spacy

from spacy_lstm_tagger.pipeline.new_labels import create_label_adder

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

NEW = ("The dog barked wow", "DET NN V UH")


def test_old_scores_stay(nlp):
    pipe = nlp.get_pipe("lstm_tagger")
    docs, old = [nlp.make_doc(text) for text in TEXTS], pipe.labels
    before, tags = scores_of(pipe, docs), tags_of(nlp.pipe(TEXTS))
    assert pipe.add_label("UH") == 1 and pipe.add_label("UH") == 0
    assert pipe.labels == (*old, "UH") and pipe.model.get_dim("nO") == len(pipe.labels)
    for now, then in zip(scores_of(pipe, docs), before, strict=True):
        np.testing.assert_allclose(now[:, :-1], then, atol=1e-5)
    assert tags_of(nlp.pipe(TEXTS)) == tags
    assert "UH" not in {tag for tags in tags_of(nlp.pipe(["wow zyx", "qqq"])) for tag in tags}


@pytest.mark.parametrize("resumed", [False, True])
def test_training_goes_on(training, resumed, tmp_path):
    nlp, optimizer = pickle.loads(pickle.dumps(training))
    nlp.get_pipe("lstm_tagger").add_label("UH")
    if resumed:
        optimizer = nlp.resume_training()
        optimizer.learn_rate = 0.01
    data = [*SENTENCES, NEW]
    train(nlp, make_examples(nlp, data), steps=50, optimizer=optimizer)
    texts, expected = [text for text, _ in data], [tags.split() for _, tags in data]
    assert tags_of(nlp.pipe(texts)) == expected
    nlp.to_disk(tmp_path)
    for other in (spacy.load(tmp_path), pickle.loads(pickle.dumps(nlp))):
        assert tags_of(other.pipe(texts)) == expected
    with nlp.use_params(optimizer.averages):
        assert tags_of(nlp.pipe(texts)) == expected
    assert tags_of(nlp.pipe(texts)) == expected


def test_a_label_that_is_known_is_enough_for_the_data(training):
    nlp, optimizer = pickle.loads(pickle.dumps(training))
    with pytest.raises(ValueError, match=r"P001.*'UH'"):
        train(nlp, make_examples(nlp, [NEW]), steps=1, optimizer=optimizer)
    nlp.get_pipe("lstm_tagger").add_label("UH")
    train(nlp, make_examples(nlp, [NEW]), steps=1, optimizer=optimizer)


def test_several_labels_one_after_the_other(nlp):
    pipe = nlp.get_pipe("lstm_tagger")
    expected = tags_of(nlp.pipe(TEXTS))
    for label in ("A", "B", "C"):
        pipe.add_label(label)
    assert pipe.model.get_dim("nO") == len(pipe.labels)
    assert tags_of(nlp.pipe(TEXTS)) == expected


def test_rehearsal_with_a_tutor_that_knows_fewer_tags(nlp):
    pipe = nlp.get_pipe("lstm_tagger")
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    pipe.add_label("UH")
    # What is new overwrites what was known, then is rehearsed.
    train(
        nlp,
        make_examples(nlp, [("The dog ate the apple", "UH UH UH UH UH")]),
        steps=10,
        optimizer=optimizer,
    )
    losses = [
        nlp.rehearse(make_examples(nlp), sgd=optimizer, losses={})["lstm_tagger"] for _ in range(40)
    ]
    assert losses[-1] < 0.1 * losses[0]
    assert tags_of(nlp.pipe(TEXTS)) == TAGS


def test_a_number_of_tags_in_the_config_does_not_bar_the_saved_ones(original, tmp_path):
    config = original.get_pipe_config("lstm_tagger")["model"]
    n_tags = len(original.get_pipe("lstm_tagger").labels)
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": {**config, "nO": n_tags}})
    nlp.initialize(lambda: make_examples(nlp))
    nlp.get_pipe("lstm_tagger").add_label("UH")
    nlp.to_disk(tmp_path)
    other = spacy.load(tmp_path)
    assert other.get_pipe("lstm_tagger").labels == nlp.get_pipe("lstm_tagger").labels
    assert tags_of(other.pipe(TEXTS)) == tags_of(nlp.pipe(TEXTS))
    # A file that cannot be read leaves what was loaded before.
    (tmp_path / "lstm_tagger" / "model").write_bytes(b"no model")
    with pytest.raises(ValueError, match="L003"):
        other.from_disk(tmp_path)
    other.from_disk(tmp_path, exclude=["lstm_tagger"])
    other.get_pipe("lstm_tagger").from_disk(tmp_path / "lstm_tagger", exclude=["model", "vocab"])
    assert tags_of(other.pipe(TEXTS)) == tags_of(nlp.pipe(TEXTS))


@pytest.mark.parametrize("n_tags", [None, 4])
def test_a_label_before_the_data(n_tags):
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger", config={"model": {**small_model(), "nO": n_tags}})
    pipe.add_label("D")
    nlp.initialize(lambda: make_examples(nlp, [("a b c d", "A B C D")]))
    assert pipe.labels == ("D", "A", "B", "C") and pipe.model.get_dim("nO") == 4


def test_a_model_that_cannot_grow_says_so():
    nlp, _ = trained_nlp(steps=0)
    pipe = nlp.get_pipe("lstm_tagger")
    del pipe.model.attrs["resize_output"]
    with pytest.raises(ValueError, match="E922"):
        pipe.add_label("UH")


def test_spacys_own_tagger_does_not_grow_by_half():
    """In the stock factory our model is as rigid as spaCy's."""
    nlp = spacy.blank("en")
    config = trained_nlp(steps=0)[0].get_pipe_config("lstm_tagger")["model"]
    pipe = nlp.add_pipe("tagger", config={"model": config})
    nlp.initialize(lambda: make_examples(nlp))
    with pytest.raises(ValueError, match="E922"):
        pipe.add_label("UH")


def test_a_separator_must_separate():
    with pytest.raises(ValueError, match=r"M001.*tag_separator.*null or some characters"):
        spacy.blank("en").add_pipe("lstm_tagger", config={"tag_separator": ""})


@pytest.mark.parametrize(
    ("name", "kind"), [("senter", "SentenceRecognizer"), ("sentencizer", "Sentencizer")]
)
def test_labels_for_a_component_that_is_no_tagger(name, kind):
    nlp = spacy.blank("en")
    nlp.add_pipe(name)
    with pytest.raises(ValueError, match=rf"P015.*'{name}' is a {kind}.*`component`"):
        create_label_adder(labels=["NEW"], component=name)(nlp)


def test_negative_tags_and_sets_are_no_labels():
    data = [("The dog", "DET|PRP !V"), ("I slept", "PRP V")]
    for settings, expected in (
        ({}, ("DET|PRP", "PRP", "V")),
        ({"tag_separator": "|"}, ("DET", "PRP", "V")),
    ):
        nlp = spacy.blank("en")
        pipe = nlp.add_pipe("lstm_tagger", config=settings)
        nlp.initialize(lambda: make_examples(nlp, data))  # noqa: B023
        assert pipe.labels == expected
        other = nlp.create_pipe("lstm_tagger", config=settings)
        other.initialize(lambda: make_examples(nlp, data), labels=["DET|PRP", "!V", "V"])  # noqa: B023
        assert set(other.labels) == set(expected) - (
            set() if "tag_separator" in settings else {"PRP"}
        )


@pytest.mark.parametrize("separator", ["|", "="])
def test_features_are_written_with_these(separator):
    nlp = spacy.blank("en")
    config = {"tag_set": "upos+feats", "tag_separator": separator}
    with pytest.raises(ValueError, match=r"M001.*tag_separator"):
        nlp.add_pipe("lstm_tagger", config=config)


def test_an_empty_tag_is_none(nlp):
    with pytest.raises(ValueError, match=r"M001.*labels"):
        nlp.get_pipe("lstm_tagger").add_label("")
    assert "" not in nlp.get_pipe("lstm_tagger").labels


@pytest.mark.parametrize("labels", [[1, 2], "ABC", [None]])
def test_labels_that_are_no_list_of_tags(labels):
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger", config={"model": small_model()})
    with pytest.raises(ValueError, match=r"M001.*labels = .*a list of tags"):
        pipe.initialize(lambda: make_examples(nlp), nlp=nlp, labels=labels)


COARSE = {"morph": {"POS=DET": ""}, "pos": {"POS=DET": 90}}


@pytest.mark.parametrize(
    ("name", "setting", "of_column"),
    [
        ("lstm_tagger", "word_tags", lambda tag: [("the", tag, 3)]),
        ("tag_lemmatizer", "lemmas", lambda tag: [("dogs", tag, "dog", 3)]),
        ("tag_morphologizer", "labels", lambda tag: {**COARSE, "tags": {tag: ["DET"]}}),
    ],
)
def test_what_was_read_from_another_column(name, setting, of_column):
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe(name, config={} if name == "tag_lemmatizer" else {"model": small_model()})

    def initialize(tag):
        pipe.initialize(lambda: make_examples(nlp), nlp=nlp, **{setting: of_column(tag)})

    initialize("DET")  # one that the examples have
    with pytest.warns(UserWarning, match=rf"LW009.*{name}.*{setting}.* such as OTHER, .*DET"):
        initialize("OTHER")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_label_that_is_added_while_averages_are_used(architecture, tmp_path):
    """By another thread, say, while this one evaluates."""
    nlp, optimizer = trained_nlp(steps=5, architecture=architecture)
    pipe, before = nlp.get_pipe("lstm_tagger"), tags_of(nlp.pipe(TEXTS))
    with nlp.use_params(optimizer.averages):
        pipe.add_label("UH")
    assert tags_of(nlp.pipe(TEXTS)) == before
    train(nlp, make_examples(nlp, [*SENTENCES, NEW]), steps=1, optimizer=optimizer)
    nlp.to_disk(tmp_path)
    assert tags_of(spacy.load(tmp_path).pipe(TEXTS)) == tags_of(nlp.pipe(TEXTS))
