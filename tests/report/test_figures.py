"""Each figure, beside what spaCy, scikit-learn and a walk over the words find."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import spacy
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from spacy_lstm_tagger.readers import Corpus
from spacy_lstm_tagger.report import Report
from spacy_lstm_tagger.report.figures import band_name, reliability

from ..util import TAGS, TEXTS, trained_nlp, write_conllu


@pytest.fixture(scope="module")
def report(ours, corpus, words):
    return Report(ours, corpus, train=words, group_by=1).figures


@pytest.fixture(scope="module")
def rows(ours, corpus):
    """Word, gold tag, tag, its probability, sentence, place in the text, of each word."""
    ours.get_pipe("lstm_tagger").cfg["save_probabilities"] = True
    found = []
    for number, eg in enumerate(Corpus(corpus)(ours)):
        doc = ours(eg.predicted)
        for token, gold in zip(doc, eg.reference, strict=True):
            found.append(
                (token.text, gold.tag_, token.tag_, token._.tag_confidence, number, token.i)
            )
    ours.get_pipe("lstm_tagger").cfg["save_probabilities"] = False
    return found


def column(rows, number):
    return np.array([row[number] for row in rows])


def test_headline_is_that_of_spacy(ours, corpus, report, tmp_path, spacy_command):
    """`spacy evaluate` on the same docs finds the same, given the same words of training."""
    pipe = ours.get_pipe("lstm_tagger")
    pipe.cfg["word_counts"] = {"The": 2, "the": 1, "ate": 2, "I": 1}
    pipe.cfg["ambiguous_words"] = ["ate"]
    ours.to_disk(tmp_path / "model")
    pipe.cfg["word_counts"] = pipe.cfg["ambiguous_words"] = None
    docs = [eg.reference for eg in Corpus(corpus)(spacy.blank("en"))]
    data, output = tmp_path / "dev.spacy", tmp_path / "scores.json"
    DocBin(docs=docs).to_disk(data)
    spacy_command("evaluate", tmp_path / "model", data, "--output", output, "--gold-preproc")
    scores = json.loads(output.read_text())
    (pipe_report,) = report["pipelines"]
    for name, figure in pipe_report["figures"].items():
        assert figure["value"] == pytest.approx(scores[name]), name
        assert figure["low"] <= figure["value"] <= figure["high"]
    for row in pipe_report["tags"]:
        assert {key: row[key] for key in "prf"} == pytest.approx(scores["tag_per_type"][row["tag"]])


def test_tags_and_confusion_are_those_of_scikit_learn(report, rows):
    gold, guessed = column(rows, 1), column(rows, 2)
    (pipe,) = report["pipelines"]
    tags = [row["tag"] for row in pipe["tags"]]
    p, r, f, counts = precision_recall_fscore_support(gold, guessed, labels=tags, zero_division=0)
    for row, *expected in zip(pipe["tags"], p, r, f, counts, strict=True):
        assert [row[key] for key in ("p", "r", "f", "count")] == pytest.approx(expected)
    table = np.zeros((len(tags), len(tags)), dtype=int)
    for row in pipe["confusion"]:
        table[tags.index(row["gold"]), tags.index(row["guess"])] = row["count"]
    assert (table == confusion_matrix(gold, guessed, labels=tags)).all()
    assert pipe["figures"]["tag_acc"]["value"] == pytest.approx(accuracy_score(gold, guessed))


def test_what_each_figure_is_of(report, rows):
    (pipe,) = report["pipelines"]
    counts = {name: figure["count"] for name, figure in pipe["figures"].items()}
    assert counts["tag_acc"] == len(rows)
    assert counts["tag_whole_sents"] == len(set(column(rows, 4)))
    assert counts["tag_macro_f"] == len(pipe["tags"])


def test_of_no_word_there_is_no_figure(ours, corpus):
    """Where training had all of them, of unknown ones."""
    (pipe,) = Report(ours, corpus, train=corpus).figures["pipelines"]
    assert pipe["figures"]["tag_acc_unknown"] is None


def test_bands(report, rows):
    right, words = column(rows, 1) == column(rows, 2), column(rows, 0)
    (pipe,) = report["pipelines"]
    counts = {"The": 2, "the": 1, "ate": 2, "I": 1}
    sentences = column(rows, 4)
    values = {
        "frequency": np.array([counts.get(word, 0) for word in words]),
        "word_length": np.array([len(word) for word in words]),
        "sentence_length": np.bincount(sentences)[sentences],
        "place": column(rows, 5) + 1,
    }
    assert set(pipe["bands"]) == set(values)
    for name, bands in pipe["bands"].items():
        assert sum(row["count"] for row in bands) == len(rows)
        for row in bands:
            low, _, high = row["band"].partition("–")
            inside = (values[name] >= int(low)) & (values[name] <= int(high or low))
            assert row["count"] == inside.sum()
            assert row["accuracy"] == pytest.approx(right[inside].mean())
            assert row["low"] <= row["accuracy"] <= row["high"]


def test_a_sentence_is_as_long_as_it_is(ours, tmp_path):
    """Whichever of its words have a tag."""
    tags = ["DET", *[""] * 9, "V"]
    path = write_conllu(tmp_path / "dev.conllu", [[("dog", tag or "_") for tag in tags]] * 2)
    (pipe,) = Report(ours, path).figures["pipelines"]
    assert [(row["band"], row["count"]) for row in pipe["bands"]["sentence_length"]] == [
        ("11–20", 4)
    ]


def test_white_space_is_no_word_of_a_sentence_or_a_text(ours, tmp_path):
    words = ["The", *["\n"] * 9, "dog", "\n", "ate", "\n", "it"]
    tags = ["DET", *[""] * 9, "NN", "", "V", "", "PRP"]
    doc = Doc(ours.vocab, words=words, tags=tags, sent_starts=[True, *[False] * 14])
    DocBin(docs=[doc]).to_disk(tmp_path / "dev.spacy")
    (pipe,) = Report(ours, tmp_path / "dev.spacy").figures["pipelines"]
    for name, band in [("sentence_length", "1–5"), ("place", "1–10")]:
        assert [(row["band"], row["count"]) for row in pipe["bands"][name]] == [(band, 4)]


@Language.component("tag_by_length", assigns=["token.tag"])
def tag_by_length(doc):
    for token in doc:
        token.tag_ = "NN" if len(token) > 2 else "DET"
    return doc


@Language.component("tag_by_word", assigns=["token.tag"])
def tag_by_word(doc):
    for token in doc:
        token.tag_ = "DET" if token.text in ("a", "the") else "NN"
    return doc


def test_documents_are_drawn_where_texts_are_documents(tmp_path):
    """Each document has one sentence over and over: it tells no more than that sentence."""
    pipelines = {}
    for name in ("tag_by_length", "tag_by_word"):
        pipelines[name] = spacy.blank("en")
        pipelines[name].add_pipe(name)
    tags = ["DET", "NN", "V", "NN"]
    sentences = [
        [(word, tag) for word, tag in zip(text.split(), tags, strict=False)]
        for text in ("a dog ate meat", "the dog ate", "a zog", "dogs eat", "it is the zog", "an ox")
    ]
    alone = write_conllu(tmp_path / "alone.conllu", sentences)
    blocks = alone.read_text().strip().split("\n\n")
    whole = tmp_path / "whole.conllu"
    whole.write_text("".join("# newdoc\n" + f"{block}\n\n" * 8 for block in blocks))
    expected, drawn, found = (
        Report(pipelines, path, group_by=group_by).figures
        for path, group_by in [(alone, 1), (whole, 1), (whole, "document")]
    )
    assert [each["units"] for each in (expected, drawn, found)] == [
        "sentences",
        "sentences",
        "documents",
    ]
    for one, other in zip(expected["pipelines"], found["pipelines"], strict=True):
        for name, figure in one["figures"].items():
            if figure is not None:
                values = {key: figure[key] for key in ("value", "low", "high")}
                assert {key: other["figures"][name][key] for key in values} == pytest.approx(values)
        for name in ("word_length", "sentence_length"):
            for row, same in zip(one["bands"][name], other["bands"][name], strict=True):
                assert (row["low"], row["high"]) == pytest.approx((same["low"], same["high"]))
    (one,), (narrow,), (other,) = (each["comparisons"] for each in (expected, drawn, found))
    for key in ("difference", "low", "high", "p"):
        assert other[key] == pytest.approx(one[key])
    assert narrow["high"] - narrow["low"] < one["high"] - one["low"]


def test_one_document_has_its_sentences_drawn(ours, tmp_path):
    path = write_conllu(tmp_path / "one.conllu", [[("The", "DET"), ("dog", "V")]] * 3)
    untagged = "# newdoc\n1\tx\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
    path.write_text(f"# newdoc\n{path.read_text()}{untagged}")
    assert Report(ours, path, group_by="document").figures["units"] == "sentences"


def test_reliability(report, rows):
    right, sure = column(rows, 1) == column(rows, 2), column(rows, 3)
    (pipe,) = report["pipelines"]
    accuracy, confidence = calibration_curve(right, sure, n_bins=15)
    bins = pipe["reliability"]["bins"]
    assert [row["accuracy"] for row in bins] == pytest.approx(list(accuracy))
    assert [row["confidence"] for row in bins] == pytest.approx(list(confidence))
    shares = np.array([row["count"] for row in bins]) / len(rows)
    error = pipe["reliability"]["error"]
    assert error == pytest.approx((shares * np.abs(accuracy - confidence)).sum(), abs=1e-6)


def test_mistakes_show_the_wrong_words(report, rows):
    (pipe,) = report["pipelines"]
    wrong = [(row[1], row[2]) for row in rows if row[1] != row[2]]
    assert wrong
    assert sum(row["count"] for row in pipe["mistakes"]) == len(wrong)
    texts = {
        number: " ".join(r[0] for r in rows if r[4] == number) for number in {r[4] for r in rows}
    }
    for row in pipe["mistakes"]:
        assert row["count"] == wrong.count((row["gold"], row["guess"]))
        for sentence in row["sentences"]:
            text = "".join(piece for piece, _ in sentence["pieces"]).strip()
            assert text == texts[sentence["doc"] - 1]
            marked = [(word, note) for word, note in sentence["pieces"] if note is not None]
            assert marked and all(note == [row["gold"], row["guess"]] for _, note in marked)
            for word, _ in marked:
                assert any(
                    r[0] == word and (r[1], r[2]) == (row["gold"], row["guess"]) for r in rows
                )


def test_two_pipelines(ours, theirs, corpus):
    figures = Report({"a": ours, "b": theirs}, corpus).figures
    first, second = figures["pipelines"]
    (found,) = figures["comparisons"]
    values = [pipe["figures"]["tag_acc"]["value"] for pipe in (first, second)]
    words = figures["corpus"]["words"]
    assert found["difference"] == pytest.approx(values[1] - values[0])
    assert found["only_second"] - found["only_first"] == round((values[1] - values[0]) * words)
    assert found["low"] <= found["difference"] <= found["high"] and 0.0 < found["p"] <= 1.0
    assert found["sentences"]
    for sentence in found["sentences"]:
        notes = [note for _, note in sentence["pieces"] if note is not None]
        assert notes and all(note[1] != note[2] for note in notes)
    same = Report({"a": ours, "b": ours}, corpus).figures["comparisons"][0]
    assert same["difference"] == 0.0 and same["p"] == 1.0 and not same["sentences"]


def test_a_long_sentence_is_cut(ours, tmp_path):
    row = [("old", "ADJ")] * 100 + [("zog", "V")] + [("old", "ADJ")] * 100
    path = write_conllu(tmp_path / "long.conllu", [row])
    (pipe,) = Report(ours, path).figures["pipelines"]
    for mistake in pipe["mistakes"]:
        for sentence in mistake["sentences"]:
            text = "".join(piece for piece, _ in sentence["pieces"])
            assert len(text.split()) <= 60
            assert any(note for _, note in sentence["pieces"])


def test_a_probability_of_1_is_in_the_last_bin():
    found = SimpleNamespace(right=np.array([True, True, False]))
    tagged = SimpleNamespace(confidence=np.array([0.95, 1.0, np.nan], "f"), found=found)
    (row,) = reliability(tagged)["bins"]
    assert (row["count"], row["to"], row["accuracy"]) == (2, 1.0, 1.0)


def test_without_a_probability_there_is_no_reliability():
    found = SimpleNamespace(right=np.array([True]))
    assert reliability(SimpleNamespace(confidence=np.array([np.nan], "f"), found=found)) is None


def test_names_of_bands():
    starts = (0, 1, 2, 1000)
    assert [band_name(starts, number) for number in range(4)] == ["0", "1", "2–999", "1,000+"]


def test_the_most_frequent_confusion_is_first(report):
    (pipe,) = report["pipelines"]
    counts = [row["count"] for row in pipe["confusion"]]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]


def test_intervals_where_the_corpus_gives_white_space_a_tag(tmp_path):
    nlp, _ = trained_nlp(steps=30)
    words, tags = [*TEXTS[0].split(), " "], [*TAGS[0], "SPACE"]
    doc = Doc(nlp.vocab, words, tags=tags, sent_starts=[i == 0 for i in range(len(words))])
    DocBin(docs=[doc] * 9).to_disk(tmp_path / "a.spacy")
    (found,) = Report(nlp, tmp_path / "a.spacy").figures["pipelines"]
    figures = [
        *found["figures"].values(),
        *(row for rows in found["bands"].values() for row in rows),
    ]
    for row in filter(None, figures):
        assert row["low"] <= row.get("value", row.get("accuracy")) <= row["high"]
