"""The `tag_lemmatizer`, in a pipeline: trained, saved, loaded, tagging."""

import copy
import json
import warnings

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from spacy_lstm_tagger.lemmas import LemmaTables
from spacy_lstm_tagger.pipeline import TagLemmatizer

from .test_serialize import by_bytes, by_deepcopy, by_disk, by_pickle

WORDS = ["Two", "dogs", "walked", "and", "played", ",", "Anna", "saw", "her", "cats", "."]
TAGS = ["CD", "NNS", "VBD", "CC", "VBD", ",", "NNP", "VBD", "PRP$", "NNS", "."]
LEMMAS = ["two", "dog", "walk", "and", "play", ",", "Anna", "see", "her", "cat", "."]
NEW = ["Bob", "talked", "\n", "birds"]
NEW_TAGS = ["NNP", "VBD", "_SP", "NNS"]
NEW_LEMMAS = ["Bob", "talk", "\n", "bird"]


def make_doc(nlp, words, tags, **attributes):
    return Doc(nlp.vocab, words=words, tags=tags, **attributes)


@pytest.fixture(scope="module")
def nlp():
    """Only the lemmatizer: the tags come with the docs."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tag_lemmatizer")
    reference = make_doc(nlp, WORDS, TAGS, lemmas=LEMMAS)
    nlp.initialize(lambda: [Example(nlp.make_doc(reference.text), reference)])
    return nlp


def lemmas(nlp, words=NEW, tags=NEW_TAGS, **attributes):
    return [token.lemma_ for token in nlp(make_doc(nlp, words, tags, **attributes))]


def test_sets_lemmas(nlp):
    assert lemmas(nlp, WORDS, TAGS) == LEMMAS
    assert lemmas(nlp) == NEW_LEMMAS
    assert lemmas(nlp, [], []) == []


def test_lemmas_that_spacy_converts_from_none():
    """A treebank without lemmas has _ in that column."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tag_lemmatizer")
    words, tags = ["dogs", "_", "cats"], ["NNS", "NFP", "NNS"]
    references = [make_doc(nlp, words, tags, lemmas=each) for each in ("___", ["dog", "_", "_"])]
    first, second = [Example(nlp.make_doc("dogs _ cats"), each) for each in references]
    with pytest.raises(ValueError, match="P011"):
        make = [Example(nlp.make_doc("a"), make_doc(nlp, ["a"], ["DT"], lemmas=["_"]))]
        nlp.initialize(lambda: make)
    nlp.initialize(lambda: [first, second])
    assert lemmas(nlp, words, tags) == ["dog", "_", "cats"]


def test_score(nlp):
    reference = make_doc(nlp, WORDS, TAGS, lemmas=[*LEMMAS[:-1], "?"])
    example = Example(make_doc(nlp, WORDS, TAGS), reference)
    assert nlp.evaluate([example])["lemma_acc"] == pytest.approx(10 / 11)


def by_source(nlp, path):
    other = spacy.blank("en")
    other.add_pipe("tag_lemmatizer", source=nlp)
    return other


@pytest.mark.parametrize("way", [by_disk, by_bytes, by_pickle, by_deepcopy, by_source])
def test_a_saved_one_is_the_same(nlp, way, tmp_path):
    other = way(nlp, tmp_path)
    other.get_pipe("tag_lemmatizer")._lemmas[1].clear()  # which some of them take along
    assert lemmas(other) == NEW_LEMMAS


def test_a_load_in_the_midst_of_a_call(nlp, monkeypatch):
    """What was looked up in the old tables is not kept for the new ones."""
    pipe = spacy.blank("en").add_pipe("tag_lemmatizer")
    pipe.from_bytes(nlp.get_pipe("tag_lemmatizer").to_bytes())
    new = LemmaTables.learn({("birds", "NNS", "new"): 1})
    lookup = LemmaTables.lemma

    def load_before(tables, word, tag):
        pipe._set_tables(new)
        return lookup(tables, word, tag)

    for expected in ("bird", "new", "new"):
        with monkeypatch.context() as patch:
            patch.setattr(LemmaTables, "lemma", load_before)
            assert pipe(Doc(pipe.vocab, words=["birds"], tags=["NNS"]))[0].lemma_ == expected


def test_processes_and_memory_zones(nlp):
    docs = [make_doc(nlp, NEW, NEW_TAGS) for _ in range(4)]
    found = nlp.pipe(docs, n_process=2, batch_size=2)
    assert [[token.lemma_ for token in doc] for doc in found] == [NEW_LEMMAS] * 4
    for _ in range(2):
        with nlp.memory_zone():
            assert lemmas(nlp, ["zonked", "Zelda"], ["VBD", "NNP"]) == ["zonk", "Zelda"]


def test_few_words_are_kept_at_hand(nlp, monkeypatch):
    """Texts have ever new ones."""
    monkeypatch.setattr("spacy_lstm_tagger.pipeline.tag_lemmatizer.CACHE_SIZE", 3)
    cache = nlp.get_pipe("tag_lemmatizer")._lemmas[1]
    for i in range(9):
        assert lemmas(nlp, [f"x{i}s"], ["NNS"]) == [f"x{i}"]
        assert len(cache) <= 4


def test_lemmas_that_are_there_stay(nlp):
    assert lemmas(nlp, lemmas=["x", "", "", ""]) == ["x", *NEW_LEMMAS[1:]]
    other = spacy.blank("en")
    other.add_pipe("tag_lemmatizer", config={"overwrite": True})
    other.get_pipe("tag_lemmatizer").from_bytes(nlp.get_pipe("tag_lemmatizer").to_bytes())
    assert lemmas(other, lemmas=["x", "", "", ""]) == NEW_LEMMAS


def test_words_without_tags(nlp):
    with pytest.warns(UserWarning, match=r"LW006.*tag_lemmatizer.*Put a tagger before it"):
        assert lemmas(nlp, ["Walked"], [""]) == ["walked"]
    with warnings.catch_warnings():  # once
        warnings.simplefilter("error")
        assert lemmas(nlp, ["Talked"], [""]) == ["talked"]


def test_data_without_lemmas():
    nlp = spacy.blank("en")
    nlp.add_pipe("tag_lemmatizer")
    with pytest.raises(ValueError, match="P020"):
        nlp("a")
    reference = make_doc(nlp, WORDS, TAGS)
    with pytest.raises(ValueError, match=r"P011.*tag_lemmatizer.*no word with a tag and a lemma"):
        nlp.initialize(lambda: [Example(nlp.make_doc(reference.text), reference)])


def test_a_streamed_corpus():
    nlp = spacy.blank("en")
    nlp.add_pipe("tag_lemmatizer")
    # As `spacy train` leaves it.
    nlp.config["vars"] = {"epochs": -1}
    nlp.config["training"]["max_epochs"] = "${vars.epochs}"
    reference = make_doc(nlp, WORDS, TAGS, lemmas=LEMMAS)
    # As many as spaCy shows of a stream.
    get_examples = lambda: [Example(nlp.make_doc(reference.text), reference)] * 100  # noqa: E731
    pipe = nlp.get_pipe("tag_lemmatizer")
    with pytest.warns(UserWarning, match=r"LW005.*tag_lemmatizer.lemmas\].*WordLemmas.v1"):
        pipe.initialize(get_examples, nlp=nlp)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipe.initialize(get_examples, nlp=nlp, lemmas=[("geese", "NNS", "goose", 1)])
    assert lemmas(nlp, ["Geese", "cats"], ["NNS", "NNS"]) == ["goose", "cats"]
    known = [("cats", "NNS", "cat", 1), ("dogs", "NNS", "dog", 1), ("mice", "NNS", "mouse", 0)]
    pipe.initialize(get_examples, nlp=nlp, lemmas=known)
    assert lemmas(nlp, ["mice", "birds"], ["NNS", "NNS"]) == ["mouse", "bird"]
    with pytest.raises(ValueError, match="P011"):
        pipe.initialize(get_examples, nlp=nlp, lemmas=known[2:])
    saw = [("saw", "VBD", "see", 2), ("saw", "VBD", "saw", 3), ("saw", "VBD", "see", 2)]
    pipe.initialize(get_examples, nlp=nlp, lemmas=saw)
    assert lemmas(nlp, ["saw"], ["VBD"]) == ["see"]
    with pytest.raises(ValueError, match=r"P011"):
        pipe.initialize(get_examples, nlp=nlp, lemmas=[])
    for entry in [("saw", "VBD"), ("saw", "VBD", None, 1), ("saw", "VBD", "see", "x")]:
        with pytest.raises(ValueError, match=r"M001.*lemmas\[1\] = .*a word, a tag, a lemma and"):
            pipe.initialize(get_examples, nlp=nlp, lemmas=[*saw[:1], entry])


EMPTY = LemmaTables().to_json()
CHANGES = [1, ["x", ""], [1, None], [-1, ""], [1e400, ""], [True], [1, "a", "b"]]
DAMAGED = [
    *[{"changes": {"NN": {"s": change}}} for change in CHANGES],
    *[{"changes": value} for value in ([], {"NN": []}, None)],
    *[{"exceptions": value} for value in ([], {"NN": []}, {"NN": {"x": 5}})],
    *[{"lemmas": value} for value in ("abc", [1], {})],
    {"cased": "NNP"},
    {"rare": {"NN": "s"}},
    {"rare": None},
    {"drops_commas": "no"},
    *[{"others": value} for value in (None, {"NN": []}, {"NN": {"s": "x"}}, {"NN": {"s": [1]}})],
]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'"x"', b'{"cased": []}', b"\xff"]
    + [json.dumps(EMPTY | part).encode() for part in DAMAGED],
)
def test_a_damaged_file(nlp, content, tmp_path):
    nlp.to_disk(tmp_path)
    path = tmp_path / "tag_lemmatizer" / "lemmas.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"L007.*lemmas.json.*Copy the pipeline again"):
        spacy.load(tmp_path)
    pipe = copy.deepcopy(nlp.get_pipe("tag_lemmatizer"))
    with pytest.raises(ValueError, match="L007"):
        pipe.from_disk(path.parent)
    assert pipe(make_doc(nlp, NEW, NEW_TAGS))[1].lemma_ == "talk"


def test_it_scores_itself(nlp):
    words, tags = ["dogs", "talked"], ["NNS", "VBD"]
    gold = make_doc(nlp, words, tags, lemmas=["dog", "walk"])
    example = Example(nlp(make_doc(nlp, words, tags)), gold)
    assert TagLemmatizer(nlp.vocab).score([example]) == {"lemma_acc": 0.5}


def test_no_warning_where_all_is_well(nlp):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lemmas(nlp)


def test_a_file_that_is_missing(tmp_path):
    pipe = spacy.blank("en").add_pipe("tag_lemmatizer")
    with pytest.raises(ValueError, match=r"L007.*lemmas\.json.*no such file"):
        pipe.from_disk(tmp_path)
