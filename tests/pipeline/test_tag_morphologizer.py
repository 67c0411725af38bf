"""The `tag_morphologizer`, in a pipeline: trained, saved, loaded, and held to the tags."""

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from spacy_lstm_tagger.readers import Corpus

from ..util import CORPUS, small_model, train
from .test_serialize import by_bytes, by_deepcopy, by_disk, by_pickle

WORDS = ["The", "dog", "saw", "a", "saw"]
TAGS = ["DT", "NN", "VBD", "DT", "NN"]
POS = ["DET", "NOUN", "VERB", "DET", "NOUN"]
MORPHS = ["", "Number=Sing", "Tense=Past", "", "Number=Sing"]
READER = "spacy-lstm-tagger.MorphLabels.v1"


def make_pipeline(*, factory="tag_morphologizer", steps=30, **settings):
    """RETURNS (Language): A pipeline with a morphologizer alone: tags come with the docs."""
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, name="morphologizer", config={"model": small_model(), **settings})
    reference = Doc(nlp.vocab, words=WORDS, tags=TAGS, pos=POS, morphs=MORPHS)
    examples = [Example(nlp.make_doc(reference.text), reference)]
    nlp.initialize(lambda: examples)
    train(nlp, examples, steps=steps)
    return nlp


@pytest.fixture(scope="module")
def nlp():
    return make_pipeline()


def annotate(nlp, words, tags, **attributes):
    doc = nlp(Doc(nlp.vocab, words=words, tags=tags, **attributes))
    return [token.pos_ for token in doc], [str(token.morph) for token in doc]


def test_it_learns(nlp):
    assert annotate(nlp, WORDS, TAGS) == (POS, MORPHS)
    assert annotate(nlp, [], []) == ([], [])


def test_a_word_gets_what_goes_with_its_tag(nlp):
    pos, morphs = annotate(nlp, WORDS, ["VBD", "VBD", "NN", "NN", "DT"])
    assert pos == ["VERB", "VERB", "NOUN", "NOUN", "DET"]
    assert morphs == ["Tense=Past", "Tense=Past", "Number=Sing", "Number=Sing", ""]


@pytest.mark.parametrize("overwrite", [False, True])
def test_white_space_has_no_features(nlp, overwrite):
    nlp = by_bytes(nlp, None)
    nlp.get_pipe("morphologizer").cfg["overwrite"] = overwrite
    words, tags = ["dog", "\n", "dog", "\n\n"], ["NN", "_SP", "NN", "_SP"]
    expected = ["NOUN", "SPACE"] * 2, ["Number=Sing", ""] * 2
    for pos in (None, expected[0]):
        assert annotate(nlp, words, tags, pos=pos) == expected
    assert annotate(nlp, words, tags, morphs=[""] * 4)[0] == expected[0]
    there = {"pos": ["X"] * 4, "morphs": ["Case=Nom"] * 4}
    assert annotate(nlp, words, tags, **there) == (expected if overwrite else tuple(there.values()))


def test_in_another_pipeline_its_features_are_known(nlp):
    other = spacy.blank("en")
    other.add_pipe("morphologizer", source=nlp)
    assert annotate(other, WORDS, TAGS) == (POS, MORPHS)


@pytest.mark.parametrize("tag", ["", "NEW"])
def test_without_a_known_tag_it_is_spacys(nlp, tag):
    """In the same batch, too, as words that have one."""
    theirs = make_pipeline(factory="morphologizer", overwrite=False)
    assert annotate(nlp, WORDS, [tag] * 5) == annotate(theirs, WORDS, [tag] * 5)
    tags = [tag] * 4 + ["DT"]
    assert annotate(nlp, WORDS, tags)[0] == [*annotate(theirs, WORDS, tags)[0][:4], "DET"]


def test_data_without_coarse_tags():
    """No label goes with a tag, so any may be given."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tag_morphologizer", config={"model": small_model()})
    reference = Doc(nlp.vocab, words=WORDS, tags=TAGS, morphs=MORPHS)
    examples = [Example(nlp.make_doc(reference.text), reference)]
    nlp.initialize(lambda: examples)
    pos, morphs = annotate(nlp, WORDS, TAGS)
    assert pos == [""] * 5 and set(morphs) <= set(MORPHS)


def test_docs_of_a_batch(nlp):
    docs = [Doc(nlp.vocab, words=WORDS[:n], tags=TAGS[:n]) for n in (0, 5, 1, 0, 3)]
    for doc in nlp.pipe(docs):
        assert [token.pos_ for token in doc] == POS[: len(doc)]


def test_what_is_there_stays(nlp):
    assert annotate(nlp, WORDS[:2], TAGS[:2], pos=["X", "X"])[0] == ["X", "X"]
    other = make_pipeline(overwrite=True)
    assert annotate(other, WORDS[:2], TAGS[:2], pos=["X", "X"])[0] == POS[:2]


@pytest.mark.parametrize("way", [by_disk, by_bytes, by_pickle, by_deepcopy])
def test_a_saved_one_is_the_same(nlp, way, tmp_path):
    tags = ["VBD", "DT", "NN", "NEW", "DT"]
    assert annotate(way(nlp, tmp_path), WORDS, tags) == annotate(nlp, WORDS, tags)


def test_a_new_label_goes_with_tags_that_have_its_coarse_tag(nlp):
    other = spacy.blank("en")
    pipe = other.add_pipe("tag_morphologizer", config={"model": small_model()})
    labels = {"morph": {"POS=NOUN": "", "POS=VERB": ""}, "pos": {"POS=NOUN": 92, "POS=VERB": 100}}
    tags = {"NN": ["NOUN"], "XX": ["ADJ"]}  # of the latter it has no label
    example = Example(other.make_doc("a"), Doc(other.vocab, words=["a"], pos=["NOUN"]))
    pipe.initialize(lambda: [example], labels={**labels, "tags": tags})
    assert pipe.label_data == {**labels, "tags": tags}
    assert annotate(other, ["a"] * 2, ["NN", "XX"])[0][0] == "NOUN"
    pipe.cfg["tag_pos"] = {"NN": ["VERB"]}
    assert annotate(other, ["a"], ["NN"])[0] == ["VERB"]


def test_labels_are_those_of_the_reader():
    """`init labels` writes the same."""
    path = CORPUS / "en-dev.conllu"
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("tag_morphologizer", config={"model": small_model()})
    examples = list(Corpus(path)(nlp))
    nlp.initialize(lambda: examples)
    labels = registry.readers.get(READER)(path=path)
    assert labels["tags"]["IN"] == ["ADP", "SCONJ"] and labels["tags"] == pipe.cfg["tag_pos"]
    assert set(labels["morph"]) == set(pipe.labels)
    again = spacy.blank("en").add_pipe("tag_morphologizer", config={"model": small_model()})
    again.initialize(lambda: examples, labels=pipe.label_data)
    assert again.label_data == pipe.label_data


def test_a_sample_is_a_warning():
    nlp = spacy.blank("en")
    nlp.add_pipe("tag_morphologizer", config={"model": small_model()})
    nlp.config["training"]["max_epochs"] = -1
    # As many as spaCy shows of a stream.
    examples = list(Corpus(CORPUS / "en-dev.conllu", limit=100)(nlp))
    with pytest.warns(UserWarning, match=r"LW005.*MorphLabels\.v1"):
        nlp.initialize(lambda: examples)


@pytest.mark.parametrize("tags", [["NN"], {"NN": "NOUN"}, {"NN": ["NN"]}])
def test_what_is_no_table_of_tags(tags):
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("tag_morphologizer", config={"model": small_model()})
    labels = {"morph": {"POS=NOUN": ""}, "pos": {"POS=NOUN": 92}, "tags": tags}
    example = Example(nlp.make_doc("a"), Doc(nlp.vocab, words=["a"], pos=["NOUN"]))
    with pytest.raises(ValueError, match=r"M001.*labels\.tags"):
        pipe.initialize(lambda: [example], labels=labels)


@pytest.mark.parametrize("labels", [["NN"], {"foo": 1}, {"morph": [], "pos": {}}])
def test_what_is_no_table_of_labels(labels):
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("tag_morphologizer", config={"model": small_model()})
    example = Example(nlp.make_doc("a"), Doc(nlp.vocab, words=["a"], pos=["NOUN"]))
    with pytest.raises(ValueError, match=r"M001.*labels.*MorphLabels\.v1"):
        pipe.initialize(lambda: [example], labels=labels)
