"""A folder of shards: what its manifest says, and what was left half done."""

import json
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus
from spacy.training.corpus import walk_corpus

from spacy_lstm_tagger.distil.shards import ShardFolder, digest_of_texts, is_complete, to_bytes
from spacy_lstm_tagger.files import whole
from spacy_lstm_tagger.files.texts import Text
from spacy_lstm_tagger.probabilities import TagProbabilities

OPTIONS = {"teachers": {"a": "1f"}, "limit": 0}


def put(folder, data, *, index=None, docs=1, words=1, texts="digest"):
    index = len(folder) if index is None else index
    folder.put(index, data, docs=docs, words=words, texts=texts)


def make_doc(vocab):
    doc = Doc(vocab, words=["a", "b"], tags=["A", "B"], sent_starts=[True, True])
    TagProbabilities.of(["A", "B"], np.array([[0.9, 0.1], [0.2, 0.8]], "f4"), half=True).to_doc(doc)
    return doc


def test_spacy_reads_them(tmp_path):
    nlp = spacy.blank("en")
    folder = ShardFolder(tmp_path / "silver", OPTIONS)
    data = to_bytes([make_doc(nlp.vocab)])
    put(folder, data, words=2)
    put(folder, to_bytes([]), docs=0, words=0)
    (example,) = Corpus(tmp_path / "silver")(spacy.blank("en"))
    assert [token.tag_ for token in example.reference] == ["A", "B"]
    assert [token.is_sent_start for token in example.reference] == [True, True]
    scores = TagProbabilities.from_doc(example.reference)
    np.testing.assert_allclose(scores.dense(), [[0.9, 0.1], [0.2, 0.8]], atol=1e-3)


def test_work_goes_on_after_the_last_shard(tmp_path):
    folder = ShardFolder(tmp_path, OPTIONS)
    put(folder, b"x", words=2)
    again = ShardFolder(tmp_path, dict(OPTIONS))
    assert (len(again), again.words, again.manifest["complete"]) == (1, 2, False)
    put(again, b"y", words=3)
    again.complete(2)
    assert ShardFolder(tmp_path, OPTIONS).manifest["complete"]
    assert ShardFolder(tmp_path, OPTIONS).words == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "manifest.json",
        "shard-00000.spacy",
        "shard-00001.spacy",
    ]


@pytest.mark.parametrize("name,value", [("teachers", {"a": "2f"}), ("limit", 3), ("new", 1)])
def test_other_options_are_refused(tmp_path, name, value):
    put(ShardFolder(tmp_path, OPTIONS), b"x")
    with pytest.raises(ValueError, match=f"D007.*{name} was .*another --output"):
        ShardFolder(tmp_path, {**OPTIONS, name: value})


def test_options_are_as_json_has_them(tmp_path):
    for _ in range(2):
        put(ShardFolder(tmp_path / "new" / "silver", {"weights": (1, 2)}), b"x", index=0)


def test_a_folder_that_is_not_ours_is_refused(tmp_path):
    DocBin().to_disk(tmp_path / "train.spacy")
    with pytest.raises(ValueError, match=r"D008.*manifest\.json"):
        ShardFolder(tmp_path, OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["train.spacy"]


def test_nothing_half_written_is_seen(tmp_path, monkeypatch):
    """If writing breaks off, neither the file nor its entry is there."""
    folder = ShardFolder(tmp_path, OPTIONS)
    put(folder, b"x")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(descriptor):
        raise OSError("No space left on device")

    monkeypatch.setattr(whole.os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        put(folder, b"x" * 1000)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_without_a_shard_other_options_are_fine(tmp_path):
    ShardFolder(tmp_path, OPTIONS)
    assert not list(tmp_path.iterdir())
    folder = ShardFolder(tmp_path, {**OPTIONS, "limit": 3})
    put(folder, b"x")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["shards"] = []  # as it is if the work was stopped at the first shard
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    folder = ShardFolder(tmp_path, OPTIONS)
    assert len(folder) == 0
    put(folder, b"new")
    assert ShardFolder(tmp_path, OPTIONS).has(0, "digest")


def test_work_stopped_at_the_first_shard_goes_on(tmp_path, monkeypatch):
    """The folder is known as one of ours, even if its manifest lists nothing yet."""
    folder = ShardFolder(tmp_path, OPTIONS)
    saves = []
    save = folder._save

    def stop():
        saves.append(0)
        if len(saves) == 2:
            raise KeyboardInterrupt
        save()

    monkeypatch.setattr(folder, "_save", stop)
    with pytest.raises(KeyboardInterrupt):
        put(folder, b"old")
    assert (tmp_path / "shard-00000.spacy").exists() and not is_complete(tmp_path)
    folder = ShardFolder(tmp_path, OPTIONS)
    assert len(folder) == 0
    put(folder, b"new")
    assert (tmp_path / "shard-00000.spacy").read_bytes() == b"new"
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (entry,) = manifest["shards"]
    assert (entry["name"], entry["bytes"]) == ("shard-00000.spacy", 3)


def test_a_shard_that_no_text_makes_any_more_goes(tmp_path):
    """Work was stopped between a shard and its entry; then texts were taken away."""
    folder = ShardFolder(tmp_path, OPTIONS)
    put(folder, b"x")
    (tmp_path / "shard-00001.spacy").write_bytes(b"old")
    folder.complete(1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "manifest.json",
        "shard-00000.spacy",
    ]


@pytest.mark.parametrize("damage", [None, b"x", b"xyz", b"xy"])
def test_lost_and_damaged_shards_are_not_there(tmp_path, damage):
    folder = ShardFolder(tmp_path, OPTIONS)
    put(folder, b"xy")
    put(folder, b"z")
    path = tmp_path / "shard-00000.spacy"
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    folder = ShardFolder(tmp_path, OPTIONS)
    assert folder.has(0, "digest") == (damage == b"xy")
    assert folder.has(1, "digest") and not folder.has(2, "digest")
    assert folder.remade == ([] if damage == b"xy" else ["shard-00000.spacy"])
    put(folder, b"xy", index=0)
    assert len(folder) == 2 and folder.has(0, "digest")


def test_other_texts_are_refused(tmp_path):
    folder = ShardFolder(tmp_path, OPTIONS)
    put(folder, b"xy", texts="1f")
    put(folder, b"xy", texts="2f")
    with pytest.raises(ValueError, match=r"D007.*texts of shard-00001\.spacy was 2f, and is 3f"):
        folder.has(1, "3f")
    with pytest.raises(ValueError, match=r"D007.*number of shards was 2, and is 1"):
        folder.complete(1)


def test_digests_tell_texts_apart():
    texts = [
        [Text("ab", [], [], 1.0)],
        [Text("a", [], [], 1.0), Text("b", [], [], 1.0)],
        [Text(None, ["ab"], [True], 1.0)],
        [Text(None, ["ab"], [False], 1.0)],
        [Text(None, ["a", "b"], [False, False], 1.0)],
        [Text("é字", [], [], 1.0)],
        [],
    ]
    assert len(set(map(digest_of_texts, texts))) == len(texts)
    assert digest_of_texts([Text("ab", [], [], 2.0)]) == digest_of_texts(texts[0])


SHARD = {"name": "shard-00000.spacy", "docs": 1, "words": 1, "digest": "x", "texts": "y"}


@pytest.mark.parametrize(
    "content,why",
    [
        ("{", "Expecting"),
        ("[" * 100_000, "(recursion|Stack overflow)"),
        ("3", "not subscriptable"),
        ('{"name": "app", "icons": []}', "it has no 'options'"),
        ('{"options": [], "complete": true, "shards": []}', "options"),
        ('{"options": {}, "complete": true, "shards": 3}', "iterable"),
        ('{"options": {}, "complete": true, "shards": [{"name": "x"}]}', "it has no 'docs'"),
        (json.dumps({"options": {}, "complete": True, "shards": [{**SHARD, "words": "1"}]}), "0"),
        (json.dumps({"options": {}, "complete": True, "shards": [{**SHARD, "texts": 1}]}), "0"),
        (json.dumps({"options": {}, "complete": True, "shards": [{**SHARD, "digest": 1}]}), "0"),
        (json.dumps({"options": {}, "complete": True, "shards": [{**SHARD, "name": "../x"}]}), "x"),
    ],
)
def test_a_manifest_that_is_not_ours(tmp_path, content, why):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ValueError, match=rf"^\[D012\] .*manifest\.json.*{why}.*another folder"):
        ShardFolder(tmp_path, OPTIONS)
    assert (tmp_path / "manifest.json").read_text() == content


def test_a_place_that_cannot_be_written_to(tmp_path, monkeypatch):
    """It is found out before the work begins."""

    def fail(*place, **options):
        raise PermissionError("denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "touch", fail)
        with pytest.raises(PermissionError, match="denied"):
            ShardFolder(tmp_path, OPTIONS)
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        ShardFolder(tmp_path / "file", OPTIONS)


def test_temporary_files_are_no_corpus(tmp_path):
    """Readers of .spacy files pass over what an interrupted write has left."""
    (tmp_path / ".shard-00000.spacy.tmp").write_bytes(b"half")
    with pytest.warns(UserWarning, match="W090"):
        assert walk_corpus(tmp_path, ".spacy") == []
