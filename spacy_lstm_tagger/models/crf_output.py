"""The output layer of a CRF: token vectors to emissions, and the transitions between tags."""

from collections.abc import Callable, Iterable, Sequence
from typing import cast

from thinc.api import Model, glorot_uniform_init
from thinc.types import Floats1d, Floats2d, FloatsXd
from thinc.util import torch2xp

from ..errors import Errors
from ..nn.crf import LinearChainCRF
from .flat import FlatList, affine, as_tensor, first_rows, flatten
from .threads import on_our_threads

TRANSITIONS = ("transitions", "start", "end")


class CRFGradient(FlatList):
    """The gradient of emissions, and with it that of the transitions.

    flat (Floats2d): Of the emissions. *Shape:* ``(tokens, tags)``.
    lengths (Iterable[int]): The number of tokens of each doc.
    crf (LinearChainCRF): Of the transitions, in their places.
    """

    def __init__(self, flat: Floats2d, lengths: Iterable[int], crf: LinearChainCRF):
        super().__init__(flat, lengths)
        self.crf = crf


def crf_output(nO: int | None = None, nI: int | None = None) -> Model:
    """The affine map to emissions over a batch of docs at once, with the parameters of a CRF,
    which those who decode or train get from `crf_of`. The scores are logits, in training too.

    nO (Optional[int]): The number of tags.
    nI (Optional[int]): The width of the token vectors.
    RETURNS (Model[List[Floats2d], List[Floats2d]]): The layer.
    """
    return Model(
        "crf_output",
        forward,
        init=init,
        dims={"nO": nO, "nI": nI},
        params={"W": None, "b": None, **dict.fromkeys(TRANSITIONS)},
        attrs={"decoded": False},
    )


@on_our_threads
def forward(
    model: Model[list[Floats2d], list[Floats2d]], X: Sequence[Floats2d], is_train: bool
) -> tuple[list[Floats2d], Callable]:
    """Score a batch of docs.

    X (Sequence[Floats2d]): One array a doc. *Shape:* ``(tokens, nI)``.
    RETURNS (tuple): The emissions, one array a doc, *shape:* ``(tokens, nO)``, and the callback,
        which takes a `CRFGradient`, or a list of arrays if the transitions are to stay.
    """
    lengths = [len(x) for x in X]
    flat = flatten(model.ops, X)
    W, b = cast(Floats2d, model.get_param("W")), cast(Floats1d, model.get_param("b"))

    def backprop(dY: Sequence[Floats2d]) -> list[Floats2d]:
        d_flat = flatten(model.ops, dY)
        model.inc_grad("b", d_flat.sum(axis=0))
        model.inc_grad("W", model.ops.gemm(d_flat, flat, trans1=True))
        if isinstance(dY, CRFGradient):
            for name in TRANSITIONS:
                model.inc_grad(name, cast(FloatsXd, torch2xp(getattr(dY.crf, name))))
        return FlatList(model.ops.gemm(d_flat, W), lengths)

    return FlatList(affine(flat, W, b), lengths), backprop


def init(
    model: Model[list[Floats2d], list[Floats2d]],
    X: Sequence[Floats2d] | None = None,
    Y: Sequence[Floats2d] | None = None,
) -> None:
    """Infer the sizes. The transitions start at zero: the tags are independent at first.

    RAISES (ValueError): If the component that has the model knows no CRF.
    """
    if not model.attrs["decoded"]:
        raise ValueError(Errors.M004)
    for dim, data in (("nI", X), ("nO", Y)):
        rows = first_rows(data)
        if rows is not None and not model.has_dim(dim):
            model.set_dim(dim, rows.shape[1])
    nO, nI = model.get_dim("nO"), model.get_dim("nI")
    model.set_param("W", glorot_uniform_init(model.ops, (nO, nI)))
    model.set_param("b", model.ops.alloc1f(nO))
    model.set_param("transitions", model.ops.alloc2f(nO, nO))
    model.set_param("start", model.ops.alloc1f(nO))
    model.set_param("end", model.ops.alloc1f(nO))


def crf_of(model: Model) -> LinearChainCRF:
    """RETURNS (LinearChainCRF): The CRF of a `crf_output` layer, which shares its memory."""
    return LinearChainCRF(*(as_tensor(model.get_param(name)) for name in TRANSITIONS))
