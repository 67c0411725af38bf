"""The network of a trained pipeline once more, as most PyTorch taggers write it: with packed
sequences.
"""

from collections.abc import Callable
from itertools import zip_longest
from typing import Any, cast

import numpy as np
import torch
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import ArgsKwargs, Model, PyTorchShim, PyTorchWrapper_v2
from thinc.types import Floats2d
from thinc.util import torch2xp, xp2torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from spacy_lstm_tagger.models.features import FeatureSet, letters
from spacy_lstm_tagger.models.flat import FlatList, flatten
from spacy_lstm_tagger.models.shim import TorchShim
from spacy_lstm_tagger.models.word_types import WordTypes
from spacy_lstm_tagger.nn.embedding import WordEmbedding
from spacy_lstm_tagger.nn.lstm import BucketedLSTM
from spacy_lstm_tagger.nn.vocabulary import EmbeddingTable
from spacy_lstm_tagger.taggers import layers_of


class PackedWordCharLSTM(nn.Module):
    """Words and their letters to one vector a token. Starts with the weights of the modules given,
    which it shares nothing with.

    words (WordEmbedding): The word layer, with a character LSTM.
    sentence (BucketedLSTM): The sentence LSTM.
    """

    def __init__(self, words: WordEmbedding, sentence: BucketedLSTM):
        super().__init__()
        letters = words.characters
        if letters is None:
            raise ValueError("The pipeline has no character LSTM, so there is nothing to compare.")
        self.tables = nn.ModuleList(plain_embedding(table) for table in words.tables.values())
        self.letters = plain_embedding(letters.embedding)
        self.characters = plain_lstm(letters.forward_lstm, letters.backward_lstm)
        self.queries = None
        if letters.queries is not None:
            self.queries = nn.Parameter(letters.queries.detach().clone())
        self.projection: nn.Module = nn.Identity()
        if words.projection is not None:
            self.projection = nn.Linear(words.projection.in_features, words.projection.out_features)
            self.projection.load_state_dict(words.projection.state_dict())
        layers = zip_longest(sentence.forward_lstms, sentence.backward_lstms)
        self.sentence = nn.ModuleList(plain_lstm(*layer) for layer in layers)
        self.all_layers = sentence.all_layers
        self.n_directions = 2 if sentence.backward_lstms else 1
        self.adds = sentence.merge == "sum" and bool(sentence.backward_lstms)

    def forward(
        self,
        features: Tensor,
        letter_rows: Tensor,
        word_lengths: list[int],
        tokens: Tensor,
        doc_lengths: list[int],
        dropout: float = 0.0,
    ) -> Tensor:
        """Encode a batch.

        features (Tensor): The row of each feature. *Shape:* ``(features, words)``.
        letter_rows (Tensor): The characters, word after word. *Shape:* ``(letters,)``.
        word_lengths (list[int]): The number of letters of each distinct word.
        tokens (Tensor): The word of each token. *Shape:* ``(tokens,)``.
        doc_lengths (list[int]): The number of tokens of each doc.
        dropout (float): Dropout on words, and on what goes into and out of the sentence LSTM.
        RETURNS (Tensor): *Shape:* ``(tokens, width)``.
        """
        states, (h, _) = self.characters(pack(self.letters(letter_rows), word_lengths))
        parts = [table(rows) for table, rows in zip(self.tables, features, strict=True)]
        parts += list(h)  # (words, char_hidden_width) each
        if self.queries is not None:
            padded, lengths = pad_packed_sequence(states)  # (time, words, directions * hidden)
            padding = torch.arange(len(padded))[:, None] >= lengths
            parts += attend(padded, self.queries, padding.to(padded.device))
        x = nn.functional.dropout(torch.cat(parts, dim=-1), dropout)
        x = self.projection(x).index_select(0, tokens)  # (tokens, embed_width)
        x = nn.functional.dropout(x, dropout)
        layers: list[tuple[Tensor, ...]] = []
        y = inputs = pack(x, doc_lengths)
        for depth, lstm in enumerate(self.sentence):
            if depth:
                data = torch.add(*y.data.chunk(2, dim=-1)) if self.adds else y.data
                inputs = y._replace(data=nn.functional.dropout(data, dropout))
            y, _ = lstm(inputs)
            layers.append(y.data.chunk(self.n_directions, dim=-1))
        if self.all_layers:
            # First all layers' states of one direction, then of the other.
            directions = [torch.cat(each, dim=-1) for each in zip(*layers, strict=True)]
            y = y._replace(data=torch.cat(directions, dim=-1))
        padded, lengths = pad_packed_sequence(y, batch_first=True)  # (docs, time, width)
        inside = torch.arange(padded.shape[1]) < lengths.unsqueeze(1)
        return nn.functional.dropout(padded[inside.to(padded.device)], dropout)


def pack(flat: Tensor, lengths: list[int]) -> nn.utils.rnn.PackedSequence:
    """RETURNS (PackedSequence): The sequences that lie one after the other in a tensor."""
    lengths = [length for length in lengths if length]
    padded = pad_sequence(flat.split(lengths), batch_first=True)
    return pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)


def attend(states: Tensor, queries: Tensor, padding: Tensor) -> list[Tensor]:
    """RETURNS (list[Tensor]): Of each direction, the weighted mean of the states of each word."""
    means = []
    for h, query in zip(states.chunk(len(queries), dim=-1), queries, strict=True):
        weights = (h @ query).masked_fill(padding, -torch.inf).softmax(0)  # (time, words)
        means.append((weights[..., None] * h).sum(0))
    return means


def plain_embedding(table: EmbeddingTable) -> nn.Embedding:
    """RETURNS (nn.Embedding): The rows of a vocabulary. Row 0 is the unknown symbol's."""
    return nn.Embedding.from_pretrained((table.unknown + table.weight).detach(), freeze=False)


def plain_lstm(forward: nn.Module, backward: nn.Module | None) -> nn.LSTM:
    """RETURNS (nn.LSTM): A layer of one direction each as a single module."""
    first = cast(nn.LSTM, forward)
    lstm = nn.LSTM(
        first.input_size, first.hidden_size, bidirectional=backward is not None, batch_first=True
    )
    state = dict(first.state_dict())
    if backward is not None:
        state |= {f"{name}_reverse": weight for name, weight in backward.state_dict().items()}
    lstm.load_state_dict(state)
    return lstm.to(next(first.parameters()).device)


def find_modules(nlp: Language) -> tuple[Model, WordEmbedding, BucketedLSTM]:
    """Find the parts of a trained pipeline.

    RETURNS (tuple): The Thinc layer of the words, its module, and the sentence LSTM.
    RAISES (ValueError): If the pipeline does not have both.
    """
    shims = [
        (node, shim)
        for node in layers_of(nlp)
        for shim in node.shims
        if isinstance(shim, TorchShim)
    ]
    modules = [(node, shim.module) for node, shim in shims]
    words = [(node, module) for node, module in modules if isinstance(module, WordEmbedding)]
    sentences = [module for _, module in modules if isinstance(module, BucketedLSTM)]
    if not words or not sentences:
        raise ValueError(f"No word + character LSTM in the pipeline {nlp.pipe_names}.")
    return (*words[0], sentences[0])


def pack_pipeline(nlp: Language) -> Language:
    """Put the packed network in the place of the pipeline's own, keeping the output layer.

    nlp (Language): The trained pipeline, which is changed in place.
    RETURNS (Language): The pipeline.
    """
    embed, words, sentence = find_modules(nlp)
    if embed.layers:
        raise ValueError("The packed network knows no static vectors.")
    features: FeatureSet = embed.attrs["settings"].features
    char_max_length: int = embed.attrs["settings"].char_max_length
    alphabet = cast(Any, words.characters).embedding

    def convert_inputs(
        model: Model, docs: list[Doc], is_train: bool
    ) -> tuple[ArgsKwargs, Callable]:
        types = WordTypes.of(docs)
        strings = types.strings()
        keys = features.keys(types, strings)
        rows = [table.lookup(keys[name]) for name, table in words.tables.items()]
        points, word_lengths = letters(strings, max_length=char_max_length)
        distinct, where = np.unique(points, return_inverse=True)
        letter_rows = np.array(alphabet.lookup(distinct.tolist()))[where]
        device = cast(PyTorchShim, model.shims[0]).device
        args = (
            torch.tensor(rows).to(device),
            torch.from_numpy(letter_rows).to(device),
            word_lengths,
            torch.from_numpy(types.tokens).to(device),
            types.lengths,
            model.attrs["dropout_rate"] if is_train else 0.0,
        )
        return ArgsKwargs(args, {}), lambda _: []

    def convert_outputs(
        model: Model, inputs_outputs: tuple[list[Doc], Tensor], is_train: bool
    ) -> tuple[list[Floats2d], Callable]:
        docs, y = inputs_outputs

        def backprop(d_docs: list[Floats2d]) -> ArgsKwargs:
            d_y = xp2torch(flatten(model.ops, d_docs), device=y.device)
            return ArgsKwargs(((y,),), {"grad_tensors": (d_y,)})

        return FlatList(cast(Floats2d, torch2xp(y)), map(len, docs)), backprop

    packed = PyTorchWrapper_v2(PackedWordCharLSTM(words, sentence), convert_inputs, convert_outputs)
    packed.set_dim("nO", sentence.output_width)
    packed.attrs["dropout_rate"] = 0.0
    model = cast(Any, nlp.get_pipe("lstm_tagger")).model
    model.replace_node(model.get_ref("tok2vec"), packed)
    return nlp
