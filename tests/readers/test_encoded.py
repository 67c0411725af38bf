"""What is read is kept where it fits into memory, and no pass differs from another."""

import os
import random

import numpy as np
import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_lstm_tagger.readers import Corpus, conllu, encoded

from ..util import CORPUS
from .util import GERMAN, words, write


def as_bytes(examples):
    return [(eg.predicted.to_bytes(), eg.reference.to_bytes()) for eg in examples]


@pytest.fixture
def reads(monkeypatch):
    """Counts how often a CoNLL-U file is opened."""
    paths = []
    read_rows = conllu.read_rows

    def counted(path):
        paths.append(path)
        return read_rows(path)

    monkeypatch.setattr(conllu, "read_rows", counted)
    return paths


def test_docs_are_those_that_spacy_makes_of_strings(nlp):
    """The same as by spaCy's constructor, which takes strings."""
    path = CORPUS / "en-dev.conllu"
    for _, eg in zip(range(2), [Corpus(path)] * 2, strict=True):
        examples = list(eg(spacy.blank("en")))
        for example, (rows, spaces, _) in zip(examples, conllu.read_rows(path), strict=True):
            read = zip(*(conllu.read_word(row, "xpos") for row in rows), strict=True)
            names = ("words", "tags", "pos", "morphs", "lemmas")
            columns = dict(zip(names, map(list, read), strict=True))
            starts = [i == 0 for i in range(len(rows))]
            expected = Doc(nlp.vocab, spaces=spaces, **columns, sent_starts=starts)
            assert example.reference.to_bytes() == expected.to_bytes()


columns = st.sampled_from(["a", "A", "b", "_"])
rows = st.tuples(columns, columns, st.sampled_from(["X", "NOUN", "_", "Own"]), columns,
                 st.sampled_from(["_", "A=b", "B=c|A=b"]), st.booleans())  # fmt: skip
documents = st.lists(st.lists(st.lists(rows, min_size=1, max_size=4), min_size=1), min_size=1)


@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    documents.filter(lambda all_: any(row[3] != "_" for d in all_ for s in d for row in s)),
    st.sampled_from([1, 3, "document", [1, 3]]),
    st.integers(0, 5),
    st.integers(0, 7),
    st.integers(0, 3),
)
def test_all_passes_are_alike(nlp, tmp_path, documents, group_by, limit, max_length, buffer):
    path = tmp_path / "a.conllu"
    with path.open("w") as file:
        for document in documents:
            file.write("# newdoc\n")
            for sentence in document:
                for i, (*parts, space) in enumerate(sentence, 1):
                    misc = "_" if space else "SpaceAfter=No"
                    file.write("\t".join([str(i), *parts, "_", "_", "_", misc]) + "\n")
                file.write("\n")
    sentences = [sentence for document in documents for sentence in document]
    tagged = any(row[3] != "_" for sentence in sentences[:limit] for row in sentence)
    values = {"group_by": group_by, "max_length": max_length, "shuffle_buffer": buffer}
    corpus = Corpus(path, **values, limit=limit if tagged else 0)  # no tag at all is an error
    passes = []
    for pipeline in (nlp, nlp, spacy.blank("xx")):
        random.seed(0)
        passes.append([eg.reference.to_json() for eg in corpus(pipeline)])
    assert passes[0] == passes[1] == passes[2]


def test_a_file_is_read_once(nlp, german, reads):
    corpus = Corpus(german, also_group_by=2)
    first = as_bytes(corpus(nlp))
    assert len(reads) == 1
    assert as_bytes(corpus(nlp)) == first
    assert corpus.count_words() == 10
    assert len(reads) == 1


def test_another_pipeline_has_the_strings(german):
    corpus = Corpus(german)
    expected = as_bytes(corpus(spacy.blank("en")))
    assert as_bytes(corpus(spacy.blank("de"))) == expected


def test_a_file_that_changes_is_read_again(nlp, german, reads):
    corpus = Corpus(german)
    assert words(corpus(nlp))[0] == "Wir"
    german.write_text(GERMAN.replace("Wir", "Ihr"), encoding="utf-8")
    os.utime(german, ns=(0, 10**9))
    assert words(corpus(nlp))[0] == "Ihr"
    assert len(reads) == 2


def test_a_pass_that_is_not_finished_is_not_kept(nlp, fifty, reads):
    corpus = Corpus(fifty)
    next(corpus(nlp))
    assert len(words(corpus(nlp))) == 90
    assert len(words(corpus(nlp))) == 90
    assert len(reads) == 1 + 2


def test_a_large_corpus_is_streamed(nlp, fifty, reads, monkeypatch):
    expected = as_bytes(Corpus(fifty, group_by=3)(nlp))
    reads.clear()
    monkeypatch.setattr(encoded, "MAX_KEPT", 1000)
    corpus = Corpus(fifty, group_by=3)
    for _ in range(2):
        assert as_bytes(corpus(nlp)) == expected
    assert len(reads) == 4


def test_many_distinct_words_are_not_held(nlp, fifty, monkeypatch):
    expected = as_bytes(Corpus(fifty)(nlp))
    monkeypatch.setattr(conllu, "MAX_KNOWN", 5)
    assert as_bytes(Corpus(fifty)(nlp)) == expected


def test_what_is_kept_is_small(tmp_path):
    """Of a word that was met before, four bytes."""
    path = write(tmp_path / "a.conllu", [[4] * 100])
    text = path.read_text().replace("# newdoc\n", "")
    path.write_text(text * 20)
    corpus = Corpus(path)
    corpus.count_words()
    (_, kept) = corpus._kept
    assert len(kept.table) == 400
    assert [file.ids.nbytes for file in kept.files] == [4 * 8000]


def test_the_strings_are_not_transient(german):
    """What one pass has in a memory zone, the next one has outside of it."""
    corpus, nlp = Corpus(german), spacy.blank("de")
    with nlp.memory_zone():
        first = [str(eg.reference) for eg in corpus(nlp)]
    assert [str(eg.reference) for eg in corpus(nlp)] == first
    assert corpus.read(Vocab())


def test_a_file_that_grows_within_a_tick_of_the_clock_is_read_again(nlp, german):
    corpus, state = Corpus(german), german.stat()
    first = words(corpus(nlp))
    german.write_text(GERMAN + "\n" + GERMAN, encoding="utf-8")
    os.utime(german, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert words(corpus(nlp)) == first * 2


@pytest.mark.parametrize("distinct", [1, 300])
def test_nothing_of_a_large_corpus_is_held(monkeypatch, distinct):
    """Whether its words are many or many different ones; its annotations are all told."""
    monkeypatch.setattr(encoded, "MAX_KEPT", 1000)
    keeper = encoded.Keeper(encoded.Strings(Vocab()))
    keeper.strings.add("a")
    rows = np.arange(300, dtype=np.uint64) % distinct
    tokens = np.repeat(rows[:, None], len(encoded.ATTRIBUTES), axis=1)
    sentences = [encoded.EncodedSentence(part, True) for part in np.split(tokens, 3)]
    assert list(keeper.collect(CORPUS, sentences)) == sentences
    assert keeper.corpus() is None and not keeper.rows and not keeper.strings.texts
    assert sum(len(file.ids) for file in keeper.files) == 0
    assert len(keeper.annotations) == distinct
