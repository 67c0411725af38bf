"""The output layer: token vectors to tag scores."""

from collections.abc import Callable, Sequence
from typing import cast

from thinc.api import Model, Softmax_v2, glorot_uniform_init
from thinc.types import Floats1d, Floats2d

from .flat import FlatList, affine, first_rows, flatten, no_gradient
from .threads import on_our_threads


def softmax_output(nO: int | None = None, nI: int | None = None) -> Model:
    """The affine map and softmax over a batch of docs at once.

    In training the scores are probabilities, and the gradient given back is taken for that of the
    logits, as spaCy's loss provides it. In prediction they are logits, whose argmax is the same.

    nO (Optional[int]): The number of tags.
    nI (Optional[int]): The width of the token vectors.
    RETURNS (Model[List[Floats2d], List[Floats2d]]): The layer. Its only sublayer is the softmax.
    """
    softmax = Softmax_v2(nO, nI, init_W=glorot_uniform_init, normalize_outputs=False)
    return Model("softmax_output", forward, init=init, layers=[softmax], dims={"nO": nO, "nI": nI})


@on_our_threads
def forward(
    model: Model[list[Floats2d], list[Floats2d]], X: Sequence[Floats2d], is_train: bool
) -> tuple[list[Floats2d], Callable]:
    """Score a batch of docs.

    X (Sequence[Floats2d]): One array a doc. *Shape:* ``(tokens, nI)``.
    RETURNS (tuple): One array a doc, *shape:* ``(tokens, nO)``, and the callback.
    """
    lengths = [len(x) for x in X]
    softmax = model.layers[0]
    if not is_train:
        # The same as the softmax layer's own prediction, but three times as fast on a CPU.
        W, b = cast(Floats2d, softmax.get_param("W")), cast(Floats1d, softmax.get_param("b"))
        return FlatList(affine(flatten(model.ops, X), W, b), lengths), no_gradient
    Y, backprop_flat = softmax(flatten(model.ops, X), is_train)

    def backprop(dY: Sequence[Floats2d]) -> list[Floats2d]:
        return FlatList(backprop_flat(flatten(model.ops, dY)), lengths)

    return FlatList(Y, lengths), backprop


def init(
    model: Model[list[Floats2d], list[Floats2d]],
    X: Sequence[Floats2d] | None = None,
    Y: Sequence[Floats2d] | None = None,
) -> None:
    """Infer the sizes."""
    softmax = model.layers[0]
    softmax.initialize(X=first_rows(X), Y=first_rows(Y))
    for name in ("nI", "nO"):
        model.set_dim(name, softmax.get_dim(name))
