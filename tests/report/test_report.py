"""The page as a whole, and what the class takes."""

import json
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import pytest
import spacy

from spacy_lstm_tagger.evaluation import evaluate
from spacy_lstm_tagger.readers import Corpus
from spacy_lstm_tagger.report import Report
from spacy_lstm_tagger.report.names import percent, probability
from spacy_lstm_tagger.report.plots import learning_curve, plot_training

from ..util import CORPUS, make_examples, merge_first, small_model, trained_nlp, write_conllu
from . import BAD_NAME, HOSTILE, hostile_sentences, make_pipeline

UD = os.environ.get("UD_FOLDER")


class Page(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self.attributes = [], "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attrs]

    def handle_data(self, data):
        self.text += data


def test_the_page_needs_nothing_else(ours, theirs, corpus):
    page = Page(Report({"a": ours, "b": theirs}, corpus).to_html())
    assert not {"img", "iframe", "object", "embed", "base"} & set(page.elements)
    assert [a for a in page.attributes if a[1] in ("src", "srcset", "action", "background")] == []
    links = {value for _, name, value in page.attributes if name in ("href", "xlink:href")}
    assert all(link.startswith(("#", "data:")) for link in links)
    (policy,) = [value for *_, value in page.attributes if value and "default-src" in value]
    assert "default-src 'none'" in policy and "script-src 'sha256-" in policy
    assert len(re.findall("<svg", Report(ours, corpus).to_html())) == 4
    assert "approximate randomization" in page.text


def test_words_are_in_the_language_of_the_pipeline(ours, corpus):
    page = Page(Report(ours, corpus).to_html())
    assert ("div", "data-language", "en") in page.attributes
    several = spacy.blank("xx")
    several.add_pipe("tag_by_rule")
    assert Report(several, corpus).figures["corpus"]["language"] == ""


def test_hostile_text_stays_text(tmp_path):
    """In words, tags, the corpus' name and the pipeline's."""
    nlp = make_pipeline(tags=["<b>V</b>"])
    path = write_conllu(tmp_path / '"><b>dev.conllu', hostile_sentences())
    report = Report({BAD_NAME: nlp, "</script><b>": nlp}, path)
    page = Page(report.to_html())
    assert page.elements.count("script") == 2 and page.elements.count("b") < 60
    assert "img" not in page.elements and not [a for a in page.attributes if a[1].startswith("on")]
    clean = Page(Report(nlp, path).to_html())
    for word in HOSTILE[:3] + HOSTILE[4:5]:
        assert word in page.text and word in clean.text
    assert "<b>V</b>" in page.text
    # In a notebook the page is the value of an attribute.
    frame = Page(report._repr_html_())
    assert frame.elements == ["iframe"]
    assert dict(a[1:] for a in frame.attributes)["title"]  # what a screen reader says
    shown = dict(a[1:] for a in frame.attributes)["srcdoc"]
    assert shown.replace('<base href="about:srcdoc">\n', "") == report.to_html()
    assert json.loads(report.to_json()) == report.figures


def test_the_same_report_twice(ours, corpus):
    assert Report(ours, corpus).to_html() == Report(ours, corpus).to_html()


@pytest.mark.parametrize("setting", [{"text.usetex": True}, {"xtick.labelcolor": "red"}])
def test_what_a_notebook_sets_for_its_own_plots(ours, corpus, setting):
    mpl = pytest.importorskip("matplotlib")
    report = Report(ours, corpus)
    page = report.to_html()
    with mpl.rc_context(setting):
        assert report.to_html() == page
        assert all(mpl.rcParams[name] == value for name, value in setting.items())


def test_pages_made_in_several_threads():
    """What matplotlib is told holds for all threads: the page's, and then what was there before."""
    mpl = pytest.importorskip("matplotlib")
    curves, before = [[(1, 0.5), (2, 0.6)]], dict(mpl.rcParams)
    page, interval = plot_training(curves, "accuracy"), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(6) as threads:
            pages = set(threads.map(lambda _: plot_training(curves, "accuracy"), range(60)))
    finally:
        sys.setswitchinterval(interval)
    assert pages == {page} and dict(mpl.rcParams) == before


def test_a_pipeline_stays_as_it_is(corpus):
    nlp = make_pipeline(steps=2)
    before = nlp.to_bytes(exclude=["vocab"])
    Report(nlp, corpus)
    assert nlp.to_bytes(exclude=["vocab"]) == before


def test_what_a_pipeline_does_not_tell(corpus):
    """A tagger by rule knows no probabilities, and does not keep the words of its training."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tag_by_rule")
    report = Report(nlp, corpus)
    (pipe,) = report.figures["pipelines"]
    assert pipe["reliability"] is None and pipe["training"] is None
    assert pipe["figures"]["tag_acc_known"] is None and "frequency" not in pipe["bands"]
    assert "not known" in Page(report.to_html()).text and "–" in report.to_text()


def test_what_a_pipeline_keeps_of_its_training(corpus):
    nlp = make_pipeline(steps=1)
    nlp.get_pipe("lstm_tagger").cfg.update(word_counts={"ate": 2}, ambiguous_words=["ate"])
    (pipe,) = Report(nlp, corpus).figures["pipelines"]
    known, ambiguous = (
        pipe["figures"][name]["count"] for name in ("tag_acc_known", "tag_acc_ambiguous")
    )
    assert known == ambiguous > 0 and "frequency" in pipe["bands"]


def test_a_pipeline_that_tells_less_than_the_other(ours, corpus):
    """How sure it is has a dash on the page."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tag_by_rule")
    cells = re.findall(r"<t[hd][^>]*>([^<]*)", Report({"a": ours, "b": nlp}, corpus).to_html())
    place = cells.index("calibration error")
    assert cells[place + 1] != "–" == cells[place + 2]


@spacy.Language.component("tag_by_rule", assigns=["token.tag"])
def tag_by_rule(doc):
    tags = {"the": "DET", "a": "DET", "that": "DET", "ate": "V", "slept": "V", "i": "PRP"}
    for token in doc:
        token.tag_ = tags.get(token.lower_, "NN")
    return doc


def test_a_pipeline_without_an_error(ours, tmp_path):
    words = [(token.text, token.tag_) for token in ours("The dog ate the apple")]
    report = Report(ours, write_conllu(tmp_path / "dev.conllu", [words]))
    (pipe,) = report.figures["pipelines"]
    assert pipe["mistakes"] == [] and pipe["figures"]["tag_whole_sents"]["value"] == 1.0
    assert "None." in Page(report.to_html()).text


def test_the_learning_curve(ours, corpus, tmp_path, monkeypatch):
    ours.to_disk(tmp_path / "model-best")
    records = [
        {"step": step, "words": 0, "losses": {}, "scores": {"tag_acc": score}}
        for step, score in ((0, 0.0), (100, 0.5), (200, 0.75))
    ]
    log = tmp_path / "training-log.jsonl"
    log.write_text("".join(json.dumps(record) + "\n" for record in records))
    for pipeline in (
        tmp_path / "model-best",
        str(tmp_path / "model-best"),
        spacy.load(tmp_path / "model-best"),
    ):
        report = Report(pipeline, corpus)
        assert report.figures["pipelines"][0]["training"] == records
    text = Page(report.to_html()).text
    assert "Learning curve: all words" in text and "Learning curve: unknown" not in text
    assert (
        Report({"a": ours}, corpus, logs={"a": log}).figures["pipelines"][0]["training"] == records
    )
    # That in the working folder is none of an installed pipeline's.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("spacy_lstm_tagger.report.report.load_pipeline", lambda name: ours)
    assert Report("en_name", corpus).figures["pipelines"][0]["training"] is None
    monkeypatch.undo()
    log.write_text("step 3\n")
    with pytest.warns(UserWarning, match="T002"):
        report = Report(tmp_path / "model-best", corpus)
    assert report.figures["pipelines"][0]["training"] is None
    with pytest.raises(ValueError, match="T002"):
        Report({"a": ours}, corpus, logs={"a": log})
    for wrong in ({"b": log}, str(log)):
        with pytest.raises(ValueError, match=r"M001.*logs = .*for some of a"):
            Report({"a": ours}, corpus, logs=wrong)


def test_each_plot_is_a_table_too(ours, corpus, tmp_path):
    """For those who cannot see it: with all of its points, and their intervals."""
    log = tmp_path / "log.jsonl"
    records = [
        {"step": step, "words": 0, "losses": {}, "scores": {"tag_acc": step / 400}}
        for step in (0, 100, 200)
    ]
    log.write_text("".join(json.dumps(record) + "\n" for record in records))
    report = Report({"a": ours}, corpus, logs={"a": log})
    cells = re.findall(r"<t[hd][^>]*>([^<]*)", report.to_html())
    assert [cell for cell in cells if cell.startswith("step ")] == ["step 100", "step 200"]
    assert [cells[cells.index(f"step {n}") + 1] for n in (100, 200)] == ["25.00", "50.00"]
    (pipe,) = report.figures["pipelines"]
    bins = pipe["reliability"]["bins"]
    names = [f"{100 * row['from']:.0f}–{100 * row['to']:.0f} % sure" for row in bins]
    assert [cell for cell in cells if cell.endswith("% sure")] == names
    for name, row in zip(names, bins, strict=True):
        assert cells[cells.index(name) + 1] == percent(row["accuracy"])
    error = percent(pipe["reliability"]["error"])
    assert cells[cells.index("calibration error") + 1] == error
    for row in pipe["bands"]["place"]:
        accuracy, low, high = (percent(row[name]) for name in ("accuracy", "low", "high"))
        assert f"{accuracy}\n({low}–{high})" in cells


def test_a_curve_for_each_pipeline():
    svg = plot_training([[(10, 0.5), (20, 0.75)], [(10, 0.25)]], "all words")
    for part in ("var(--series-1)", "var(--series-2)", "step", "all words, %"):
        assert part in svg


@pytest.mark.parametrize("n", [0, 1, 300, 301, 600, 1000])
def test_a_long_learning_curve_keeps_its_end(n):
    records = [{"step": step, "scores": {"tag_acc": step / 2000}} for step in range(n + 1)]
    curve = learning_curve(records, "tag_acc")
    assert n // 4 <= len(curve) <= 300 and (len(curve) == n or n > 300)
    assert curve[-1:] == [(n, n / 2000)][:n]


def test_a_pipeline_that_changes_tokens(corpus):
    nlp = make_pipeline(steps=1)
    nlp.add_pipe(merge_first.__name__)
    with pytest.raises(ValueError, match=r"C029.*mine, doc 1 of .*tokens became"):
        Report({"mine": nlp}, corpus)


def test_words_that_may_have_several_tags_do_not_count(tmp_path, theirs):
    """Not for the other pipeline either, which takes them for tags."""
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model(), "tag_separator": "|"})
    nlp.initialize(lambda: make_examples(nlp))
    rows = [("The", "DET"), ("dog", "NN|V"), ("ate", "!DET"), ("it", "X|NN"), ("up", "NN")]
    report = Report({"a": nlp, "b": theirs}, write_conllu(tmp_path / "a.conllu", [rows, rows[:1]]))
    assert report.figures["corpus"]["words"] == 4  # X is no tag
    assert [pipe["missing_tags"] for pipe in report.figures["pipelines"]] == [["X|NN"]] * 2
    # However many they are.
    path = write_conllu(tmp_path / "b.conllu", [[("dog", "NN|V")] * 9 + [("ate", "V")]])
    assert Report({"a": nlp, "b": theirs}, path).figures["corpus"]["words"] == 1
    assert evaluate(nlp, path)["texts"].all.words == 1
    path = write_conllu(tmp_path / "c.conllu", [[("dog", "NN|V")] * 9])
    with pytest.raises(ValueError, match=r"C024.*no word with a tag in 1 doc.* with 9 word"):
        Report(nlp, path)


def test_names(ours, corpus):
    assert Report(ours, corpus).figures["pipelines"][0]["name"] == "en_pipeline"
    with pytest.raises(ValueError, match=r"C019.*en_pipeline, en_pipeline"):
        Report([ours, ours], corpus)
    with pytest.raises(ValueError, match="C020"):
        Report([], corpus)
    for wrong in (3, None, [ours, 3], {"a": None}):
        with pytest.raises(ValueError, match=r"M001.*pipelines = (3|None) is not allowed"):
            Report(wrong, corpus)


@pytest.mark.slow
@pytest.mark.skipif(not UD, reason="UD_FOLDER is not set to a folder of UD treebanks")
def test_a_large_report(trained_on_corpus):
    """Less than 30 seconds of work beyond tagging, and less than 2 MB, many errors or not."""
    dev = Path(UD) / "en_ewt" / "dev.conllu"
    Report(trained_on_corpus, dev)  # so that all is loaded, and vectors of words are there
    start = time.process_time()
    html = Report({"a": trained_on_corpus, "b": trained_on_corpus}, dev).to_html()
    assert time.process_time() - start < 30.0
    assert 200_000 < len(html.encode()) < 2_000_000


@pytest.fixture(scope="module")
def trained_on_corpus():
    nlp, optimizer = trained_nlp(steps=0)
    examples = list(Corpus(CORPUS / "en-train.conllu")(nlp))
    nlp.initialize(lambda: examples)
    for i in range(0, len(examples), 16):
        nlp.update(examples[i : i + 16], sgd=optimizer)
    return nlp


def test_sentences_with_errors_are_bounded(ours, theirs, corpus, monkeypatch):
    """Those of all pipelines together."""
    monkeypatch.setattr("spacy_lstm_tagger.report.report.MOST_BYTES", 3000)
    pipes = Report({"ours": ours, "theirs": theirs}, corpus).figures["pipelines"]
    shown = [each["sentences"] for pipe in pipes for each in pipe["mistakes"]]
    assert 0 < len(json.dumps(shown)) < 5000 and all(pipe["mistakes"] for pipe in pipes)


def test_a_loss_that_is_no_number_is_null(ours, corpus, tmp_path):
    ours.to_disk(tmp_path / "model-best")
    losses = {"lstm_tagger": float("nan")}
    record = {"step": 1, "words": 9, "losses": losses, "scores": {"tag_acc": 0.5}}
    (tmp_path / "training-log.jsonl").write_text(json.dumps(record) + "\n")
    found = Report(tmp_path / "model-best", corpus).to_json()
    assert "NaN" not in found and json.loads(found)["pipelines"][0]["training"][0]["losses"]


def test_the_training_data_are_named_if_they_are_given(ours, corpus, words):
    given, none = Report(ours, corpus, train=words), Report(ours, corpus)
    assert given.figures["train"] == str(words) in Page(given.to_html()).text
    assert none.figures["train"] is None


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "p < 0.001"), (0.001, "p = 0.001"), (1.0, "p = 1.000")]
)
def test_the_outcome_of_a_test(value, text):
    assert probability(value) == text


@pytest.mark.parametrize(("value", "text"), [(-3e-6, "0.00"), (3e-6, "0.00"), (-0.5, "−50.00")])
def test_per_cent(value, text):
    assert percent(value) == text


def test_a_notebook_that_is_made_into_markdown(ours, corpus):
    """There an empty line ends HTML, and what follows would be text."""
    assert "\n" not in Report(ours, corpus)._repr_html_()


def test_links_in_a_notebook_stay_in_the_page(ours, corpus):
    """In a frame without an address of its own they would open the notebook."""
    frame = Page(Report(ours, corpus)._repr_html_())
    page = Page(dict(a[1:] for a in frame.attributes)["srcdoc"])
    assert [a for a in page.attributes if a[0] == "base"] == [("base", "href", "about:srcdoc")]


def test_a_notebook_that_nobody_trusts_yet(ours, corpus):
    """It shows what is in the frame's tag rather than the frame."""
    assert "trust" in Page(Report(ours, corpus)._repr_html_()).text


def test_examples_are_no_corpus(ours):
    with pytest.raises(ValueError, match="corpus"):
        Report(ours, [])


@pytest.mark.skipif(os.name == "nt", reason="there it is no file of any kind")
def test_what_can_be_read_only_once_is_no_corpus(ours):
    """Several read it, one after the other."""
    with pytest.raises(ValueError, match=r"corpus.*null.*more than once"):
        Report(ours, os.devnull)
