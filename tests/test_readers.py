import inspect
import pickle
import random
from itertools import islice
from pathlib import Path

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.training import Example
from spacy.training.converters import conllu_to_docs
from spacy.util import registry
from thinc.api import Config

from spacy_lstm_tagger.readers import ConlluCorpus, create_conllu_reader

UD = Path(__file__).parents[2] / "shared" / "ud"
needs_ud = pytest.mark.skipif(not UD.is_dir(), reason="the UD treebanks are not here")

GERMAN = """\
# newdoc id = a
# sent_id = 1
1\tWir\twir\tPRON\tPPER\tCase=Nom|Number=Plur\t2\tnsubj\t_\t_
2\tgehen\tgehen\tVERB\tVVFIN\t_\t0\troot\t_\t_
3-4\tzum\t_\t_\t_\t_\t_\t_\t_\t_
3\tzu\tzu\tADP\tAPPR\t_\t5\tcase\t_\t_
4\tdem\tder\tDET\tART\tCase=Dat\t5\tdet\t_\tSpaceAfter=No
5\tSee\tSee\tNOUN\tNN\tCase=Dat|Number=Sing\t2\tobl\t_\tSpaceAfter=No|CorrectSpaceAfter=No
5.1\tgehen\tgehen\tVERB\tVVFIN\t_\t_\t_\t_\t_
6\t.\t.\tPUNCT\t$.\t_\t2\tpunct\t_\t_

1-2\tGehts\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
1\tGeht\tgehen\tVERB\tVVFIN\t_\t0\troot\t_\t_
2\ts\t_\tPRON\t_\t_\t1\tnsubj\t_\t_
3\t_\t_\tEMOJI\tX\t_\t1\tdep\t_\tCorrectSpaceAfter=No
4\t?\t?\t_\t$.\tFoo=Bar\t1\tpunct\t_\tSpaceAfter=No
"""


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


@pytest.fixture
def german(tmp_path):
    path = tmp_path / "german.conllu"
    path.write_text(GERMAN, encoding="utf-8")
    return path


def write(path, documents):
    """Write documents of one-, two-, … word sentences, each word a text of its own."""
    lines, word = [], 0
    for lengths in documents:
        lines.append("# newdoc")
        for length in lengths:
            for i in range(1, length + 1):
                lines.append(f"{i}\tw{word}\t_\tX\tT{i}\t_\t_\t_\t_\t_")
                word += 1
            lines.append("")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def fifty(tmp_path):
    """A folder with two files: 30 sentences in 3 documents, 20 in 1; a text file beside them."""
    (tmp_path / "b").mkdir()
    write(tmp_path / "a.conllu", [[3, 1] * 5, [2] * 15, [4] * 5])
    write(tmp_path / "b" / "b.conllu", [[1] * 20])
    (tmp_path / "readme.txt").write_text("not a treebank")
    return tmp_path


def words(examples):
    return [word.text for eg in examples for word in eg.reference]


def sizes(examples):
    return [len(list(eg.reference.sents)) for eg in examples]


# Through a config


def resolve(path, **values):
    block = {"@readers": "spacy-lstm-tagger.Corpus.v1", "path": str(path), **values}
    # as text, because that is how a training config arrives
    config = Config().from_str(Config({"corpora": {"train": block}}).to_str())
    return registry.resolve(config)["corpora"]["train"]


@pytest.mark.parametrize("group_by", [1, 2, "document", [1, 10]])
def test_config_block(nlp, german, group_by):
    corpus = resolve(german, group_by=group_by, also_group_by=2, augmenter=None)
    assert isinstance(corpus, ConlluCorpus)
    assert corpus.group_by == group_by
    examples = list(corpus(nlp))
    assert all(isinstance(eg, Example) for eg in examples)
    assert len(words(examples)) == 20


def test_config_defaults_are_those_of_the_class(german):
    assert resolve(german) == ConlluCorpus(german)
    defaults = inspect.signature(ConlluCorpus).parameters
    for name, parameter in inspect.signature(create_conllu_reader).parameters.items():
        assert parameter.default == defaults[name].default
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY


def test_config_augmenter(nlp, german):
    lower = {"@augmenters": "spacy.lower_case.v1", "level": 1.0}
    examples = list(resolve(german, augmenter=lower)(nlp))
    assert len(examples) == 2
    assert {"wir", "see", "geht"} <= set(words(examples))
    assert examples[0].reference[4].tag_ == "NN"


@pytest.mark.parametrize(
    "name, value, allowed",
    [
        ("tag", "pos", "'xpos', 'upos', 'upos+feats'"),
        ("group_by", 0, "a number from 1 on"),
        ("group_by", [5, 2], "[low, high] with 1 <= low <= high"),
        ("group_by", [0, 2], "[low, high]"),
        ("group_by", [1, 2, 3], "[low, high]"),
        ("group_by", [], "[low, high]"),
        ("group_by", "paragraph", '"document"'),
        ("also_group_by", 0, "or null"),
        ("also_group_by", "2", "or null"),
        ("shuffle_buffer", -1, "0 turns it off"),
        ("limit", -1, "0 turns it off"),
        ("max_length", -5, "0 turns it off"),
    ],
)
def test_config_value_not_allowed(german, name, value, allowed):
    with pytest.raises(ValueError) as error:
        resolve(german, **{name: value})
    assert f"{name} = {value!r}" in str(error.value)
    assert allowed in str(error.value)


@pytest.mark.parametrize("value", [True, 1.5, [1, True], None])
def test_value_of_wrong_type_from_python(german, value):
    with pytest.raises(ValueError, match="group_by"):
        ConlluCorpus(german, group_by=value)


def test_path(nlp, tmp_path):
    with pytest.raises(ValueError, match="E913"):
        create_conllu_reader(path=None)
    with pytest.raises(FileNotFoundError, match=r"R002.*nowhere\.conllu"):
        resolve(tmp_path / "nowhere.conllu")
    with pytest.raises(ValueError, match="R003"), pytest.warns(UserWarning, match="W090"):
        next(resolve(tmp_path)(nlp))
    (tmp_path / "comments.conllu").write_text("# nothing here\n\n")
    for group_by in (1, "document"):
        with pytest.raises(ValueError, match="R004"):
            next(resolve(tmp_path, group_by=group_by)(nlp))


# What a doc holds


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
    for eg in ConlluCorpus(path, group_by=group_by)(nlp):
        for sent in eg.reference.sents:
            found.append([(t.text, bool(t.whitespace_)) for t in sent])
    assert found == [[(text, space) for text, _, space in rows] for rows in sentences]
    if any(tag != "_" for rows in sentences for _, tag, _ in rows):
        docs = ConlluCorpus(path, tag="upos")(nlp)
        tags = [[t.tag_ for t in eg.reference] for eg in docs]
        assert tags == [["" if tag == "_" else tag for _, tag, _ in rows] for rows in sentences]


@needs_ud
def test_agrees_with_the_converter_of_spacy(nlp):
    path = UD / "en_ewt" / "dev.conllu"
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


# Grouping


def test_group_by_number_stays_in_a_file(nlp, fifty):
    examples = list(resolve(fifty, group_by=8)(nlp))
    assert sizes(examples) == [8, 8, 8, 6, 8, 8, 4]
    assert words(examples) == [f"w{i}" for i in range(70)] + [f"w{i}" for i in range(20)]


def test_group_by_document(nlp, fifty):
    assert sizes(resolve(fifty, group_by="document")(nlp)) == [10, 15, 5, 20]


def test_sentences_before_the_first_document_are_one(nlp, tmp_path):
    path = write(tmp_path / "a.conllu", [[1, 1], [1]])
    path.write_text(path.read_text().replace("# newdoc", "# newdocument", 1))
    assert sizes(resolve(path, group_by="document")(nlp)) == [2, 1]


def test_group_by_document_needs_documents(nlp, fifty):
    path = fifty / "b" / "b.conllu"
    path.write_text(path.read_text().replace("# newdoc", "# new"))
    with pytest.raises(ValueError, match=r"R006.*b\.conllu.*# newdoc.*20 sentences.*number"):
        list(resolve(fifty, group_by="document")(nlp))


def test_group_by_range_is_drawn_anew(nlp, fifty):
    corpus = resolve(fifty, group_by=[2, 5])
    random.seed(1)
    first, second = list(corpus(nlp)), list(corpus(nlp))
    assert words(first) == words(second) == words(resolve(fifty)(nlp))
    assert sizes(first) != sizes(second)
    assert {2, 3, 4, 5} <= set(sizes(first) + sizes(second)) <= {1, 2, 3, 4, 5}
    random.seed(1)
    assert sizes(corpus(nlp)) == sizes(first)


def test_also_group_by(nlp, fifty):
    examples = list(resolve(fifty, also_group_by=10)(nlp))
    assert sizes(examples) == [1] * 50 + [10] * 5
    assert words(examples[:50]) == words(examples[50:])
    examples = list(resolve(fifty, group_by=10, also_group_by="document")(nlp))
    assert sizes(examples) == [10] * 5 + [10, 15, 5, 20]


@pytest.mark.parametrize("group_by, fifth", [(10, 3), ("document", 2), ([9, 12], 3)])
def test_max_length_closes_a_doc_early(nlp, fifty, group_by, fifth):
    examples = list(resolve(fifty, group_by=group_by, max_length=6)(nlp))
    # 3 + 1 words, another 3 would be too many; at last 3 + 1 and the 2 of the next document
    assert sizes(examples)[:6] == [2, 2, 2, 2, fifth, 3]
    assert all(len(eg.reference) <= 6 for eg in examples)
    assert words(examples) == words(resolve(fifty)(nlp))


def test_sentence_longer_than_max_length_is_whole(nlp, fifty):
    examples = list(resolve(fifty, group_by=10, max_length=2)(nlp))
    assert [len(eg.reference) for eg in examples][:4] == [3, 1, 3, 1]
    assert words(examples) == words(resolve(fifty)(nlp))


def test_limit_counts_sentences(nlp, fifty):
    assert sizes(resolve(fifty, limit=33, group_by=8)(nlp)) == [8, 8, 8, 6, 3]
    assert sizes(resolve(fifty, limit=30, group_by=8)(nlp)) == [8, 8, 8, 6]
    assert sizes(resolve(fifty, limit=3, also_group_by=2)(nlp)) == [1, 1, 1, 2, 1]
    assert sizes(resolve(fifty, limit=12, group_by="document")(nlp)) == [10, 2]
    assert sum(sizes(resolve(fifty, limit=99)(nlp))) == 50


@pytest.mark.parametrize("shuffle_buffer", [7, 1000])
def test_shuffle_buffer(nlp, fifty, shuffle_buffer):
    random.seed(0)
    corpus = resolve(fifty, shuffle_buffer=shuffle_buffer, also_group_by=10)
    in_order = [eg.reference.text for eg in resolve(fifty)(nlp)]
    first, second = ([eg.reference.text for eg in corpus(nlp)] for _ in range(2))
    assert sorted(first[:50]) == sorted(second[:50]) == sorted(in_order)
    assert len(first) == 55
    assert first != second
    assert first[:50] != in_order


def test_shuffle_buffer_bounds_how_early_a_doc_comes(nlp, tmp_path):
    path = write(tmp_path / "a.conllu", [[1] * 100])
    order = [int(text[1:]) for text in words(resolve(path, shuffle_buffer=7)(nlp))]
    assert sorted(order) == list(range(100))
    # The doc at place i was in the buffer by then, so it is one of the first i + 7.
    assert all(number < i + 7 for i, number in enumerate(order))


def test_streams(nlp, tmp_path):
    path = write(tmp_path / "long.conllu", [[1] * 30])
    path.write_text(path.read_text() + "broken\n")
    examples = resolve(path, group_by=3, shuffle_buffer=4)(nlp)
    # Docs come out before the end of the file has been seen.
    assert sum(sizes(islice(examples, 5))) == 15
    with pytest.raises(ValueError, match="line 62"):
        list(examples)


def test_pickle(nlp, fifty):
    corpus = resolve(fifty, group_by=[1, 4], shuffle_buffer=5, limit=20)
    copy = pickle.loads(pickle.dumps(corpus))
    assert copy == corpus
    random.seed(3)
    expected = words(corpus(nlp))
    random.seed(3)
    assert words(copy(nlp)) == expected


# Bad input


def row(id_="1", form="a", feats="_", columns=10):
    return "\t".join([id_, form, "_", "X", "T", feats, "_", "_", "_", "_", "_"][:columns])


@pytest.mark.parametrize(
    "lines, number, code, parts",
    [
        ([row(columns=9)], 2, "R008", ["found 9 column", "expected 10", "write _"]),
        ([row(columns=11)], 2, "R008", ["found 11 column", "Remove tabs"]),
        ([row().replace("\t", "  ")], 2, "R008", ["found 1 column", "put tabs instead"]),
        ([row(form="")], 2, "R009", ["FORM (column 2)"]),
        ([row(form=" ")], 2, "R009", ["FORM (column 2)"]),
        (
            [row(), row("2", feats="Case")],
            3,
            "R010",
            ["'Case'", "Name=Value joined by |", "write _"],
        ),
        ([row(feats="Case=Acc,Number=Sing")], 2, "R010", ["'Case=Acc,Number=Sing'"]),
        ([row(feats="")], 2, "R010", ["''"]),
        ([row("one")], 2, "R011", ["'one'", "3-4", "5.1", "start it with #"]),
        ([row(""), row()], 2, "R011", ["''"]),
        ([row("1-")], 2, "R011", ["'1-'"]),
        ([row("2")], 2, "R012", ["found id 2, expected 1"]),
        ([row(), row("3")], 3, "R012", ["found id 3, expected 2"]),
        ([row(), row()], 3, "R012", ["found id 1, expected 2", "put an empty line"]),
        ([row("01")], 2, "R012", ["found id 01, expected 1"]),
        ([row("2-3"), row()], 2, "R013", ["found range 2-3", "next word, 1"]),
        ([row(), row("2-1"), row("2")], 3, "R013", ["found range 2-1"]),
        ([row("1-3"), row(), row("2-3"), row("2"), row("3")], 4, "R013", ["in no other range"]),
        ([row("1-3"), row(), row("2")], 2, "R014", ["range 1-3", "ends with word 2", "up to 3"]),
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


def test_bad_encoding(nlp, tmp_path):
    path = tmp_path / "latin1.conllu"
    path.write_bytes(f"# a\n{row()}\n{row('2', 'café')}\n".encode("latin1"))
    with pytest.raises(ValueError, match=r"R007.*latin1\.conllu, line 3: found byte 0xe9.*UTF-8"):
        list(resolve(path)(nlp))


@pytest.mark.parametrize(
    "tag, column, remedy",
    [("xpos", "XPOS", "upos"), ("upos", "UPOS", "xpos"), ("upos+feats", "UPOS", "xpos")],
)
def test_no_tags(nlp, german, fifty, tag, column, remedy):
    text = "1\ta\t_\t_\t_\tA=B\t_\t_\t_\t_\n\n"
    (german.parent / "untagged.conllu").write_text(text * 5)
    # Tags in one of the files are enough.
    assert list(resolve(german.parent, tag=tag)(nlp))
    examples = resolve(german.parent / "untagged.conllu", tag=tag, also_group_by=2)(nlp)
    # Only a whole pass can tell.
    assert sizes(islice(examples, 5)) == [1] * 5
    with pytest.raises(ValueError, match=f'R005.*{column}.*Set tag = "{remedy}"'):
        next(examples)


# The labels


def read_labels(path, **values):
    return registry.readers.get("spacy-lstm-tagger.TagLabels.v1")(path=path, **values)


def test_labels_are_sorted_and_distinct(german):
    assert read_labels(german) == ["$.", "APPR", "ART", "NN", "PPER", "VVFIN", "X"]
    assert read_labels(german, tag="upos") == [
        "ADP", "DET", "EMOJI", "NOUN", "PRON", "PUNCT", "VERB",
    ]  # fmt: skip


def test_labels_with_features(german):
    labels = read_labels(german, tag="upos+feats")
    assert labels == sorted(set(labels))
    assert {"DET|Case=Dat", "PRON|Case=Nom|Number=Plur", "PRON", "VERB"} <= set(labels)
    assert "" not in labels and "_" not in labels


def test_labels_are_those_of_the_whole_folder(fifty):
    assert read_labels(fifty) == ["T1", "T2", "T3", "T4"]


def test_labels_of_no_path():
    with pytest.raises(ValueError, match="E913"):
        read_labels(None)


def test_labels_need_tags(tmp_path):
    path = tmp_path / "untagged.conllu"
    path.write_text("1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n\n")
    with pytest.raises(ValueError, match="R005"):
        read_labels(path)
