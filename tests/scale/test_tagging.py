"""What an actor makes of a block, and how work that was interrupted is known."""

import shutil
from contextlib import nullcontext

import pyarrow
import pytest

from spacy_lstm_tagger.files.tagged import Style
from spacy_lstm_tagger.files.texts import Reading, Text
from spacy_lstm_tagger.scale import tagging
from spacy_lstm_tagger.scale.files import LENGTH
from spacy_lstm_tagger.scale.pipelines import Shipped
from spacy_lstm_tagger.scale.tagging import OutputFolder, TagTexts, tag_on_ray
from spacy_lstm_tagger.scale.texts import ERROR, PLACE, join, texts_to_table
from spacy_lstm_tagger.tagging import CHECKPOINT, Job

from ..cli.tagging import write_texts


@pytest.mark.parametrize("kind", [".jsonl", ".parquet"])
@pytest.mark.parametrize("part", [1, 1 << 20])
def test_rows_are_tagged_some_at_a_time(model, monkeypatch, kind, part):
    """Those that cannot be read stay, also if there is nothing else."""
    monkeypatch.setattr(tagging, "PART", part)
    texts = [Text("I slept .", [], [], 0.0, f"line {i}", {"id": i}) for i in range(5)]
    tag = TagTexts(Shipped(str(model)), Job("", kind, Style()))
    parts = list(tag(texts_to_table(texts, ["line 5: bad"])))
    assert len(parts) == (6 if part == 1 else 1)
    rows = join(parts)
    assert rows[PLACE].to_pylist() == [*(f"line {i}" for i in range(5)), "line 5: bad"]
    assert rows[LENGTH].to_pylist() == [3] * 5 + [None]
    assert rows[ERROR].to_pylist() == [None] * 5 + ["line 5: bad"]


@pytest.fixture
def begun(tmp_path):
    """A folder with work that was interrupted."""
    OutputFolder(str(tmp_path / "out")).claim({"inputs": ["a.txt"], "probabilities": False})
    known = tmp_path / f"out{CHECKPOINT}"
    known.mkdir()
    (known / "rows.parquet").touch()
    return OutputFolder(str(tmp_path / "out"))


def test_interrupted_work_is_that_of_the_same_options(begun):
    begun.claim({"inputs": ["a.txt"], "probabilities": False})
    with pytest.raises(ValueError, match=r"C016.*inputs was \['a.txt'\], and is \['b.txt'\]"):
        begun.claim({"inputs": ["b.txt"], "probabilities": False})


def test_a_folder_that_was_deleted_is_begun_anew(begun, tmp_path):
    shutil.rmtree(tmp_path / "out")
    begun.claim({"inputs": ["b.txt"], "probabilities": False})
    assert not any((tmp_path / f"out{CHECKPOINT}").iterdir())
    with pytest.raises(ValueError, match="C015"):
        (tmp_path / "out/rows.parquet").touch()
        begun.claim({"inputs": ["b.txt"], "probabilities": False})


@pytest.fixture
def no_cluster(monkeypatch):
    """What keeps other drivers from a folder would start one."""
    monkeypatch.setattr(OutputFolder, "alone", lambda folder: nullcontext())


class Claimed(Exception):
    pass


@pytest.fixture
def options(monkeypatch, model, no_cluster):
    """Finds out by which options work is known."""

    def claim(folder, options):
        raise Claimed(options)

    def find(job, inputs, reading):
        with pytest.raises(Claimed) as caught:
            tag_on_ray(job, inputs, "out", reading, cluster=tagging.Cluster())
        return caught.value.args[0]

    monkeypatch.setattr(tagging, "ship", lambda source, code: Shipped(source))
    monkeypatch.setattr(OutputFolder, "claim", claim)
    return find


def test_other_work_has_other_options(options, model):
    work = {"kind": ".jsonl", "style": Style()}
    job, inputs, reading = Job(str(model), **work), ["a.txt"], Reading()
    expected = options(job, inputs, reading)
    assert options(Job(str(model), **work, batch_size=7), inputs, reading) == expected
    for other in [
        (Job(str(model), **{**work, "kind": ".tsv"}), inputs, reading),
        (Job(str(model), **{**work, "style": Style(prefix="x")}), inputs, reading),
        (Job(str(model), **work, probabilities=True), inputs, reading),
        (job, ["b.txt"], reading),
        (job, inputs, Reading(tokens=True)),
    ]:
        assert options(*other) != expected


class Asked(Exception):
    pass


@pytest.mark.parametrize("gpus", [0.5, 0.0])
def test_each_actor_that_tags_has_its_gpus(model, no_cluster, monkeypatch, tmp_path, gpus):
    class Blocks:
        def map_batches(self, *args, **options):
            raise Asked(options)

    monkeypatch.setattr("ray.data.read_datasource", lambda *args, **options: Blocks())
    inputs = [str(write_texts(tmp_path / "in")["jsonl"])]
    job = Job(str(model), ".jsonl", Style())
    cluster = tagging.Cluster(gpus=gpus, concurrency=1)
    with pytest.raises(Asked) as caught:
        tag_on_ray(job, inputs, str(tmp_path / "out"), Reading(), cluster=cluster)
    assert caught.value.args[0]["num_gpus"] == (gpus or None)


def test_numbers_with_and_without_fractions_are_of_one_column():
    tables = [pyarrow.table({"n": numbers}) for numbers in ([1], [1.5])]
    assert join(tables)["n"].to_pylist() == [1.0, 1.5]
