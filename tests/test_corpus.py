"""The embedded corpus is what its README says."""

import re

import pytest
from spacy.parts_of_speech import IDS

from .util import CORPUS

PENN = set(
    "CC CD DT EX FW IN JJ JJR JJS LS MD NN NNP NNPS NNS PDT POS PRP PRP$ RB RBR RBS RP SYM TO UH "
    "VB VBD VBG VBN VBP VBZ WDT WP WP$ WRB . , : `` '' -LRB- -RRB- HYPH NFP ADD AFX GW $".split()
)
UPOS = {name for name in IDS if name and name not in {"CONJ", "EOL", "SPACE"}}
GENRES = {"everyday", "news", "dialogue", "questions", "instructions", "web", "mail"}


def read(name):
    """RETURNS (list): For each sentence its comments and its rows."""
    sentences = []
    for block in (CORPUS / name).read_text(encoding="utf8").strip("\n").split("\n\n"):
        lines = block.split("\n")
        comments = dict(line[2:].split(" = ", 1) for line in lines if line.startswith("#"))
        sentences.append((comments, [x.split("\t") for x in lines if not x.startswith("#")]))
    return sentences


SPLITS = {name: read(f"en-{name}.conllu") for name in ("train", "dev")}


def test_size():
    sentences = SPLITS["train"] + SPLITS["dev"]
    assert len(sentences) >= 500
    assert sum(len(rows) for _, rows in sentences) >= 7000


@pytest.mark.parametrize("split", SPLITS)
def test_columns_and_tag_sets(split):
    for comments, rows in SPLITS[split]:
        assert rows, comments
        for i, row in enumerate(rows, start=1):
            assert len(row) == 10, (comments, row)
            assert row[0] == str(i)
            assert row[1] and row[1] == row[1].strip()
            assert row[3] in UPOS, (comments, row)
            assert row[4] in PENN, (comments, row)
            assert row[9] in {"_", "SpaceAfter=No"}


@pytest.mark.parametrize("split", SPLITS)
def test_text_comment_is_the_words(split):
    for comments, rows in SPLITS[split]:
        text = "".join(row[1] + ("" if row[9] != "_" else " ") for row in rows).rstrip(" ")
        assert text == comments["text"]


@pytest.mark.parametrize("split", SPLITS)
def test_every_genre_is_in_every_split(split):
    ids = [comments["newdoc id"] for comments, _ in SPLITS[split] if "newdoc id" in comments]
    assert len(set(ids)) == len(ids)
    assert {id_.split("-")[0] for id_ in ids} == GENRES


def test_upos_agrees_with_xpos():
    """A tag pair that no guideline allows is a slip of the annotator."""
    allowed = {
        "NNP": {"PROPN"}, "NNPS": {"PROPN"}, "CD": {"NUM", "NOUN", "PROPN"}, "MD": {"AUX"},
        "TO": {"PART"}, "POS": {"PART"}, "PRP$": {"PRON"}, "VBZ": {"VERB", "AUX"},
        "JJ": {"ADJ"}, "CC": {"CCONJ"}, "EX": {"PRON"}, "RP": {"ADP"}, "WRB": {"ADV", "SCONJ"},
    }  # fmt: skip
    for comments, rows in SPLITS["train"] + SPLITS["dev"]:
        for row in rows:
            assert row[3] in allowed.get(row[4], {row[3]}), (comments, row)


def test_no_sentence_is_in_both_splits_or_twice():
    def normal(comments):
        return re.sub(r"\W+", " ", comments["text"].lower()).strip()

    texts = [normal(comments) for comments, _ in SPLITS["train"] + SPLITS["dev"]]
    assert len(set(texts)) == len(texts)


def test_readme_states_the_sizes():
    readme = (CORPUS / "README.md").read_text(encoding="utf8")
    for name, sentences in SPLITS.items():
        documents = sum("newdoc id" in comments for comments, _ in sentences)
        tokens = sum(len(rows) for _, rows in sentences)
        assert f"| `en-{name}.conllu` | {documents} | {len(sentences)} | {tokens:,} |" in readme


def test_tutorial_sentences():
    sentences = read("tutorial.conllu")
    assert [[(row[1], row[4]) for row in rows] for _, rows in sentences] == [
        [("The", "DET"), ("dog", "NN"), ("ate", "V"), ("the", "DET"), ("apple", "NN")],
        [("Everybody", "NN"), ("read", "V"), ("that", "DET"), ("book", "NN")],
    ]
