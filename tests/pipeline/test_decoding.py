"""What the pipe gives beside tags, through the public door: probabilities, sequences, no tag."""

import inspect
import pickle

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Token
from spacy.training import Example
from thinc.api import set_dropout_rate

from spacy_lstm_tagger.pipeline import LSTMTagger
from spacy_lstm_tagger.pipeline.extensions import register
from spacy_lstm_tagger.probabilities import TagProbabilities

from ..util import SENTENCES, TAGS, TEXTS, make_examples, tags_of, trained_nlp

# A CRF through the public door


def test_crf_overfits_saves_and_loads(tmp_path):
    nlp, optimizer = trained_nlp(steps=40, architecture="CRFTagger")
    assert tags_of(nlp.pipe(TEXTS)) == TAGS
    assert nlp.get_pipe("lstm_tagger").model.get_ref("crf").get_param("transitions").any()
    nlp.to_disk(tmp_path)
    for other in (spacy.load(tmp_path), spacy.blank("en").from_config(nlp.config)):
        other.from_bytes(nlp.to_bytes())
        assert tags_of(other.pipe(TEXTS)) == TAGS
        ours, theirs = (n.get_pipe("lstm_tagger").model for n in (nlp, other))
        assert np.array_equal(
            ours.get_ref("crf").get_param("transitions"),
            theirs.get_ref("crf").get_param("transitions"),
        )
    key = (nlp.get_pipe("lstm_tagger").model.get_ref("crf").id, "transitions")
    assert optimizer.averages[key].any()


def test_crf_loss_is_the_likelihood():
    nlp, _ = trained_nlp(steps=0, architecture="CRFTagger", word_dropout=0.0)
    pipe, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp, SENTENCES[:3])
    set_dropout_rate(pipe.model, 0.0)
    scores, _ = pipe.model.begin_update([eg.predicted for eg in examples])
    loss, _ = pipe.get_loss(examples, scores)
    pipe.cfg["n_best"] = 10_000
    expected = 0.0
    for eg in examples:
        gold = [token.tag_ for token in eg.reference]
        chances = {tuple(tags): p for tags, p in nlp(eg.predicted.copy())._.tag_n_best}
        assert sum(chances.values()) == pytest.approx(1.0)
        expected -= np.log(chances[tuple(gold)])
    assert loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", ["missing", "set", "negative"])
def test_crf_learns_from_partial_annotation(kind):
    nlp, optimizer = trained_nlp(
        steps=0, architecture="CRFTagger", config={"tag_separator": "|"}, word_dropout=0.0
    )
    words = TEXTS[0].split()
    examples = []
    for i in range(len(words)):
        tags = {
            "missing": [tag if i == j else "" for j, tag in enumerate(TAGS[0])],
            "set": [tag if i == j else "DET|NN|V" for j, tag in enumerate(TAGS[0])],
            "negative": [tag if i == j else "!PRP" for j, tag in enumerate(TAGS[0])],
        }[kind]
        examples.append(Example.from_dict(nlp.make_doc(TEXTS[0]), {"words": words, "tags": tags}))
    for _ in range(25):
        nlp.update(examples, sgd=optimizer)
    assert tags_of([nlp(TEXTS[0])]) == [TAGS[0]]


# Probabilities


def test_nothing_is_kept_by_default(nlp):
    doc = nlp(TEXTS[0])
    assert not doc.user_data
    assert doc[0]._.tag_probabilities is None and doc[0]._.tag_confidence is None
    assert doc._.tag_n_best is None


def test_scores_of_tokens(nlp, pipe):
    pipe.cfg["save_probabilities"] = True
    for doc in nlp.pipe(TEXTS):
        for token in doc:
            scores = token._.tag_probabilities
            assert set(scores) == set(pipe.labels)
            assert sum(scores.values()) == pytest.approx(1.0, abs=1e-5)
            assert list(scores.values()) == sorted(scores.values(), reverse=True)
            assert token._.tag_confidence == scores[token.tag_]


def test_confidence_of_tags_that_somebody_else_set(nlp, pipe):
    pipe.cfg["save_probabilities"] = True
    doc = nlp(Doc(nlp.vocab, words=TEXTS[0].split(), tags=["V", "", "ODD", "", ""]))
    assert doc[0]._.tag_confidence == doc[0]._.tag_probabilities["V"] < 0.5
    assert doc[2]._.tag_confidence == 0.0


@pytest.mark.parametrize("overwrite", [True, False])
def test_scores_are_those_of_the_tags(nlp, pipe, overwrite):
    """What was kept of other tags goes with them."""
    pipe.cfg.update(save_probabilities=True, n_best=2)
    doc = nlp(TEXTS[0])
    pipe.cfg.update(save_probabilities=False, n_best=None, overwrite=overwrite)
    doc = pipe(doc)
    assert (doc[0]._.tag_confidence is None) == (doc._.tag_n_best is None) == overwrite


@pytest.mark.parametrize("tag_set", ["upos", "xpos"])
def test_scores_of_the_tagger_whose_tags_stay(original, nlp, pipe, tag_set):
    """A second tagger leaves token.tag_ as it is, and how sure it is."""
    second = nlp.add_pipe("lstm_tagger", name="second", config={"tag_set": tag_set})
    labels = ["DET", "NOUN", "VERB"] if tag_set == "upos" else [*pipe.labels, "NEW"]
    second.initialize(lambda: make_examples(nlp), labels=labels)
    for each in (pipe, second):
        each.cfg.update(save_probabilities=True, n_best=2)
    with nlp.select_pipes(disable="second"):
        expected = nlp(TEXTS[0])
    doc = nlp(TEXTS[0])
    assert all((token.pos_ in labels) == (tag_set == "upos") for token in doc)
    for token, other in zip(doc, expected, strict=True):
        assert token._.tag_confidence == other._.tag_confidence > 0.0
    assert doc._.tag_n_best == expected._.tag_n_best
    second.cfg["overwrite"] = True
    assert set(nlp(TEXTS[0])[0]._.tag_probabilities) == set(labels)


@pytest.mark.parametrize("filled", [0, 1])
def test_scores_of_tags_that_were_left_empty(nlp, pipe, filled):
    """Whoever fills them in says how sure it is."""
    pipe.cfg.update(save_probabilities=True, n_best=1)
    doc = Doc(
        nlp.vocab, TEXTS[0].split(), tags=[tag if filled else "" for tag in TAGS[0][:-1]] + [""]
    )
    others = np.ones((len(doc), 1), dtype=np.float32)
    TagProbabilities.of(["OTHER"], others).to_doc(doc)
    assert [t._.tag_confidence for t in pipe(doc)] == [t._.tag_confidence for t in nlp(TEXTS[0])]


def test_what_needs_scores_is_told_that_they_are_there(nlp):
    needs = ["token._.tag_probabilities", "token._.tag_confidence", "doc._.tag_n_best"]
    Language.component("reads_scores", requires=needs, func=lambda doc: doc)
    nlp.add_pipe("reads_scores")
    assert nlp.analyze_pipes()["problems"]["reads_scores"] == []


def test_scores_do_not_depend_on_the_batch(nlp, pipe):
    pipe.cfg.update(save_probabilities=True, n_best=3)
    alone = [nlp(text) for text in TEXTS]
    for size in (2, 100):
        docs = nlp.pipe([*TEXTS, "", " ".join(TEXTS * 3)], batch_size=size)
        for doc, other in zip(docs, alone, strict=False):
            for token, twin in zip(doc, other, strict=True):
                assert token._.tag_probabilities == pytest.approx(
                    twin._.tag_probabilities, abs=1e-6
                )
            for (tags, p), (twins, q) in zip(doc._.tag_n_best, other._.tag_n_best, strict=True):
                assert tags == twins and p == pytest.approx(q, abs=1e-6)


def test_scores_travel(nlp, pipe):
    pipe.cfg.update(save_probabilities=True, n_best=2)
    expected = [nlp(text) for text in TEXTS]
    data = DocBin(store_user_data=True, docs=expected).to_bytes()
    by_bin = DocBin().from_bytes(data).get_docs(nlp.vocab)
    by_processes = nlp.pipe(TEXTS, n_process=2, batch_size=1)
    for docs in (by_bin, by_processes):
        for doc, other in zip(docs, expected, strict=True):
            assert doc[0]._.tag_probabilities == pytest.approx(
                other[0]._.tag_probabilities, abs=1e-6
            )
            assert [tags for tags, _ in doc._.tag_n_best] == [t for t, _ in other._.tag_n_best]


def test_empty_docs(nlp, pipe):
    pipe.cfg.update(save_probabilities=True, n_best=2, threshold=0.5)
    docs = list(nlp.pipe(["", TEXTS[0], ""]))
    assert [len(doc) for doc in docs] == [0, 5, 0]
    assert docs[0]._.tag_n_best == [([], 1.0)]
    assert nlp("")._.tag_n_best == [([], 1.0)]
    assert len(pipe.predict([])) == 0


def test_extensions_of_a_user_stay():
    existing = Token.get_extension("tag_probabilities")
    try:
        Token.set_extension("tag_probabilities", default="mine", force=True)
        register()
        assert Doc(spacy.blank("en").vocab, words=["a"])[0]._.tag_probabilities == "mine"
    finally:
        Token.remove_extension("tag_probabilities")
        register()
    assert Token.get_extension("tag_probabilities") == existing


# Sequences


def test_n_best_sequences(nlp, pipe):
    expected = tags_of(nlp.pipe(TEXTS))
    pipe.cfg["n_best"] = 4
    docs = list(nlp.pipe(TEXTS))
    assert tags_of(docs) == expected
    for doc in docs:
        sequences = doc._.tag_n_best
        chances = [p for _, p in sequences]
        assert sequences[0][0] == [token.tag_ for token in doc]
        assert len({tuple(tags) for tags, _ in sequences}) == len(sequences) == 4
        assert chances == sorted(chances, reverse=True) and 0.0 < sum(chances) <= 1.0 + 1e-9


def test_many_sequences_of_many_docs_are_found_bit_by_bit(nlp, pipe, monkeypatch):
    """Memory grows with the words, and with the sequences of each."""
    monkeypatch.setattr("spacy_lstm_tagger.pipeline.lstm_tagger.MOST_WORDS", 60)
    sizes = []
    predict = pipe.predict
    monkeypatch.setattr(pipe, "predict", lambda docs: sizes.append(len(docs)) or predict(docs))
    list(nlp.pipe(TEXTS[:1] * 12))
    pipe.cfg["n_best"] = 6
    docs = list(nlp.pipe(TEXTS[:1] * 4))
    assert sizes == [12, 2, 2] and all(len(doc._.tag_n_best) == 6 for doc in docs)


def test_fewer_sequences_than_asked_for(nlp, pipe):
    pipe.cfg["n_best"] = 100
    doc = nlp("dog")
    assert len(doc._.tag_n_best) == len(pipe.labels)
    assert sum(p for _, p in doc._.tag_n_best) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "setting,value",
    [("n_best", 0), ("n_best", -1), ("n_best", 10**9), ("threshold", 1.5), ("threshold", -0.1)],
)
def test_values_out_of_range(setting, value, nlp, pipe):
    with pytest.raises(ValueError, match=rf"M001.*{setting}.*it must be null or"):
        spacy.blank("en").add_pipe("lstm_tagger", config={setting: value})
    pipe.cfg[setting] = value
    with pytest.raises(ValueError, match=rf"M001.*{setting}"):
        nlp(TEXTS[0])
    with pytest.raises(ValueError, match=rf"M001.*{setting}"):
        list(nlp.pipe(TEXTS))


# Abstaining


def test_tags_below_the_threshold_are_left_empty(nlp, pipe):
    pipe.cfg["save_probabilities"] = True
    docs = list(nlp.pipe(TEXTS))
    sure = sorted(token._.tag_confidence for doc in docs for token in doc)
    pipe.cfg["threshold"] = middle = (sure[4] + sure[5]) / 2
    abstaining = list(nlp.pipe(TEXTS))
    for doc, other in zip(docs, abstaining, strict=True):
        for token, twin in zip(doc, other, strict=True):
            enough = token._.tag_confidence >= middle
            assert twin.tag_ == (token.tag_ if enough else "")
            assert twin._.tag_confidence == pytest.approx(token._.tag_confidence, abs=1e-6)
    assert sum(tag == "" for tags in tags_of(abstaining) for tag in tags) == 5


def test_a_threshold_of_zero_is_none(nlp, pipe):
    expected = tags_of(nlp.pipe(TEXTS))
    pipe.cfg["threshold"] = 0.0
    assert tags_of(nlp.pipe(TEXTS)) == expected


def test_existing_tags_stay_where_the_tagger_abstains(nlp, pipe):
    pipe.cfg["threshold"] = 1.0
    doc = nlp(Doc(nlp.vocab, words=["The", "dog"], tags=["X", ""]))
    assert tags_of([doc]) == [["X", ""]]


# Settings


def test_what_was_saved_holds(original, tmp_path):
    """As in spaCy's own components: `cfg` is saved, and its values win over those of the config."""
    nlp = pickle.loads(pickle.dumps(original))
    pipe = nlp.get_pipe("lstm_tagger")
    pipe.cfg["threshold"] = 1.0
    nlp.to_disk(tmp_path)
    for config in ({}, {"components.lstm_tagger.threshold": 0.0}):
        assert tags_of([spacy.load(tmp_path, config=config)("The dog")]) == [["", ""]]
    pipe.from_bytes(original.get_pipe("lstm_tagger").to_bytes())
    assert pipe.cfg["threshold"] is None and tags_of([nlp("The dog")]) == [["DET", "NN"]]


def test_every_setting_of_the_config_is_in_cfg():
    parameters = inspect.signature(LSTMTagger).parameters
    settings = set(parameters) - {"vocab", "model", "name", "scorer"}
    pipe = spacy.blank("en").add_pipe("lstm_tagger")
    assert settings <= set(pipe.cfg)
    for name in settings:
        assert pipe.cfg[name] == parameters[name].default
        assert not hasattr(pipe, name)  # it has one home


def test_other_models_have_probabilities_too():
    for version in ("v1", "v2"):
        nlp = spacy.blank("en")
        tok2vec = {
            "@architectures": "spacy.HashEmbedCNN.v2",
            "pretrained_vectors": None,
            "width": 8,
            "depth": 1,
            "embed_size": 50,
            "window_size": 1,
            "maxout_pieces": 2,
            "subword_features": True,
        }
        model = {"@architectures": f"spacy.Tagger.{version}", "tok2vec": tok2vec, "nO": None}
        pipe = nlp.add_pipe("lstm_tagger", config={"model": model, "save_probabilities": True})
        nlp.initialize(lambda: make_examples(nlp))  # noqa: B023
        pipe.model.get_ref("output_layer").get_param("b")[1] = 1.0
        scores = nlp("The dog")[0]._.tag_probabilities
        n = len(pipe.labels)
        assert scores[pipe.labels[1]] == pytest.approx(np.e / (np.e + n - 1), abs=1e-5)


def test_a_temperature_makes_less_sure(nlp, pipe):
    """Of sequences as of tags: of two, the logarithm of how much likelier one is gets smaller."""
    pipe.cfg.update(save_probabilities=True, n_best=2)
    before = nlp(TEXTS[0])
    pipe.cfg["temperature"] = 4.0
    after = nlp(TEXTS[0])
    assert tags_of([after]) == tags_of([before])
    assert all(b._.tag_confidence < a._.tag_confidence for a, b in zip(before, after, strict=True))
    ahead = [np.log(doc._.tag_n_best[0][1] / doc._.tag_n_best[1][1]) for doc in (before, after)]
    assert ahead[1] == pytest.approx(ahead[0] / 4.0, rel=1e-3)


@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
def test_temperatures_out_of_range(value, nlp, pipe):
    pipe.cfg["temperature"] = value
    with pytest.raises(ValueError, match=r"M001.*temperature.*more than 0"):
        nlp(TEXTS[0])


def test_a_tag_that_is_as_sure_as_the_threshold_stays(nlp, pipe):
    pipe.set_tag_dictionary({"dog": ["V"]})
    pipe.cfg["threshold"] = 1.0
    assert nlp(TEXTS[0])[1].tag_ == "V"
