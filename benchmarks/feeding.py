"""How fast texts get to the network: what a fast GPU waits for, in CPU time of one process.

Reading, with noise and without; a training step; tagging. For the last two the network is taken
out: its modules, its output layer and its optimizer do nothing.
"""

import tempfile
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import spacy
import torch
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import Corpus as SpacyCorpus
from spacy.training import Example
from spacy.training.batchers import minibatch_by_words
from thinc.api import ArgsKwargs, Model
from torch import Tensor

from spacy_lstm_tagger.augmenters import NoiseAugmenter
from spacy_lstm_tagger.models.shim import TorchShim
from spacy_lstm_tagger.nn.lstm import BucketedLSTM
from spacy_lstm_tagger.readers import Corpus

from .measure import Figure, Key, Run, interleave, to_figures
from .peers import forget
from .texts import of_length

if TYPE_CHECKING:
    from .sections import Bench

SECTION = "feeding"
STEP_WORDS = 4000  # a batch of configs/gpu.cfg
DOC_WORDS = 100
SPACY = "spaCy's own share"
READING: dict[str, Any] = {
    "group_by": [1, 10],
    "shuffle_buffer": 2000,
}  # as in configs/accurate.cfg


def feeding(bench: "Bench") -> list[Figure]:
    """RETURNS (list[Figure]): Words a second of CPU time."""
    return [*reading(bench), *a_step(bench), *tagging_docs(bench)]


def reading(bench: "Bench") -> list[Figure]:
    """Words a second of the reader with its augmenter: of the first pass, in which a pipeline sees
    the words for the first time, and of later ones. Beside it spaCy's reader of the same examples.
    """
    path, tag = bench.treebank.train, bench.treebank.tag
    limit: dict[str, Any] = {"tag": tag, "limit": count_sentences(path, tag, bench.tokens)}

    def read(make: Callable[[], Any], passes: int) -> float:
        nlp, corpus = spacy.blank("xx"), make()
        for _ in range(passes - 1):
            count(corpus(nlp))
        return speed(lambda: count(corpus(nlp)))

    with tempfile.TemporaryDirectory(prefix="feeding-") as folder:
        docs = [eg.reference for eg in Corpus(path, group_by=5, **limit)(spacy.blank("xx"))]
        DocBin(docs=docs).to_disk(Path(folder) / "train.spacy")
        ours = partial(Corpus, path, **READING, **limit)
        theirs = partial(SpacyCorpus, Path(folder) / "train.spacy")
        makes: dict[str, Callable[[], Any]] = {
            "Corpus.v1": ours,
            "Corpus.v1, noise": partial(ours, augmenter=NoiseAugmenter()),
            "spacy.Corpus.v1": theirs,
            "spacy.Corpus.v1, noise": partial(theirs, augmenter=NoiseAugmenter()),
        }
        runs: dict[Key, Run] = {}
        for name, make in makes.items():
            runs["reading, first pass", name] = partial(read, make, 1)
            runs["reading, later passes", name] = partial(read, make, 2)
        samples = interleave(runs, rounds=bench.rounds)
    return to_figures(SECTION, "words/s", samples, reference="")


def a_step(bench: "Bench") -> list[Figure]:
    """Words a second of `nlp.update` without the network, and of spaCy's own part of it: copies of
    the examples, and no component.
    """
    runs: dict[Key, Run] = {}

    def learn(nlp: Language, batches: list[list[Example]], exclude: list[str]) -> float:
        def step() -> int:
            for batch in batches:
                nlp.update(batch, sgd=optimizer, losses={}, exclude=exclude)
            return n_words

        optimizer = nlp.create_optimizer()
        n_words = sum(len(eg.predicted) for batch in batches for eg in batch)
        with without_network(nlp), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it learns nothing
            return speed(step)

    limit: dict[str, Any] = {
        "limit": count_sentences(bench.treebank.train, bench.treebank.tag, bench.tokens)
    }
    for peer in bench.peers:
        if peer.is_lstm():
            nlp = peer.load()
            corpus = Corpus(bench.treebank.train, tag=bench.treebank.tag, **READING, **limit)
            batches = list(minibatch_by_words(corpus(nlp), STEP_WORDS))
            setting = "a training step without the network"
            runs[setting, peer.name] = partial(learn, nlp, batches, [])
            runs[setting, SPACY] = partial(learn, nlp, batches, nlp.pipe_names)
    samples = interleave(runs, rounds=bench.rounds)
    return to_figures(SECTION, "words/s", samples, reference="")


def tagging_docs(bench: "Bench") -> list[Figure]:
    """Words a second of `nlp.pipe` without the network, on docs of 100 words that are made
    beforehand. Next to nothing of it is spaCy's.
    """
    texts = of_length(bench.texts, DOC_WORDS, n_tokens=bench.tokens)
    size = bench.batch_sizes[0]

    def tag(nlp: Language) -> float:
        def run() -> int:
            deque(nlp.pipe(docs, batch_size=size), maxlen=0)
            return sum(map(len, docs))

        forget(nlp)
        docs = [text.doc(nlp.vocab) for text in texts]
        with without_network(nlp):
            return speed(run)

    runs: dict[Key, Run] = {}
    setting = f"tagging docs of {DOC_WORDS} words without the network"
    for peer in bench.peers:
        if peer.is_lstm():
            runs[setting, peer.name] = partial(tag, bench.pipelines[peer.name])
    samples = interleave(runs, rounds=bench.rounds)
    return to_figures(SECTION, "words/s", samples, reference="")


def speed(run: Callable[[], int]) -> float:
    """RETURNS (float): How many words a run does a second of this process's CPU time."""
    start = time.process_time()
    n_words = run()
    return n_words / (time.process_time() - start)


def count(examples: Iterable[Example]) -> int:
    """RETURNS (int): The number of words of examples, none of which is kept."""
    return sum(len(eg.predicted) for eg in examples)


def count_sentences(path: Path, tag: str, n_words: int) -> int:
    """RETURNS (int): How many sentences of a treebank have so many words, one at least."""
    found, total = 0, 0
    for _, sentences in Corpus(path, tag=tag).read(spacy.blank("xx").vocab):
        for tokens, _ in sentences:
            if total >= n_words:
                return max(1, found)
            found, total = found + 1, total + len(tokens)
    return max(1, found)


@contextmanager
def without_network(nlp: Language) -> Iterator[None]:
    """Take the network out of the pipeline's models for a while: modules and output layers give
    zeros of the right shapes, and the optimizer gets nothing to do.
    """
    shims, replaced = [], []
    for _, pipe in nlp.pipeline:
        model = cast(Any, pipe).model
        for node in list(model.walk()):
            for shim in node.shims:
                if isinstance(shim, TorchShim):
                    Hollow(shim).put_in()
                    shims.append(shim)
            if node.name == "softmax":
                stub = hollow_softmax(node)
                model.replace_node(node, stub)
                replaced.append((model, stub, node))
    try:
        yield
    finally:
        for model, stub, node in replaced:
            model.replace_node(stub, node)
        for shim in shims:
            for name in ("predict", "begin_update", "finish_update"):
                delattr(shim, name)


class Hollow:
    """Does nothing in the place of a module.

    shim (TorchShim): The shim of the module.
    """

    def __init__(self, shim: TorchShim):
        self.shim = shim
        self.width = cast(int, shim.module.output_width)
        self.zeros = torch.zeros(0)

    def put_in(self) -> None:
        """Let the shim do nothing."""
        self.shim.predict = self.predict  # type: ignore[method-assign]
        self.shim.begin_update = self.begin_update  # type: ignore[method-assign]
        self.shim.finish_update = lambda optimizer: None  # type: ignore[method-assign]

    def predict(self, inputs: ArgsKwargs) -> Tensor:
        """RETURNS (Tensor): Zeros."""
        head = inputs.kwargs.get("head")
        width = self.width if head is None else head(torch.zeros(1, self.width)).shape[1]
        return self.output(inputs, width)

    def begin_update(self, inputs: ArgsKwargs) -> tuple[Tensor, Callable[[Tensor], None]]:
        """RETURNS (tuple): Zeros, and a callback that leaves zeros in the gradient of the input."""

        def backprop(d_output: Tensor) -> None:
            for x in inputs.args:
                if isinstance(x, Tensor) and x.requires_grad:
                    x.grad = torch.zeros_like(x)

        return self.output(inputs, self.width), backprop

    def output(self, inputs: ArgsKwargs, width: int) -> Tensor:
        """RETURNS (Tensor): Zeros for each word, or each distinct word where that is asked for."""
        first, tokens = inputs.args[0], inputs.kwargs.get("tokens")
        n_rows = first.shape[0 if isinstance(self.shim.module, BucketedLSTM) else 1]
        n_rows = n_rows if tokens is None else len(tokens)
        if self.zeros.numel() < n_rows * width:
            self.zeros = torch.zeros(n_rows * width)
        return self.zeros[: n_rows * width].view(n_rows, width)


def hollow_softmax(layer: Model) -> Model:
    """RETURNS (Model): A layer in the place of a softmax, to which all tags are alike."""
    xp, n_tags = layer.ops.xp, layer.get_dim("nO")

    def forward(model: Model, X: Any, is_train: bool) -> tuple[Any, Callable]:
        return xp.full((len(X), n_tags), 1 / n_tags, dtype="f"), lambda dY: xp.zeros_like(X)

    names = ("W", "b")
    return Model(
        layer.name,
        forward,
        dims={name: layer.maybe_get_dim(name) for name in layer.dim_names},
        params={name: layer.get_param(name) for name in names if layer.has_param(name)},
        attrs=dict(layer.attrs),
    )
