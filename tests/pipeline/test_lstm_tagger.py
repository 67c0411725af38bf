"""The `lstm_tagger` component: annotations, batches, processes."""

import inspect
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.tokens import Doc
from spacy.training import Example

from spacy_lstm_tagger.pipeline import LSTMTagger, lstm_tagger
from spacy_lstm_tagger.pipeline.factory import make_lstm_tagger

from ..util import (
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


def words_of(vocab):
    """RETURNS (dict): Docs that are hard on a model, by name."""
    cases = {
        "empty": [],
        "one": ["dog"],
        "whitespace": ["\n\n", "The", " ", "dog", "\t"],
        "emoji": ["I", "👩‍👩‍👧‍👦", "🇬🇷", "👍🏽", "slept"],
        "combining": ["e\u0301a\u0308", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙", "dog"],
        "long word": ["The", "a" * 5000, "slept"],
        "scripts": ["слово", "λέξη", "词", "말", "كلمة", "शब्द", "\U00010330", "\U0001f9ff"],
        "long": [word for text in TEXTS * 1112 for word in text.split()][:20000],
    }
    return {name: Doc(vocab, words=words) for name, words in cases.items()}


# The factory


def test_works_with_nothing_else():
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger")
    assert isinstance(pipe, LSTMTagger)
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    losses = train(nlp, examples, steps=30, optimizer=optimizer)
    assert losses[-1]["lstm_tagger"] < 0.1 * losses[0]["lstm_tagger"]
    assert tags_of(nlp.pipe(TEXTS)) == TAGS
    assert nlp.evaluate(examples)["tag_acc"] == 1.0


def test_default_config_is_complete():
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger")
    config = nlp.get_pipe_config("lstm_tagger")
    assert set(config) == set(inspect.signature(make_lstm_tagger).parameters) - {"nlp", "name"} | {
        "factory"
    }
    assert nlp.config["training"]["score_weights"]["tag_acc"] == 1.0
    assert spacy.blank("en").from_config(nlp.config).pipe_names == ["lstm_tagger"]


def test_what_a_config_says_holds():
    said = {"overwrite": True, "neg_prefix": "no ", "label_smoothing": 0.1, "tag_set": "upos",
            "tag_separator": "/", "class_weights": {"NOUN": 2.0}, "soft_share": 0.5,
            "save_probabilities": True, "n_best": 2, "threshold": 0.5}  # fmt: skip
    defaults = spacy.blank("en").get_factory_meta("lstm_tagger").default_config
    assert said.keys() | {"model", "scorer"} == defaults.keys()
    pipe = spacy.blank("en").add_pipe("lstm_tagger", name="mine", config={**said, "scorer": None})
    assert {setting: pipe.cfg[setting] for setting in said} == said
    assert pipe.name == "mine" and pipe.scorer is None


@pytest.mark.parametrize("label_smoothing", [-0.1, 1.0])
def test_label_smoothing_out_of_range(label_smoothing):
    with pytest.raises(ValueError, match=r"M001.*label_smoothing.*from 0 up to below 1"):
        spacy.blank("en").add_pipe("lstm_tagger", config={"label_smoothing": label_smoothing})


# Annotations


@pytest.mark.parametrize("overwrite", [False, True])
def test_existing_tags_stay_unless_overwrite(trained, overwrite):
    nlp = pickle.loads(pickle.dumps(trained))
    nlp.get_pipe("lstm_tagger").cfg["overwrite"] = overwrite
    partly = Doc(nlp.vocab, words=TEXTS[0].split(), tags=["", "X", "", "", "Y"])
    nlp(partly)
    if overwrite:
        assert tags_of([partly]) == [TAGS[0]]
    else:
        assert tags_of([partly]) == [["DET", "X", "V", "DET", "Y"]]


def test_only_tags_are_set(trained):
    doc = Doc(trained.vocab, words=TEXTS[0].split(), pos=["X"] * 5, lemmas=["y"] * 5)
    trained.get_pipe("lstm_tagger")(doc)
    assert {token.pos_ for token in doc} == {"X"} and {token.lemma_ for token in doc} == {"y"}
    assert doc.has_annotation("TAG") and not doc.has_annotation("SENT_START")


# Batches


def test_scores_do_not_depend_on_the_batch(trained):
    pipe = trained.get_pipe("lstm_tagger")
    docs = list(words_of(trained.vocab).values()) + [trained.make_doc(text) for text in TEXTS]
    alone = [scores_of(pipe, [doc])[0] for doc in docs]
    assert [scores.shape for scores in alone] == [(len(doc), len(pipe.labels)) for doc in docs]
    for batch in (docs, docs[::-1], docs[:3] * 2 + docs[3:]):
        order = [docs.index(doc) for doc in batch]
        for i, scores in zip(order, scores_of(pipe, batch), strict=True):
            assert_allclose(scores, alone[i], atol=1e-5)


def test_words_of_a_batch_are_bounded(trained, monkeypatch):
    """A batch of long docs goes through the network in parts, and a doc is never cut."""
    lengths = [3, 60, 41, 250, 0, 99, 1]
    docs = [Doc(trained.vocab, words=(["dog", "ate"] * 125)[:n]) for n in lengths]
    expected = tags_of(map(trained, [doc.copy() for doc in docs]))
    pipe = trained.get_pipe("lstm_tagger")
    seen = []
    predict = type(pipe).predict

    def watched(self, docs):
        seen.append([len(doc) for doc in docs])
        return predict(self, docs)

    monkeypatch.setattr(lstm_tagger, "MOST_WORDS", 100)
    monkeypatch.setattr(type(pipe), "predict", watched)
    assert tags_of(pipe.pipe(docs, batch_size=6)) == expected
    assert seen == [[3, 60], [41], [250], [0, 99], [1]]


@pytest.mark.parametrize("batch_size", [1, 2, 5, 1000])
def test_pipe_equals_call(trained, batch_size):
    expected = tags_of(trained(doc) for doc in words_of(trained.vocab).values())
    docs = list(trained.pipe(words_of(trained.vocab).values(), batch_size=batch_size))
    assert tags_of(docs) == expected
    assert {tag for doc in expected for tag in doc} <= {
        *trained.get_pipe("lstm_tagger").labels,
        "_SP",
    }
    assert [len(doc) for doc in expected] == [len(doc) for doc in docs]


def test_docs_and_examples_may_be_generators(trained):
    pipe, examples = trained.get_pipe("lstm_tagger"), make_examples(trained)
    docs = [eg.predicted for eg in examples]
    once, guesses = pipe.predict(iter(docs)), pipe.predict(docs)
    assert list(map(list, once)) == list(map(list, guesses))
    pipe.set_annotations(iter(docs), guesses)
    assert tags_of(docs) == TAGS
    assert pipe.score(iter(examples)) == pipe.score(examples)


def test_empty_docs_alone(trained):
    docs = list(trained.pipe([Doc(trained.vocab), Doc(trained.vocab)]))
    assert tags_of(docs) == [[], []]
    assert list(trained.pipe([])) == []


def test_trains_on_hard_docs():
    """Empty docs and odd words may be in a training batch; a tag can be missing."""
    nlp, optimizer = trained_nlp(steps=1)
    examples = make_examples(nlp)
    for name, doc in words_of(nlp.vocab).items():
        if name != "long":
            tags = ["NN" if i % 2 else "" for i in range(len(doc))]
            reference = Doc(nlp.vocab, words=[word.text for word in doc], tags=tags)
            examples.append(Example(doc, reference))
    losses = train(nlp, examples, steps=3, optimizer=optimizer, drop=0.2)
    assert all(np.isfinite(loss["lstm_tagger"]) and loss["lstm_tagger"] > 0 for loss in losses)
    train(nlp, [Example(Doc(nlp.vocab), Doc(nlp.vocab))], steps=1, optimizer=optimizer)


def test_memory_zone(trained):
    nlp = pickle.loads(pickle.dumps(trained))
    for _ in range(2):
        with nlp.memory_zone():
            assert tags_of(nlp.pipe(TEXTS)) == TAGS
            nlp("Words that only this zone knows, zzyzx")
        assert tags_of(nlp.pipe(TEXTS)) == TAGS


def test_tags_outlast_a_memory_zone():
    """Those of a doc that is older than the zone, also of its white space."""
    nlp, _ = trained_nlp(steps=0)
    doc = nlp.make_doc("The \n dog")
    with nlp.memory_zone():
        nlp.get_pipe("lstm_tagger")(doc)
    labels = nlp.get_pipe("lstm_tagger").labels
    assert doc[1].tag_ == "_SP" and {doc[0].tag_, doc[2].tag_} <= set(labels)


def test_threads_share_a_pipeline(trained):
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda text: tags_of([trained(text)])[0], TEXTS * 20))
    assert results == TAGS * 20


WORKERS = """
import json, multiprocessing, os, sys, threading

def give_up():
    print("the workers hang", file=sys.stderr, flush=True)
    for worker in multiprocessing.active_children():
        worker.kill()
    os._exit(1)

if __name__ == "__main__":
    timer = threading.Timer(900, give_up)  # far more than the slowest machine takes
    timer.daemon = True
    timer.start()
    import spacy, torch
    from spacy.training import Example

    multiprocessing.set_start_method(sys.argv[1])
    torch.set_num_threads(4)
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": json.loads(sys.argv[2])})
    examples = []
    for text, tags in json.loads(sys.argv[3]) * 50:
        gold = {"words": text.split(), "tags": tags.split()}
        examples.append(Example.from_dict(nlp.make_doc(text), gold))
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(4):
        nlp.update(examples, sgd=optimizer)  # large enough for PyTorch to start its threads
    texts = [" ".join(eg.text for eg in examples[:4])] * 200
    expected = [[token.tag_ for token in doc] for doc in nlp.pipe(texts)]
    docs = nlp.pipe(texts, n_process=2, batch_size=50)
    assert [[token.tag_ for token in doc] for doc in docs] == expected
    print("same tags", len(expected))
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes(tmp_path, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"{method} is not there on this system")
    script = tmp_path / "workers.py"
    script.write_text(WORKERS)
    model = small_model(width=256, embed_width=128)
    result = subprocess.run(
        [sys.executable, script, method, json.dumps(model), json.dumps(SENTENCES)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "4"},
    )
    assert result.returncode == 0, result.stderr
    assert "same tags 200" in result.stdout


def test_no_label_is_added_beside_one_that_is_none_of_the_tag_set():
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger", config={"model": small_model(), "tag_set": "upos"})
    with pytest.raises(ValueError, match="NN"):
        pipe.initialize(lambda: make_examples(nlp), nlp=nlp, labels=["NOUN", "NN"])
    assert pipe.labels == ()


@pytest.mark.parametrize(
    ("weights", "dictionary", "code"),
    [(None, {"the": ["NOPE"]}, "P003"), ({"NOPE": 2.0}, None, "P005")],
)
def test_what_cannot_be_initialized_keeps_its_weights(weights, dictionary, code):
    nlp, _ = trained_nlp()
    pipe, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    pipe.cfg["class_weights"] = weights
    with pytest.raises(ValueError, match=code):
        pipe.initialize(lambda: examples, nlp=nlp, tag_dictionary=dictionary)
    assert tags_of(nlp.pipe(TEXTS)) == TAGS and pipe.cfg["tag_dictionary"] is None
