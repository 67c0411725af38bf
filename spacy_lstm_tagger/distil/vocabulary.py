"""Give a model's rows to the words that are met most often, rather than to those met first."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import cast

import numpy as np
from spacy.attrs import ORTH
from spacy.language import Language
from spacy.training import Example
from spacy.util import registry
from thinc.api import Model

from ..errors import Errors
from ..models.shim import TorchShim
from ..models.word_char_embed import NAME as EMBEDDING
from ..models.word_types import WordTypes
from ..nn.embedding import WordEmbedding
from ..nn.vocabulary import VocabularyEmbedding
from ..taggers import layers_of


@registry.callbacks("spacy-lstm-tagger.FillVocabulary.v1")
def create_vocabulary_filler(
    *, corpus: Callable[[Language], Iterable[Example]]
) -> Callable[[Language], None]:
    """Create a callback for `[initialize] after_init`, which reads a corpus once and fills the
    vocabularies of `WordCharEmbed`: of words and each other feature those that are met most often
    get a row. Without it rows go to what training meets first, which in much silver text is a
    matter of chance.

    corpus (Callable[[Language], Iterable[Example]]): The corpus, such as ${corpora.train}.
    RETURNS (Callable[[Language], None]): The callback.
    """
    return VocabularyFiller(corpus)


class VocabularyFiller:
    """The callback of `create_vocabulary_filler`.

    corpus (Callable[[Language], Iterable[Example]]): The corpus.
    """

    def __init__(self, corpus: Callable[[Language], Iterable[Example]]):
        self.corpus = corpus

    def __call__(self, nlp: Language) -> None:
        """Fill the vocabularies of a pipeline, unless all of its components are disabled: so it is
        in `spacy pretrain`, where the rows are for the words of the raw text.

        nlp (Language): The pipeline, initialized but not trained.
        RAISES (ValueError): If it has no such layer.
        """
        if nlp.component_names and not nlp.pipe_names:
            return
        layers = [node for node in layers_of(nlp) if node.name == EMBEDDING]
        if not layers:
            raise ValueError(Errors.D010)
        counts: Counter[int] = Counter()
        for example in self.corpus(nlp):
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
    module = cast(WordEmbedding, cast(TorchShim, layer.shims[0]).module)
    columns = layer.attrs["settings"].features.keys(types, types.strings())
    tables = cast(Iterable[VocabularyEmbedding], module.tables.values())
    for table, column in zip(tables, columns, strict=True):
        frequencies: Counter[int] = Counter()
        for key, count in zip(column, counts, strict=True):
            frequencies[key] += count
        table.add(key for key, _ in frequencies.most_common())
