"""Shards of labelled texts: work that is resumed, shared by processes, or wrong."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from spacy_lstm_tagger.distil import labelling
from spacy_lstm_tagger.distil.labelling import LabelJob, label
from spacy_lstm_tagger.distil.shard_corpus import ShardCorpus
from spacy_lstm_tagger.files.texts import Text, in_groups
from spacy_lstm_tagger.probabilities import TagProbabilities

from ..forks import fork_workers
from ..processes import on_posix
from ..util import make_examples, small_model
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
    return LabelJob((str(work / "teacher"),), work / "texts.jsonl", **options)


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
    assert len(seen) == 2 and done.manifest["complete"]
    assert contents(tmp_path / "broken") == expected
    again = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "broken").glob("*.spacy")}
    assert again.items() >= first.items()
    # There is nothing left to do.
    run(make_job(work), tmp_path / "broken", interrupt_after(1))


def test_two_processes_find_the_same(work, tmp_path, monkeypatch):
    fork_workers(monkeypatch)
    run(make_job(work), tmp_path / "one")
    done = run(make_job(work), tmp_path / "two", n_process=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert done.manifest["complete"]


def test_a_process_gets_what_its_teachers_need(work, monkeypatch):
    asked = []
    monkeypatch.setattr(labelling, "prepare_process", lambda *given: asked.append(given))
    labelling._in_worker(make_job(work), 1, Path("code.py"))
    assert asked == [(Path("code.py"), 1)]


def test_another_teacher_cannot_go_on(work, tmp_path):
    with pytest.raises(Interrupt):
        run(make_job(work), tmp_path, interrupt_after(1))
    with pytest.raises(ValueError, match=r"D007.*top_k was 5, and is 2"):
        run(make_job(work, top_k=2), tmp_path)


def test_more_bad_texts_may_be_left_out_where_work_goes_on(work, tmp_path):
    with pytest.raises(Interrupt):
        run(make_job(work), tmp_path, interrupt_after(1))
    assert run(make_job(work, skip_bad=2), tmp_path).manifest["complete"]


def test_teachers_are_loaded_with_the_options_of_the_work(work, tmp_path):
    other = spacy.blank("en")
    other.add_pipe("tagger", config={"model": small_model()})
    other.initialize(lambda: make_examples(other, [("I slept", "PRP V")]))
    other.to_disk(tmp_path / "other")
    job = replace(make_job(work), teachers=(str(work / "teacher"), str(tmp_path / "other")))
    with pytest.raises(ValueError, match=r"D005.*--other-tags"):
        job.load()
    teachers = replace(job, other_tags=True, weights=(2.0, 1.0), top_k=3, max_words=7).load()
    assert (teachers.weights, teachers.top_k, teachers.max_words) == ((2.0, 1.0), 3, 7)


def test_progress_goes_by_the_limit(work, tmp_path):
    """And counts what an earlier run has done."""
    seen = []
    run(make_job(work, limit=4), tmp_path, lambda progress: seen.append(progress.fraction))
    assert seen == [0.5, 1.0]
    (tmp_path / "shard-00001.spacy").unlink()
    run(make_job(work, limit=4), tmp_path, lambda progress: seen.append(progress.fraction))
    assert seen[2:] == [1.0]


def test_a_text_that_is_cut_counts_as_one(work, tmp_path):
    """Also where some of its parts are in a shard, some in the next one."""
    texts = tmp_path / "texts.txt"
    texts.write_text(f"{'I slept . ' * 60}\n" + "I slept .\n" * 500, encoding="utf-8")
    job, seen = replace(make_job(work, limit=2, max_words=4), texts=texts, shard_size=200), []
    run(job, tmp_path / "out", lambda progress: seen.append(progress.fraction))
    assert seen == [pytest.approx(share, abs=0.03) for share in (0.2, 0.4, 1.0)]
    (tmp_path / "out" / "shard-00001.spacy").unlink()
    run(job, tmp_path / "out", lambda progress: seen.append(progress.fraction))
    assert seen[3:] == [pytest.approx(0.4, abs=0.03)]


def test_a_lost_shard_is_made_again(work, tmp_path):
    run(make_job(work), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "shard-00001.spacy").unlink()
    (tmp_path / "shard-00003.spacy").write_bytes(b"damaged")
    made = []
    done = run(make_job(work), tmp_path, lambda progress: made.append(progress.fraction))
    assert len(made) == 2 and made[-1] == pytest.approx(1.0)
    assert done.remade == ["shard-00001.spacy", "shard-00003.spacy"] and done.manifest["complete"]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("line", [0, -1])
@pytest.mark.parametrize("shards", [1, 4])
def test_changed_texts_are_noticed(work, tmp_path, line, shards):
    """At the same size, too. What no shard was made of yet may change."""
    lines = (work / "texts.jsonl").read_text().splitlines()
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(lines))
    job = LabelJob((str(work / "teacher"),), path, shard_size=50)
    with pytest.raises(Interrupt):
        run(job, tmp_path / "silver", interrupt_after(shards))
    lines[line] = lines[line].replace("a", "u")
    path.write_text("\n".join(lines))
    if line == -1 and shards == 1:
        assert run(job, tmp_path / "silver").manifest["complete"]
        return
    with pytest.raises(ValueError, match=r"D007.*texts of shard-.* or another --output"):
        run(job, tmp_path / "silver")


def test_bad_texts_are_left_out_and_listed(work, tmp_path):
    lines = (work / "texts.jsonl").read_text().splitlines()
    run(make_job(work), tmp_path / "good")
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join([*lines[:3], "{", *lines[3:], '{"text": "\\udfff"}']))
    done = run(
        LabelJob((str(work / "teacher"),), path, shard_size=50, skip_bad=2), tmp_path / "silver"
    )
    assert [text.split(": ")[0] for text in done.manifest["bad_texts"]] == [
        f"{path}, line 4",
        f"{path}, line 10",
    ]
    assert contents(tmp_path / "silver") == contents(tmp_path / "good")


def test_long_texts_are_cut_before_they_are_tokenized(work, tmp_path):
    """One long text makes several shards, in all of which are the same labels as if alone."""
    path = tmp_path / "texts.txt"
    path.write_text("The dog ate the apple . " * 1000)
    job = LabelJob((str(work / "teacher"),), path, shard_size=5000, max_words=10)
    done = run(job, tmp_path / "silver")
    assert len(done) > 3 and done.words == 6000
    labels = contents(tmp_path / "silver")
    path.write_text("The dog ate the apple .")
    run(job, tmp_path / "one")
    assert [row[:2] for row in labels[:6]] == [row[:2] for row in contents(tmp_path / "one")]
    assert {label[0] for label in labels} == set("The dog ate the apple .".split())


def test_limit(work, tmp_path):
    done = run(make_job(work, limit=3), tmp_path)
    assert done.words == sum(len(spacy.blank("en")(text)) for text in (TEXTS * 2)[:3])


def test_an_error_in_the_texts_leaves_what_is_done(work, tmp_path):
    texts = tmp_path / "texts.jsonl"
    texts.write_text((work / "texts.jsonl").read_text() + "{\n")
    job = LabelJob((str(work / "teacher"),), texts, shard_size=50)
    with pytest.raises(ValueError, match=r"D002.*line 9"):
        run(job, tmp_path / "silver")
    assert len(contents(tmp_path / "silver")) > 0


@given(st.lists(st.text("ab ", max_size=9)), st.integers(1, 20))
def test_shards_are_the_texts_in_order_and_large_enough(strings, size):
    texts = [Text(string, [], [], 1.0) for string in strings]
    shards = list(in_groups(iter(texts), size))
    assert [text for shard in shards for text in shard] == texts
    lengths = [sum(map(len, (text.text for text in shard))) for shard in shards]
    assert all(length >= size for length in lengths[:-1])
    # A shard ends with the text that completes it.
    assert all(n - len(s[-1].text) < size for n, s in zip(lengths, shards, strict=True))


def test_shards_are_a_stream():
    def endless():
        while True:
            yield Text("abc", [], [], 4.0)

    shards = in_groups(endless(), 6)
    assert len(next(shards)) == 2


@on_posix
def test_shards_among_the_texts_are_no_texts(work, tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    shutil.copy(work / "texts.jsonl", folder)
    job = replace(make_job(work), texts=folder)
    first = len(run(job, folder / "silver"))
    assert len(run(job, folder / "silver")) == first
    with pytest.raises(ValueError, match=r"C009.*silver is both read and written"):
        run(replace(job, texts=folder / "silver"), folder / "silver")
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert len(run(replace(job, texts=link), folder / "silver")) == first
    beside = shutil.copy(work / "texts.jsonl", folder / "silver")  # a file is what was asked for
    assert len(run(replace(job, texts=Path(beside)), folder / "silver")) == first


@pytest.mark.parametrize(("first", "then"), [("ab", "ba"), ("aab", "abb")])
def test_the_order_of_teachers_counts(work, tmp_path, first, then):
    for seed, name in enumerate("ab"):
        stock_teacher(seed, factory="lstm_tagger").to_disk(tmp_path / name)
    jobs = [
        replace(make_job(work), teachers=tuple(str(tmp_path / name) for name in names))
        for names in (first, then)
    ]
    with pytest.raises(Interrupt):
        run(jobs[0], tmp_path / "silver", interrupt_after(1))
    with pytest.raises(ValueError, match=r"D007.*teachers"):
        run(jobs[1], tmp_path / "silver")
    assert run(jobs[0], tmp_path / "silver").manifest["complete"]


def test_silver_data_may_be_the_texts(work, tmp_path):
    run(make_job(work), tmp_path / "silver")
    run(replace(make_job(work), texts=tmp_path / "silver"), tmp_path / "again")
    nlp = spacy.blank("en")
    texts = [
        [eg.reference.text for eg in ShardCorpus(tmp_path / name, shuffle=False)(nlp)]
        for name in ("silver", "again")
    ]
    assert texts[0] == texts[1]


def test_a_folder_in_it_was_interrupted(work, tmp_path):
    run(make_job(work), tmp_path / "all" / "a")
    with pytest.raises(Interrupt):
        run(make_job(work), tmp_path / "all" / "b", interrupt_after(1))
    with pytest.raises(ValueError, match=r"D026.*all.b has"):
        ShardCorpus(tmp_path / "all")
    run(make_job(work), tmp_path / "all" / "b")
    ShardCorpus(tmp_path / "all")


@Language.component("anew")
def anew(doc):
    """As one that rewrites words: it makes another doc."""
    return Doc(doc.vocab, words=[t.text for t in doc], spaces=[bool(t.whitespace_) for t in doc])


def test_a_component_that_makes_another_doc(work, tmp_path):
    nlp = spacy.load(work / "teacher")
    nlp.add_pipe("anew", first=True)
    nlp.to_disk(tmp_path / "teacher")
    own, other = str(work / "teacher"), str(tmp_path / "teacher")
    found = []
    for i, teachers in enumerate([(own,), (other,), (own, own), (own, other)]):
        run(replace(make_job(work), teachers=teachers), tmp_path / str(i))
        found.append(contents(tmp_path / str(i)))
    assert found[0] == found[1] and found[2] == found[3]
    assert any(tag for _, tag, _ in found[0])
