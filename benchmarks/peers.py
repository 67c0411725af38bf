"""Who is compared: spaCy's taggers and ours, trained for a moment or given."""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

import spacy
import torch
from spacy.cli.init_config import init_config
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training import Example
from spacy.training.batchers import minibatch_by_words
from spacy.training.initialize import init_nlp
from spacy.util import load_config, registry
from thinc.api import Config

from spacy_lstm_tagger.models.shim import TorchShim, cpu_has_bf16
from spacy_lstm_tagger.nn.kernel import LSTMLayer
from spacy_lstm_tagger.taggers import layers_of

from .kernel import KernelLimit
from .outputs import ROOT
from .packed import find_modules, pack_pipeline
from .texts import examples, read_sentences

BATCH_WORDS = 1000


@dataclass(frozen=True)
class Peer:
    """A pipeline on disk.

    name (str): What it is called in the tables.
    path (Path): Where it is.
    packed (bool): Whether to run its network on packed sequences.
    precision (Optional[str]): What our layers compute in. None: what its config says.
    """

    name: str
    path: Path
    packed: bool = False
    precision: str | None = None

    def load(self) -> Language:
        """RETURNS (Language): A new copy."""
        nlp = spacy.load(self.path)
        if self.precision is not None:
            for shim in our_shims(nlp):
                shim.precision = self.precision
        return pack_pipeline(nlp) if self.packed else nlp

    def is_lstm(self) -> bool:
        """RETURNS (bool): Whether it is one of ours."""
        try:
            find_modules(self.load())
        except ValueError:
            return False
        return not self.packed


@dataclass(frozen=True)
class Treebank:
    """What the pipelines are trained on.

    train (Path): The training set.
    dev (Path): The development set.
    tag (str): What becomes the tag, as in the corpus reader.
    """

    train: Path
    dev: Path
    tag: str = "xpos"


def ours_config(treebank: Treebank) -> Config:
    """RETURNS (Config): The project's accurate config."""
    paths = {"paths.train": str(treebank.train), "paths.dev": str(treebank.dev)}
    overrides = {**paths, "vars.tag": treebank.tag}
    return load_config(ROOT / "configs" / "accurate.cfg", overrides=overrides)


def cnn_config(treebank: Treebank, *, lang: str) -> Config:
    """RETURNS (Config): spaCy's `init config -p tagger -o efficiency`, on gold tokens."""
    config = init_config(lang=lang, pipeline=["tagger"], optimize="efficiency", gpu=False)
    for name, path in (("train", treebank.train), ("dev", treebank.dev)):
        config["corpora"][name] = {
            "@readers": "spacy-lstm-tagger.Corpus.v1",
            "path": str(path),
            "tag": treebank.tag,
        }
    return config


def torch_bilstm_config(treebank: Treebank, *, lang: str, width: int, depth: int) -> Config:
    """RETURNS (Config): The same with spaCy's BiLSTM in the place of the CNN. Its embedding layer
    has to be as wide as the LSTM.
    """
    config = cnn_config(treebank, lang=lang)
    config["components"]["tok2vec"]["model"]["encode"] = {
        "@architectures": "spacy.TorchBiLSTMEncoder.v1",
        "width": width,
        "depth": depth,
        "dropout": 0.0,
    }
    return config


def train(config: Config, path: Path, *, gpu_id: int, steps: int | None = None) -> None:
    """Train a pipeline for a moment and save it: how fast it is does not depend on what it learnt.

    config (Config): The training config.
    path (Path): Where to save it.
    gpu_id (int): The GPU, or -1.
    steps (Optional[int]): How many batches. None: one pass, in which a vocabulary fills.
    """
    nlp = init_nlp(config, use_gpu=gpu_id)
    corpus = config.interpolate()["corpora"]["train"]
    sentences = read_sentences(Path(corpus["path"]), corpus["tag"])
    batches = minibatch_by_words(examples(sentences, nlp.vocab), BATCH_WORDS)
    trainer(nlp)(islice(batches, steps))
    nlp.to_disk(path)


def trainer(nlp: Language) -> Callable[[Iterable[list[Example]]], None]:
    """RETURNS (Callable): Trains on batches as `spacy train` does, with the pipeline's own
    optimizer and dropout.
    """
    settings = nlp.config.interpolate()["training"]
    settings = registry.resolve(settings, schema=ConfigSchemaTraining)
    optimizer, rate = settings["optimizer"], settings["dropout"]

    def update(batches: Iterable[list[Example]]) -> None:
        for batch in batches:
            nlp.update(batch, drop=rate, sgd=optimizer, losses={})
            optimizer.step_schedules()

    return update


def build_peers(
    given: dict[str, Path],
    wanted: list[str],
    treebank: Treebank,
    folder: Path,
    *,
    gpu_id: int,
    steps: int,
    bf16: bool = False,
) -> list[Peer]:
    """Gather the pipelines, training those that are missing.

    given (dict[str, Path]): The pipelines that are there already. If none of ours is among them,
        one is trained.
    wanted (list[str]): Which of "cnn", "torch-bilstm" and "packed" to add.
    treebank (Treebank): What to train on.
    folder (Path): Where to save what is trained.
    gpu_id (int): The GPU, or -1.
    steps (int): How many batches to train spaCy's taggers on.
    bf16 (bool): Whether to add each of ours in bfloat16.
    RETURNS (list[Peer]): spaCy's first. Sizes, and the packed network, are those of our first.
    """
    peers = [Peer(name, path) for name, path in given.items()]
    ours = next((peer for peer in peers if peer.is_lstm()), None)
    if ours is None:
        ours = Peer("accurate", folder / "accurate")
        train(ours_config(treebank), ours.path, gpu_id=gpu_id)
        peers.append(ours)
    nlp = ours.load()
    lang = nlp.lang or "xx"
    sentence = find_modules(nlp)[-1]
    configs = {
        "cnn": cnn_config(treebank, lang=lang),
        "torch-bilstm": torch_bilstm_config(
            treebank,
            lang=lang,
            width=2 * cast(LSTMLayer, sentence.forward_lstms[0]).hidden_size,
            depth=len(sentence.forward_lstms),
        ),
    }
    built = []
    for name, config in configs.items():
        if name in wanted and name not in given:
            train(config, folder / name, gpu_id=gpu_id, steps=steps)
            built.append(Peer(name, folder / name))
    if "packed" in wanted:
        built.append(Peer("packed", ours.path, packed=True))
    if bf16:
        ours_given = [peer for peer in peers if peer.is_lstm()]
        peers += [Peer(f"{each.name}-bf16", each.path, precision="bf16") for each in ours_given]
    return built + peers


def our_shims(nlp: Language) -> list[TorchShim]:
    """RETURNS (list[TorchShim]): What holds the modules of our layers."""
    shims = (shim for node in layers_of(nlp) for shim in node.shims)
    return [shim for shim in shims if isinstance(shim, TorchShim)]


def forget(nlp: Language) -> bool:
    """Drop the vectors of words that a pipeline keeps between batches.

    RETURNS (bool): Whether it keeps any.
    """
    caches = [node.attrs for node in layers_of(nlp) if "cache" in node.attrs]
    for attrs in caches:
        attrs["cache"] = copy.deepcopy(attrs["cache"])  # A copy is empty.
    return bool(caches)


def kernel_limit(nlp: Language) -> KernelLimit:
    """RETURNS (KernelLimit): That of one of our pipelines, in the precision that it computes in."""
    _, _, sentence = find_modules(nlp)
    precision = next(shim.precision for shim in our_shims(nlp) if shim.module is sentence)
    on_gpu = next(sentence.parameters()).device.type != "cpu"
    if precision == "bf16" and (on_gpu or cpu_has_bf16()):
        return KernelLimit(sentence, torch.bfloat16)
    if precision == "fp16" and on_gpu:
        return KernelLimit(sentence, torch.float16)
    return KernelLimit(sentence)
