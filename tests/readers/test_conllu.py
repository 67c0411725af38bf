"""CoNLL-U files: what a doc has of them, and what is said of bad ones."""

import codecs
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.training.converters import conllu_to_docs

from spacy_lstm_tagger.readers import Corpus

from .util import GERMAN, resolve

UD = os.environ.get("UD_FOLDER")
needs_ud = pytest.mark.skipif(
    not UD, reason="UD_FOLDER is not set to a folder of UD treebanks, each in a folder of its own"
)


def test_reference_doc(nlp, german):
    first, second = (eg.reference for eg in resolve(german)(nlp))
    assert first.text == "Wir gehen zu dem See. "
    assert [t.tag_ for t in first] == ["PPER", "VVFIN", "APPR", "ART", "NN", "$."]
    assert [t.pos_ for t in first] == ["PRON", "VERB", "ADP", "DET", "NOUN", "PUNCT"]
    assert [t.lemma_ for t in first] == ["wir", "gehen", "zu", "der", "See", "."]
    assert str(first[0].morph) == "Case=Nom|Number=Plur"
    assert str(first[1].morph) == ""
    assert not first.has_annotation("DEP")
    # The parts spell the form; the range says what follows it.
    assert [t.text_with_ws for t in second] == ["Geht", "s", "_ ", "?"]
    assert [t.tag_ for t in second] == ["VVFIN", "", "X", "$."]
    assert [t.pos_ for t in second] == ["VERB", "PRON", "", ""]
    assert [t.lemma_ for t in second] == ["gehen", "", "_", "?"]


def test_a_sentence_of_empty_nodes_alone_is_none(nlp, german):
    german.write_text("0.1\tx" + "\t_" * 8 + "\n\n" + german.read_text(encoding="utf-8"))
    first, _ = (eg.reference for eg in resolve(german)(nlp))
    assert first[0].text == "Wir"


def test_predicted_doc_has_words_and_spaces_only(nlp, german):
    (eg,) = resolve(german, group_by=2)(nlp)
    assert [t.text_with_ws for t in eg.predicted] == [t.text_with_ws for t in eg.reference]
    assert eg.reference.text == "Wir gehen zu dem See. Gehts_ ?"
    assert [t.i for t in eg.reference if t.is_sent_start] == [0, 6]
    for attr in ("TAG", "POS", "MORPH", "LEMMA", "SENT_START", "DEP"):
        assert not eg.predicted.has_annotation(attr)
    assert eg.get_aligned("TAG", as_string=True)[:2] == ["PPER", "VVFIN"]


@pytest.mark.parametrize(
    "tag, first, second",
    [
        ("xpos", "PPER VVFIN APPR ART NN $.", ["VVFIN", "", "X", "$."]),
        ("upos", "PRON VERB ADP DET NOUN PUNCT", ["VERB", "PRON", "EMOJI", ""]),
        (
            "upos+feats",
            "PRON|Case=Nom|Number=Plur VERB ADP DET|Case=Dat NOUN|Case=Dat|Number=Sing PUNCT",
            ["VERB", "PRON", "EMOJI", ""],
        ),
    ],
)
def test_tag(nlp, german, tag, first, second):
    docs = [eg.reference for eg in resolve(german, tag=tag)(nlp)]
    assert [[t.tag_ for t in doc] for doc in docs] == [first.split(), second]


def test_tokenizer_splits_the_text(nlp, tmp_path):
    path = tmp_path / "cat.conllu"
    rows = ["1-2\tdont", "1\tdo", "2\tnt", "3\tuse", "4\twell-\u00adkept", "5\tNew York"]
    lines = [f"{row}\t_\tX\tT{i}\t_\t_\t_\t_\tSpaceAfter=Yes" for i, row in enumerate(rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    (gold,) = resolve(path)(nlp)
    (eg,) = resolve(path, gold_tokens=False)(nlp)
    assert [t.text for t in gold.predicted] == ["do", "nt", "use", "well-\u00adkept", "New York"]
    assert eg.predicted.text == eg.reference.text == "dont use well-\u00adkept New York "
    tags = dict(zip(map(str, eg.predicted), eg.get_aligned("TAG", as_string=True), strict=True))
    assert tags["do"] == "T1"
    assert tags["use"] == "T3"
    # Example gives the tag of a word to a piece of it only if that is asked for.
    pieces = eg.alignment.y2x[4].ravel().tolist()
    assert [eg.predicted[i].text for i in pieces] == ["New", "York"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n\n", "\n\n\n# one\n\n# two\n \n"),
        lambda text: "\n\n" + text + "\n\n# the end",
    ],
    ids=["no line end", "CRLF", "BOM", "comments", "blank lines"],
)
def test_accepted_variants(nlp, tmp_path, german, change):
    path = tmp_path / "other.conllu"
    path.write_bytes(change(GERMAN).encode("utf-8"))
    expected = [eg.reference.to_bytes() for eg in resolve(german)(nlp)]
    assert [eg.reference.to_bytes() for eg in resolve(path)(nlp)] == expected


form = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\n"), min_size=1)
word = st.tuples(form.filter(lambda text: not text.isspace()), form, st.booleans())
sentence = st.lists(word, min_size=1, max_size=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sentences=st.lists(sentence, min_size=1, max_size=6), group_by=st.integers(1, 4))
def test_round_trip(nlp, tmp_path, sentences, group_by):
    path = tmp_path / "random.conllu"
    with path.open("w", encoding="utf-8", newline="") as file:
        for rows in sentences:
            for i, (text, tag, space) in enumerate(rows, 1):
                misc = "_" if space else "Gloss=a|SpaceAfter=No"
                file.write(f"{i}\t{text}\t_\t{tag}\tT\t_\t_\t_\t_\t{misc}\n")
            file.write("\n")
    found = []
    for eg in Corpus(path, group_by=group_by)(nlp):
        for sent in eg.reference.sents:
            found.append([(t.text, bool(t.whitespace_)) for t in sent])
    assert found == [[(text, space) for text, _, space in rows] for rows in sentences]
    expected = [[tag.strip() for _, tag, _ in rows] for rows in sentences]
    if any(tag not in ("_", "") for tags in expected for tag in tags):
        docs = Corpus(path, tag="upos")(nlp)
        found = [[t.tag_ for t in eg.reference] for eg in docs]
        assert found == [["" if tag == "_" else tag for tag in tags] for tags in expected]


@needs_ud
def test_agrees_with_the_converter_of_spacy(nlp):
    path = Path(UD) / "en_ewt" / "dev.conllu"
    text = path.read_text(encoding="utf-8")
    # one sentence a doc, because joining them it adds spaces that the file does not have
    theirs = [word for doc in conllu_to_docs(text, n_sents=1, no_print=True) for word in doc]
    examples = list(resolve(path, group_by=10)(nlp))
    ours = [word for eg in examples for word in eg.reference]
    assert len(ours) == 25147
    assert {len(list(eg.reference.sents)) for eg in examples[:-1]} == {10}
    for our, their in zip(ours, theirs, strict=True):
        assert our.text_with_ws == their.text_with_ws
        assert our.tag_ == their.tag_
        assert our.pos_ == their.pos_
        assert our.morph.to_dict() == their.morph.to_dict()
        assert our.is_sent_start == (their.i == 0)
        # The converter takes _ for a lemma, we for none.
        assert our.lemma_ == ("" if their.lemma_ == "_" else their.lemma_)


# Bad input


def row(id_="1", form="a", feats="_", columns=10):
    return "\t".join([id_, form, "_", "X", "T", feats, "_", "_", "_", "_", "_"][:columns])


@pytest.mark.parametrize(
    "lines, number, code, parts",
    [
        ([row(columns=9)], 2, "R007", ["found 9 column", "expected 10", "write _"]),
        ([row(columns=11)], 2, "R007", ["found 11 column", "Remove tabs"]),
        ([row().replace("\t", "  ")], 2, "R007", ["found 1 column", "put tabs instead"]),
        (["The\tDT"], 2, "R007", ["found 2 column", "make a .spacy file", "docs/training.md"]),
        (
            ["(S (NP (DT The) (NN cat)) (VP (VBZ is) (ADJP (JJ so))))"],
            2,
            "R007",
            ["another format"],
        ),
        ([row(form="")], 2, "R008", ["FORM (column 2)"]),
        ([row(form=" ")], 2, "R008", ["FORM (column 2)"]),
        ([row("1-" + 5000 * "9"), row()], 2, "R010", ["'1-999", "…'"]),
        ([row(5000 * "9")], 2, "R011", ["found id 999", "…, expected 1"]),
        ([row("1." + 5000 * "9" + "x"), row()], 2, "R010", ["…'"]),
        ([row(feats=5000 * "9")], 2, "R009", ["'999", "…'"]),
        (
            [row(), row("2", feats="Case")],
            3,
            "R009",
            ["'Case'", "Name=Value joined by |", "write _"],
        ),
        ([row(feats="Case=Acc,Number=Sing")], 2, "R009", ["'Case=Acc,Number=Sing'"]),
        ([row(feats="")], 2, "R009", ["''"]),
        ([row("one")], 2, "R010", ["'one'", "3-4", "5.1", "start it with #"]),
        ([row(""), row()], 2, "R010", ["''"]),
        ([row("1-")], 2, "R010", ["'1-'"]),
        ([row("2")], 2, "R011", ["found id 2, expected 1"]),
        ([row(), row("3")], 3, "R011", ["found id 3, expected 2"]),
        ([row(), row()], 3, "R011", ["found id 1, expected 2", "put an empty line"]),
        ([row("01")], 2, "R011", ["found id 01, expected 1"]),
        ([row("2-3"), row()], 2, "R012", ["found range 2-3", "next word, 1"]),
        ([row(), row("2-1"), row("2")], 3, "R012", ["found range 2-1"]),
        ([row("1-3"), row(), row("2-3"), row("2"), row("3")], 4, "R012", ["in no other range"]),
        ([row("1-3"), row(), row("2")], 2, "R013", ["range 1-3", "ends with word 2", "up to 3"]),
    ],
)
def test_bad_line(nlp, tmp_path, lines, number, code, parts):
    path = tmp_path / "bad.conllu"
    path.write_text("\n".join(["# a comment", *lines]))
    with pytest.raises(ValueError) as error:
        list(resolve(path)(nlp))
    message = str(error.value)
    assert message.startswith(f"[{code}] {path}, line {number}: found")
    assert all(part in message for part in parts), message
    assert len(message) < 500 + len(str(path))


def test_bad_encoding(nlp, tmp_path):
    path = tmp_path / "latin1.conllu"
    rows = f"{row()}\n{row('2', 'café')}\n".encode("latin1")
    for start, line in ((b"# a\n", 3), (codecs.BOM_UTF8 + b"# \xe9\n", 1)):
        path.write_bytes(start + rows)
        found = rf"R006.*latin1\.conllu, line {line}: found byte 0xe9.*UTF-8"
        with pytest.raises(ValueError, match=found):
            list(resolve(path)(nlp))


def test_a_byte_order_mark_in_the_middle(nlp, tmp_path):
    """As of files that were joined."""
    path = tmp_path / "joined.conllu"
    path.write_text(f"{row()}\n\n\ufeff{row()}\n\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"R010.*joined\.conllu, line 3"):
        list(resolve(path)(nlp))


def test_an_empty_node_of_many_digits_is_none(nlp, tmp_path):
    path = tmp_path / "nodes.conllu"
    path.write_text("\n".join([row(), row("1." + 5000 * "9")]))
    assert [len(eg.reference) for eg in resolve(path)(nlp)] == [1]


def test_spaces_behind_values(nlp, tmp_path):
    path = tmp_path / "a.conllu"
    rows = [
        "1\tdog\tdog \tNOUN \tNN \t_\t0\troot\t_\tSpaceAfter=No ",
        "2\t.\t. \tPUNCT\t.\t_\t1\tp\t_\t_",
    ]
    path.write_text("\n".join(rows) + "\n\n")
    (example,) = Corpus(path)(nlp)
    assert example.reference.text == "dog. "
    assert [t.lemma_ for t in example.reference] == ["dog", "."]
