"""`python -m spacy lstm-tagger tag`: every format in, every format out, as `nlp.pipe` tags."""

import gzip
import json
import shutil
import subprocess
import sys
from itertools import zip_longest

import pyarrow
import pyarrow.parquet
import pytest
import spacy
import zstandard
from scipy.special import softmax
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span

from spacy_lstm_tagger.files.formats import ENCODERS
from spacy_lstm_tagger.readers import Corpus

from ..distil import stock_teacher
from ..forks import fork_workers
from ..util import CORPUS, make_examples, small_model, train
from . import is_one_error
from .tagging import CONLLU, OBJECTS, TEXTS, pairs, read_jsonl, read_tsv, run, tag


@pytest.mark.parametrize("kind", ["txt", "jsonl", "parquet"])
def test_tags_are_those_of_the_pipeline(model, expected, texts, tmp_path, kind):
    output = tmp_path / "out.jsonl"
    tag(model, texts[kind], "--output", output)
    rows = read_jsonl(output)
    assert pairs(rows) == expected
    kept = [{k: v for k, v in row.items() if k not in ("tokens", "tags")} for row in rows]
    assert kept == (OBJECTS if kind != "txt" else [{"text": text} for text in TEXTS])
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.jsonl"]


@pytest.mark.parametrize("kind", ["txt", "jsonl", "parquet"])
def test_tables(model, expected, texts, tmp_path, kind):
    output = tmp_path / "out.parquet"
    tag(model, texts[kind], "--output", output, "--probabilities")
    table = pyarrow.parquet.read_table(output)
    assert pairs(table.to_pylist()) == expected
    assert table.column_names[-3:] == ["tokens", "tags", "probabilities"]
    assert table.schema.field("probabilities").type == pyarrow.list_(pyarrow.float32())
    if kind == "parquet":
        before = pyarrow.parquet.read_table(texts[kind])
        assert table.select(before.column_names) == before


def test_types_of_columns_stay(model, tmp_path):
    """Also those that Python has none of, and whatever the size of the batches."""
    n = 2500
    columns = {
        "text": pyarrow.array(["I slept ."] * n, pyarrow.large_string()),
        "small": pyarrow.array(range(n), pyarrow.int16()),
        "time": pyarrow.array(range(n), pyarrow.timestamp("ns")),
        "kind": pyarrow.array(["a", "b"] * (n // 2)).dictionary_encode(),
    }
    table = pyarrow.table(columns)
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet", row_group_size=700)
    tag(model, tmp_path / "in.parquet", "--output", tmp_path / "out.parquet")
    found = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    before = pyarrow.parquet.read_table(tmp_path / "in.parquet")
    assert found.select(before.column_names).equals(before)
    assert found.column("tokens").to_pylist() == [["I", "slept", "."]] * n


@pytest.mark.parametrize("kind", ["txt", "jsonl", "parquet"])
def test_tab_separated_values(model, expected, texts, tmp_path, kind):
    output = tmp_path / "out.tsv"
    tag(model, texts[kind], "--output", output)
    docs = [[(word, t) for word, t in doc if not word.isspace()] for doc in expected]
    assert output.read_text(encoding="utf-8") == "".join(
        "".join(f"{word}\t{t}\n" for word, t in doc) + "\n" for doc in docs
    )


def test_conllu_of_texts(model, expected, texts, tmp_path):
    """It has each word with its tag and the spaces behind it, by sentence."""
    output = tmp_path / "out.conllu"
    tag(model, texts["txt"], "--output", output)
    docs = [eg.reference for eg in Corpus(output, group_by="document")(spacy.blank("en"))]
    words = [[(word, t) for word, t in doc if not word.isspace()] for doc in expected if doc]
    assert [[(t.text, t.tag_) for t in doc] for doc in docs] == words
    assert [len(list(doc.sents)) for doc in docs] == [2, 1, 1]
    assert "SpacesAfter=\\s\\s" in output.read_text()
    assert docs[1].text.strip() == TEXTS[2].replace("  ", " ")


def test_conllu_keeps_what_it_has(model, tmp_path):
    path, output = tmp_path / "in.conllu", tmp_path / "out.conllu"
    path.write_text(CONLLU + "# a comment alone\n\n", encoding="utf-8")
    tag(model, path, "--output", output)
    nlp = spacy.load(model)
    words = [["Vamos", "nos", "al", "mar", "."], ["Sí"]]
    tags = [t.tag_ for each in words for t in nlp(Doc(nlp.vocab, words=each))]
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n")]
    for row in rows:
        if row[0].isdigit():
            row[4] = tags.pop(0)
            row[9] = row[9].removesuffix("|TagProb=0.1")  # it was that of another tag
    assert output.read_text(encoding="utf-8") == "\n".join(map("\t".join, rows))


@pytest.fixture(scope="module")
def universal(tmp_path_factory):
    """A tagger of universal tags."""
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model(), "tag_set": "upos"})
    examples = make_examples(nlp, [("The dog slept", "DET NOUN VERB")])
    nlp.initialize(lambda: examples)
    train(nlp, examples, steps=20)
    path = tmp_path_factory.mktemp("universal") / "model"
    nlp.to_disk(path)
    return path


@pytest.mark.parametrize("column", ["upos", "upos+feats"])
def test_tags_of_another_column(model, universal, tmp_path, column):
    path, output = tmp_path / "in.conllu", tmp_path / "out.conllu"
    others = CONLLU.replace("\tVERB\t", "\tX\t").replace("\tNOUN\t", "\tX\t")
    path.write_text(others, encoding="utf-8")
    code, printed = run(model, path, "--output", output, "--tag", column)
    assert code == 1 and is_one_error(printed) and "C012" in printed and not output.exists()
    assert "Give --tag xpos." in printed
    tag(universal, path, "--output", output, "--tag", column, "--probabilities")
    before, after = (
        [line.split("\t") for line in each.read_text(encoding="utf-8").splitlines()]
        for each in (path, output)
    )
    changed = {3, 9} if column == "upos" else {3, 5, 9}
    for old, new in zip(before, after, strict=True):
        different = {i for i, (a, b) in enumerate(zip_longest(old, new)) if a != b}
        assert different <= changed and (3 in different) == old[0].isdigit()
    assert after[4][9].startswith("A=b|TagProb=0.") and after[8][9].count("TagProb") == 1


def make_docs(vocab):
    docs = [
        Doc(vocab, words=["don't", "read", "!"], spaces=[True, False, False], tags=["X"] * 3),
        Doc(vocab),
        Doc(vocab, words=["I", "slept"], sent_starts=[True, True]),
    ]
    docs[0].ents = [Span(docs[0], 0, 1, label="PER")]
    docs[0].spans["s"] = [Span(docs[0], 1, 3, label="LABEL")]
    docs[2].cats["good"] = 0.5
    docs[2].user_data["mine"] = 3
    return docs


def test_docs_keep_what_they_have(model, tmp_path):
    path, output = tmp_path / "in.spacy", tmp_path / "out.spacy"
    DocBin(docs=make_docs(spacy.blank("en").vocab), store_user_data=True).to_disk(path)
    tag(model, path, "--output", output)
    nlp = spacy.load(model)
    docs = list(DocBin().from_disk(output).get_docs(nlp.vocab))
    before = make_docs(nlp.vocab)
    for doc, old in zip(docs, before, strict=True):
        new = nlp(Doc(nlp.vocab, words=[t.text for t in old]))
        assert [t.tag_ for t in doc] == [t.tag_ for t in new]
        assert doc.text == old.text and doc.cats == old.cats
        assert [(e.text, e.label_) for e in doc.ents] == [(e.text, e.label_) for e in old.ents]
        assert [t.is_sent_start for t in doc] == [t.is_sent_start for t in old]
    assert docs[0].spans["s"][0].label_ == "LABEL" and docs[2].user_data["mine"] == 3


def test_docs_to_other_formats(model, tmp_path):
    path = tmp_path / "in.spacy"
    DocBin(docs=make_docs(spacy.blank("en").vocab)).to_disk(path)
    for kind in ("jsonl", "tsv", "conllu", "parquet"):
        tag(model, path, "--output", tmp_path / f"out.{kind}")
    rows = read_jsonl(tmp_path / "out.jsonl")
    assert [row["text"] for row in rows] == ["don't read!", "", "I slept "]
    assert rows[0]["tokens"] == ["don't", "read", "!"]
    assert pairs(rows) == pairs(pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist())
    assert read_tsv(tmp_path / "out.tsv").count([""]) == 3
    lines = (tmp_path / "out.conllu").read_text().splitlines()
    assert "# text = don't read!" in lines and lines.count("# newdoc") == 2


def test_conllu_to_other_formats(model, tmp_path):
    path = tmp_path / "in.conllu"
    path.write_text(CONLLU, encoding="utf-8")
    tag(model, path, "--output", tmp_path / "out.jsonl")
    first, second = read_jsonl(tmp_path / "out.jsonl")
    assert (first["sent_id"], first["newdoc id"]) == ("s1", "d1")
    assert first["text"] == "Vámonos al mar." and first["tokens"][:2] == ["Vamos", "nos"]
    assert second["tokens"] == ["Sí"] and second["text"].strip() == "Sí"


def test_words_that_are_given(model, tmp_path):
    """As lists, or with spaces between them."""
    words = [["don't", "read", "!"], ["I", "slept"]]
    lists = tmp_path / "lists.jsonl"
    lists.write_text("".join(json.dumps({"tokens": each}) + "\n" for each in words))
    lines = tmp_path / "lines.txt"
    lines.write_text("".join(f" {'  '.join(each)}\n" for each in words))
    found = []
    for path, options in ((lists, ["--text-key", "tokens"]), (lines, ["--tokens"])):
        tag(model, path, "--output", tmp_path / "out.jsonl", *options)
        found.append(read_jsonl(tmp_path / "out.jsonl"))
    assert [row["tokens"] for row in found[0]] == words
    assert pairs(found[0]) == pairs(found[1])
    assert set(found[0][0]) == {"tokens", "tags"}


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_files(model, expected, texts, tmp_path, suffix):
    path, output = tmp_path / f"in.jsonl{suffix}", tmp_path / f"out.jsonl{suffix}"
    data = texts["jsonl"].read_bytes()
    compress, expand = {
        ".gz": (gzip.compress, gzip.decompress),
        ".zst": (zstandard.compress, zstandard.decompress),
    }[suffix]
    path.write_bytes(compress(data[:100]) + compress(data[100:]))  # of several frames
    tag(model, path, "--output", output)
    if suffix == ".zst":
        content = zstandard.ZstdDecompressor().stream_reader(output.open("rb")).read()
    else:
        content = expand(output.read_bytes())
    assert pairs(map(json.loads, content.splitlines())) == expected
    path.write_bytes(path.read_bytes()[:-10])
    code, printed = run(model, path, "--output", tmp_path / "no.jsonl")
    assert code == 1 and is_one_error(printed) and str(path) in printed and "D013" in printed


def test_a_folder_has_a_file_for_each(model, expected, texts, tmp_path):
    (tmp_path / "in" / "deep").mkdir()
    texts["jsonl"].rename(tmp_path / "in" / "deep" / "texts.jsonl")
    (tmp_path / "in" / "empty.txt").touch()
    texts["parquet"].unlink()
    tag(model, tmp_path / "in", "--output", f"{tmp_path / 'out'}/", "--format", "jsonl")
    written = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")}
    assert written == {"texts.jsonl", "deep/texts.jsonl", "empty.jsonl"}
    assert (tmp_path / "out" / "empty.jsonl").read_bytes() == b""
    for name in ("texts.jsonl", "deep/texts.jsonl"):
        assert pairs(read_jsonl(tmp_path / "out" / name)) == expected


def test_several_inputs_make_one_output(model, expected, texts, tmp_path):
    tag(model, texts["txt"], texts["jsonl"], "--output", tmp_path / "out.jsonl")
    assert pairs(read_jsonl(tmp_path / "out.jsonl")) == expected * 2


@pytest.mark.parametrize("kind", [kind[1:] for kind in ENCODERS])
def test_an_empty_input(model, tmp_path, kind):
    (tmp_path / "in.txt").touch()
    tag(model, tmp_path / "in.txt", "--output", tmp_path / f"out.{kind}")
    if kind == "parquet":
        assert pyarrow.parquet.read_table(tmp_path / "out.parquet").num_rows == 0
    elif kind == "spacy":
        assert len(DocBin().from_disk(tmp_path / "out.spacy")) == 0
    else:
        assert (tmp_path / f"out.{kind}").read_bytes() == b""


def test_whole_files(model, tmp_path):
    path = tmp_path / "in.txt"
    path.write_bytes(b"I slept .\n\nI read .\n")
    tag(model, path, "--output", tmp_path / "out.jsonl", "--whole-files")
    (row,) = read_jsonl(tmp_path / "out.jsonl")
    assert row["text"].encode() == path.read_bytes() and "\n\n" in row["tokens"]


@pytest.mark.parametrize("kind", ["jsonl", "spacy", "parquet"])
def test_two_processes_write_the_same(model, texts, tmp_path, monkeypatch, kind):
    fork_workers(monkeypatch)
    monkeypatch.setattr("spacy_lstm_tagger.tagging.DOCS", 2)
    arguments = [model, texts["jsonl"], texts["txt"], "--format", kind, "-p"]
    if kind == "parquet":
        arguments.remove(texts["txt"])
    tag(*arguments, "--output", tmp_path / "one")
    tag(*arguments, "--output", tmp_path / "two", "--n-process", 2)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("factory", ["lstm_tagger", "tagger"])
def test_probabilities(tmp_path, texts, factory):
    """Ours, and those of spaCy's own taggers."""
    nlp = stock_teacher(factory=factory)
    nlp.to_disk(tmp_path / "model")
    tag(tmp_path / "model", texts["jsonl"], "--output", tmp_path / "out.jsonl", "--scores")
    tag(tmp_path / "model", texts["jsonl"], "--output", tmp_path / "out.tsv", "-p")
    rows = read_jsonl(tmp_path / "out.jsonl")
    pipe = nlp.get_pipe(factory)
    for row, doc in zip(rows, nlp.pipe(TEXTS), strict=True):
        scores = pipe.model.predict([doc])[0] if len(doc) else []
        for scored, token, found in zip(scores, doc, row["probabilities"], strict=True):
            if factory == "lstm_tagger" and token.is_space:  # whose tag is a rule
                assert found is None
            else:
                assert found == pytest.approx(max(softmax(scored)), abs=1e-4), token
    cells = [row[2] for row in read_tsv(tmp_path / "out.tsv") if row != [""]]
    sure = [
        f"{p:.4f}"
        for row in rows
        for p, w in zip(row["probabilities"], row["tokens"], strict=True)
        if w.strip()
    ]
    assert cells == sure


@Language.factory("tags_of_another_kind", assigns=["token.tag"])
class OtherTagger:
    def __init__(self, nlp, name):
        pass

    def __call__(self, doc):
        for token in doc:
            token.tag_ = token.text.upper()
            token.lemma_ = token.lower_
        return doc


def test_any_tagger(tmp_path, texts):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("tags_of_another_kind")
    nlp.to_disk(tmp_path / "model")
    tag(tmp_path / "model", texts["txt"], "--output", tmp_path / "out.conllu")
    assert "2\tdog\tdog\t_\tDOG\t_" in (tmp_path / "out.conllu").read_text()
    (tmp_path / "odd.jsonl").write_text(json.dumps({"text": ["New\n\tYork", "dogs"]}))
    tag(tmp_path / "model", tmp_path / "odd.jsonl", "--output", tmp_path / "odd.conllu")
    rows = [row.split("\t") for row in (tmp_path / "odd.conllu").read_text().splitlines()]
    rows = [[row[i] for i in (1, 2, 4)] for row in rows if len(row) == 10]
    assert rows == [["New York", "new york", "NEW YORK"], ["dogs", "dogs", "DOGS"]]
    for name in ("odd.tsv", "again.conllu"):  # whose columns and lines stay what they are
        tag(tmp_path / "model", tmp_path / "odd.conllu", "--output", tmp_path / name)
    tag(tmp_path / "model", tmp_path / "odd.jsonl", "--output", tmp_path / "odd.tsv")
    assert (tmp_path / "odd.tsv").read_text() == "New York\tNEW YORK\ndogs\tDOGS\n\n"
    arguments = [tmp_path / "model", texts["txt"], "--output", tmp_path / "out.tsv"]
    code, printed = run(*arguments, "--probabilities")
    assert code == 1 and is_one_error(printed) and "C011" in printed


def test_what_a_tagger_writes_is_its_own(universal, tmp_path):
    """Docs keep their lemmas, and no coarse tags that contradict the new ones."""
    words, tags, vocab = ["The", "dog", "slept"], ["DET", "NOUN", "VERB"], spacy.blank("en").vocab
    pos, lemmas = ["ADV"] * 3, ["a", "b", "c"]
    doc = Doc(vocab, words=words, pos=pos, tags=pos, lemmas=lemmas)
    DocBin(docs=[doc]).to_disk(tmp_path / "in.spacy")
    tag(universal, tmp_path / "in.spacy", "--output", tmp_path / "out.spacy")
    (doc,) = DocBin().from_disk(tmp_path / "out.spacy").get_docs(vocab)
    assert [t.tag_ for t in doc] == [t.pos_ for t in doc] == tags
    assert [t.lemma_ for t in doc] == lemmas


def test_standard_input_and_output(model, expected, texts):
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "tag", model, "-", "--output", "-"]
    command += ["--input-format", "jsonl"]
    done = subprocess.run(command, input=texts["jsonl"].read_bytes(), capture_output=True)
    assert done.returncode == 0 and done.stderr == b"", done.stderr
    assert pairs(map(json.loads, done.stdout.splitlines())) == expected


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_who_has_read_enough_gets_no_traceback(model, tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("I slept .\n" * 200_000)
    command = f"{sys.executable} -m spacy lstm-tagger tag {model} {path} -o - | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stdout.startswith("I\t") and done.stderr == ""


def test_the_embedded_corpus_comes_back(model, tmp_path):
    """A treebank stays as it is, but for the column of the tags."""
    output = tmp_path / "out.conllu"
    tag(model, CORPUS / "en-dev.conllu", "--output", output)
    before = (CORPUS / "en-dev.conllu").read_text(encoding="utf-8").split("\n")
    after = output.read_text(encoding="utf-8").split("\n")
    for old, new in zip(before, after, strict=True):
        old, new = old.split("\t"), new.split("\t")
        assert old[:4] + old[5:] == new[:4] + new[5:]


def test_what_another_component_writes_is_its_own(model, universal, tmp_path):
    nlp = spacy.load(model)
    nlp.add_pipe("lstm_tagger", source=spacy.load(universal), name="universal_tagger")
    nlp.to_disk(tmp_path / "both")
    doc = Doc(nlp.vocab, words=["The", "dog"], pos=["ADV"] * 2, tags=["X"] * 2)
    DocBin(docs=[doc]).to_disk(tmp_path / "in.spacy")
    found = {}
    for name, path in (("one", model), ("both", tmp_path / "both")):
        tag(path, tmp_path / "in.spacy", "--output", tmp_path / f"{name}.spacy")
        (doc,) = DocBin().from_disk(tmp_path / f"{name}.spacy").get_docs(nlp.vocab)
        found[name] = [token.pos_ for token in doc]
    assert found == {"one": ["ADV", "ADV"], "both": [t.pos_ for t in nlp("The dog")]}
