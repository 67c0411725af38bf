"""From a tagger model and docs to what its scores mean."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..nn.crf import LinearChainCRF
from ..nn.lattice import Lattice
from ..nn.transfer import send
from ..whitespace import word_lengths
from .crf_output import crf_of
from .flat import as_tensor, predict_flat
from .threads import on_our_threads

# Where single precision ends: a probability of 0 would exclude a tag.
TINY = 1.2e-38


@on_our_threads
def predict_lattice(model: Model[list[Doc], list[Floats2d]], docs: Sequence[Doc]) -> Lattice:
    """Score the tags of a batch of docs.

    model (Model[List[Doc], List[Floats2d]]): The tagger model. Without a ref to its `output_layer`
        its scores are taken for logits.
    docs (Sequence[Doc]): The docs.
    RETURNS (Lattice): The scores.
    """
    flat = predict_flat(model, list(docs))
    output = model.maybe_get_ref("output_layer")
    if output is not None and output.attrs.get("softmax_normalize"):  # as in spacy.Tagger.v1
        flat = model.ops.xp.log(model.ops.xp.maximum(flat, TINY))
    return Lattice(as_tensor(flat), [len(doc) for doc in docs], model_crf(model))


def of_words(lattice: Lattice, spaces: NDArray[np.bool_]) -> Lattice:
    """Leave white space out: sequences are those of words.

    lattice (Lattice): The scores of tokens.
    spaces (NDArray[np.bool_]): Which tokens are white space. *Shape:* ``(tokens,)``.
    RETURNS (Lattice): The scores of the others.
    """
    if not spaces.any():
        return lattice
    words = send((~spaces).nonzero()[0], lattice.emissions.device)
    lengths = word_lengths(lattice.lengths, spaces)
    return Lattice(lattice.emissions.index_select(0, words), lengths, lattice.crf)


def model_crf(model: Model) -> LinearChainCRF | None:
    """RETURNS (Optional[LinearChainCRF]): The CRF of a tagger model, if it has one."""
    return crf_of(model.get_ref("crf")) if model.has_ref("crf") else None
