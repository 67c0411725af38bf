"""`lstm-tagger tag`: rows that differ or are not there, values that JSON has not, several taggers."""

import gzip
import json
import shutil
from datetime import date

import pyarrow
import pyarrow.parquet
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from ..distil import stock_teacher
from ..util import make_examples, small_model
from . import is_one_error
from .tagging import CONLLU, read_jsonl, run, tag


def test_rows_of_different_keys(model, tmp_path):
    """A table has all of them."""
    rows = [{"text": "I slept"}, {"text": "I slept", "id": 7}]
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    tag(model, tmp_path / "in.jsonl", "--output", tmp_path / "out.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet")["id"].to_pylist() == [None, 7]


@pytest.mark.parametrize("options", [(), ("--probabilities",)])
def test_a_table_without_rows_keeps_its_columns(model, tmp_path, options):
    table = pyarrow.table({"text": ["I slept"], "id": [7]})
    for name, rows in (("some", table), ("none", table.slice(0, 0))):
        pyarrow.parquet.write_table(rows, tmp_path / f"{name}.parquet")
        output = tmp_path / f"{name}-tagged.parquet"
        tag(model, tmp_path / f"{name}.parquet", "--output", output, *options)
    schemas = [
        pyarrow.parquet.read_schema(tmp_path / f"{n}-tagged.parquet") for n in ("some", "none")
    ]
    assert schemas[0] == schemas[1] and "id" in schemas[1].names


def test_a_table_without_rows_by_another_name(model, tmp_path):
    """What the option says is in a file, and not its name."""
    pyarrow.parquet.write_table(pyarrow.table({"text": [], "id": []}), tmp_path / "table")
    (tmp_path / "text.parquet").touch()
    for name, kind, columns in (
        ("table", "parquet", ["text", "id"]),
        ("text.parquet", "text", ["text"]),
    ):
        options = ["--output", tmp_path / "out.parquet", "--input-format", kind]
        tag(model, tmp_path / name, *options)
        schema = pyarrow.parquet.read_schema(tmp_path / "out.parquet")
        assert schema.names == [*columns, "tokens", "tags"]


def test_a_compressed_table_without_rows(model, tmp_path):
    with gzip.open(tmp_path / "in.parquet.gz", "wb") as file:
        pyarrow.parquet.write_table(pyarrow.table({"text": [], "id": []}), file)
    tag(model, tmp_path / "in.parquet.gz", "--output", tmp_path / "out.parquet")
    assert "id" in pyarrow.parquet.read_schema(tmp_path / "out.parquet").names


def test_values_that_json_has_not(model, tmp_path):
    values = {"x": float("nan"), "y": 0.5, "b": b"\x00\xff", "day": date(2024, 2, 29)}
    table = pyarrow.Table.from_pylist([{"text": "I slept", **values}])
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    tag(model, tmp_path / "in.parquet", "--output", tmp_path / "out.jsonl")
    (row,) = read_jsonl(tmp_path / "out.jsonl")
    assert row["x"] is None and row["y"] == 0.5
    assert row["b"] == "AP8=" and row["day"] == "2024-02-29"


def test_json_by_its_other_name(model, texts, tmp_path):
    (tmp_path / "rows").mkdir()
    texts["jsonl"].rename(tmp_path / "rows" / "a.ndjson")
    tag(model, tmp_path / "rows", "--output", f"{tmp_path}/out/")
    tag(model, tmp_path / "rows", "--output", tmp_path / "out" / "b.ndjson")
    rows = [read_jsonl(tmp_path / "out" / name) for name in ("a.jsonl", "b.ndjson")]
    assert rows[0] == rows[1] and rows[0][1]["id"] == 1


def test_a_treebank_by_its_other_name(model, small_corpus, tmp_path):
    """It was read as text, which made a word of each column."""
    shutil.copy(small_corpus, tmp_path / "a.conll")
    tag(model, tmp_path / "a.conll", "--output", f"{tmp_path}/out/")
    tag(model, small_corpus, "--output", tmp_path / "out" / "b.conll")
    found = [(tmp_path / "out" / name).read_text() for name in ("a.conllu", "b.conll")]
    assert found[0] == found[1] and "\t" in found[0]


def test_a_long_line_comes_in_parts(model, tmp_path):
    (tmp_path / "in.txt").write_text("I slept " * 130_000)
    tag(model, tmp_path / "in.txt", "--output", tmp_path / "out.jsonl")
    assert [len(row["tokens"]) for row in read_jsonl(tmp_path / "out.jsonl")] == [250_000, 10_000]


def test_probabilities_are_those_of_the_tagger_whose_tags_stay(model, tmp_path):
    nlp = spacy.load(model)
    nlp.add_pipe("tagger", name="rival").initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path / "two")
    (tmp_path / "in.txt").write_text("I slept\n")
    for name, pipeline in (("one", model), ("two", tmp_path / "two")):
        tag(pipeline, tmp_path / "in.txt", "--output", tmp_path / f"{name}.tsv", "--probabilities")
    assert (tmp_path / "one.tsv").read_text() == (tmp_path / "two.tsv").read_text()


@pytest.mark.parametrize(
    "first,later",
    [
        (True, 5),
        (False, 0.5),
        ("a", 5),
        (5, "a"),
        ({"a": 1}, {"a": 1, "b": 2}),
        ([{"a": 1}], [{"a": 1, "c": 9}]),
        ({"a": 1}, {"b": 5}),
        ({"a": "b"}, {"a": 5}),
        ([1], 5),
        (5, [1]),
        ({"a": 1}, 5),
        (5, {"a": 1}),
        (5, 0.5),
    ],
)
def test_a_value_that_a_column_does_not_take(model, tmp_path, monkeypatch, first, later):
    """An error, rather than another value."""
    monkeypatch.setattr("spacy_lstm_tagger.tagging.DOCS", 1)
    rows = [{"text": "I slept", "x": value} for value in (first, later)]
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    code, printed = run(model, tmp_path / "in.jsonl", "--output", tmp_path / "out.parquet")
    assert code == 1 and "D017" in printed
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    "first,later", [(0.5, 5), ({"a": 1}, {"a": None}), ([1], []), ("a", None), ([0.5], [1])]
)
def test_a_value_that_a_column_takes(model, tmp_path, monkeypatch, first, later):
    monkeypatch.setattr("spacy_lstm_tagger.tagging.DOCS", 1)
    rows = [{"text": "I slept", "x": value} for value in (first, later)]
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    tag(model, tmp_path / "in.jsonl", "--output", tmp_path / "out.parquet")
    found = pyarrow.parquet.read_table(tmp_path / "out.parquet")["x"].to_pylist()
    assert found == [first, later]


def tag_with(tags, column, folder, **settings):
    """RETURNS (list): The rows of words, tagged by a tagger that has some tags."""
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model(), **settings})
    nlp.initialize(lambda: make_examples(nlp, [("It " * len(tags.split()), tags)]))
    nlp.to_disk(folder / "model")
    path, output = folder / "in.conllu", folder / "out.conllu"
    path.write_text(CONLLU, encoding="utf-8")
    tag(folder / "model", path, "--output", output, "--tag", column)
    rows = [line.split("\t") for line in output.read_text(encoding="utf-8").splitlines()]
    return [cells for cells in rows if cells[0].isdigit()]


@pytest.mark.parametrize("column,places", [("xpos", [4]), ("upos", [3]), ("upos+feats", [3, 5])])
def test_words_without_a_tag(tmp_path, column, places):
    """Of which a tagger is not sure enough: CoNLL-U has no empty columns."""
    rows = tag_with("PRON VERB", column, tmp_path, tag_set="upos", threshold=1.0)
    assert len(rows) == 6 and {cells[i] for cells in rows for i in places} == {"_"}


def test_features_of_tags_have_their_column(tmp_path):
    rows = tag_with("PRON|Case=Nom", "upos+feats", tmp_path, tag_set="upos+feats")
    assert len(rows) == 6 and {(cells[3], cells[5]) for cells in rows} == {("PRON", "Case=Nom")}


def test_what_other_formats_have_of_sentences(model, tmp_path):
    """Where spaces are, and of comments those that are a name and a value."""
    path = tmp_path / "in.conllu"
    path.write_text(f"# checked by hand\n{CONLLU}", encoding="utf-8")
    for name in ("out.spacy", "out.jsonl"):
        tag(model, path, "--output", tmp_path / name)
    docs = DocBin().from_disk(tmp_path / "out.spacy").get_docs(spacy.blank("es").vocab)
    assert [doc.text.strip() for doc in docs] == ["Vamos nos al mar.", "Sí"]
    (first, _) = read_jsonl(tmp_path / "out.jsonl")
    assert set(first) == {"newdoc id", "sent_id", "text", "tokens", "tags"}


def test_pairs_that_json_has_not(model, tmp_path):
    column = pyarrow.array(
        [[("k", float("nan"))]], pyarrow.map_(pyarrow.string(), pyarrow.float64())
    )
    pyarrow.parquet.write_table(
        pyarrow.table({"text": ["I slept"], "m": column}), tmp_path / "in.parquet"
    )
    tag(model, tmp_path / "in.parquet", "--output", tmp_path / "out.jsonl")
    (row,) = read_jsonl(tmp_path / "out.jsonl")
    assert row["m"] == [["k", None]]


@pytest.mark.parametrize("together", [False, True])
def test_strings_of_other_programs(model, tmp_path, monkeypatch, together):
    """Those of Polars are long ones."""
    monkeypatch.setattr("spacy_lstm_tagger.tagging.DOCS", 2 if together else 1)
    for name, kind in (("a", pyarrow.string()), ("b", pyarrow.large_string())):
        table = pyarrow.table({"text": ["I slept"], "x": pyarrow.array([name], kind)})
        pyarrow.parquet.write_table(table, tmp_path / f"{name}.parquet")
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet", "--output", tmp_path / "out.parquet"]
    tag(model, *paths)
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet")["x"].to_pylist() == ["a", "b"]


@pytest.mark.parametrize("n", [5000, 4999, 1])
def test_tables_that_differ_may_do_so_at_any_row(model, tmp_path, n):
    """Wherever a group ends in which docs are tagged."""
    tables = [
        pyarrow.table({"text": ["a"] * n, "x": range(n)}),
        pyarrow.table({"text": ["b"]}),
        pyarrow.table({"x": pyarrow.array([7], pyarrow.int32()), "text": ["c"]}),
    ]
    paths = [tmp_path / f"{i}.parquet" for i in range(3)]
    for path, table in zip(paths, tables, strict=True):
        pyarrow.parquet.write_table(table, path)
    tag(model, *paths, "--output", tmp_path / "out.parquet")
    found = pyarrow.parquet.read_table(tmp_path / "out.parquet")["x"].to_pylist()
    assert found == [*range(n), None, 7]


@pytest.mark.skipif(not hasattr(pyarrow, "string_view"), reason="this pyarrow has no such strings")
def test_strings_of_another_layout(model, tmp_path):
    """Which pyarrow cannot take one by one."""
    column = pyarrow.array(["y", None], pyarrow.string_view())
    table = pyarrow.table({"text": ["a", "b"], "x": column})
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    tag(model, tmp_path / "in.parquet", "--output", tmp_path / "out.parquet")
    found = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert found["x"].to_pylist() == ["y", None]


def test_a_text_of_a_table_that_is_no_utf_8(model, tmp_path):
    bad = pyarrow.StringArray.from_buffers(1, *pyarrow.array([b"\xff"]).buffers()[1:])
    texts = pyarrow.concat_arrays([pyarrow.array(["a"]), bad, pyarrow.array(["b"])])
    path, output = tmp_path / "in.parquet", tmp_path / "out.jsonl"
    pyarrow.parquet.write_table(pyarrow.table({"text": texts, "id": [1, 2, 3]}), path)
    code, printed = run(model, path, "--output", output)
    assert code == 1 and is_one_error(printed) and "in.parquet, row 2" in printed
    tag(model, path, "--output", output, "--skip-bad", 1)
    assert [row["id"] for row in read_jsonl(output)] == [1, 3]


def test_a_date_that_python_has_not(model, tmp_path):
    path = tmp_path / "in.parquet"
    days = pyarrow.array([1, 5_000_000], pyarrow.date32())
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a", "b"], "day": days}), path)
    code, printed = run(model, path, "--output", tmp_path / "out.jsonl")
    assert code == 1 and is_one_error(printed) and "in.parquet, row 2" in printed


@pytest.mark.parametrize("labels", ["the same", "others"])
def test_probabilities_of_another_tagger_go(tmp_path, labels):
    """A file keeps them with its docs."""
    first = stock_teacher(factory="lstm_tagger")
    first.get_pipe("lstm_tagger").cfg["save_probabilities"] = True
    words = "The dog slept".split()
    doc = first(Doc(first.vocab, words=words))
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "in.spacy")
    second = stock_teacher(factory="tagger")
    if labels == "others":
        second = spacy.blank("en")
        second.add_pipe("tagger")
        example = {"words": words, "tags": ["A", "B", "C"]}
        second.initialize(lambda: [Example.from_dict(second.make_doc("The dog slept"), example)])
    second.to_disk(tmp_path / "model")
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": words}))
    for name in ("in.spacy", "in.jsonl"):
        tag(tmp_path / "model", tmp_path / name, "--output", tmp_path / f"{name}.jsonl", "-p")
    found = [read_jsonl(tmp_path / f"{name}.jsonl")[0] for name in ("in.spacy", "in.jsonl")]
    assert found[0]["probabilities"] == found[1]["probabilities"]
    tag(tmp_path / "model", tmp_path / "in.spacy", "--output", tmp_path / "out.spacy")
    (doc,) = DocBin().from_disk(tmp_path / "out.spacy").get_docs(second.vocab)
    assert doc[0]._.tag_probabilities is None


def test_what_misc_says_of_anything_else_stays(model, tmp_path):
    path, output = tmp_path / "in.conllu", tmp_path / "out.conllu"
    path.write_text(
        "".join(
            f"{i}\tdog\t_\t_\tX" + "\t_" * 4 + f"\t{misc}\n"
            for i, misc in enumerate(["", "|X", "_|Y", "TagProb=0.5|Z"], 1)
        )
        + "\n"
    )
    tag(model, path, "--output", output)
    found = [line.split("\t")[-1] for line in output.read_text().split("\n")[:4]]
    assert found == ["", "|X", "_|Y", "Z"]
    tag(model, path, "--output", output, "--scores")
    found = [line.split("\t")[-1] for line in output.read_text().split("\n")[:4]]
    assert all(misc.count("TagProb=") == 1 and misc[0] not in "|_" for misc in found)


def test_a_text_that_is_not_there_beside_words_that_are_given(model, tmp_path):
    rows = [{"tokens": ["I", "slept"]}, {"tokens": None}]
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    tag(model, tmp_path / "in.jsonl", "--text-key", "tokens", "--output", tmp_path / "out.jsonl")
    first, second = read_jsonl(tmp_path / "out.jsonl")
    assert len(first["tags"]) == 2 and second["tokens"] is None and second["tags"] == []
