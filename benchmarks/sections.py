"""The sections of the speed benchmark: what is run, and what is counted."""

import json
import statistics
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate, takewhile
from pathlib import Path

from spacy.language import Language
from spacy.training import Example
from spacy.training.batchers import minibatch_by_words

from .feeding import feeding
from .measure import (
    Figure,
    Key,
    Run,
    Samples,
    interleave,
    seconds,
    size_on_disk,
    to_figures,
)
from .outputs import ROOT
from .peers import BATCH_WORDS, Peer, Treebank, forget, kernel_limit, trainer
from .texts import Text, examples, of_length, read_raw, read_sentences, read_texts, stream

LATENCY_WORDS = 20
LATENCY_SENTENCES = 50
# Training is slower than tagging, so it is measured on fewer tokens.
TRAINING_SHARE = 5


@dataclass
class Bench:
    """What all sections need.

    peers (list[Peer]): Who is compared.
    treebank (Treebank): Where the text comes from.
    reference (str): The peer that the others are compared with.
    rounds (int): How often everything is run.
    tokens (int): How many tokens are tagged in a run.
    earlier_tokens (int): How many tokens of other text a pipeline has tagged before it is measured
        on running text, if there are so many.
    raw (Optional[Path]): A file of raw texts to tag, see `read_raw`. None: the treebank.
    stream_tokens (int): How many tokens are streamed to see what memory it takes.
    batch_sizes (list[int]): Docs a batch. The first one counts where only one is tried.
    lengths (list[int]): Tokens a doc, where they vary.
    kernel (bool): Whether to measure the kernel limit.
    gpu_id (int): The GPU, or -1.
    """

    peers: list[Peer]
    treebank: Treebank
    reference: str
    rounds: int
    tokens: int
    earlier_tokens: int
    raw: Path | None
    stream_tokens: int
    batch_sizes: list[int]
    lengths: list[int]
    kernel: bool
    gpu_id: int

    @cached_property
    def pipelines(self) -> dict[str, Language]:
        """The pipelines that tag, loaded once."""
        return {peer.name: peer.load() for peer in self.peers}

    @cached_property
    def texts(self) -> list[Text]:
        """The raw texts, if there are any. Otherwise the development set's sentences, which no
        pipeline saw, then those of the training set, so that nothing has to be tagged twice.
        """
        if self.raw is not None:
            return read_raw(self.raw, next(iter(self.pipelines.values())))
        return read_texts([self.treebank.dev, self.treebank.train])

    @cached_property
    def measured(self) -> list[Text]:
        """The texts that are tagged in a run."""
        return list(stream(self.texts, self.tokens))

    def earlier(self, n_tokens: int | None = None) -> list[Text]:
        """Other texts, from the end: what came before, in running text. There may be fewer than
        wanted, or none: no text is taken twice.

        n_tokens (Optional[int]): How many tokens from the start are measured. None: `tokens`.
        RETURNS (list[Text]): The texts.
        """
        n_measured = len(list(stream(self.texts, self.tokens if n_tokens is None else n_tokens)))
        others = self.texts[n_measured:][::-1]
        return list(stream(others, min(self.earlier_tokens, sum(map(len, others)))))

    def prepare(self, nlp: Language, known: str, *, n_tokens: int | None = None) -> None:
        """Let a pipeline know the words that it kept of a certain past, see `KNOWN`."""
        if known != "all":
            forget(nlp)
        if known == "earlier":
            docs = [text.doc(nlp.vocab) for text in self.earlier(n_tokens)]
            exhaust(nlp, docs, self.batch_sizes[0])

    def pasts(self, nlp: Language, *, n_tokens: int | None = None) -> list[str]:
        """RETURNS (list[str]): Those of `KNOWN` that make a difference to a pipeline."""
        if not forget(nlp):
            return ["none"]
        return [known for known in KNOWN if known != "earlier" or self.earlier(n_tokens)]


# Which words' vectors a pipeline of ours still keeps when it is measured, and what the figure is
# called: none, those of other text of the same kind, or those of the very text.
KNOWN = {"none": "{}", "earlier": "{}, running text", "all": "{}, warm"}


def tagging(bench: Bench) -> list[Figure]:
    """Words a second of `nlp.pipe`: on docs that are made beforehand, without tags, and on raw
    text; the kernel limit, and our share of it.
    """
    texts = bench.measured
    n_words = sum(map(len, texts))

    def tag(nlp: Language, batch_size: int, known: str) -> float:
        bench.prepare(nlp, known)
        docs = [text.doc(nlp.vocab) for text in texts]
        return n_words / seconds(partial(exhaust, nlp, docs, batch_size))

    def tag_raw(nlp: Language, batch_size: int) -> float:
        forget(nlp)
        raw = [str(text) for text in texts]
        return n_words / seconds(partial(exhaust, nlp, raw, batch_size))

    limits = {}
    if bench.kernel:
        ours = [peer.name for peer in bench.peers if peer.is_lstm()]
        limits = {name: kernel_limit(bench.pipelines[name]) for name in ours}
    runs: dict[Key, Run] = {}
    for size in bench.batch_sizes:
        setting = f"batches of {size:,}"
        for name, nlp in bench.pipelines.items():
            for known in bench.pasts(nlp):
                runs[setting, KNOWN[known].format(name)] = partial(tag, nlp, size, known)
        for name, limit in limits.items():
            runs[setting, kernel(name)] = partial(limit.words_per_second, n_words)
    for name, nlp in bench.pipelines.items():
        runs["raw text", name] = partial(tag_raw, nlp, bench.batch_sizes[0])
    samples = interleave(runs, rounds=bench.rounds)
    figures = to_figures("tagging", "words/s", samples, reference=bench.reference)
    shares: Samples = {}
    for (setting, peer), values in samples.items():
        for name in limits:
            called = [form.format(name) for form in KNOWN.values()]
            if peer in called and (setting, kernel(name)) in samples:
                limit_values = samples[setting, kernel(name)]
                pairs = zip(values, limit_values, strict=True)
                shares[setting, peer] = [100 * value / limit for value, limit in pairs]
    return figures + to_figures("share of the kernel limit", "%", shares, reference="")


def latency(bench: Bench) -> list[Figure]:
    """Milliseconds of `nlp(text)`, the median over sentences of about 20 words."""
    by_length = sorted(bench.measured, key=lambda text: abs(len(text) - LATENCY_WORDS))
    n_texts = min(LATENCY_SENTENCES, bench.tokens // LATENCY_WORDS)
    texts = [str(text) for text in by_length[:n_texts]]

    def call(nlp: Language, known: str) -> float:
        times = []
        bench.prepare(nlp, known)
        if known == "all":  # only after a first pass
            for text in texts:
                nlp(text)
        for text in texts:
            if known == "none":
                forget(nlp)
            times.append(1000 * seconds(partial(nlp, text)))
        return statistics.median(times)

    runs: dict[Key, Run] = {}
    for name, nlp in bench.pipelines.items():
        for known in bench.pasts(nlp):
            runs["a sentence of 20 words", KNOWN[known].format(name)] = partial(call, nlp, known)
    samples = interleave(runs, rounds=bench.rounds)
    return to_figures("latency", "ms", samples, reference=bench.reference)


def training(bench: Bench) -> list[Figure]:
    """Words a second of `nlp.update` with each pipeline's own optimizer."""
    sentences = list(read_sentences(bench.treebank.train, bench.treebank.tag))
    ends = accumulate(len(sentence.words) for sentence in sentences)
    n_wanted = bench.tokens // TRAINING_SHARE
    n_sentences = sum(1 for _ in takewhile(lambda end: end <= n_wanted, ends))
    sentences = sentences[:n_sentences]
    n_words = sum(len(sentence.words) for sentence in sentences)

    def learn(update: Callable[[list[list[Example]]], None], batches: list[list[Example]]) -> float:
        return n_words / seconds(partial(update, batches))

    runs: dict[Key, Run] = {}
    for peer in bench.peers:
        nlp = peer.load()  # A copy, since training changes it.
        batches = list(minibatch_by_words(examples(sentences, nlp.vocab), BATCH_WORDS))
        setting = f"batches of {BATCH_WORDS:,} words"
        runs[setting, peer.name] = partial(learn, trainer(nlp), batches)
    samples = interleave(runs, rounds=bench.rounds)
    return to_figures("training", "words/s", samples, reference=bench.reference)


def memory(bench: Bench) -> list[Figure]:
    """What a pipeline takes: memory in a process of its own, time to load, and space on disk."""
    figures = []
    values: dict[Key, Samples] = {}
    for peer in bench.peers:
        if peer.packed:
            continue
        tagged = run_worker(bench, peer, task="tag")
        trained = run_worker(bench, peer, task="train")
        columns: dict[Key, float] = {
            ("peak, tagging", "MB"): tagged["peak_mb"],
            ("growth, tagging", "MB"): tagged["growth_mb"],
            ("peak, training", "MB"): trained["peak_mb"],
            ("on disk", "MB"): size_on_disk(peer.path) / 1e6,
            ("loading", "ms"): 1000 * tagged["load_s"],
        }
        if bench.gpu_id >= 0:
            columns["GPU peak, tagging", "MB"] = tagged["gpu_peak_mb"]
            columns["GPU peak, training", "MB"] = trained["gpu_peak_mb"]
        for (setting, unit), value in columns.items():
            values.setdefault((setting, unit), {})[setting, peer.name] = [value]
    for (setting, unit), samples in values.items():
        # Growth is about zero, so a ratio says nothing.
        reference = "" if setting.startswith("growth") else bench.reference
        figures += to_figures("memory", unit, samples, reference=reference)
    return figures


def length(bench: Bench) -> list[Figure]:
    """Time a token in docs of different lengths, cut from the same tokens."""
    n_tokens = max(bench.tokens, *bench.lengths)

    def tag(nlp: Language, texts: list[Text], known: str) -> float:
        bench.prepare(nlp, known, n_tokens=n_tokens)
        docs = [text.doc(nlp.vocab) for text in texts]
        elapsed = seconds(partial(exhaust, nlp, docs, bench.batch_sizes[0]))
        return 1e6 * elapsed / sum(map(len, docs))

    runs: dict[Key, Run] = {}
    for size in bench.lengths:
        setting, texts = f"{size:,} tokens", of_length(bench.texts, size, n_tokens=n_tokens)
        for name, nlp in bench.pipelines.items():
            for known in bench.pasts(nlp, n_tokens=n_tokens):
                runs[setting, KNOWN[known].format(name)] = partial(tag, nlp, texts, known)
    samples = interleave(runs, rounds=bench.rounds)
    figures = to_figures("length", "µs/token", samples, reference=bench.reference)
    base = f"{100 if 100 in bench.lengths else bench.lengths[0]:,} tokens"
    relative: Samples = {}
    for (setting, name), values in samples.items():
        pairs = zip(values, samples[base, name], strict=True)
        relative[setting, name] = [value / at_base for value, at_base in pairs]
    return figures + to_figures(f"length, relative to {base}", "×", relative, reference="")


SECTIONS: dict[str, Callable[[Bench], list[Figure]]] = {
    "tagging": tagging,
    "latency": latency,
    "training": training,
    "memory": memory,
    "length": length,
    "feeding": feeding,
}


def exhaust(nlp: Language, texts: list, batch_size: int) -> None:
    """Tag texts or docs and keep nothing."""
    deque(nlp.pipe(texts, batch_size=batch_size), maxlen=0)


def kernel(name: str) -> str:
    """RETURNS (str): What the kernel limit of a peer is called."""
    return f"{name}, kernel limit"


def run_worker(bench: Bench, peer: Peer, *, task: str) -> dict[str, float]:
    """RETURNS (dict[str, float]): What `benchmarks.worker` measures, in a process of its own."""
    options = {
        "--text": bench.treebank.train if task == "train" else bench.treebank.dev,
        "--tag": bench.treebank.tag,
        "--tokens": bench.stream_tokens,
        "--batch-size": bench.batch_sizes[0],
        "--gpu-id": bench.gpu_id,
    }
    arguments = [str(part) for option in options.items() for part in option]
    command = [sys.executable, "-m", "benchmarks.worker", task, str(peer.path.resolve())]
    output = subprocess.run([*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return json.loads(output.stdout)
