"""The speed benchmark runs, and compares like with like."""

import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
import spacy
from torch.autograd import DeviceType
from torch.autograd.profiler_util import EventList, FunctionEvent

from benchmarks import (
    feeding,
    files,
    gpu,
    lemmas,
    measure,
    outputs,
    peers,
    sections,
    speed,
    texts,
    worker,
)
from benchmarks.packed import pack_pipeline
from spacy_lstm_tagger.readers import read_word_lemmas

from .util import CORPUS, make_examples, scores_of, small_model, trained_nlp, with_lemmas

DEV = CORPUS / "en-dev.conllu"
TREEBANK = ["--train", str(DEV), "--dev", str(DEV)]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory, small_corpus):
    """The path of a small pipeline of ours, made from the project's config."""
    path = tmp_path_factory.mktemp("pipeline") / "small"
    config = peers.ours_config(peers.Treebank(small_corpus, small_corpus))
    config["components"]["lstm_tagger"]["model"] = small_model(depth=2)
    peers.train(config, path, gpu_id=-1)
    return path


@pytest.fixture
def run(tmp_path, small_corpus, pipeline):
    """Runs the speed benchmark; returns what it wrote."""

    def run(*arguments):
        output = tmp_path / "speed.json"
        treebank = ["--train", str(small_corpus), "--dev", str(small_corpus)]
        ours = ["--pipeline", f"small={pipeline}", "--output", str(output)]
        speed.main([*treebank, *ours, *arguments])
        return json.loads(output.read_text(encoding="utf-8"))

    return run


def test_speed(run, capsys):
    report = run(
        *["--only", "tagging,latency,length,training", "--rounds", "2", "--tokens", "200"],
        *["--batch-size", "8,16", "--lengths", "10,100", "--train-steps", "1"],
    )
    assert set(report) == {"machine", "settings", "figures"}
    assert report["settings"]["tokens"] == 200
    assert {"cpu", "cores", "threads", "load_average", "date"} <= set(report["machine"])
    figures = {(f["section"], f["setting"], f["peer"]): f for f in report["figures"]}
    pasts = ["small, running text", "small, warm"]
    for name in ("cnn", "torch-bilstm", "packed", "small", *pasts, "small, kernel limit"):
        assert figures["tagging", "batches of 8", name]["value"] > 0
    for name in ("cnn", "small", *pasts):
        assert figures["latency", "a sentence of 20 words", name]["value"] > 0
    for name in pasts[1:]:  # there is no other text than what is measured
        assert figures["length", "10 tokens", name]["value"] > 0
    for name in ("cnn", "torch-bilstm", "packed", "small"):
        assert len(figures["tagging", "raw text", name]["samples"]) == 2
        assert figures["latency", "a sentence of 20 words", name]["unit"] == "ms"
        assert figures["training", "batches of 1,000 words", name]["value"] > 0
        assert figures["length, relative to 100 tokens", "100 tokens", name]["value"] == 1.0
    assert figures["tagging", "batches of 8", "cnn"]["ratio"] == 1.0
    assert 0 < figures["share of the kernel limit", "batches of 16", "small"]["value"] < 100
    assert "| small, warm |" in capsys.readouterr().out


def test_feeding(run):
    report = run("--only", "feeding", "--peers", "kernel", "--rounds", "1", "--tokens", "200")
    found = {(f["setting"], f["peer"]): f["value"] for f in report["figures"]}
    readers = [
        f"{name}{noise}" for name in ("Corpus.v1", "spacy.Corpus.v1") for noise in ("", ", noise")
    ]
    settings = {
        "reading, first pass": readers,
        "reading, later passes": readers,
        "a training step without the network": ["small", "spaCy's own share"],
        "tagging docs of 100 words without the network": ["small"],
    }
    assert set(found) == {(setting, name) for setting, names in settings.items() for name in names}
    assert min(found.values()) > 0


def test_without_network_nothing_is_computed_or_learnt():
    nlp, optimizer = trained_nlp()
    pipe, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    before, docs = pipe.model.to_bytes(), [eg.predicted for eg in examples]
    expected = scores_of(pipe, docs)
    modules = [shim.module for node in pipe.model.walk() for shim in node.shims]
    calls = []
    for module in modules:
        module.register_forward_hook(lambda *arguments: calls.append(1))
    with feeding.without_network(nlp):
        nlp.update(examples, sgd=optimizer)
        found = scores_of(pipe, docs)
    assert calls == []
    assert [scores.shape for scores in found] == [scores.shape for scores in expected]
    assert pipe.model.to_bytes() == before
    for ours, theirs in zip(scores_of(pipe, docs), expected, strict=True):
        assert np.array_equal(ours, theirs)
    assert calls


def test_speed_on_raw_text(run, tmp_path):
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "She reads.  It rains."}\n{"text": "He sleeps!"}\n')
    common = ["--text", str(path), "--only", "tagging", "--peers", "cnn", "--rounds", "1"]
    report = run(*common, "--tokens", "6", "--earlier-tokens", "3", "--batch-size", "8")
    assert {f["peer"] for f in report["figures"]} == {
        *["cnn", "small", "small, running text", "small, warm"]
    }
    (first, second) = texts.read_raw(path, spacy.blank("en"))
    assert str(first) == "She reads.  It rains." and len(first) == 7
    assert second.words == ["He", "sleeps", "!"]


def test_lemmas(pipeline, small_corpus, tmp_path):
    """Those of a treebank that is known are right with its own tags."""
    dev, output = tmp_path / "bank" / "dev.conllu", tmp_path / "lemmas.json"
    dev.parent.mkdir()
    dev.write_text(with_lemmas(small_corpus.read_text(encoding="utf-8")), encoding="utf-8")
    nlp = spacy.load(pipeline)
    lemmatizer = nlp.add_pipe("tag_lemmatizer")
    lemmatizer.initialize(lambda: [], lemmas=read_word_lemmas(path=dev))
    nlp.to_disk(tmp_path / "nlp")
    options = ["--dev", str(dev), "--rounds", "1", "--output", str(output)]
    lemmas.main(["--pipeline", f"small={tmp_path / 'nlp'}", *options])
    figures = json.loads(output.read_text(encoding="utf-8"))["small"]
    assert figures["bank, per cent with gold tags"] == 100.0 >= figures["bank, per cent"] > 0
    assert figures["bank, µs a word"] > 0 and figures["MB"] >= 0


def test_files(pipeline, small_corpus, tmp_path, capsys):
    """What each format costs, in and out, is told and written."""
    folder, output = tmp_path / "ud" / "en_ewt", tmp_path / "files.json"
    folder.mkdir(parents=True)
    for split in ("train", "dev"):
        shutil.copy(small_corpus, folder / f"{split}.conllu")
    options = ["--words", "200", "--rounds", "1", "--output", str(output)]
    files.main(["--ud", str(tmp_path / "ud"), "--pipeline", f"small={pipeline}", *options])
    figures = json.loads(output.read_text(encoding="utf-8"))["small"]
    inputs = (".jsonl", ".conllu", ".spacy")
    expected = {f"{kind} to {out}" for kind in inputs for out in files.OUTPUTS}
    assert figures.keys() == expected | {f"words a second of nlp.pipe, {kind}" for kind in inputs}
    assert all(figure > 0 for figure in figures.values())
    assert ".conllu to .conllu" in capsys.readouterr().out


def test_no_such_text(capsys):
    with pytest.raises(SystemExit):
        speed.main([*TREEBANK, "--text", "no-such-file.jsonl"])
    assert "--text: there is no file no-such-file.jsonl" in capsys.readouterr().err


@pytest.mark.slow
def test_speed_memory(run):
    report = run("--peers", "packed", "--only", "memory", "--stream-tokens", "500")
    assert {figure["setting"] for figure in report["figures"]} == {
        *["peak, tagging", "growth, tagging", "peak, training", "on disk", "loading"]
    }


@pytest.mark.slow
def test_gpu_trains_to_the_end(small_corpus, tmp_path):
    """The last section, which the tests on a GPU leave out: it takes as long as a training."""
    output = tmp_path / "gpu.json"
    options = ["--gpu-id", "-1", "--quick", "--only", "accuracy", "--output", str(output)]
    gpu.main(["--train", str(small_corpus), "--dev", str(small_corpus), *options])
    figures = json.loads(output.read_text(encoding="utf-8"))["figures"]
    found = {figure["setting"]: figure["value"] for figure in figures}
    assert found.keys() == {"from start to end", "sentences", "docs of ten"}
    assert min(found.values()) > 0


def test_gpu_keeps_what_is_measured_before_an_error(tmp_path, monkeypatch):
    figure = gpu.count("a batch", "of one", "gpu.cfg", 1.0)
    monkeypatch.setitem(gpu.SECTIONS, "tagging", lambda bench: [figure])
    monkeypatch.setitem(gpu.SECTIONS, "memory", lambda bench: 1 / 0)
    output = tmp_path / "gpu.json"
    with pytest.raises(ZeroDivisionError):
        gpu.main(["--gpu-id", "-1", "--only", "tagging", "memory", "--output", str(output)])
    assert json.loads(output.read_text())["figures"][0]["setting"] == "of one"
    assert "of one" in output.with_suffix(".md").read_text()


def test_a_gpu_is_busy_while_kernels_run(monkeypatch):
    """Not while an operation waits for them, too: PyTorch tells the time of a kernel at both."""
    options = {"use_device": "cuda", "stack": [], "start_us": 0}
    operation = FunctionEvent(1, "aten::add", 1, end_us=10, **options)
    operation.append_kernel("kernel", 0, 50)
    kernel = FunctionEvent(2, "kernel", 7, end_us=50, device_type=DeviceType.CUDA, **options)
    events = EventList([operation, kernel], use_device="cuda")
    events._build_tree()
    monkeypatch.setattr("torch.profiler.profile.key_averages", lambda self: events.key_averages())
    monkeypatch.setattr(gpu, "seconds", lambda work: 100e-6)
    assert gpu.asked_of_gpu(lambda: None)["busy, %"] == pytest.approx(50.0)


def test_worker(pipeline, small_corpus):
    tagged = worker.measure_tagging(pipeline, small_corpus, tokens=100, batch_size=4)
    assert tagged["peak_mb"] > 10 and tagged["load_s"] > 0
    assert worker.measure_training(pipeline, small_corpus, tag="xpos")["peak_mb"] > 10


@pytest.mark.parametrize(
    "sizes",
    [
        {"depth": 2},
        {"depth": 2, "merge": "sum"},
        {"depth": 2, "merge": "sum", "bidirectional": False},
        {"embed_width": None},
    ],
)
def test_packed_is_the_same_network(sizes, tmp_path):
    check_packed(trained_nlp(**sizes)[0], tmp_path)


def test_packed_knows_attention_and_all_layers(tmp_path):
    architectures = {"embed": "WordCharEmbed.v1", "encode": "LSTMEncoder.v1"}
    parts = {
        name: {"@architectures": f"spacy-lstm-tagger.{architecture}", "width": 16}
        for name, architecture in architectures.items()
    }
    parts["embed"]["char_attention"] = True
    parts["encode"] |= {"input_width": 16, "depth": 3, "last_width": 8, "all_layers": True}
    tok2vec = {"@architectures": "spacy.Tok2Vec.v2", **parts}
    model = {"@architectures": "spacy-lstm-tagger.Tagger.v1", "tok2vec": tok2vec}
    check_packed(trained_nlp(config={"model": model})[0], tmp_path)


def check_packed(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    packed = pack_pipeline(spacy.load(tmp_path))
    sentences = [*texts.read_texts([DEV])[:50], texts.Text([], [])]
    ours, theirs = (list(n.pipe(text.doc(n.vocab) for text in sentences)) for n in (nlp, packed))
    for a, b in zip(ours, theirs, strict=True):
        assert [token.tag_ for token in a] == [token.tag_ for token in b]
    ours, theirs = (
        scores_of(n.get_pipe("lstm_tagger"), [text.doc(n.vocab) for text in sentences])
        for n in (nlp, packed)
    )
    np.testing.assert_allclose(np.concatenate(ours), np.concatenate(theirs), atol=1e-5)


def test_forget(pipeline):
    nlp = spacy.load(pipeline)
    embed = nlp.get_pipe("lstm_tagger").model.get_ref("tok2vec").get_ref("embed")
    nlp("The dog")
    assert len(embed.attrs["cache"]) == 2
    assert peers.forget(nlp)
    assert len(embed.attrs["cache"]) == 0


def test_what_is_known(pipeline, small_corpus):
    """What is kept before a measurement: nothing, the words of other text, or whatever there is."""
    treebank = peers.Treebank(small_corpus, small_corpus)
    ours = peers.Peer("small", pipeline)
    settings = {"reference": "small", "rounds": 1, "tokens": 20, "earlier_tokens": 80}
    settings |= {"raw": None, "stream_tokens": 0}
    sizes = {"batch_sizes": [8], "lengths": [], "kernel": False, "gpu_id": -1}
    bench = sections.Bench(peers=[ours], treebank=treebank, **settings, **sizes)
    nlp = ours.load()
    embed = nlp.get_pipe("lstm_tagger").model.get_ref("tok2vec").get_ref("embed")
    nlp("zyx")
    assert bench.pasts(nlp) == ["none", "earlier", "all"]
    nlp("zyx")
    bench.prepare(nlp, "all")
    assert len(embed.attrs["cache"]) == 1
    bench.prepare(nlp, "earlier")
    assert len(embed.attrs["cache"]) == len({w for text in bench.earlier() for w in text.words})
    bench.prepare(nlp, "none")
    assert len(embed.attrs["cache"]) == 0
    # What is measured is never among the other text, and no text is invented if there is none.
    everything = sum(map(len, bench.texts))
    for n_tokens in (None, 20, everything - 30):
        earlier, measured = bench.earlier(n_tokens), list(texts.stream(bench.texts, n_tokens or 20))
        assert earlier and bench.texts[-len(earlier) :] == earlier[::-1]
        assert len(measured) + len(earlier) <= len(bench.texts)
    assert bench.pasts(nlp, n_tokens=everything) == ["none", "all"]
    assert dataclasses.replace(bench, tokens=everything).pasts(nlp) == ["none", "all"]


def test_texts_of_length():
    sentences = texts.read_texts([DEV])
    short, long = (texts.of_length(sentences, n, n_tokens=3000) for n in (10, 1000))
    assert {len(text) for text in short} == {10} and {len(text) for text in long} == {1000}
    words = [[w for text in cut for w in text.words] for cut in (short, long)]
    assert words[0] == words[1]


def test_interleaved_rounds():
    calls = []
    runs = {("s", name): lambda name=name: calls.append(name) or float(len(calls)) for name in "ab"}
    samples = measure.interleave(runs, rounds=2)
    assert "".join(calls) == "ab" + "ab" + "ba"
    assert samples == {("s", "a"): [3.0, 6.0], ("s", "b"): [4.0, 5.0]}
    a, b = measure.to_figures("x", "ms", samples, reference="b")
    assert (a.value, b.ratio) == (4.5, 1.0)


def test_missing_files(capsys, monkeypatch):
    with pytest.raises(SystemExit):
        speed.parse(["--train", "nowhere.conllu"])
    assert "no file nowhere.conllu" in capsys.readouterr().err
    monkeypatch.delenv("UD_FOLDER", raising=False)
    with pytest.raises(SystemExit):
        speed.parse([])
    assert "--ud is missing" in capsys.readouterr().err


def test_nothing_published_is_overwritten():
    """Where no path is given, results go elsewhere."""
    published = outputs.ROOT / "benchmarks"
    assert published not in outputs.OUTPUT.parents
    for script in published.glob("*.py"):
        found = re.findall(
            r'"--output", type=Path, default=(\w+)|args.output or (\w+)', script.read_text()
        )
        assert {name for names in found for name in names if name} <= {"OUTPUT", "args"}, script
