"""The reader of shards: what it gives, in which order, and what a bad one says."""

import json
import random
import weakref
from itertools import chain, islice

import numpy as np
import pytest
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.augment import create_lower_casing_augmenter

from spacy_lstm_tagger.augmenters import NoiseAugmenter
from spacy_lstm_tagger.distil import shard_corpus
from spacy_lstm_tagger.distil.shard_corpus import ShardCorpus
from spacy_lstm_tagger.distil.shards import to_bytes
from spacy_lstm_tagger.files.docs import read_docbin
from spacy_lstm_tagger.probabilities import OWN, TagProbabilities
from spacy_lstm_tagger.readers import docbin

from . import LABELS, make_doc


def words_of(examples):
    return [[token.text for token in eg.reference] for eg in examples]


def test_a_lost_shard(shards):
    listed = []
    for i, path in enumerate(sorted(shards.iterdir())):
        listed.append({"name": f"shard-{i:05d}.spacy", "docs": 4, "words": 32})
        listed[-1] |= {"digest": "", "texts": ""}
        path.rename(shards / listed[-1]["name"])
    manifest = {"options": {}, "shards": listed, "complete": True}
    (shards / "manifest.json").write_text(json.dumps(manifest))
    ShardCorpus(shards)
    (shards / listed[1]["name"]).unlink()
    with pytest.raises(ValueError, match=r"D026.*shard was lost"):
        ShardCorpus(shards)


def test_docs_as_they_are(nlp, shards):
    examples = list(ShardCorpus(shards, shuffle=False)(nlp))
    assert len(examples) == 12
    for number, eg in enumerate(examples):
        expected = make_doc(nlp.vocab, [2, 1, 3, 2], number)
        for doc in (eg.predicted, eg.reference):
            assert doc.text == expected.text
            assert [t.text for t in doc] == [t.text for t in expected]
        assert [t.tag_ for t in eg.reference] == [t.tag_ for t in expected]
        assert not any(t.tag_ or t.pos_ or str(t.morph) for t in eg.predicted)
        assert TagProbabilities.from_doc(eg.predicted) is None


def test_labels_of_half_the_texts(nlp, shards):
    manifest = {"options": {}, "shards": [], "complete": False}
    (shards / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=rf"D026.*{shards}.*goes on"):
        ShardCorpus(shards)
    (shards / "manifest.json").write_text(json.dumps(manifest | {"complete": True}))
    assert len(list(ShardCorpus(shards)(nlp))) == 12


def test_noise_changes_words_alone(nlp, tmp_path):
    doc = Doc(nlp.vocab, words=["small", "words"], tags=["A", "B"], pos=["ADJ", "NOUN"])
    TagProbabilities.of(LABELS, np.array([[0.75, 0.25], [0.25, 0.75]], "f4")).to_doc(doc)
    (tmp_path / "shard.spacy").write_bytes(to_bytes([doc]))
    shout = NoiseAugmenter(lower=0.0, upper=1.0, no_final=0.0, typos=0.0)
    (example,) = ShardCorpus(tmp_path, augmenter=shout)(nlp)
    for noisy in (example.predicted, example.reference):
        assert [token.text for token in noisy] == ["SMALL", "WORDS"]
    assert [(t.tag_, t.pos_) for t in example.reference] == [("A", "ADJ"), ("B", "NOUN")]
    assert TagProbabilities.from_doc(example.reference).probabilities[:, 0].tolist() == [0.75, 0.75]


@pytest.mark.parametrize("group_by", [1, np.int64(3), [1, 2], [2, 9]])
def test_sentences_in_groups(nlp, shards, group_by):
    """Every sentence once, with its tags and probabilities, in docs of as many as was asked for."""
    low, high = group_by if isinstance(group_by, list) else (group_by, group_by)
    examples = list(ShardCorpus(shards, group_by=group_by, shuffle=False)(nlp))
    whole = words_of(ShardCorpus(shards, shuffle=False)(nlp))
    assert list(chain(*words_of(examples))) == list(chain(*whole))
    for token in (token for eg in examples for token in eg.reference):
        assert (token.pos_, str(token.morph)) == ("NOUN", "Case=Nom" if token.tag_ == "B" else "")
    sizes = [len(list(eg.reference.sents)) for eg in examples]
    assert max(sizes) <= high
    for eg, size in zip(examples, sizes, strict=True):
        assert size >= low or eg.reference[-1].text.split(".")[1] == "3"  # the doc ends there
        dense = TagProbabilities.from_doc(eg.reference).dense(LABELS)
        assert [LABELS[i] for i in dense.argmax(axis=1)] == [t.tag_ for t in eg.reference]
        assert dense.max(axis=1).tolist() == [0.75] * len(eg.reference)


def test_sentences_stay_in_order(nlp, tmp_path):
    """However long they are."""
    (tmp_path / "a.spacy").write_bytes(to_bytes([make_doc(nlp.vocab, [10, 23, 5], 0)]))
    examples = ShardCorpus(tmp_path, group_by=1, shuffle=False)(nlp)
    assert [len(eg.reference) for eg in examples] == [10, 23, 5]


def test_each_pass_has_its_own_order(nlp, shards):
    corpus = ShardCorpus(shards, group_by=[1, 4])
    first, second = words_of(corpus(nlp)), words_of(corpus(nlp))
    assert first != second
    assert sorted(chain(*first)) == sorted(chain(*second))


def test_one_file_is_read_at_a_time(nlp, shards, monkeypatch):
    read = []

    def record(path):
        read.append(path)
        return read_docbin(path)

    monkeypatch.setattr(docbin, "read_docbin", record)
    stream = ShardCorpus(shards)(nlp)
    next(stream)
    assert len(read) == 1
    list(stream)
    assert len(read) == 3


def test_docs_without_sentences_or_scores_or_words(nlp, tmp_path):
    docs = [Doc(nlp.vocab), Doc(nlp.vocab, words=["a", "b"], tags=["A", "B"])]
    DocBin(docs=docs).to_disk(tmp_path / "a.spacy")
    (example,) = ShardCorpus(tmp_path / "a.spacy", group_by=2)(nlp)
    assert [t.tag_ for t in example.reference] == ["A", "B"]


@pytest.mark.parametrize("group_by", [0, -1, [0, 2], [3, 2], [1], "x", [1, "x"], True])
def test_bad_group_by(shards, group_by):
    with pytest.raises(ValueError, match=r"M001.*group_by"):
        ShardCorpus(shards, group_by=group_by)


def test_no_data(nlp, tmp_path):
    for path in (None, ""):  # which would be this folder
        with pytest.raises(ValueError, match="E913"):
            ShardCorpus(path)
    with pytest.raises(FileNotFoundError, match="D009"):
        ShardCorpus(tmp_path / "missing")
    with pytest.raises(ValueError, match="D009"):
        list(ShardCorpus(tmp_path)(nlp))


def test_a_damaged_shard_is_named(nlp, shards):
    bad = shards / "shard-1.spacy"
    bad.write_bytes(bad.read_bytes()[:-20])
    for group_by in ("document", 2):
        with pytest.raises(ValueError, match=r"D011.*shard-1\.spacy cannot be read"):
            list(ShardCorpus(shards, group_by=group_by)(nlp))
    with pytest.raises(ValueError, match=r"D011.*shard-1\.spacy cannot be read"):
        ShardCorpus(shards).count_words()


def test_docs_of_a_file_are_shuffled(nlp, shards):
    random.seed(0)
    passes = [words_of(ShardCorpus(shards / "shard-0.spacy")(nlp)) for _ in range(5)]
    assert any(each != passes[0] for each in passes)
    assert all(sorted(each) == sorted(passes[0]) for each in passes)


def test_files_are_shuffled(nlp, shards):
    random.seed(0)
    first = [words_of(islice(ShardCorpus(shards)(nlp), 1))[0][0] for _ in range(30)]
    assert {int(word.split(".")[0]) // 4 for word in first} == {0, 1, 2}


def longer(nlp, example):
    words = [token.text for token in example.reference]
    yield Example.from_dict(nlp.make_doc(" ".join(words)), {"words": [*words, "more"]})


@pytest.mark.parametrize("augmenter", [create_lower_casing_augmenter(1.0), longer])
def test_probabilities_stay_with_an_augmenter_of_spacy(nlp, shards, augmenter):
    """Whose docs have no user data. Those of other words than there were have none."""
    plain = list(ShardCorpus(shards, shuffle=False)(nlp))
    found = list(ShardCorpus(shards, shuffle=False, augmenter=augmenter)(nlp))
    for example, augmented in zip(plain, found, strict=True):
        kept = TagProbabilities.of_teacher(augmented.reference)
        if augmenter is longer:
            assert kept is None
        else:
            expected = TagProbabilities.of_teacher(example.reference)
            np.testing.assert_array_equal(kept.dense(), expected.dense())


@pytest.mark.parametrize("group_by", ["document", 1, [1, 10]])
def test_what_a_tagger_has_kept_to_be_read_teaches_nobody(nlp, tmp_path, group_by):
    doc = make_doc(nlp.vocab, [2, 3], 0)
    doc.user_data[TagProbabilities.key][OWN] = True
    (tmp_path / "a.spacy").write_bytes(to_bytes([doc]))
    examples = list(ShardCorpus(tmp_path, group_by=group_by)(nlp))
    assert examples and not any(TagProbabilities.of_teacher(eg.reference) for eg in examples)


def test_an_augmenter_may_give_other_probabilities(nlp, shards):
    def surer(nlp, example):
        kept = TagProbabilities.from_doc(example.reference)
        TagProbabilities(kept.labels, kept.tags, kept.probabilities**2).to_doc(example.reference)
        yield example

    plain = ShardCorpus(shards, shuffle=False)(nlp)
    for before, after in zip(
        plain, ShardCorpus(shards, shuffle=False, augmenter=surer)(nlp), strict=True
    ):
        old, new = (TagProbabilities.from_doc(eg.reference).dense() for eg in (before, after))
        np.testing.assert_allclose(new, old**2, rtol=1e-2, atol=1e-3)


def test_an_augmenter_that_puts_another_doc_in_its_place(nlp, shards):
    def longer(nlp, example):
        words = [*(token.text for token in example.reference), "more"]
        example.predicted, example.reference = (Doc(nlp.vocab, words=words) for _ in range(2))
        yield example

    for example in ShardCorpus(shards, augmenter=longer)(nlp):
        assert TagProbabilities.of_teacher(example.reference) is None


def test_docs_of_one_file_are_in_memory(nlp, shards, monkeypatch):
    alive = weakref.WeakSet()
    most = 0

    def read(path, vocab, *, user_data):
        nonlocal most
        for doc in read_docs(path, vocab, user_data=user_data):
            alive.add(doc)
            most = max(most, len(alive))
            yield doc

    read_docs = shard_corpus.read_docs
    monkeypatch.setattr(shard_corpus, "read_docs", read)
    for _ in ShardCorpus(shards)(nlp):
        pass
    assert most <= 6  # of a file of four docs, and what the loops hold


@pytest.mark.parametrize("group_by", ["document", 1])
def test_an_underscore_is_no_tag_but_of_a_teacher_that_has_it(nlp, tmp_path, group_by):
    doc = Doc(nlp.vocab, words=["a", "_"], tags=["A", "_"])
    taught = doc.copy()
    TagProbabilities.of(["A", "_"], np.eye(2, dtype="f4")).to_doc(taught)
    for name, each, tag in (("a", doc, ""), ("b", taught, "_")):
        (tmp_path / f"{name}.spacy").write_bytes(to_bytes([each]))
        (example,) = ShardCorpus(tmp_path / f"{name}.spacy", group_by=group_by)(nlp)
        assert [token.tag_ for token in example.reference] == ["A", tag]
