"""Give a model's rows to the words that are met most often, rather than to those met first, and
the model pretrained vectors.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np
import torch
from spacy.attrs import ORTH
from spacy.language import Language
from spacy.training import Example
from spacy.util import load_model, registry
from spacy.vectors import Vectors
from thinc.api import Model, to_numpy

from ..errors import Errors
from ..models.shim import shim_of
from ..models.word_char_embed import NAME as EMBEDDING
from ..models.word_char_embed import tables_of
from ..models.word_types import WordTypes
from ..nn.vocabulary import PretrainedEmbedding
from ..taggers import layers_of


@registry.callbacks("spacy-lstm-tagger.FillVocabulary.v1")
def create_vocabulary_filler(
    *, corpus: Callable[[Language], Iterable[Example]], vectors: str | Path | None = None
) -> Callable[[Language], None]:
    """Create a callback for `[initialize] after_init`, which reads a corpus once and fills the
    vocabularies of `WordCharEmbed`: of words and each other feature those that are met most often
    get a row. Without it rows go to what training meets first, which in much silver text is a
    matter of chance.

    corpus (Callable[[Language], Iterable[Example]]): The corpus, such as ${corpora.train}.
    vectors (Optional[Union[str, Path]]): The name or path of a pipeline whose word vectors become
        a part of the model, as far as there is room: its `pretrained_rows`. Those of lower-cased
        words are used.
    RETURNS (Callable[[Language], None]): The callback.
    """
    return partial(fill_vocabulary, corpus=corpus, vectors=vectors)


def fill_vocabulary(
    nlp: Language,
    *,
    corpus: Callable[[Language], Iterable[Example]],
    vectors: str | Path | None,
) -> None:
    """Fill the vocabularies of a pipeline. If all of its components are disabled, it gets the
    pretrained vectors alone: so it is in `spacy pretrain`, where rows are for the words of the raw
    text.

    nlp (Language): The pipeline, initialized but not trained.
    corpus (Callable[[Language], Iterable[Example]]): The corpus.
    vectors (Optional[Union[str, Path]]): The pipeline that has the word vectors.
    RAISES (ValueError): If it has no such layer, or the vectors do not fit.
    """
    layers = list(layers_of(nlp, EMBEDDING))
    if not layers:
        raise ValueError(Errors.D010)
    if nlp.pipe_names:  # spaCy disables what is frozen or trained already: it stays as it is
        layers = list(layers_of(nlp, EMBEDDING, enabled=True))
    if vectors is not None:
        found = load_model(vectors).vocab.vectors
        for layer in layers:
            fill_pretrained(layer, found, name=vectors)
    if not nlp.pipe_names:
        return
    counts: Counter[int] = Counter()
    for example in corpus(nlp):
        counts.update(example.predicted.to_array(ORTH).tolist())
    orths = np.array(list(counts), dtype=np.uint64)
    types = WordTypes(nlp.vocab, orths, np.empty(0, dtype=np.int64), [])
    for layer in layers:
        fill(layer, types, list(counts.values()))


def fill(layer: Model, types: WordTypes, counts: list[int]) -> None:
    """Give the rows of a layer to the most frequent of its features' values.

    layer (Model): The layer `word_char_embed`.
    types (WordTypes): The words.
    counts (list[int]): How often each is met.
    """
    keys = layer.attrs["settings"].features.keys(types, types.strings())
    for name, table in tables_of(layer).items():
        frequencies: Counter[int] = Counter()
        for key, count in zip(keys[name], counts, strict=True):
            frequencies[key] += count
        table.add(key for key, _ in frequencies.most_common())
    shim_of(layer).changed()


def fill_pretrained(layer: Model, vectors: Vectors, *, name: str | Path) -> None:
    """Give a layer pretrained vectors.

    layer (Model): The layer `word_char_embed`.
    vectors (Vectors): The vectors.
    name (Union[str, Path]): What to call them in an error.
    RAISES (ValueError): If they are not what the layer was built for.
    """
    tables = tables_of(layer)
    if "pretrained" not in tables:
        raise ValueError(Errors.D021.format(name=name))
    table = cast(PretrainedEmbedding, tables["pretrained"])
    rows = dict(islice(vectors.key2row.items(), table.capacity))
    if not rows or vectors.shape[1] != table.width:
        raise ValueError(Errors.D022.format(name=name, shape=vectors.shape, width=table.width))
    data = to_numpy(vectors.data)[list(rows.values())]
    largest, allowed = abs(data).max(), np.finfo(np.float16).max
    if not largest <= allowed:
        raise ValueError(Errors.D023.format(name=name, value=largest, allowed=allowed))
    keys = np.array(list(rows), dtype=np.uint64).astype(np.int64)
    table.fill(keys.tolist(), torch.from_numpy(data.astype(np.float16)))
    shim_of(layer).changed()
