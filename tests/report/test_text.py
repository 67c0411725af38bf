"""The report for a terminal."""

from spacy_lstm_tagger.report import Report
from spacy_lstm_tagger.report.names import BANDS

from . import make_pipeline, one_tag


def test_what_the_corpus_has(three_tags):
    head, *lines = Report(one_tag("A"), three_tags, group_by=2).to_text().splitlines()
    assert head == (
        f"{three_tags}: 6 words in 3 sentences, 2 texts. In per cent, with 95% intervals by "
        "drawing sentences anew."
    )
    rows = list(map(str.split, lines))
    assert ["all", "words", "6", "50.00"] in [row[:4] for row in rows]
    assert ["known", "words", "–", "–"] in rows  # which the tagger does not tell
    assert not any("Always wrong" in line or BANDS["frequency"] in line for line in lines)


def test_the_most_frequent_are_shown(three_tags, monkeypatch):
    monkeypatch.setattr("spacy_lstm_tagger.report.text.SHOWN", 1)
    text = Report(one_tag("C"), three_tags).to_text()
    tags, errors = text.split(": tags, 1 of 3\n\n")[1].split(": errors, 1 of 2\n\n")
    assert tags.splitlines()[2].split()[:2] == ["A", "3"] and not tags.splitlines()[3]
    assert errors.splitlines()[2].split() == ["A", "C", "3"] and len(errors.splitlines()) == 3


def test_bands(three_tags, corpus):
    """Also those that only one of two pipelines has."""
    nlp = make_pipeline()
    nlp.get_pipe("lstm_tagger").cfg["word_counts"] = {"The": 2}
    text = Report({"a": nlp, "b": make_pipeline(steps=1)}, corpus).to_text()
    assert "by " + BANDS["frequency"] in text and "a: expected calibration error " in text
    report = Report({"a": one_tag("A"), "b": one_tag("B")}, three_tags)  # of the same words
    assert ["1–2", "6", "50.00"] in [row.split()[:3] for row in report.to_text().splitlines()]


def test_pipelines_that_know_other_words(ours, corpus):
    """By how often their training had a word, each has its own numbers; the order stays."""
    nlps = {}
    for name, counts in (("a", {"The": 3, "ate": 10}), ("b", {"The": 1})):
        nlps[name] = make_pipeline(steps=1)
        nlps[name].get_pipe("lstm_tagger").cfg["word_counts"] = counts
    report = Report(nlps, corpus)
    first, second = (
        {row["band"]: row["count"] for row in pipe["bands"]["frequency"]}
        for pipe in report.figures["pipelines"]
    )
    table = report.to_text().split(f"by {BANDS['frequency']}")[1].split("\n\n")[0].splitlines()[2:]
    rows = [line.split("  ") for line in map(str.strip, table) if line.strip()]
    rows = [[cell.strip() for cell in row if cell.strip()][:2] for row in rows]
    numbers = f"{first['0']}, {second['0']}"
    assert rows == [
        ["0", numbers],
        ["1", f"–, {second['1']}"],
        ["2–4", f"{first['2–4']}, –"],
        ["10–99", f"{first['10–99']}, –"],
    ]
    page = report.to_html()
    assert f"<td>{numbers}</td>" in page.replace(' class="number"', "")


def test_no_tag_is_called_so(three_tags):
    assert ["A", "none", "3"] in map(
        str.split, Report(one_tag(""), three_tags).to_text().splitlines()
    )


def test_who_is_right_where_two_differ(three_tags):
    text = Report({"a": one_tag("A"), "b": one_tag("B")}, three_tags).to_text()
    assert "b against a: −16.67" in text
    assert "only the former is right on 2 words, only the latter on 3." in text
    text = Report({"b": one_tag("B"), "a": one_tag("A")}, three_tags).to_text()
    assert "a against b: +16.67" in text
