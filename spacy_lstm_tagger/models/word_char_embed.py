"""The embedding layer: docs to one vector a token, from words and their characters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.ml.staticvectors import StaticVectors
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import ArgsKwargs, Model
from thinc.types import Floats2d
from thinc.util import torch2xp, xp2torch
from torch import Tensor

from ..errors import Errors
from ..nn.buckets import Buckets
from ..nn.embedding import WordEmbedding
from ..nn.rows import empty_rows
from ..nn.transfer import send, send_joined
from ..nn.vocabulary import EmbeddingTable
from .cache import TypeCache
from .features import FeatureSet, letters
from .flat import FlatList, flatten, no_gradient
from .shim import TorchShim, dropout_rate, shim_of
from .threads import on_our_threads
from .word_types import WordTypes

NAME = "word_char_embed"
# Plans of so few words are kept: a lone sentence has about as many that are new.
FEW = 3
# What a bucket costs on a CPU beside the letters in it, which are cheaper than words, see `COSTS`.
LETTER_CALLS = 400


@dataclass(frozen=True)
class EmbedSettings:
    """What the config says of the layer, beside the sizes of its module. A model file does not
    have it, so the config holds.

    features (FeatureSet): The features of a word's form.
    dropout (Optional[float]): Dropout on the parts of a word's vector. None: the rate of
        `[training] dropout`.
    word_dropout (float): The chance of a known feature to be taken for unknown in training.
    char_max_length (int): Longer words are read as their first and last letters.
    """

    features: FeatureSet
    dropout: float | None
    word_dropout: float
    char_max_length: int


def word_char_embed(
    module: WordEmbedding,
    settings: EmbedSettings,
    *,
    static_vectors: bool,
    cache_size: int,
    precision: str,
) -> Model[list[Doc], list[Floats2d]]:
    """Wrap the word embedding as a Thinc layer.

    module (WordEmbedding): The module, with a table for each of the features.
    settings (EmbedSettings): The settings.
    static_vectors (bool): Whether to add a projection of the pipeline's static vectors.
    cache_size (int): How many types' vectors are kept between batches when tagging.
    precision (str): What to compute in, see `TorchShim`.
    RETURNS (Model[List[Doc], List[Floats2d]]): The layer.
    """
    layers: list[Model] = [StaticVectors(nO=module.output_width)] if static_vectors else []
    return Model(
        NAME,
        forward,
        init=init,
        dims={"nO": module.output_width},
        layers=layers,
        shims=[TorchShim(module, precision=precision)],
        attrs={"settings": settings, "dropout_rate": 0.0, "cache": TypeCache(cache_size)},
    )


@on_our_threads
def forward(
    model: Model[list[Doc], list[Floats2d]], docs: Sequence[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable]:
    """Embed a batch of docs.

    RETURNS (tuple): One array a doc, *shape:* ``(tokens, width)``, and the callback.
    RAISES (ValueError): If the static or, in training, the pretrained vectors are missing, or the
        dropout rate is not allowed.
    """
    if not any(map(len, docs)):
        return FlatList(model.ops.alloc2f(0, model.get_dim("nO")), [0] * len(docs)), no_gradient
    if not is_train:
        table, rows, lengths = lookup(model, docs)
        vectors = empty_rows(len(rows), table.shape[1], like=table)
        torch.index_select(table, 0, send(rows, table.device), out=vectors)
        return FlatList(torch2xp(vectors), lengths), no_gradient
    types = WordTypes.of(docs)
    shim = shim_of(model)
    settings = cast(EmbedSettings, model.attrs["settings"])
    rate = dropout_rate(model, settings.dropout)
    inputs = _inputs(model, types, training=True)
    bp_static: Callable[[Any], Any] | None = None
    if model.layers:
        check_vectors(types.vocab)
        static, bp_static = model.layers[0]([types], is_train=True)
        inputs.kwargs["static"] = xp2torch(static.data, requires_grad=True, device=shim.device)
    inputs.kwargs.update(dropout=rate, word_dropout=settings.word_dropout)
    y, backprop_torch = shim.begin_update(inputs)

    def backprop(d_docs: list[Floats2d]) -> list[Doc]:
        backprop_torch(xp2torch(flatten(model.ops, d_docs), device=shim.device))
        if bp_static is not None:
            static.data = torch2xp(inputs.kwargs["static"].grad)
            bp_static(static)
        return []

    return FlatList(torch2xp(y), types.lengths), backprop


def init(
    model: Model[list[Doc], list[Floats2d]],
    X: Sequence[Doc] | None = None,
    Y: Sequence[Floats2d] | None = None,
) -> None:
    """Draw the weights of the layer, and fit it to the pipeline's static vectors, if it
    uses them.
    """
    shim_of(model).reset_parameters()
    for static in model.layers:
        static.initialize(X=X)


def tables_of(layer: Model) -> Mapping[str, EmbeddingTable]:
    """RETURNS (Mapping[str, EmbeddingTable]): The tables of a layer, by feature."""
    return cast(WordEmbedding, shim_of(layer).module).tables


def check_vectors(vocab: Vocab) -> None:
    """RAISES (ValueError): If a vocabulary has no vectors."""
    if not vocab.vectors.data.size:
        raise ValueError(Errors.M003)


@on_our_threads
def lookup(model: Model, docs: Sequence[Doc]) -> tuple[Tensor, NDArray[np.int64], list[int]]:
    """Embed without training, keeping what was computed for the next batch.

    docs (Sequence[Doc]): Docs of which one at least has a token.
    RETURNS (tuple): A table of vectors, *shape:* ``(rows, width)``; the row of each token,
        *shape:* ``(tokens,)``; and the number of tokens of each doc.
    RAISES (ValueError): If the static vectors are missing.
    """
    types = WordTypes.of(docs)
    shim = shim_of(model)

    def encode(missing: list[int]) -> Tensor:
        some = types.select(np.array(missing))
        return shim.predict(_inputs(model, some, training=False))

    table, found = model.attrs["cache"].vectors(types.orths.tolist(), encode, shim.stamp())
    rows = np.array(found, dtype=np.int64)
    if model.layers:
        check_vectors(types.vocab)
        # Not kept: the vocabulary's vectors may change at any time.
        static = xp2torch(model.layers[0].predict([types]).data, device=table.device)
        table = table.index_select(0, send(rows, table.device)) + static
        rows = np.arange(len(types))
    return table, rows[types.tokens], types.lengths


def _inputs(model: Model, types: WordTypes, *, training: bool) -> ArgsKwargs:
    """Describe types to the module, and send all of it to the device in one copy.

    training (bool): Whether words that are new get a row of their own, and whether tokens are
        asked for rather than types.
    """
    shim = shim_of(model)
    module, device = cast(WordEmbedding, shim.module), shim.device
    settings = cast(EmbedSettings, model.attrs["settings"])
    strings = types.strings()
    keys = settings.features.keys(types, strings)
    arrays = [_feature_rows(module.tables, keys, training=training)]
    if training:
        arrays.append(types.tokens)
    spelled: tuple[Tensor, Buckets] | None = None
    if module.characters is None:
        sent = send_joined(arrays, device)
    else:
        points, lengths = letters(strings, max_length=settings.char_max_length)
        arrays.append(_letter_rows(module.characters.embedding, points, training=training))
        buckets, sent = Buckets.beside(
            arrays,
            lengths,
            device=device,
            keep=len(lengths) <= FEW and not training,
            call_cost=LETTER_CALLS if device.type == "cpu" and not training else None,
            training=training,
            finals_only=True,
        )
        spelled = sent.pop(), buckets
    features, *tokens = sent
    return ArgsKwargs((features, spelled), {"tokens": tokens[0] if training else None})


def _feature_rows(
    tables: Mapping[str, EmbeddingTable], keys: Mapping[str, list[int]], *, training: bool
) -> NDArray[np.int64]:
    """RETURNS (NDArray[np.int64]): The row of each feature of each type, 0 for unknown.
    *Shape:* ``(features, types)``.

    RAISES (ValueError): If in training the pretrained vectors are missing.
    """
    rows = []
    for name, table in tables.items():
        if training:
            table.add(keys[name])
            if not len(table):
                raise ValueError(Errors.M006.format(width=table.width))
        rows.append(table.lookup(keys[name]))
    return np.array(rows, dtype=np.int64)


def _letter_rows(
    table: EmbeddingTable, points: NDArray[np.uint32], *, training: bool
) -> NDArray[np.int64]:
    """RETURNS (NDArray[np.int64]): The row of each letter, likewise. *Shape:* ``(letters,)``."""
    keys = points.tolist()
    if training:
        table.add(sorted(set(keys)))
    return np.array(table.lookup(keys), dtype=np.int64)
