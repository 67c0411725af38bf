"""The architectures that a config names."""

import contextlib
from collections.abc import Iterator, Sequence

from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d
from torch.random import fork_rng

from ..checks import (
    check,
    check_choice,
    check_not_negative,
    check_positive,
    check_rate,
    check_size,
    is_integer,
)
from ..nn.characters import CharacterLSTM
from ..nn.embedding import WordEmbedding
from ..nn.lstm import BucketedLSTM
from ..nn.vocabulary import VocabularyEmbedding
from .crf_output import crf_output
from .features import FeatureSet
from .lstm_encoder import EncoderSettings, lstm_encoder
from .softmax_output import softmax_output
from .tagger import tagger
from .threads import our_threads
from .word_char_embed import EmbedSettings, word_char_embed

# Beyond what a pipeline could want: memory is not allocated for a slip of the keyboard. A table
# has so many values at most, which are 4 GB.
MAX_WIDTH, MAX_ROWS, MAX_DEPTH, MAX_VALUES = 8192, 10_000_000, 64, 10**9


@registry.architectures("spacy-lstm-tagger.WordCharEmbed.v1")
def build_word_char_embed(
    *,
    width: int | None = 96,
    word_width: int = 100,
    word_rows: int = 20000,
    word_dropout: float = 0.3,
    characters: bool = True,
    char_width: int = 32,
    char_rows: int = 5000,
    char_hidden_width: int = 64,
    char_bidirectional: bool = True,
    char_attention: bool = False,
    char_lm_weight: float = 0.0,
    char_max_length: int = 64,
    lower: bool = True,
    prefixes: Sequence[int] = (3,),
    suffixes: Sequence[int] = (2, 3),
    shape: bool = True,
    feature_width: int = 32,
    feature_rows: int = 10000,
    pretrained_width: int | None = None,
    pretrained_rows: int = 100000,
    include_static_vectors: bool = False,
    dropout: float | None = None,
    precision: str = "fp32",
    cache_size: int = 50000,
) -> Model[list[Doc], list[Floats2d]]:
    """Build an embedding layer that reads each word both as a whole and letter by letter.

    The vector of each distinct word is made of a learned embedding of the word, the final states
    of a character LSTM, and embeddings of further features of its form. Words that training never
    saw are known as unknown: the layer fills its vocabulary while it trains and saves it with the
    model.

    width (Optional[int]): Width of the output, to which the parts are projected, once for each
        distinct word. None: the parts are concatenated as they are.
    word_width (int): Width of the embedding of a word.
    word_rows (int): How many words get a row, first come first served. Later ones stay unknown.
    word_dropout (float): The chance of a word (and of each other feature) to be taken for unknown
        in training, so that the unknown vector learns.
    characters (bool): Whether to read the word letter by letter.
    char_width (int): Width of the embedding of a character.
    char_rows (int): How many characters get a row.
    char_hidden_width (int): Width of the character LSTM, in each direction.
    char_bidirectional (bool): Whether to read the letters in both directions.
    char_attention (bool): Whether to add, for each direction, a weighted mean of the states after
        each letter to the final state.
    char_lm_weight (float): How much the loss of a character language model counts in training: the
        character LSTM guesses each word's next letter. 0: not at all.
    char_max_length (int): A longer word is read as its first and its last half as many
        characters.
    lower (bool): Whether to embed the lower-cased word.
    prefixes (Sequence[int]): Lengths of the prefixes to embed.
    suffixes (Sequence[int]): Lengths of the suffixes to embed.
    shape (bool): Whether to embed the shape of the word ("Xxxxx", "dd").
    feature_width (int): Width of the embedding of each of these features.
    feature_rows (int): How many different values of each get a row.
    pretrained_width (Optional[int]): Width of pretrained vectors of lower-cased words, which become
        a part of the model and are not trained. `FillVocabulary.v1` brings them. None: no such.
    pretrained_rows (int): How many of them are kept at most.
    include_static_vectors (bool): Whether to add a projection of the pipeline's static vectors.
    dropout (Optional[float]): Dropout on the parts. None: the rate of `[training] dropout`.
    precision (str): "fp32", or "bf16" or "fp16" for mixed precision on a GPU; "bf16" also
        tags in bfloat16 on a CPU that computes in it.
    cache_size (int): How many distinct words' vectors are kept between batches when tagging.
    RETURNS (Model[List[Doc], List[Floats2d]]): The layer.
    RAISES (ValueError): If a value is out of range.
    """
    check_size(MAX_WIDTH, width=width, char_hidden_width=char_hidden_width)
    check_tables(
        word=(word_width, word_rows),
        char=(char_width, char_rows),
        feature=(feature_width, feature_rows),
        pretrained=(pretrained_width, pretrained_rows),
    )
    check_positive(**{f"prefixes[{i}]": n for i, n in enumerate(prefixes)})
    check_positive(**{f"suffixes[{i}]": n for i, n in enumerate(suffixes)})
    check_rate(word_dropout=word_dropout, dropout=dropout)
    check_not_negative(char_lm_weight=char_lm_weight, cache_size=cache_size)
    check(is_integer(char_max_length, 2), "char_max_length", char_max_length, "2 or more")
    holds = width is not None or not include_static_vectors
    check(holds, "width", width, "a number with include_static_vectors = true")
    features = FeatureSet(
        lower=lower,
        prefixes=tuple(dict.fromkeys(prefixes)),
        suffixes=tuple(dict.fromkeys(suffixes)),
        shape=shape,
        pretrained=pretrained_width is not None,
    )
    tables = dict.fromkeys(features.names, (feature_width, feature_rows))
    tables["word"] = (word_width, word_rows)
    with apart():
        module = WordEmbedding(
            features=tables,
            pretrained=None if pretrained_width is None else (pretrained_width, pretrained_rows),
            characters=CharacterLSTM(
                embedding=VocabularyEmbedding(width=char_width, capacity=char_rows),
                hidden_width=char_hidden_width,
                bidirectional=char_bidirectional,
                attention=char_attention,
                lm_weight=char_lm_weight,
            )
            if characters
            else None,
            width=width,
        )
        return word_char_embed(
            module,
            EmbedSettings(
                features=features,
                dropout=dropout,
                word_dropout=word_dropout,
                char_max_length=char_max_length,
            ),
            static_vectors=include_static_vectors,
            cache_size=cache_size,
            precision=precision,
        )


@registry.architectures("spacy-lstm-tagger.LSTMEncoder.v1")
def build_lstm_encoder(
    *,
    width: int = 256,
    input_width: int = 96,
    depth: int = 2,
    bidirectional: bool = True,
    merge: str = "sum",
    last_width: int | None = 96,
    all_layers: bool = True,
    dropout: float | None = None,
    max_batch_items: int = 16384,
    window: int = 256,
    context: int = 16,
    lm_weight: float = 0.1,
    precision: str = "fp32",
) -> Model[list[Floats2d], list[Floats2d]]:
    """Build an encoding layer of stacked LSTMs. A doc's vectors never depend on the docs beside it.

    width (int): Width of a layer: of both directions together if there are two.
    input_width (int): Width of the embedding layer.
    depth (int): Number of layers.
    bidirectional (bool): Whether to read in both directions.
    merge (str): How the two directions enter the next layer: "concat", one after the other, or
        "sum", added, which is faster.
    last_width (Optional[int]): Width of the last of several layers, likewise. None: the same as
        `width`.
    all_layers (bool): Whether the output is that of all layers, side by side, rather than that of
        the last one.
    dropout (Optional[float]): Variational dropout on the input and behind each layer. None: the
        rate of `[training] dropout`.
    max_batch_items (int): How many tokens are run at a time, padding included: on a CPU 4,096 at
        most. Bounds memory.
    window (int): A doc that is longer is read in windows of at most this many tokens, side by
        side, so that long docs cost little more a token than short ones. 0: in one go.
    context (int): How many tokens a window reads beyond each of its ends.
    lm_weight (float): How much it counts in training that the first layer guesses the words
        beside each word. 0: not at all.
    precision (str): "fp32", or "bf16" or "fp16" for mixed precision on a GPU; "bf16" also
        tags in bfloat16 on a CPU that computes in it.
    RETURNS (Model[List[Floats2d], List[Floats2d]]): The layer.
    RAISES (ValueError): If a value is out of range.
    """
    check_size(MAX_WIDTH, width=width, input_width=input_width, last_width=last_width)
    check_size(MAX_DEPTH, depth=depth)
    check_positive(max_batch_items=max_batch_items)
    check_rate(dropout=dropout)
    check_not_negative(window=window, context=context, lm_weight=lm_weight)
    check_choice("merge", merge, ("concat", "sum"))
    n_directions = 2 if bidirectional else 1
    even = "even, since half of it goes to each direction"
    check(width % n_directions == 0, "width", width, even)
    if last_width is not None:
        check(last_width % n_directions == 0, "last_width", last_width, even)
    with apart():
        module = BucketedLSTM(
            input_width=input_width,
            hidden_width=width // n_directions,
            depth=depth,
            bidirectional=bidirectional,
            merge=merge,
            last_width=last_width // n_directions if last_width and depth > 1 else None,
            all_layers=all_layers,
            lm_weight=lm_weight,
        )
        return lstm_encoder(
            module,
            EncoderSettings(
                dropout=dropout, max_batch_items=max_batch_items, window=window, context=context
            ),
            precision=precision,
        )


@registry.architectures("spacy-lstm-tagger.Tagger.v1")
def build_tagger(
    *, tok2vec: Model[list[Doc], list[Floats2d]], nO: int | None = None
) -> Model[list[Doc], list[Floats2d]]:
    """Build a tagger model for the `lstm_tagger` or the stock `tagger` factory: an affine map and
    softmax on top of token vectors.

    tok2vec (Model[List[Doc], List[Floats2d]]): The token vectors: the word + character LSTM, a
        listener to a shared one, or any other.
    nO (Optional[int]): The number of tags. None: inferred from the data.
    RETURNS (Model[List[Doc], List[Floats2d]]): The model.
    """
    check_size(MAX_ROWS, nO=nO)
    output = softmax_output(nO, tok2vec.maybe_get_dim("nO"))
    model = tagger(tok2vec, output)
    model.set_ref("softmax", output.layers[0])
    model.set_ref("output_layer", output.layers[0])
    return model


@registry.architectures("spacy-lstm-tagger.CRFTagger.v1")
def build_crf_tagger(
    *, tok2vec: Model[list[Doc], list[Floats2d]], nO: int | None = None
) -> Model[list[Doc], list[Floats2d]]:
    """Build a tagger model for the `lstm_tagger` factory that scores whole tag sequences: a
    linear-chain CRF on top of token vectors. The `lstm_tagger` trains it on the exact likelihood
    and decodes it with the Viterbi algorithm.

    tok2vec (Model[List[Doc], List[Floats2d]]): The token vectors, as in `build_tagger`.
    nO (Optional[int]): The number of tags. None: inferred from the data.
    RETURNS (Model[List[Doc], List[Floats2d]]): The model. Its scores are the emissions.
    """
    check_size(MAX_ROWS, nO=nO)
    output = crf_output(nO, tok2vec.maybe_get_dim("nO"))
    model = tagger(tok2vec, output)
    model.set_ref("crf", output)
    model.set_ref("output_layer", output)
    return model


def check_tables(**tables: tuple[int | None, int]) -> None:
    """Check the width and the rows of embedding tables.

    RAISES (ValueError): If they are out of range, or are so together.
    """
    for name, (width, rows) in tables.items():
        check_size(MAX_WIDTH, **{f"{name}_width": width})
        check_size(MAX_ROWS, **{f"{name}_rows": rows})
        most = MAX_VALUES // (width or 1)
        check(rows <= most, f"{name}_rows", rows, f"{most} or less with vectors {width} wide")


@contextlib.contextmanager
def apart() -> Iterator[None]:
    """Make a module on our threads, and without taking from the program's random numbers: as with
    spaCy's own layers it is `initialize` that draws weights.
    """
    with our_threads(), fork_rng(devices=[]):
        yield
