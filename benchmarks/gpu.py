"""What a GPU gives: checks that all works on it, measures, and writes the results under its name.

    python -m benchmarks.gpu --train en_ewt/train.conllu --dev en_ewt/dev.conllu

See `gpu.md`. Without a treebank, speed is measured on the embedded corpus, and nothing is trained
to the end. `--gpu-id -1 --quick` shows on a CPU, in a minute, that the script runs.
"""

import argparse
import json
import queue
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from spacy.language import Language
from spacy.training.batchers import minibatch_by_words
from spacy.training.initialize import init_nlp
from spacy.util import load_config, resolve_dot_names

from .gpu_kernels import kernels
from .measure import Figure, Key, Run, interleave, seconds, synchronize, to_figures, use_device
from .outputs import OUTPUT, ROOT, slug
from .peers import forget, trainer
from .report import describe_machine, to_markdown, write_json
from .sections import exhaust
from .texts import Text, examples, of_length, read_sentences, read_texts, stream
from .variants import EMBED, ENCODE

CONFIG = ROOT / "configs" / "gpu.cfg"
REFERENCE = "gpu.cfg"


def both(name: str, value: object) -> dict[str, object]:
    """RETURNS (dict): The override of a setting that both halves of the network have."""
    return {EMBED + name: value, ENCODE + name: value}


# Each with what it changes in `gpu.cfg`.
VARIANTS: dict[str, dict[str, object]] = {
    REFERENCE: {},
    "fp32": both("precision", "fp32"),
    "fp16": both("precision", "fp16"),
    "bf16": both("precision", "bf16"),
    "buckets of 4,096": {ENCODE + "max_batch_items": 4096},
    "buckets of 65,536": {ENCODE + "max_batch_items": 65536},
    # cuDNN's persistent kernels are for widths that are multiples of 128.
    "widths of 128": {
        EMBED + "width": 128,
        EMBED + "char_hidden_width": 128,
        ENCODE + "input_width": 128,
        ENCODE + "width": 256,
        ENCODE + "last_width": 256,
    },
}


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    rounds (int): How often everything is run.
    tokens (int): Tokens that are tagged in a run.
    batch_sizes (tuple): Docs a batch of `nlp.pipe`.
    batch_words (tuple): Words a batch of `nlp.update`.
    sequences (tuple): Sequences a bucket, where kernels run alone.
    """

    rounds: int = 7
    tokens: int = 500_000
    batch_sizes: tuple[int, ...] = (256, 2048, 8192)
    batch_words: tuple[int, ...] = (4000, 16_000)
    sequences: tuple[int, ...] = (64, 512, 2048)


QUICK = Sizes(rounds=1, tokens=500, batch_sizes=(16,), batch_words=(200,), sequences=(4,))


@dataclass(frozen=True)
class Bench:
    """What all sections need.

    train (Path): The training set.
    dev (Path): The development set.
    tag (str): Where tags come from.
    gpu_id (int): The GPU, or -1.
    variants (Sequence[str]): Which of `VARIANTS` are compared.
    sizes (Sizes): How much is measured.
    steps (Optional[int]): Steps of the training to the end. None: as many as the config says.
    """

    train: Path
    dev: Path
    tag: str
    gpu_id: int
    variants: Sequence[str]
    sizes: Sizes
    steps: int | None

    def pipeline(self, variant: str) -> Language:
        """RETURNS (Language): A pipeline that has learned for a moment, and knows the words: how
        fast it is does not depend on how well it tags.
        """
        paths = {"paths.train": str(self.train), "paths.dev": str(self.dev), "vars.tag": self.tag}
        config = load_config(CONFIG, overrides={**paths, **VARIANTS[variant]})
        nlp = init_nlp(config, use_gpu=self.gpu_id)
        trainer(nlp)([self.batches(nlp, self.sizes.batch_words[0])[0]])
        return nlp

    def batches(self, nlp: Language, n_words: int) -> list:
        """RETURNS (list): Batches of about so many words, as many tokens in all as are tagged in
        two runs of ten.
        """
        sentences = list(read_sentences(self.train, self.tag))
        given = examples(sentences, nlp.vocab)
        found = list(minibatch_by_words(given, n_words))
        return found[: max(1, self.sizes.tokens // 5 // n_words)]

    @property
    def texts(self) -> list[Text]:
        """RETURNS (list[Text]): The sentences to tag."""
        return read_texts([self.dev, self.train])


def checks(bench: Bench) -> list[Figure]:
    """How many tests pass on this GPU. A CPU has none.

    RAISES (SystemExit): If one fails, or none runs.
    """
    if bench.gpu_id < 0:
        return []
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/gpu"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(
            f"{done.stdout}{done.stderr}\nTests fail, or none runs for lack of CuPy, see above."
        )
    found = {what: int(n) for n, what in re.findall(r"(\d+) (passed|skipped)", done.stdout)}
    return [count("tests", "tests/gpu", what, n) for what, n in found.items()]


def count(section: str, setting: str, peer: str, n: float) -> Figure:
    """RETURNS (Figure): What was counted once."""
    return Figure(section, setting, peer, "", n, None, [n])


def tagging(bench: Bench) -> list[Figure]:
    """Words a second of `nlp.pipe`, of sentences and of docs of 100 words, no word known before."""
    n_tokens = bench.sizes.tokens
    lengths = {
        "sentences": list(stream(bench.texts, n_tokens)),
        "docs of 100 words": of_length(bench.texts, 100, n_tokens=n_tokens),
    }

    def tag(nlp: Language, texts: list[Text], batch_size: int) -> float:
        forget(nlp)
        docs = [text.doc(nlp.vocab) for text in texts]
        return sum(map(len, texts)) / seconds(partial(exhaust, nlp, docs, batch_size))

    runs: dict[Key, Run] = {}
    for variant in bench.variants:
        nlp = bench.pipeline(variant)
        for name, texts in lengths.items():
            for size in bench.sizes.batch_sizes:
                runs[f"{size:,} {name}", variant] = partial(tag, nlp, texts, size)
    samples = interleave(runs, rounds=bench.sizes.rounds)
    return to_figures("tagging", "words/s", samples, reference=REFERENCE)


def training(bench: Bench) -> list[Figure]:
    """Words a second of `nlp.update`, on examples that are made before."""

    def learn(update: Callable[[Iterable[list]], None], batches: list) -> float:
        n_words = sum(len(eg.predicted) for batch in batches for eg in batch)
        return n_words / seconds(partial(update, batches))

    runs: dict[Key, Run] = {}
    for variant in bench.variants:
        nlp = bench.pipeline(variant)
        for size in bench.sizes.batch_words:
            batches = bench.batches(nlp, size)
            runs[f"batches of {size:,} words", variant] = partial(learn, trainer(nlp), batches)
    samples = interleave(runs, rounds=bench.sizes.rounds)
    return to_figures("training", "words/s", samples, reference=REFERENCE)


def reading(bench: Bench) -> list[Figure]:
    """Words a second of training on what the reader makes meanwhile: a batch, then a step, as in
    `spacy train`; and with a thread that reads ahead.
    """
    nlp = bench.pipeline(REFERENCE)
    update = trainer(nlp)
    (corpus,) = resolve_dot_names(nlp.config.interpolate(), ["corpora.train"])
    count = len(bench.batches(nlp, bench.sizes.batch_words[0]))

    def learn(order: Callable[[Iterable[list]], Iterable[list]]) -> float:
        seen: list[int] = []

        def read() -> Iterator[list]:
            for batch in islice(minibatch_by_words(corpus(nlp), bench.sizes.batch_words[0]), count):
                seen.extend(len(eg.predicted) for eg in batch)
                yield batch

        elapsed = seconds(lambda: update(order(read())))
        return sum(seen) / elapsed

    orders: dict[str, Callable[[Iterable[list]], Iterable[list]]] = {
        "one after the other": iter,
        "a thread reads ahead": ahead,
    }
    runs: dict[Key, Run] = {
        ("reading and training", name): partial(learn, order) for name, order in orders.items()
    }
    samples = interleave(runs, rounds=bench.sizes.rounds)
    return to_figures("reading", "words/s", samples, reference="one after the other")


def ahead(items: Iterable[list]) -> Iterator[list]:
    """YIELDS (list): The items, which a thread makes: two more than were asked for."""
    made: queue.Queue[list | None] = queue.Queue(2)

    def make() -> None:
        for item in items:
            made.put(item)
        made.put(None)

    threading.Thread(target=make, daemon=True).start()
    while (item := made.get()) is not None:
        yield item


def profile(bench: Bench) -> list[Figure]:
    """What the GPU is asked to do for one batch, and for how much of the time it is busy."""
    nlp = bench.pipeline(REFERENCE)
    update, batches = trainer(nlp), bench.batches(nlp, bench.sizes.batch_words[0])[:1]
    texts = list(stream(bench.texts, sum(len(eg.predicted) for eg in batches[0])))

    def tag() -> None:
        forget(nlp)
        exhaust(nlp, [text.doc(nlp.vocab) for text in texts], len(texts))

    figures = []
    for name, work in (("training", partial(update, batches)), ("tagging", tag)):
        work()
        asked = asked_of_gpu(work)
        figures += [count("a batch", what, name, number) for what, number in asked.items()]
    return figures


CALLS = {
    "kernels": ("cudaLaunchKernel", "cudaLaunchKernelExC", "cuLaunchKernel", "cuLaunchKernelEx"),
    "copies": ("cudaMemcpyAsync", "cudaMemcpy"),
    "waits": ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize"),
}


def asked_of_gpu(work: Callable[[], object]) -> dict[str, float]:
    """RETURNS (dict[str, float]): How often each of `CALLS` was called, and the share of the time
    in percent in which the GPU had something to do.
    """
    with torch.profiler.profile(activities=torch.profiler.supported_activities()) as profiler:
        elapsed = seconds(work)
        synchronize()
    events = profiler.key_averages()
    asked: dict[str, float] = {
        what: sum(event.count for event in events if event.key in names)
        for what, names in CALLS.items()
    }
    # Of the kernels: operations tell the time of those that they have launched once more.
    on_gpu = (event for event in events if event.device_type != torch.autograd.DeviceType.CPU)
    busy = sum(event.self_device_time_total for event in on_gpu) / 1e6
    return {**asked, "busy, %": 100 * busy / elapsed}


def memory(bench: Bench) -> list[Figure]:
    """The peak of the GPU's memory."""
    samples: dict[Key, list[float]] = {}
    for variant in bench.variants:
        nlp = bench.pipeline(variant)
        for size in bench.sizes.batch_words:
            peak = peak_of(partial(trainer(nlp), bench.batches(nlp, size)))
            samples[f"training, batches of {size:,} words", variant] = [peak]
        docs = [text.doc(nlp.vocab) for text in stream(bench.texts, bench.sizes.tokens)]
        peak = peak_of(partial(exhaust, nlp, docs, bench.sizes.batch_sizes[-1]))
        samples[f"tagging, {bench.sizes.batch_sizes[-1]:,} sentences", variant] = [peak]
    return to_figures("memory", "MB", samples, reference="")


def peak_of(work: Callable[[], object]) -> float:
    """RETURNS (float): The most memory that the GPU had in use, in megabytes (10^6 bytes)."""
    if not torch.cuda.is_available():
        work()
        return 0.0
    torch.cuda.reset_peak_memory_stats()
    work()
    return torch.cuda.max_memory_allocated() / 1e6


def accuracy(bench: Bench) -> list[Figure]:
    """The time of `spacy train configs/gpu.cfg` to its end, and the accuracy that it reaches."""
    steps = {}
    if bench.steps is not None:
        steps = dict.fromkeys(("--training.max_steps", "--training.eval_frequency"), bench.steps)
    options = {
        "--gpu-id": bench.gpu_id,
        "--paths.train": bench.train.resolve(),
        "--paths.dev": bench.dev.resolve(),
        "--vars.tag": bench.tag,
        **steps,
    }
    with tempfile.TemporaryDirectory(prefix="gpu-") as folder:
        arguments = [str(part) for option in options.items() for part in option]
        command = [sys.executable, "-m", "spacy", "train", str(CONFIG), "--output", folder]
        elapsed = seconds(lambda: subprocess.run([*command, *arguments], cwd=ROOT, check=True))
        meta = json.loads((Path(folder) / "model-best" / "meta.json").read_text(encoding="utf-8"))
    found = meta["performance"]
    shown = {"sentences": "tag_acc_sents", "docs of ten": "tag_acc_docs"}
    figures = [count("accuracy, %", name, REFERENCE, 100 * found[k]) for name, k in shown.items()]
    return [count("training to the end, s", "from start to end", REFERENCE, elapsed), *figures]


SECTIONS: dict[str, Callable[[Bench], list[Figure]]] = {
    "checks": checks,
    "tagging": tagging,
    "training": training,
    "reading": reading,
    "profile": profile,
    "memory": memory,
    "kernels": lambda bench: kernels(
        rounds=bench.sizes.rounds, tokens=bench.sizes.tokens, sequences=bench.sizes.sequences
    ),
    "accuracy": accuracy,
}


def main(argv: Sequence[str] | None = None) -> None:
    """Check, measure, print and write."""
    args = parse(argv)
    use_device(args.gpu_id)
    machine = describe_machine(threads=torch.get_num_threads(), gpu_id=args.gpu_id)
    machine["versions"] |= {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    bench = Bench(
        train=args.train or ROOT / "corpus" / "en-train.conllu",
        dev=args.dev or ROOT / "corpus" / "en-dev.conllu",
        tag=args.tag,
        gpu_id=args.gpu_id,
        variants=args.variants,
        sizes=QUICK if args.quick else Sizes(),
        steps=2 if args.quick else None,
    )
    settings = {"sizes": vars(bench.sizes), "treebank": bool(args.train)}
    path = args.output or OUTPUT / f"gpu-{slug(machine['gpu'] or 'none')}.json"
    figures: list[Figure] = []
    for section in args.only:
        print(f"… {section}", file=sys.stderr, flush=True)
        figures += SECTIONS[section](bench)
        # At once: an error in a later section loses nothing.
        tables = to_markdown(figures, machine, reference=REFERENCE)
        write_json(path, figures, machine, settings)
        path.with_suffix(".md").write_text(tables, encoding="utf-8")
    print(tables, f"\nWritten to {path} and {path.with_suffix('.md')}", sep="")


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the options and check them."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=(__doc__ or "").split("\n\n")[0]
    )
    add = parser.add_argument
    add("--train", type=Path, help="CoNLL-U file to train on (default: the embedded corpus)")
    add("--dev", type=Path, help="CoNLL-U file of the development set")
    add("--tag", default="xpos", help="where tags come from: xpos, upos or upos+feats")
    add("--gpu-id", type=int, default=0, help="the GPU (default: 0); -1 is the CPU")
    add("--only", nargs="+", choices=list(SECTIONS), help="sections to run (default: all)")
    add("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    add("--quick", action="store_true", help="measure next to nothing: only to see that it runs")
    add("--output", type=Path, help="JSON file (default: in output/, with the card's name)")
    args = parser.parse_args(argv)
    if (args.train is None) != (args.dev is None):
        parser.error("--train and --dev: give both, or none of them.")
    for path in filter(None, (args.train, args.dev)):
        if not path.is_file():
            parser.error(f"There is no file {path}.")
    if args.gpu_id >= 0 and not torch.cuda.is_available():
        parser.error("PyTorch finds no GPU. With --gpu-id -1 it runs on the CPU.")
    if args.only is None:
        args.only = [name for name in SECTIONS if args.train or name != "accuracy"]
    return args


if __name__ == "__main__":
    main()
