"""The tagger model: token vectors, then the scores of their tags."""

from collections.abc import Callable

from spacy.tokens import Doc
from thinc.api import Model, chain
from thinc.layers.chain import forward as forward_chain
from thinc.layers.chain import init as init_chain
from thinc.types import Floats2d
from torch import Tensor

from ..nn.affine import affine_map
from .crf_output import forward as forward_crf
from .flat import as_tensor, no_gradient
from .lstm_encoder import forward as forward_encoder
from .lstm_encoder import predict
from .softmax_output import forward as forward_softmax
from .threads import on_our_threads
from .word_char_embed import forward as forward_embedding
from .word_char_embed import lookup

# What the token vectors and their two layers do where they need not be run one by one.
STEPS = [forward_chain, forward_embedding, forward_encoder]


def tagger(
    tok2vec: Model[list[Doc], list[Floats2d]], output: Model[list[Floats2d], list[Floats2d]]
) -> Model[list[Doc], list[Floats2d]]:
    """Chain token vectors and an output layer.

    When tagging, our embedding layer and encoder do not hand on what they know of all tokens of a
    batch: a bucket's vectors are looked up where they are read, and its scores computed where its
    states are still in a CPU's cache. In long batches that saves a fifth of the time.

    tok2vec (Model[List[Doc], List[Floats2d]]): The token vectors.
    output (Model[List[Floats2d], List[Floats2d]]): The output layer, `softmax_output` or
        `crf_output`.
    RETURNS (Model[List[Doc], List[Floats2d]]): The model.
    """
    chained: Model[list[Doc], list[Floats2d]] = chain(tok2vec, output)
    return Model(
        chained.name,
        forward,
        init=init_chain,
        dims={name: chained.maybe_get_dim(name) for name in chained.dim_names},
        layers=chained.layers,
        refs={"tok2vec": tok2vec},
    )


@on_our_threads
def forward(
    model: Model[list[Doc], list[Floats2d]], docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable]:
    """Score a batch of docs.

    docs (List[Doc]): The docs.
    RETURNS (tuple): The output layer's scores, one array a doc, *shape:* ``(tokens, nO)``, and the
        callback.
    """
    tok2vec, output = model.layers
    # Anybody may wrap a layer, or have a model of their own with these two in it.
    steps = [node._func for node in (tok2vec, *tok2vec.layers)]
    fused = steps == STEPS and output._func in (forward_softmax, forward_crf)
    if is_train or not fused or not any(map(len, docs)):
        return forward_chain(model, docs, is_train)
    head = affine_of(output.layers[0] if output.layers else output)
    embed, encode = tok2vec.layers
    table, rows, lengths = lookup(embed, docs)
    return predict(encode, table, lengths, rows=rows, head=head), no_gradient


def affine_of(layer: Model) -> Callable[[Tensor], Tensor]:
    """RETURNS (Callable): The affine map of an output layer, for tensors of states.
    *Shapes:* ``(cells, nI)`` to ``(cells, nO)``.
    """
    weights, bias = as_tensor(layer.get_param("W")), as_tensor(layer.get_param("b"))
    return lambda states: affine_map(states.float(), weights, bias)
