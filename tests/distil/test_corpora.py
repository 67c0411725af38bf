"""Readers of shards and of mixtures: what they give, in which order, and what a bad one says."""

import json
import random
from collections import Counter
from itertools import chain, islice

import numpy as np
import pytest
import spacy
import spacy.training
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.augment import create_lower_casing_augmenter
from spacy.util import registry

from spacy_lstm_tagger.augmenters import NoiseAugmenter
from spacy_lstm_tagger.distil.corpora import MixedCorpus, ShardCorpus, count_words
from spacy_lstm_tagger.distil.shards import to_bytes
from spacy_lstm_tagger.files.docs import read_docbin
from spacy_lstm_tagger.probabilities import OWN, TagProbabilities
from spacy_lstm_tagger.readers import Corpus, docbin

from ..util import CORPUS

LABELS = ["A", "B"]


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


def make_doc(vocab, lengths, number):
    """RETURNS (Doc): A doc of sentences, each word of which says where it is."""
    words = [f"{number}.{i}.{j}" for i, n in enumerate(lengths) for j in range(n)]
    starts = [j == 0 for n in lengths for j in range(n)]
    tags = [LABELS[i % 2] for i in range(len(words))]
    morphs = ["Case=Nom" if i % 2 else "" for i in range(len(words))]
    spaces = [i % 3 > 0 for i in range(len(words))]
    doc = Doc(
        vocab, words=words, spaces=spaces, tags=tags, pos=["NOUN"] * len(words), morphs=morphs
    )
    for token, start in zip(doc, starts, strict=True):
        token.is_sent_start = start
    probabilities = np.array([[0.75, 0.25], [0.25, 0.75]], "f4")[np.arange(len(words)) % 2]
    TagProbabilities.of(LABELS, probabilities, half=True).to_doc(doc)
    return doc


@pytest.fixture
def shards(tmp_path, nlp):
    """Three shards of four docs, each of some sentences."""
    for shard in range(3):
        docs = [make_doc(nlp.vocab, [2, 1, 3, 2], 4 * shard + i) for i in range(4)]
        (tmp_path / f"shard-{shard}.spacy").write_bytes(to_bytes(docs))
    return tmp_path


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


@pytest.mark.parametrize(
    "settings", [{"augmenter": lambda nlp, eg: iter([eg, eg])}, {"also_group_by": 1}]
)
def test_what_is_read_twice_is_spread_too(nlp, settings):
    """An augmenter may make several examples of one, and a corpus be read in two ways."""
    twice = Corpus(CORPUS / "en-dev.conllu", **settings)
    other = Corpus(CORPUS / "en-train.conllu")
    own = {eg.reference.text for eg in twice(nlp)}
    random.seed(0)
    mixed = MixedCorpus({"twice": twice, "other": other}, shuffle_buffer=0)
    drawn = [eg.reference.text in own for eg in mixed(nlp)]
    share, last = sum(drawn) / len(drawn), drawn[-len(drawn) // 5 :]
    assert share / 2 < sum(last) / len(last) < 2 * share


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
    with pytest.raises(FileNotFoundError, match="D009"):
        ShardCorpus(tmp_path / "missing")
    with pytest.raises(ValueError, match="D009"):
        list(ShardCorpus(tmp_path)(nlp))


class Numbered:
    """A corpus of numbered examples, which counts how often it is read."""

    def __init__(self, name, size):
        self.name, self.size, self.passes = name, size, 0

    def __call__(self, nlp):
        self.passes += 1
        for i in range(self.size):
            doc = Doc(nlp.vocab, words=[f"{self.name}{i}"])
            yield Example(doc, doc.copy())


def names(examples):
    return [eg.reference[0].text for eg in examples]


@settings(deadline=None)
@given(
    sizes=st.dictionaries(st.sampled_from("abc"), st.integers(0, 30), min_size=1),
    repeat=st.dictionaries(st.sampled_from("abc"), st.integers(1, 3)),
    buffer=st.sampled_from([0, 1, 7, 100]),
)
def test_repetitions_are_exact(nlp, sizes, repeat, buffer):
    repeat = {name: n for name, n in repeat.items() if name in sizes}
    corpora = {name: Numbered(name, size) for name, size in sizes.items()}
    mixed = MixedCorpus(corpora, repeat=repeat, shuffle_buffer=buffer)
    expected = Counter(
        {f"{name}{i}": repeat.get(name, 1) for name in sizes for i in range(sizes[name])}
    )
    for _ in range(3):
        assert Counter(names(mixed(nlp))) == expected


def test_corpora_are_spread_over_a_pass(nlp):
    random.seed(0)
    corpora = {"a": Numbered("a", 100), "b": Numbered("b", 1000)}
    mixed = MixedCorpus(corpora, repeat={"a": 3}, shuffle_buffer=0)
    order = names(mixed(nlp))
    tenths = [sum(n[0] == "a" for n in order[i : i + 130]) for i in range(0, 1300, 130)]
    assert min(tenths) > 15 and max(tenths) < 48  # 30 on average


def test_long_docs_are_spread_as_well(nlp, shards):
    """Gold data in sentences, silver data in docs that are much longer."""
    random.seed(0)
    silver = ShardCorpus(shards)  # 12 docs of 8 words
    mixed = MixedCorpus({"gold": Numbered("a", 96), "silver": silver}, shuffle_buffer=0)
    where = [i for i, eg in enumerate(mixed(nlp)) if len(eg.predicted) == 8]
    assert len(where) == 12
    assert 30 < sum(where) / len(where) < 78  # 54 if they are spread over all of the 108


def test_words_are_counted_without_making_docs(nlp, shards):
    gold = Corpus(CORPUS / "en-dev.conllu", group_by=3)
    silver = ShardCorpus(shards, group_by=[1, 2])
    for corpus in (gold, silver):
        assert count_words(corpus, nlp) == sum(len(eg.predicted) for eg in corpus(nlp))
    assert count_words(Numbered("a", 7), nlp) == 7


def test_weights(nlp):
    random.seed(0)
    corpora = {"a": Numbered("a", 10), "b": Numbered("b", 2000)}
    mixed = MixedCorpus(corpora, weights={"a": 1, "b": 3}, shuffle_buffer=0)
    order = names(mixed(nlp))
    counts = Counter(name[0] for name in order)
    assert counts["b"] == 2000
    assert 600 < counts["a"] < 740  # a third of it
    assert corpora["a"].passes > 50 and corpora["b"].passes == 1


def test_it_is_a_stream(nlp):
    class Endless(Numbered):
        def __call__(self, nlp):
            while True:
                yield from super().__call__(nlp)

    corpora = {"a": Endless("a", 5), "b": Numbered("b", 5)}
    mixed = MixedCorpus(corpora, weights={"a": 1, "b": 1}, shuffle_buffer=10)
    assert len(list(islice(mixed(nlp), 500))) == 500


def test_kinds_of_corpora(nlp, shards):
    """CoNLL-U files, spaCy's reader of .spacy files, and shards."""
    corpora = {
        "gold": Corpus(CORPUS / "en-dev.conllu"),
        "spacy": spacy.training.Corpus(shards, gold_preproc=True),
        "silver": ShardCorpus(shards),
    }
    mixed = list(MixedCorpus(corpora)(nlp))
    sizes = [len(list(corpus(nlp))) for corpus in corpora.values()]
    assert len(mixed) == sum(sizes)


@pytest.mark.parametrize(
    "name,value",
    [
        ("repeat", {"a": 0}),
        ("repeat", {"a": 1.5}),
        ("repeat", {"x": 1}),
        ("weights", {"a": 1.0}),
        ("weights", {"a": 1.0, "b": 0}),
        ("weights", {"a": 1.0, "b": float("inf")}),
        ("shuffle_buffer", -1),
        ("corpora", {}),
    ],
)
def test_bad_settings(name, value):
    arguments = {"corpora": {"a": Numbered("a", 1), "b": Numbered("b", 1)}, name: value}
    with pytest.raises(ValueError, match=f"M001.*{name}"):
        MixedCorpus(**arguments)


def test_a_corpus_without_a_path():
    """As spaCy's reader of raw text takes it, until it is asked to read."""
    raw = registry.readers.get("spacy.JsonlCorpus.v1")(path=None)
    with pytest.raises(ValueError, match=r"M001.*raw\.path = None.*--paths\.raw"):
        MixedCorpus({"raw": raw})


def test_repeat_and_weights_exclude_each_other():
    with pytest.raises(ValueError, match=r"M001.*weights.*repeat is set"):
        MixedCorpus({"a": Numbered("a", 1)}, repeat={"a": 2}, weights={"a": 1})


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
