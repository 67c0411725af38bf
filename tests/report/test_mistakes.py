"""What is wrong is told in order, and where two pipelines differ."""

import pytest

from spacy_lstm_tagger.report import Report

from ..util import write_conllu
from . import one_tag


def test_frequent_confusions_are_first(three_tags):
    (pipe,) = Report(one_tag("C"), three_tags, group_by=1).figures["pipelines"]
    found = [(row["gold"], row["guess"], row["count"]) for row in pipe["mistakes"]]
    assert found == [("A", "C", 3), ("B", "C", 2)]
    # A sentence with several is shown once.
    assert [each["doc"] for each in pipe["mistakes"][0]["sentences"]] == [1, 2]


def test_a_few_sentences_of_each_are_shown(three_tags, monkeypatch):
    monkeypatch.setattr("spacy_lstm_tagger.report.mistakes.EACH", 1)
    (pipe,) = Report(one_tag("C"), three_tags, group_by=1).figures["pipelines"]
    assert [[each["doc"] for each in row["sentences"]] for row in pipe["mistakes"]] == [[1], [2]]


def test_what_only_one_of_two_has_right(three_tags):
    pipelines = {"a": one_tag("A"), "b": one_tag("B")}
    (found,) = Report(pipelines, three_tags, group_by=1).figures["comparisons"]
    counts = [found[name] for name in ("only_first", "only_second", "both_wrong")]
    assert counts == [3, 2, 1] and found["difference"] == pytest.approx(-1 / 6)


def test_sentences_with_most_differences_are_first(three_tags, monkeypatch):
    monkeypatch.setattr("spacy_lstm_tagger.report.mistakes.DIFFERENT", 2)
    pipelines = {"a": one_tag("A"), "b": one_tag("B")}
    (found,) = Report(pipelines, three_tags, group_by=1).figures["comparisons"]
    assert [each["doc"] for each in found["sentences"]] == [2, 3]


def test_a_tag_that_only_the_second_knows(tmp_path):
    """Neither the corpus nor the first pipeline has it."""
    corpus = write_conllu(tmp_path / "dev.conllu", [[("x", "A"), ("y", "A")]])
    found = Report({"a": one_tag("A"), "b": one_tag("B")}, corpus).figures["comparisons"][0]
    assert [note for _, note in found["sentences"][0]["pieces"] if note] == [["A", "A", "B"]] * 2
