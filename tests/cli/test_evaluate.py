"""`python -m spacy lstm-tagger evaluate`: its figures are those that others find."""

import json
import os
import re
from functools import partial

import pytest
import spacy
from spacy.language import Language
from spacy.lookups import Lookups
from spacy.tokens import Doc, DocBin

from spacy_lstm_tagger.cli.evaluate import row as row_of
from spacy_lstm_tagger.cli.evaluate import shares
from spacy_lstm_tagger.evaluation import Accuracy, Evaluation, evaluate, find_kinds
from spacy_lstm_tagger.missing_tags import find_missing_tags
from spacy_lstm_tagger.readers import Corpus

from ..distil import stock_teacher
from ..processes import on_posix
from ..util import CORPUS, listening_nlp, small_model, trained_nlp
from . import is_one_error, run_command

DEV = CORPUS / "en-dev.conllu"


def train(path, corpus=CORPUS / "en-train.conllu", *, tag="xpos", **options):
    """Save a tagger that has seen the corpus twice, and has a row for each of its words."""
    nlp, optimizer = trained_nlp(steps=0, word_rows=5000, **options)
    examples = list(Corpus(corpus, tag=tag)(nlp))
    nlp.initialize(lambda: examples)
    for i in list(range(0, len(examples), 32)) * 2:
        nlp.update(examples[i : i + 32], sgd=optimizer)
    nlp.to_disk(path)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("evaluate") / "model"
    train(path)
    return path


run = partial(run_command, "evaluate")


def figures(tmp_path, *arguments):
    output = tmp_path / "figures.json"
    code, printed = run(*arguments, "--output", output)
    assert code == 0, printed
    return json.loads(output.read_text()), printed


def read_words(path):
    """RETURNS (list): The word, UPOS and XPOS of each word of each sentence."""
    blocks = path.read_text(encoding="utf-8").strip().split("\n\n")
    rows = [[line.split("\t") for line in block.splitlines()] for block in blocks]
    return [[(row[1], row[3], row[4]) for row in block if row[0].isdigit()] for block in rows]


@pytest.mark.parametrize("size,name", [(1, "sentences"), (10, "texts")])
def test_figures_on_gold_tokens(model, tmp_path, size, name):
    found, printed = figures(tmp_path, model, DEV)
    nlp, sentences = spacy.load(model), read_words(DEV)
    seen = {row[0] for sentence in read_words(CORPUS / "en-train.conllu") for row in sentence}
    right: dict[bool, list[bool]] = {True: [], False: []}
    for i in range(0, len(sentences), size):
        rows = sum(sentences[i : i + size], [])  # noqa: RUF017
        doc = nlp(Doc(nlp.vocab, words=[row[0] for row in rows]))
        for token, (word, _, tag) in zip(doc, rows, strict=True):
            right[word in seen].append(token.tag_ == tag)
    expected = {"known": right[True], "unknown": right[False], "all": right[True] + right[False]}
    assert len(right[False]) > 100
    for words, each in expected.items():
        assert found[name][words]["words"] == len(each)
        assert found[name][words]["tag_acc"] == pytest.approx(sum(each) / len(each))
        share = f"{sum(each) / len(each):.2%}"
        assert re.search(rf"^{words} +{len(each):,} .*{share}", printed, re.MULTILINE)


@pytest.mark.parametrize("raw", [False, True])
def test_spacy_finds_the_same(model, tmp_path, spacy_command, raw):
    options = ["--raw"] if raw else []
    found, _ = figures(tmp_path, model, DEV, *options)
    assert found["tokens"] == ("raw" if raw else "gold")
    for size, name in ((1, "sentences"), (10, "texts")):
        docs = [eg.reference for eg in Corpus(DEV, group_by=size)(spacy.blank("en"))]
        data, output = tmp_path / f"{name}.spacy", tmp_path / f"{name}.json"
        DocBin(docs=docs).to_disk(data)
        # Its gold tokens come with lone sentences only.
        options = [] if raw else ["--gold-preproc"]
        if raw or size == 1:
            spacy_command("benchmark", "accuracy", model, data, "-o", output, *options)
            expected = json.loads(output.read_text())["tag_acc"]
            assert found[name]["all"]["tag_acc"] == pytest.approx(expected)


def test_spacy_files(model, tmp_path):
    docs = [eg.reference for eg in Corpus(DEV, group_by=7)(spacy.blank("en"))]
    path = tmp_path / "dev.spacy"
    DocBin(docs=docs).to_disk(path)
    expected, _ = figures(tmp_path, model, DEV)
    found, _ = figures(tmp_path, model, path)
    for name in ("sentences", "texts"):
        assert found[name] == expected[name]


def test_raw_text_has_words_that_are_not_aligned(model, tmp_path):
    """Where the tokens differ, it is counted as wrong."""
    path = tmp_path / "dev.conllu"
    blocks = DEV.read_text().split("\n\n")[:1]
    rows = [line.split("\t") for line in blocks[0].splitlines() if line[0].isdigit()]
    rows[0][1] += ":" + rows[0][1]
    path.write_text("".join("\t".join(row) + "\n" for row in rows) + "\n")
    gold, raw = (figures(tmp_path, model, path, *options)[0] for options in ([], ["--raw"]))
    assert gold["sentences"]["all"]["words"] == raw["sentences"]["all"]["words"] == len(rows)
    assert raw["sentences"]["all"]["tag_acc"] < 1.0


def test_a_tagger_that_keeps_the_words_of_its_training(tmp_path, small_corpus):
    """What it keeps counts, rather than which words have a row."""
    nlp = trained_nlp(steps=0)[0]
    examples = list(Corpus(small_corpus)(nlp))
    rows = [("the", "DT"), (".", "."), ("that", "IN"), ("that", "DT"), ("*", "*")]
    (tmp_path / "train.conllu").write_text(
        "".join(f"1\t{word}\t_\t_\t{tag}" + "\t_" * 5 + "\n\n" for word, tag in rows)
    )
    reader = {"@readers": "spacy-lstm-tagger.WordTags.v1", "path": str(tmp_path / "train.conllu")}
    nlp.config["initialize"]["components"] = {"lstm_tagger": {"word_tags": reader}}
    nlp.initialize(lambda: examples)
    nlp.to_disk(tmp_path / "model")
    found, printed = figures(tmp_path, tmp_path / "model", small_corpus)
    words = [word for sentence in read_words(small_corpus) for word, *_ in sentence]
    known = sum(word in ("the", ".", "that") for word in words)
    assert found["sentences"]["known"]["words"] == known
    assert found["sentences"]["unknown"]["words"] == len(words) - known
    assert found["sentences"]["ambiguous"]["words"] == words.count("that")
    assert "whole sentences" in printed and "F1" in printed
    assert re.search(rf"^ambiguous +{words.count('that')} ", printed, re.MULTILINE)


@pytest.mark.parametrize("tag,other", [("xpos", "upos"), ("upos", "xpos")])
def test_tags_of_another_column(tmp_path, small_corpus, tag, other):
    train(tmp_path / "model", small_corpus, tag=tag)
    code, printed = run(tmp_path / "model", small_corpus, "--tag", other)
    assert code == 1 and is_one_error(printed) and f"Give --tag {tag}." in printed
    found, _ = figures(tmp_path, tmp_path / "model", small_corpus, "--tag", tag)
    assert found["sentences"]["all"]["tag_acc"] > 0.1 and found["tag"] == tag


def test_a_column_without_the_features_of_the_tags(tmp_path, small_corpus):
    """Some of its tags are among the tagger's, and all of them are wrong where there are features."""
    lines = small_corpus.read_text().splitlines()
    rows = [line.split("\t") for line in lines]
    for row in rows:
        if len(row) > 1 and row[3] == "NOUN":
            row[5] = "Number=Sing"
    with_features = tmp_path / "features.conllu"
    with_features.write_text("".join("\t".join(row) + "\n" for row in rows))
    train(tmp_path / "model", with_features, tag="upos+feats")
    for path in (with_features, small_corpus):
        for other in ("upos", "xpos"):
            code, printed = run(tmp_path / "model", path, "--tag", other)
            assert code == 1 and is_one_error(printed) and "Give --tag upos+feats." in printed
    found, _ = figures(tmp_path, tmp_path / "model", with_features, "--tag", "upos+feats")
    assert found["tag"] == "upos+feats" and not found["missing_tags"]


def test_data_of_another_tag_set(tmp_path, small_corpus):
    stock_teacher().to_disk(tmp_path / "model")
    code, printed = run(tmp_path / "model", small_corpus)
    assert code == 1 and is_one_error(printed) and "Give data of the same tag set." in printed


def test_tags_that_the_pipeline_lacks_are_named(model, small_corpus, tmp_path, recwarn):
    path = tmp_path / "dev.conllu"
    path.write_text(small_corpus.read_text().replace("\tIN\t", "\tAPPR\t", 1))
    found, printed = figures(tmp_path, model, path)
    assert found["missing_tags"] == ["APPR"] and "APPR" in printed
    assert not recwarn, "what could be done about it in training is of no use here"


@Language.component("constant_tagger", assigns=["token.tag"])
def constant_tagger(doc):
    for token in doc:
        token.tag_ = "NN" if token.is_lower else "DT"
    return doc


def test_other_taggers(tmp_path):
    """Of a tagger without our vocabulary it is not told which words are known; one without
    labels shows by its tags which it has.
    """
    nlp = spacy.blank("en")
    nlp.add_pipe("constant_tagger")
    nlp.to_disk(tmp_path / "model")
    path = tmp_path / "dev.conllu"
    row = "{}\t{}\t_\tX\t{}\t_\t_\t_\t_\t_\n"
    path.write_text((row.format(1, "Ein", "DT") + row.format(2, "haus", "JJ") + "\n") * 11)
    found, printed = figures(tmp_path, tmp_path / "model", path)
    assert found["sentences"] == {
        "all": {"words": 22, "tag_acc": 0.5},
        "known": None,
        "unknown": None,
        "ambiguous": None,
        "tag_whole_sents": 0.0,
        "tag_macro_f": pytest.approx(1 / 3),
    }
    assert "unknown" not in printed and found["missing_tags"] == []
    code, printed = run(tmp_path / "model", path, "--tag", "upos")
    assert code == 1 and "Give --tag xpos." in printed


def test_a_tagger_that_listens(tmp_path, small_corpus):
    """Words are known to its encoder."""
    nlp = listening_nlp()
    examples = list(Corpus(small_corpus)(nlp))
    optimizer = nlp.initialize(lambda: examples)
    nlp.update(examples, sgd=optimizer)
    nlp.to_disk(tmp_path / "model")
    found, _ = figures(tmp_path, tmp_path / "model", small_corpus)
    assert found["sentences"]["known"]["words"] == found["sentences"]["all"]["words"]
    assert found["sentences"]["unknown"] == {"words": 0, "tag_acc": None}


@pytest.mark.parametrize("kind", ["no tagger", "no file", "no model", "bad file", "bad column"])
def test_clear_errors(model, tmp_path, kind):
    data, options = DEV, []
    if kind == "no tagger":
        model = tmp_path / "model"
        nlp = spacy.blank("en")
        nlp.add_pipe("sentencizer")
        nlp.to_disk(model)
    elif kind == "no file":
        data = tmp_path / "dev.conllu"
    elif kind == "no model":
        model = tmp_path / "model"
    elif kind == "bad file":
        data = tmp_path / "dev.conllu"
        data.write_text("1\ta\n")
    else:
        options = ["--tag", "deprel"]
    code, printed = run(model, data, *options, "--output", tmp_path / "out.json")
    assert code == 1 and is_one_error(printed), printed
    named = {"no tagger": "C006", "no model": str(model), "bad column": "deprel"}
    assert named.get(kind, str(data)) in printed
    assert not (tmp_path / "out.json").exists()


def test_a_place_that_cannot_be_written_is_told_before_the_work(model, tmp_path, monkeypatch):
    monkeypatch.setattr("spacy_lstm_tagger.cli.evaluate.load_pipeline", pytest.fail)
    code, printed = run(model, DEV, "--output", tmp_path)
    assert code == 1 and "Is a directory" in printed and str(tmp_path) in printed


def test_words_that_are_all_wrong_are_told_too():
    wrong = Evaluation(Accuracy(3, 0.0), None, Accuracy(0, None), None, 0.0, None)
    found = {"sentences": wrong, "texts": wrong}
    assert row_of("all", found) == ("all", "3", "0.00%", "0.00%")
    assert row_of("known", found) == row_of("unknown", found) == ()
    assert shares("whole sentences", [0.0, None]) == ("whole sentences", "", "0.00%", "")


def test_beside_components_of_rules(tmp_path, small_corpus):
    """Those of spaCy's English pipelines: a lemmatizer and an attribute ruler without a model."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    nlp.initialize(lambda: list(Corpus(small_corpus)(nlp)))
    nlp.add_pipe("attribute_ruler")
    lookups = Lookups()
    lookups.add_table("lemma_lookup", {"dogs": "dog"})
    nlp.add_pipe("lemmatizer", config={"mode": "lookup"}).initialize(lookups=lookups)
    nlp.to_disk(tmp_path / "model")
    found, _ = figures(tmp_path, tmp_path / "model", small_corpus)
    assert found["texts"]["all"]["words"] and found["texts"]["known"] is None


def test_a_corpus_of_white_space(trained, tmp_path):
    DocBin(docs=[Doc(trained.vocab, words=["\n"], tags=["_SP"])]).to_disk(tmp_path / "dev.spacy")
    found = evaluate(trained, tmp_path / "dev.spacy")["texts"]
    assert found.all.words == 0 and found.tag_macro_f is None


def test_a_pipeline_without_a_tagger():
    with pytest.raises(ValueError, match="C006"):
        evaluate(spacy.blank("en"), DEV)


@pytest.mark.parametrize("steps", [(1, 0), (0, 1)])
def test_a_word_is_known_if_one_of_several_encoders_knows_it(steps):
    nlp, other = (trained_nlp(steps=each)[0] for each in steps)
    nlp.add_pipe("lstm_tagger", name="other", source=other)
    words = Doc(nlp.vocab, words=["dog", "zebra"]).to_array("ORTH")
    kinds = find_kinds(nlp, words)
    assert kinds["known"].tolist() == [True, False] == (~kinds["unknown"]).tolist()


@on_posix
@pytest.mark.parametrize("command", ["evaluate", "report"])
def test_a_pipe_can_be_read_only_once(model, small_corpus, command):
    read, write = os.pipe()
    os.write(write, small_corpus.read_bytes())
    os.close(write)
    code, printed = run_command(command, model, f"/dev/fd/{read}")
    os.close(read)
    assert code == 1 and is_one_error(printed) and "read more than once" in printed, printed


def test_tags_of_a_second_tagger_are_not_those_in_docs(tmp_path, small_corpus):
    """As where universal tags are added behind Penn tags, see docs/pipelines.md."""
    nlp = spacy.blank("en")
    for name, tag in (("tagger", "xpos"), ("second", "upos")):
        pipe = nlp.add_pipe("lstm_tagger", name=name, config={"model": small_model()})
        examples = list(Corpus(small_corpus, tag=tag)(nlp))
        pipe.initialize(lambda examples=examples: examples)
    assert find_missing_tags(nlp, small_corpus, tag="xpos", pipeline="both") == []
    with pytest.raises(ValueError, match=r"C004.*Give --tag xpos"):
        find_missing_tags(nlp, small_corpus, tag="upos", pipeline="both")
    nlp.get_pipe("tagger").cfg["threshold"] = 0.9  # what it leaves open, the second one fills
    assert find_missing_tags(nlp, small_corpus, tag="upos", pipeline="both") == []


def test_tags_that_a_ruler_gives_are_not_missing(tmp_path):
    """Beside other things that it sets, as those of spaCy's pipelines do."""
    nlp, _ = trained_nlp(steps=1)
    ruler = nlp.add_pipe("attribute_ruler")
    ruler.add([[{"LOWER": "dog"}]], {"TAG": "ZZ"})
    ruler.add([[{"TAG": "ZZ"}]], {"POS": "NOUN"})
    path = tmp_path / "dev.spacy"
    DocBin(docs=[Doc(nlp.vocab, words=["dog"], tags=["ZZ"])]).to_disk(path)
    assert evaluate(nlp, path)["texts"].all.tag_acc == 1.0
    assert find_missing_tags(nlp, path, tag="xpos", pipeline="ruled") == []


@pytest.mark.parametrize("command", [["evaluate"], ["report", "--format", "json"]])
@pytest.mark.parametrize("is_folder", [False, True])
def test_figures_do_not_take_the_place_of_the_data(
    model, small_corpus, tmp_path, command, is_folder
):
    data = tmp_path / "dev.conllu"
    data.write_bytes(small_corpus.read_bytes())
    read = tmp_path if is_folder else data
    status, printed = run_command(*command, model, read, "--output", data)
    assert status == 1 and is_one_error(printed) and "C009" in printed
    assert data.read_bytes() == small_corpus.read_bytes()


@on_posix
@pytest.mark.parametrize("command", [["evaluate"], ["report"]])
def test_figures_beside_the_data_are_replaced(model, small_corpus, tmp_path, command):
    (tmp_path / "dev.conllu").write_bytes(small_corpus.read_bytes())
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    for _ in range(2):
        status, printed = run_command(*command, model, tmp_path, "--output", tmp_path / "out.json")
        assert status == 0, printed
