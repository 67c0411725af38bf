import json

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_lstm_tagger.distil.labelling import Job, Progress, Shard, label
from spacy_lstm_tagger.distil.texts import Text
from spacy_lstm_tagger.probabilities import TagProbabilities

from . import TEXTS, stock_teacher


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with a teacher and eight texts."""
    folder = tmp_path_factory.mktemp("work")
    stock_teacher(factory="lstm_tagger").to_disk(folder / "teacher")
    lines = [json.dumps({"text": text}) for text in TEXTS * 4]
    (folder / "texts.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def make_job(work, **options):
    options = {"shard_size": 50, **options}
    return Job((str(work / "teacher"),), work / "texts.jsonl", **options)


def run(job, folder, report=lambda progress: None, **options):
    return label(job, job.load(), folder, report=report, **options)


def contents(folder):
    """RETURNS (list): The words, tags and best probabilities of all shards, in order."""
    vocab = spacy.blank("en").vocab
    return [
        (token.text, token.tag_, values[0])
        for path in sorted(folder.glob("*.spacy"))
        for doc in DocBin().from_disk(path).get_docs(vocab)
        for token, values in zip(doc, TagProbabilities.from_doc(doc).probabilities, strict=True)
    ]


class Interrupt(Exception):
    pass


def interrupt_after(shards):
    def report(progress):
        nonlocal shards
        shards -= 1
        if not shards:
            raise Interrupt

    return report


def test_interrupted_work_goes_on(work, tmp_path):
    run(make_job(work), tmp_path / "whole")
    expected = contents(tmp_path / "whole")
    assert len(expected) == 4 * sum(len(spacy.blank("en")(text)) for text in TEXTS)
    assert len(list((tmp_path / "whole").glob("*.spacy"))) == 4
    with pytest.raises(Interrupt):
        run(make_job(work), tmp_path / "broken", interrupt_after(2))
    first = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "broken").glob("*.spacy")}
    assert len(first) == 2
    seen = []
    done = run(make_job(work), tmp_path / "broken", lambda progress: seen.append(progress.words))
    assert len(seen) == 2 and done.is_complete
    assert contents(tmp_path / "broken") == expected
    again = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "broken").glob("*.spacy")}
    assert again.items() >= first.items()
    # There is nothing left to do.
    run(make_job(work), tmp_path / "broken", interrupt_after(1))


def test_two_processes_find_the_same(work, tmp_path):
    run(make_job(work), tmp_path / "one")
    done = run(make_job(work), tmp_path / "two", n_process=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert done.is_complete


def test_another_teacher_cannot_go_on(work, tmp_path):
    with pytest.raises(Interrupt):
        run(make_job(work), tmp_path, interrupt_after(1))
    with pytest.raises(ValueError, match=r"D007.*top_k was 5, and is 2"):
        run(make_job(work, top_k=2), tmp_path)


def test_limit(work, tmp_path):
    done = run(make_job(work, limit=3), tmp_path)
    assert done.words == sum(len(spacy.blank("en")(text)) for text in (TEXTS * 2)[:3])


def test_an_error_in_the_texts_leaves_what_is_done(work, tmp_path):
    texts = tmp_path / "texts.jsonl"
    texts.write_text((work / "texts.jsonl").read_text() + "{\n")
    job = Job((str(work / "teacher"),), texts, shard_size=50)
    with pytest.raises(ValueError, match=r"D002.*line 9"):
        run(job, tmp_path / "silver")
    assert len(contents(tmp_path / "silver")) > 0


def test_progress(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("spacy_lstm_tagger.distil.labelling.time.monotonic", lambda: now[0])
    progress = Progress(total=100.0, limit=0)
    progress.skip([Text("", [], [], 20.0)])
    assert progress.fraction == pytest.approx(0.2)
    now[0] += 10
    progress.add(Shard(b"", docs=1, words=500, texts=3, size=40.0))
    assert progress.fraction == pytest.approx(0.6)
    assert progress.speed == pytest.approx(50.0)
    # Half of what this run has to do took 10 seconds.
    assert progress.left == pytest.approx(10.0)


def test_progress_towards_a_limit():
    progress = Progress(total=1000.0, limit=4)
    progress.add(Shard(b"", docs=1, words=5, texts=3, size=40.0))
    assert progress.fraction == pytest.approx(0.75)
