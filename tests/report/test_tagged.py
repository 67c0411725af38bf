"""A corpus that a pipeline has tagged, and how its sentences are shown."""

import numpy as np
from spacy.language import Language

from spacy_lstm_tagger.report import Report
from spacy_lstm_tagger.report.tagged import tag_corpus

from ..util import write_conllu
from . import make_pipeline, one_tag


def test_texts_have_as_many_sentences_as_asked_for(three_tags):
    sizes = [
        Report(one_tag("A"), three_tags, group_by=n).figures["corpus"]["texts"] for n in (1, 2)
    ]
    assert sizes == [3, 2]


def test_the_words_that_the_tagger_keeps(corpus):
    nlp = make_pipeline()
    nlp.get_pipe("lstm_tagger").cfg["word_counts"] = {"The": 2, "ate": 2}
    (pipe,) = Report(nlp, corpus).figures["pipelines"]
    assert pipe["figures"]["tag_acc_known"] and "frequency" in pipe["bands"]


@Language.component("renames_the_first")
def renames_the_first(doc):
    doc[0].tag_ = "FIRST"
    return doc


def test_a_tag_that_is_not_the_tagger_s_has_no_probability(corpus):
    nlp = make_pipeline()
    nlp.add_pipe("renames_the_first")
    found = tag_corpus(nlp, corpus, name="a", tag="xpos", group_by=1)
    assert (np.isnan(found.confidence) == (found.found.tokens == 0)).all()


def test_what_is_around_a_mark_is_shown(tmp_path):
    path = write_conllu(tmp_path / "a.conllu", [[("x", "A")] * 100 + [("y", "B")] + [("x", "A")]])
    (pipe,) = Report(one_tag("A"), path).figures["pipelines"]
    (sentence,) = pipe["mistakes"][0]["sentences"]
    assert [len(text.split()) for text, _ in sentence["pieces"]][:2] == [30, 1]


def test_a_sentence_is_shown_whole(tmp_path):
    """Up to 60 tokens of it, in pieces: the wrong words, and what is between them."""
    rows = [[("x", "A")] * 57 + [("y", "B"), ("x", "A"), ("y", "B")]] * 2
    path = write_conllu(tmp_path / "a.conllu", rows)
    (pipe,) = Report(one_tag("A"), path).figures["pipelines"]
    wrong, space = ["y", ["B", "A"]], [" ", None]
    pieces = [["x " * 57, None], wrong, space, ["x ", None], wrong, space]
    assert [each["pieces"] for each in pipe["mistakes"][0]["sentences"]] == [pieces] * 2
