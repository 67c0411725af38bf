"""The reader of mixtures: what it gives, in which order, and what a bad setting says."""

import random
from collections import Counter
from itertools import islice

import pytest
import spacy
import spacy.training
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from spacy_lstm_tagger.distil.mixed_corpus import MixedCorpus, count_words
from spacy_lstm_tagger.distil.shard_corpus import ShardCorpus
from spacy_lstm_tagger.readers import Corpus

from ..util import CORPUS


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
        # Without a vocabulary there could be none.
        assert count_words(corpus, None) == sum(len(eg.predicted) for eg in corpus(nlp))
    assert count_words(Numbered("a", 7), nlp) == 7


def test_weights(nlp):
    random.seed(0)
    corpora = {"a": Numbered("a", 10), "b": Numbered("b", 2000)}
    mixed = MixedCorpus(corpora, weights={"a": 0.1, "b": 0.3}, shuffle_buffer=0)
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


@pytest.mark.parametrize("augmenter", [None, lambda nlp, eg: iter([eg])])
def test_a_corpus_that_is_tokenized_anew_is_spread_too(nlp, tmp_path, augmenter):
    """Its tokens are more than the words in its files."""
    lines = [f"{i}\tx.y.z.x.y.z!!!\t_\tX\tX\t_\t_\t_\t_\t_\n" for i in range(1, 6)]
    (tmp_path / "gold.conllu").write_text(("".join(lines) + "\n") * 200)
    gold = Corpus(tmp_path / "gold.conllu", gold_tokens=False, augmenter=augmenter)
    random.seed(0)
    mixed = MixedCorpus({"gold": gold, "other": Numbered("a", 1000)}, shuffle_buffer=0)
    order = [eg.reference[0].text[0] == "x" for eg in mixed(nlp)]
    tenths = [sum(order[i : i + 120]) for i in range(0, 1200, 120)]
    assert min(tenths) > 8 and max(tenths) < 40  # 20 on average
