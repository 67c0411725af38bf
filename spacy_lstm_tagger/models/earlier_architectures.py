"""Architectures that a later version goes beyond. Their signatures never change: each hands what it
is given, and nothing else, on to the later one.
"""

from collections.abc import Sequence

from spacy.ml.models.tok2vec import build_Tok2Vec_model
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d

from .architectures import build_lstm_encoder_v3, build_word_char_embed_v2


@registry.architectures("spacy-lstm-tagger.WordCharEmbed.v1")
def build_word_char_embed(
    *,
    width: int | None = 128,
    word_width: int = 100,
    word_rows: int = 20000,
    word_dropout: float = 0.3,
    characters: bool = True,
    char_width: int = 32,
    char_rows: int = 1000,
    char_hidden_width: int = 64,
    char_bidirectional: bool = True,
    max_letters: int = 64,
    lower: bool = True,
    prefixes: Sequence[int] = (3,),
    suffixes: Sequence[int] = (2, 3),
    shape: bool = True,
    feature_width: int = 32,
    feature_rows: int = 10000,
    include_static_vectors: bool = False,
    dropout: float | None = None,
    precision: str = "fp32",
    cache_size: int = 50000,
) -> Model[list[Doc], list[Floats2d]]:
    """As `build_word_char_embed_v2`, without `char_attention` and `next_letter`."""
    return build_word_char_embed_v2(**locals())


@registry.architectures("spacy-lstm-tagger.LSTMEncoder.v1")
def build_lstm_encoder(
    *,
    width: int = 256,
    input_width: int | None = None,
    depth: int = 2,
    bidirectional: bool = True,
    merge: str = "concat",
    dropout: float | None = None,
    max_cells: int = 16384,
    window: int = 256,
    context: int = 16,
    precision: str = "fp32",
) -> Model[list[Floats2d], list[Floats2d]]:
    """As `build_lstm_encoder_v2`, without `neighbours`."""
    return build_lstm_encoder_v2(**locals())


@registry.architectures("spacy-lstm-tagger.LSTMEncoder.v2")
def build_lstm_encoder_v2(
    *,
    width: int = 256,
    input_width: int | None = None,
    depth: int = 2,
    bidirectional: bool = True,
    merge: str = "concat",
    dropout: float | None = None,
    max_cells: int = 16384,
    window: int = 256,
    context: int = 16,
    neighbours: float = 0.0,
    precision: str = "fp32",
) -> Model[list[Floats2d], list[Floats2d]]:
    """As `build_lstm_encoder_v3`, without `last_width` and `all_layers`."""
    return build_lstm_encoder_v3(**locals())


@registry.architectures("spacy-lstm-tagger.WordCharLSTM.v1")
def build_word_char_lstm(
    *,
    width: int = 256,
    depth: int = 2,
    bidirectional: bool = True,
    merge: str = "concat",
    embed_width: int | None = 128,
    word_width: int = 100,
    word_rows: int = 20000,
    word_dropout: float = 0.3,
    characters: bool = True,
    char_width: int = 32,
    char_rows: int = 1000,
    char_hidden_width: int = 64,
    char_bidirectional: bool = True,
    max_letters: int = 64,
    lower: bool = True,
    prefixes: Sequence[int] = (3,),
    suffixes: Sequence[int] = (2, 3),
    shape: bool = True,
    feature_width: int = 32,
    feature_rows: int = 10000,
    include_static_vectors: bool = False,
    dropout: float | None = None,
    precision: str = "fp32",
    max_cells: int = 16384,
    window: int = 256,
    context: int = 16,
    cache_size: int = 50000,
) -> Model[list[Doc], list[Floats2d]]:
    """Build the word + character LSTM for a `tok2vec` slot: `WordCharEmbed` and `LSTMEncoder` in
    one. `embed_width` is the `width` of the first, `width` that of the second; `dropout` and
    `precision` hold for both.

    RETURNS (Model[List[Doc], List[Floats2d]]): The layer.
    RAISES (ValueError): If a value is out of range.
    """
    embed = build_word_char_embed(
        width=embed_width,
        word_width=word_width,
        word_rows=word_rows,
        word_dropout=word_dropout,
        characters=characters,
        char_width=char_width,
        char_rows=char_rows,
        char_hidden_width=char_hidden_width,
        char_bidirectional=char_bidirectional,
        max_letters=max_letters,
        lower=lower,
        prefixes=prefixes,
        suffixes=suffixes,
        shape=shape,
        feature_width=feature_width,
        feature_rows=feature_rows,
        include_static_vectors=include_static_vectors,
        dropout=dropout,
        precision=precision,
        cache_size=cache_size,
    )
    encode = build_lstm_encoder(
        width=width,
        input_width=embed.get_dim("nO"),
        depth=depth,
        bidirectional=bidirectional,
        merge=merge,
        dropout=dropout,
        max_cells=max_cells,
        window=window,
        context=context,
        precision=precision,
    )
    return build_Tok2Vec_model(embed=embed, encode=encode)
