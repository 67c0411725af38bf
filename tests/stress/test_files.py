"""Hostile files, from grammars of what the formats are: read, or refused with a clear error."""

import copy
import json

import pytest
import spacy
import srsly
from hypothesis import strategies as st

from spacy_lstm_tagger.distil.shards import MANIFEST, ShardFolder
from spacy_lstm_tagger.files.reading import read_texts
from spacy_lstm_tagger.models.shim import checksum
from spacy_lstm_tagger.readers import Corpus

from ..util import ARCHITECTURES, places, trained_nlp

ODD = [
    "",
    " ",
    "\t",
    "_",
    "-",
    "|",
    "=",
    ".",
    "\ufeff",
    "\u2028",
    "\x85",
    "\x00",
    "é",
    "😀",
    "9" * 5000,
]
WORDS = st.sampled_from(["The", "dog", "a b", "<", *ODD]) | st.text(max_size=8)


def or_odd(*usual):
    return st.sampled_from(usual) | WORDS


IDS = or_odd("1", "2", "3", "1-2", "2-1", "1.1", "0", "-1", "٣", "1e3", "1-2-3")
FEATS = or_odd("_", "Case=Acc", "Case=Acc|Number=Sing", "Case", "=", "A=B=C", "|")
ROW = st.tuples(IDS, WORDS, WORDS, or_odd("NOUN", "X"), or_odd("NN"), FEATS, *[WORDS] * 4)
LINE = ROW.map("\t".join) | st.sampled_from(["", "", "# newdoc", "# text = a", "#"])
LINE |= st.lists(WORDS, max_size=12).map("\t".join)
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r", "\n\n"])
CONLLU = st.lists(st.tuples(LINE, ENDS).map("".join), max_size=12).map("".join)
GOOD = "1\tI\t_\tPRON\tPRP\t_\t_\t_\t_\t_\n2\tsleep\t_\tVERB\tVBP\t_\t_\t_\t_\t_\n\n"


def encode(text):
    return text.encode("utf-8", "surrogatepass")


def spoil(data):
    """RETURNS (SearchStrategy): Bytes as they are, cut, or with others among them."""
    places = st.integers(0, len(data))
    inserted = st.tuples(places, st.binary(max_size=4)).map(
        lambda x: data[: x[0]] + x[1] + data[x[0] :]
    )
    return st.just(data) | places.map(lambda end: data[:end]) | inserted


def test_conllu(campaign, tmp_path):
    path, nlp = tmp_path / "train.conllu", spacy.blank("en")

    def check(data):
        path.write_bytes(data)
        try:
            for example in Corpus(path, tag="upos+feats")(nlp):
                assert len(example.reference)
        except ValueError as error:
            assert str(error).startswith("[R") and str(path) in str(error), error

    texts = st.tuples(st.sampled_from(["", GOOD]), CONLLU, st.sampled_from(["", GOOD])).map("".join)
    campaign.search(check, full=40_000, data=texts.map(encode).flatmap(spoil))


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | WORDS,
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(WORDS | st.just("text"), each, max_size=3)
    ),
    max_leaves=5,
)
DEEP = st.integers(1, 200_000).map(lambda n: "[" * n)
OBJECT = st.fixed_dictionaries({"text": VALUES}).map(json.dumps) | VALUES.map(json.dumps) | DEEP


@pytest.mark.parametrize("suffix", ["jsonl", "txt", "conllu", "spacy", "jsonl.gz"])
def test_texts(campaign, tmp_path, suffix):
    """Of every format, whatever the file has."""
    path = tmp_path / f"texts.{suffix}"

    def check(data):
        path.write_bytes(data)
        try:
            for text in read_texts([path]):
                assert str(path) in text.place
        except ValueError as error:
            assert str(error).startswith(("[D", "[R")) and str(path) in str(error), error

    lines = st.lists(OBJECT, max_size=4).map("\n".join)
    campaign.search(check, full=8_000, data=lines.map(encode).flatmap(spoil))


SHARD = {"name": "shard-00000.spacy", "docs": 1, "words": 1, "digest": "a", "texts": "b"}


def test_manifests(campaign, tmp_path):
    def check(manifest):
        (tmp_path / MANIFEST).write_bytes(encode(manifest))
        try:
            folder = ShardFolder(tmp_path, {"top_k": 5})
            assert isinstance(folder.words, int)
            folder.has(0, "b")
        except ValueError as error:
            assert str(error).startswith("[D") and str(tmp_path) in str(error), error

    shards = st.lists(
        st.fixed_dictionaries({k: st.just(v) | VALUES for k, v in SHARD.items()}) | VALUES,
        max_size=2,
    )
    options = st.just({"top_k": 5}) | VALUES
    whole = st.fixed_dictionaries(
        {"options": options, "shards": shards | VALUES, "complete": st.booleans() | VALUES}
    )
    campaign.search(check, full=10_000, manifest=whole.map(json.dumps) | OBJECT)


def replaced(value, path, new):
    """RETURNS (Any): Nested data with another part at a place."""
    if not path:
        return new
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    parts = {key: replaced(each, path[1:], new) if key == path[0] else each for key, each in pairs}
    return parts if isinstance(value, dict) else list(parts.values())


HOSTILE = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        10**9,
        2**62,
        1e308,
        float("nan"),
        "",
        "x",
        b"",
        b"\xc1",
        [],
        {},
        [[]],
        {"": None},
    ]
)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_model_files(campaign, architecture):
    """Any part is another one, and the checksums are right: somebody has written this."""
    nlp, _ = trained_nlp(steps=2, architecture=architecture)
    trained = nlp.get_pipe("lstm_tagger")
    before = trained.to_bytes(exclude=["vocab"])
    message = srsly.msgpack_loads(before)
    model = srsly.msgpack_loads(message["model"])
    settings = srsly.json_loads(message["cfg"])

    def check(place, new):
        pipe, changed = copy.deepcopy(trained), dict(message)
        name, *path = place
        if name == "cfg":
            new = None if isinstance(new, bytes) else new
            changed["cfg"] = json.dumps(replaced(settings, path, new)).encode()
        else:
            changed["model"] = srsly.msgpack_dumps(replaced(model, path, new))
            changed["checksum"] = checksum(changed["model"]).hex().encode()
        try:
            pipe.from_bytes(srsly.msgpack_dumps(changed), exclude=["vocab"])
        except ValueError as error:
            assert str(error).startswith("[L003]"), error
            assert pipe.to_bytes(exclude=["vocab"]) == before
        else:
            docs = [nlp.make_doc("A dog.")]
            pipe.set_annotations(docs, pipe.predict(docs))

    ways = [("model", *path) for path in places(model)] + [
        ("cfg", *path) for path in places(settings)
    ]
    campaign.search(check, full=2_000, place=st.sampled_from(ways), new=HOSTILE)
