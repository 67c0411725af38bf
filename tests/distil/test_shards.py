import json

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus
from spacy.training.corpus import walk_corpus

from spacy_lstm_tagger.distil import shards
from spacy_lstm_tagger.distil.shards import ShardFolder, to_bytes
from spacy_lstm_tagger.probabilities import TagProbabilities

OPTIONS = {"teachers": {"a": "1f"}, "limit": 0}


def make_doc(vocab):
    doc = Doc(vocab, words=["a", "b"], tags=["A", "B"], sent_starts=[True, True])
    TagProbabilities.of(["A", "B"], np.array([[0.9, 0.1], [0.2, 0.8]], "f4"), half=True).to_doc(doc)
    return doc


def test_spacy_reads_them(tmp_path):
    nlp = spacy.blank("en")
    folder = ShardFolder(tmp_path / "silver", OPTIONS)
    data = to_bytes([make_doc(nlp.vocab)])
    folder.add(data, docs=1, words=2)
    folder.add(to_bytes([]), docs=0, words=0)
    (example,) = Corpus(tmp_path / "silver")(spacy.blank("en"))
    assert [token.tag_ for token in example.reference] == ["A", "B"]
    assert [token.is_sent_start for token in example.reference] == [True, True]
    scores = TagProbabilities.from_doc(example.reference)
    np.testing.assert_allclose(scores.dense(), [[0.9, 0.1], [0.2, 0.8]], atol=1e-3)


def test_work_goes_on_after_the_last_shard(tmp_path):
    folder = ShardFolder(tmp_path, OPTIONS)
    folder.add(b"x", docs=1, words=2)
    again = ShardFolder(tmp_path, dict(OPTIONS))
    assert (len(again), again.words, again.is_complete) == (1, 2, False)
    again.add(b"y", docs=1, words=3)
    again.complete()
    assert ShardFolder(tmp_path, OPTIONS).is_complete
    assert ShardFolder(tmp_path, OPTIONS).words == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "manifest.json",
        "shard-00000.spacy",
        "shard-00001.spacy",
    ]


@pytest.mark.parametrize("name,value", [("teachers", {"a": "2f"}), ("limit", 3), ("new", 1)])
def test_other_options_are_refused(tmp_path, name, value):
    ShardFolder(tmp_path, OPTIONS).add(b"x", docs=1, words=2)
    with pytest.raises(ValueError, match=f"D007.*{name} was .*another --output"):
        ShardFolder(tmp_path, {**OPTIONS, name: value})


def test_a_folder_that_is_not_ours_is_refused(tmp_path):
    DocBin().to_disk(tmp_path / "train.spacy")
    with pytest.raises(ValueError, match=r"D008.*manifest\.json"):
        ShardFolder(tmp_path, OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["train.spacy"]


def test_nothing_half_written_is_seen(tmp_path, monkeypatch):
    """If writing breaks off, neither the file nor its entry is there."""
    folder = ShardFolder(tmp_path, OPTIONS)
    before = (tmp_path / "manifest.json").read_text()

    def fail(descriptor):
        raise OSError("No space left on device")

    monkeypatch.setattr(shards.os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        folder.add(b"x" * 1000, docs=1, words=2)
    assert not list(tmp_path.glob("*.spacy"))
    assert (tmp_path / "manifest.json").read_text() == before


def test_half_a_shard_is_written_again(tmp_path):
    """A shard that is on disk but not in the manifest is one that the work was stopped at."""
    ShardFolder(tmp_path, OPTIONS)
    (tmp_path / "shard-00000.spacy").write_bytes(b"old")
    folder = ShardFolder(tmp_path, OPTIONS)
    assert len(folder) == 0
    folder.add(b"new", docs=1, words=1)
    assert (tmp_path / "shard-00000.spacy").read_bytes() == b"new"
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["shards"] == [{"name": "shard-00000.spacy", "docs": 1, "words": 1, "bytes": 3}]


def test_temporary_files_are_no_corpus(tmp_path):
    """Readers of .spacy files pass over what an interrupted write has left."""
    (tmp_path / ".shard-00000.spacy.tmp").write_bytes(b"half")
    with pytest.warns(UserWarning, match="W090"):
        assert walk_corpus(tmp_path, ".spacy") == []
