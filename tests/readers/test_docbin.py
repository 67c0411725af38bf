"""`.spacy` files: the same settings mean the same as in CoNLL-U files, and damage is told."""

import bz2
import gzip
import lzma
import random
import re
import zlib

import pytest
import spacy
import srsly
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span

from spacy_lstm_tagger.readers import Corpus, read_tag_counts, read_tag_labels

from ..util import CORPUS
from .util import GERMAN, sizes, words, write


def save(path, docs, **options):
    DocBin(docs=docs, **options).to_disk(path)
    return path


def to_spacy(conllu, path, group_by="document"):
    """RETURNS (Path): A .spacy file of the documents of a CoNLL-U file."""
    examples = Corpus(conllu, group_by=group_by)(spacy.blank("xx"))
    return save(path, [eg.reference for eg in examples])


def describe(examples):
    """RETURNS (list): Everything that a tagger can learn from."""
    return [
        (
            [(t.text, t.whitespace_) for t in eg.predicted],
            [(t.text_with_ws, t.tag_, t.pos_, str(t.morph), t.lemma_) for t in eg.reference],
            [t.is_sent_start for t in eg.reference],
            [t.has_morph() for t in eg.reference],
        )
        for eg in examples
    ]


@pytest.fixture
def treebank(tmp_path):
    """The same documents, in either format."""
    text = GERMAN + "\n# newdoc\n" + GERMAN.split("\n", 1)[1]
    conllu = tmp_path / "treebank.conllu"
    write(tmp_path / "more.conllu", [[3, 1] * 5, [2] * 15, [4] * 5, [1] * 20])
    conllu.write_text(text + "\n" + (tmp_path / "more.conllu").read_text(), encoding="utf-8")
    return conllu, to_spacy(conllu, tmp_path / "treebank.spacy")


SETTINGS = [
    {},
    {"tag": "upos"},
    {"tag": "upos+feats"},
    {"group_by": 4},
    {"group_by": [1, 5], "shuffle_buffer": 3},
    {"group_by": "document"},
    {"group_by": "document", "max_length": 6},
    {"also_group_by": 10},
    {"group_by": 3, "also_group_by": "document", "limit": 31},
    {"group_by": 7, "max_length": 5},
    {"gold_tokens": False, "group_by": 2},
    {"limit": 5},
]


@pytest.mark.parametrize("values", SETTINGS, ids=str)
def test_settings_mean_the_same(treebank, values):
    if values.get("tag", "xpos") != "xpos":  # a Doc has no coarse tag that spaCy does not know
        treebank[0].write_text(treebank[0].read_text().replace("EMOJI", "SYM"))
        to_spacy(treebank[0], treebank[1])
    found = []
    for path in treebank:
        random.seed(1)
        corpus = Corpus(path, **values)
        found.append([describe(corpus(spacy.blank("en"))) for _ in range(2)])
    assert found[0] == found[1]


@pytest.mark.parametrize("tag", ["xpos", "upos", "upos+feats"])
def test_labels_are_found_in_either(tmp_path, tag):
    conllu = CORPUS / "en-train.conllu"
    path = to_spacy(conllu, tmp_path / "train.spacy")
    assert read_tag_counts(path=path, tag=tag) == read_tag_counts(path=conllu, tag=tag)
    assert read_tag_labels(path=path, tag=tag) == read_tag_labels(path=conllu, tag=tag)


def test_a_folder_has_one_kind(nlp, treebank):
    conllu, path = treebank
    with pytest.raises(ValueError, match=r"R016.*\.conllu and \.spacy"):
        list(Corpus(conllu.parent)(nlp))
    expected = describe(Corpus(path)(nlp))
    for file in conllu.parent.glob("*.conllu"):
        file.unlink()
    assert describe(Corpus(conllu.parent)(nlp)) == expected


def test_a_doc_without_sentences_is_one(nlp, tmp_path):
    docs = [Doc(nlp.vocab, words=["a", "b"], tags=["X", "Y"]), Doc(nlp.vocab)] * 2
    path = save(tmp_path / "a.spacy", docs)
    assert [len(eg.reference) for eg in Corpus(path)(nlp)] == [2, 2]
    (eg,) = Corpus(path, group_by=2)(nlp)
    assert [t.is_sent_start for t in eg.reference] == [True, None, True, None]


def test_the_embedded_corpus_converted(nlp, tmp_path, spacy_command):
    """Its sentences are told apart."""
    path = CORPUS / "en-dev.conllu"
    spacy_command("convert", path, tmp_path, "--converter", "conllu", "--n-sents", 10)
    found, expected = Corpus(tmp_path / "en-dev.spacy")(nlp), Corpus(path)(nlp)
    assert [eg.reference.text for eg in found] == [eg.reference.text for eg in expected]


def test_files_that_spacy_converted(nlp, tmp_path, spacy_command):
    """A treebank without dependencies has one sentence a doc, not one a word."""
    text = (CORPUS / "en-dev.conllu").read_text(encoding="utf-8")
    path = tmp_path / "en-dev.conllu"
    path.write_text(re.sub(r"\t\d+\t(root|dep)\t", "\t_\t_\t", text), encoding="utf-8")
    spacy_command("convert", path, tmp_path, "--converter", "conllu", "--n-sents", 1)
    found = describe(Corpus(tmp_path / "en-dev.spacy")(nlp))
    expected = describe(Corpus(path)(nlp))
    assert [doc[0] for doc in found] == [doc[0] for doc in expected]
    assert [[t[1] for t in doc[1]] for doc in found] == [[t[1] for t in doc[1]] for doc in expected]
    assert sizes(Corpus(tmp_path / "en-dev.spacy", group_by=4)(nlp)) == [4] * 38


def test_an_underscore_is_no_tag_and_no_lemma(nlp, tmp_path, spacy_command):
    """`spacy convert` leaves it where a treebank has none."""
    path = tmp_path / "part.conllu"
    path.write_text(
        "1\tShe\tshe\tPRON\tPRP\t_\t2\tnsubj\t_\t_\n"
        "2\tsleeps\t_\t_\t_\t_\t0\troot\t_\t_\n"
        "3\t.\t.\tPUNCT\t.\t_\t2\tpunct\t_\t_\n\n"
    )
    spacy_command("convert", path, tmp_path, "--converter", "conllu", "--n-sents", 1)
    for tag in ("xpos", "upos"):
        files = path, tmp_path / "part.spacy"
        docs = [[eg.reference for eg in Corpus(path, tag=tag)(nlp)] for path in files]
        found = [[(t.tag_, t.lemma_) for doc in each for t in doc] for each in docs]
        assert found[0] == found[1]
        assert found[0][1] == ("", "")
        assert "_" not in read_tag_labels(path=files[1], tag=tag)


def test_some_words_without_a_head(nlp, tmp_path):
    """They are no sentences of their own."""
    words = ["She", "sees", "Ann", "He", "sees", "her"]
    deps = ["nsubj", "ROOT", "obj", "nsubj", "_", "_"]
    doc = Doc(nlp.vocab, words=words, tags=["X"] * 6, heads=[1, 1, 1, 4, 4, 5], deps=deps)
    starts = [t.is_sent_start for t in doc]
    assert starts == [True, False, False, True, False, True]
    found = [eg.reference for eg in Corpus(save(tmp_path / "a.spacy", [doc]))(nlp)]
    assert [[t.text for t in each] for each in found] == [words[:3], words[3:]]
    assert not any(each.has_annotation("DEP") for each in found)


@pytest.mark.parametrize("suffix", [".spacy", ".conllu"])
def test_documents_are_apart(nlp, tmp_path, suffix):
    """Docs of one sentence end without a space. In a text of several there are some between."""
    values = {"tags": ["X"] * 2, "spaces": [True, False]}
    docs = [Doc(nlp.vocab, words=list(words), **values) for words in ("ab", "cd")]
    path = save(tmp_path / "a.spacy", docs)
    if suffix == ".conllu":
        row = "{}\t{}\t_\t_\tX\t_\t_\t_\t_\t{}".format
        pairs = [row(1, a, "_") + "\n" + row(2, b, "SpaceAfter=No") for a, b in ("ab", "cd")]
        path = tmp_path / "a.conllu"
        path.write_text("".join(f"# newdoc\n{pair}\n\n" for pair in pairs))
    corpus = Corpus(path, group_by=2, also_group_by=1)
    for _ in range(2):  # read, and kept
        assert [eg.reference.text for eg in corpus(nlp)] == ["a b c d", "a b", "c d"]


def test_other_annotation_is_kept(nlp, tmp_path):
    doc = Doc(
        nlp.vocab,
        words=["She", "sees", "Ann", "Lee", "He", "sees", "her"],
        tags=["P", "V", "N", "N", "P", "V", "P"],
        heads=[1, 1, 3, 1, 5, 5, 5],
        deps=["nsubj", "ROOT", "flat", "obj", "nsubj", "ROOT", "obj"],
        ents=["O", "O", "B-PER", "I-PER", "O", "O", "O"],
    )
    path = save(tmp_path / "a.spacy", [doc])
    first, second = (eg.reference for eg in Corpus(path)(nlp))
    assert [t.head.i for t in first] == [1, 1, 3, 1]
    assert [t.dep_ for t in second] == ["nsubj", "ROOT", "obj"]
    assert [(e.text, e.label_) for e in first.ents] == [("Ann Lee", "PER")]
    assert second.ents == ()
    (whole,) = (eg.reference for eg in Corpus(path, group_by="document")(nlp))
    assert whole.to_json()["tokens"] == doc.to_json()["tokens"]


def test_an_entity_over_two_sentences_is_two(nlp, tmp_path):
    doc = Doc(nlp.vocab, words=["New", "York", "rains"], tags=["N"] * 3, sent_starts=[True] * 3)
    doc.set_ents([Span(doc, 0, 2, label="GPE")])
    examples = list(Corpus(save(tmp_path / "a.spacy", [doc]))(nlp))
    assert [list(map(str, eg.reference.ents)) for eg in examples] == [["New"], ["York"], []]
    assert [t.ent_iob_ for eg in examples for t in eg.reference] == ["B", "B", "O"]


def test_no_tags(nlp, tmp_path):
    path = save(tmp_path / "a.spacy", [Doc(nlp.vocab, words=["a"], pos=["X"])])
    with pytest.raises(ValueError, match=r"R004.*a\.spacy.* in token\.tag_.*--vars\.tag upos"):
        list(Corpus(path)(nlp))
    with pytest.raises(ValueError, match=r"R004.* in token\.tag_"):
        read_tag_labels(path=path)
    assert read_tag_labels(path=path, tag="upos") == ["X"]


def test_user_data_is_not_read(nlp, tmp_path):
    doc = Doc(nlp.vocab, words=["a"], tags=["X"], user_data={"key": "value"})
    path = save(tmp_path / "a.spacy", [doc], store_user_data=True)
    (eg,) = Corpus(path)(nlp)
    assert not eg.reference.user_data


# Damage


def damaged(data, cut, place, byte):
    data = bytearray(data[:cut])
    if data:
        data[place % len(data)] = byte
    return bytes(data)


@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 255))
def test_a_damaged_file_is_named(nlp, tmp_path, cut, place, byte):
    good = tmp_path / "good.spacy"
    if not good.exists():
        save(good, [eg.reference for eg in Corpus(CORPUS / "en-dev.conllu", limit=8)(nlp)])
    bad = tmp_path / "bad.spacy"
    bad.write_bytes(damaged(good.read_bytes(), cut, place, byte))
    try:
        found = words(Corpus(bad)(nlp))
    except ValueError as error:
        assert str(bad) in str(error)
    else:
        assert found == words(Corpus(good)(nlp))  # what was changed is not read


@pytest.mark.parametrize(
    "change",
    [
        lambda data: {**data, "lengths": data["lengths"][:-1]},
        lambda data: {**data, "strings": []},
        lambda data: {**data, "attrs": [65, 12345]},
        lambda data: {**data, "tokens": data["tokens"][:-8]},
        lambda data: {**data, "flags": []},
        lambda data: {key: value for key, value in data.items() if key != "spaces"},
        lambda data: [],
    ],
)
def test_a_file_with_wrong_parts_is_named(nlp, tmp_path, change):
    path = save(tmp_path / "a.spacy", [Doc(nlp.vocab, words=["unheard", "of"], tags=["T", "U"])])
    data = srsly.msgpack_loads(zlib.decompress(path.read_bytes()))
    path.write_bytes(zlib.compress(srsly.msgpack_dumps(change(data))))
    with pytest.raises(ValueError, match=r"D011.*a\.spacy.*cannot be read.*Copy or"):
        list(Corpus(path)(spacy.blank("en")))


def test_errors_of_the_reader_of_examples_are_left_alone(treebank, nlp):
    examples = Corpus(treebank[1])(nlp)
    next(examples)
    with pytest.raises(KeyError, match="mine"):
        examples.throw(KeyError("mine"))


@pytest.mark.parametrize("suffix", [".conllu", ".conll", ""])
def test_a_spacy_file_of_another_name(treebank, nlp, suffix):
    path = treebank[1].with_suffix(suffix)
    treebank[1].rename(path)
    with pytest.raises(ValueError, match=r"R006.*treebank.*suffix \.spacy"):
        list(Corpus(path)(nlp))


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_file(tmp_path, nlp, compress):
    path = tmp_path / "a.conllu.packed"
    path.write_bytes(compress(GERMAN.encode()))
    with pytest.raises(ValueError, match=r"R006.*line 1.*unpack it"):
        list(Corpus(path)(nlp))


def test_sentences_with_a_parse_beside_others(nlp, tmp_path):
    """Heads would tell where sentences begin that have none."""
    parsed = Doc(nlp.vocab, words=["One", "two"], tags=["a", "b"], heads=[1, 1], deps=["x", "ROOT"])
    starts = [True, False, True]
    told = Doc(nlp.vocab, words=["Three", "four", "five"], tags=["a"] * 3, sent_starts=starts)
    path = save(tmp_path / "mixed.spacy", [parsed, told])
    (together,) = Corpus(path, group_by=10)(nlp)
    assert [t.is_sent_start for t in together.reference] == [True, False, *starts]
    alone = list(Corpus(path, group_by=1)(nlp))
    assert alone[0].reference.has_annotation("DEP")


@pytest.mark.parametrize("group_by", [1, "document"])
def test_trees_that_cross(nlp, tmp_path, group_by):
    """spaCy begins a sentence within one of them."""
    words, deps = ["A", "man", "came", "in"], ["ROOT", "ROOT", "dep", "dep"]
    doc = Doc(nlp.vocab, words=words, tags=words, heads=[0, 1, 0, 1], deps=deps)
    path = save(tmp_path / "a.spacy", [doc])
    found = [eg.reference for eg in Corpus(path, group_by=group_by)(nlp)]
    assert [t.text for each in found for t in each] == words
    assert [t.is_sent_start for each in found for t in each] == [True, True, False, False]
    assert not found[-1].has_annotation("DEP")


def test_features_have_the_order_of_treebanks(nlp, tmp_path):
    """spaCy's puts capitals first."""
    feats = "Number=Sing|Number[psor]=Plur|NumType=Card"
    (tmp_path / "a.conllu").write_text(f"1\tone\tone\tNUM\tCD\t{feats}\t_\t_\t_\t_\n\n")
    path = to_spacy(tmp_path / "a.conllu", tmp_path / "a.spacy", group_by=1)
    for each in (tmp_path / "a.conllu", path):
        (eg,) = Corpus(each, tag="upos+feats")(nlp)
        assert eg.reference[0].tag_ == f"NUM|{feats}"


@pytest.mark.parametrize("tag", ["xpos", "upos", "upos+feats"])
def test_white_space_has_no_universal_tag(tag, tmp_path):
    """A pipeline gives it the coarse tag SPACE, which is nothing to learn or to score."""
    nlp = spacy.blank("en")
    doc = Doc(nlp.vocab, words=["a", "\n"], tags=["X", "_SP"], pos=["X", "SPACE"], morphs=["", ""])
    path = save(tmp_path / "space.spacy", [doc])
    (eg,) = Corpus(path, tag=tag)(nlp)
    assert [token.tag_ for token in eg.reference] == ["X", "_SP"]
    assert [token.pos_ for token in eg.reference] == ["X", "SPACE"]
    assert read_tag_counts(path=path, tag=tag) == {"X": 1, "_SP": 1}
