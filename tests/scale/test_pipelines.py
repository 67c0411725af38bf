"""How many actors there are, what they get of a pipeline, and whose errors are told."""

from pathlib import Path

import pytest
from ray.exceptions import RayActorError, RayTaskError

from spacy_lstm_tagger.distil.labelling import LabelJob
from spacy_lstm_tagger.scale import ship
from spacy_lstm_tagger.scale.labelling import label_on_ray
from spacy_lstm_tagger.scale.pipelines import count_actors, own_errors, unpacked


@pytest.mark.parametrize(
    "there,gpus,count",
    [
        ({"CPU": 3.0, "GPU": 1.0}, 0.0, 3),
        ({"CPU": 0.5}, 0.0, 1),
        ({"CPU": 8.0, "GPU": 2.0}, 0.5, 4),
        ({"CPU": 8.0, "GPU": 3.0}, 2.0, 1),
    ],
)
def test_as_many_actors_as_there_is_room_for(monkeypatch, there, gpus, count):
    monkeypatch.setattr("ray.cluster_resources", lambda: there)
    assert count_actors(0, gpus) == count
    assert count_actors(7, gpus) == 7


def test_code_goes_with_a_name(tmp_path):
    (tmp_path / "code.py").write_text("X = 1\n")
    for name in ("en_core_web_sm", "s3://bucket/model"):
        assert ship(name, code=tmp_path / "code.py").code == "X = 1\n"


def test_an_installed_pipeline_keeps_its_name():
    with unpacked(ship("en_core_web_sm")) as name:
        assert name == "en_core_web_sm"


@pytest.mark.parametrize("kind", [ValueError, OSError, MemoryError])
def test_the_error_of_a_worker(kind):
    with pytest.raises(kind) as caught, own_errors():
        raise RayTaskError("label", "Traceback …", kind("[D002] line 2\nRay tries again"))
    assert str(caught.value) == "[D002] line 2"


def test_a_fault_of_a_worker_keeps_its_account():
    fault = RayTaskError("label", "Traceback …", KeyError("tags"))
    with pytest.raises(RayTaskError) as caught, own_errors():
        raise fault
    assert caught.value is fault


def test_an_actor_that_ends_again_and_again():
    with pytest.raises(ChildProcessError, match=r"C022.*same command"), own_errors():
        raise RayActorError()


class Asked(Exception):
    pass


def test_each_actor_that_labels_has_its_gpus(model, monkeypatch):
    def remote(**options):
        raise Asked(options)

    monkeypatch.setattr("ray.remote", remote)
    job = LabelJob((str(model),), Path("texts.txt"))
    with pytest.raises(Asked) as caught:
        next(label_on_ray(iter([]), job, concurrency=1, gpus=0.5, code=None))
    assert caught.value.args[0]["num_gpus"] == 0.5
