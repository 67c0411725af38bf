"""What the config of the last training needs beside spaCy: `--code scripts/heads.py`."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import torch
from spacy.language import Language
from spacy.util import import_file, registry
from thinc.shims import PyTorchShim
from thinc.util import torch2xp, xp2torch
from torch import Tensor

from spacy_lstm_tagger.taggers import layers_of

# Only one file can be given to `--code`.
import_file("tokenizer", Path(__file__).with_name("tokenizer.py"))


@registry.callbacks("english.round_weights.v1")
def create_callback() -> Callable[[Language], Language]:
    """RETURNS (Callable[[Language], Language]): Rounds a pipeline's weights before it is saved."""
    return round_weights


@torch.no_grad()
def round_weights(nlp: Language) -> Language:
    """Round weights to bfloat16. They stay float32, but a wheel of them has half the size.

    nlp (Language): The pipeline.
    RETURNS (Language): The same.
    """
    for layer in layers_of(nlp):
        for shim in layer.shims:
            for weight in cast(PyTorchShim, shim)._model.parameters():
                weight.copy_(rounded(weight))
        for name in layer.param_names:
            if layer.has_param(name):
                layer.set_param(name, torch2xp(rounded(xp2torch(layer.get_param(name)))))
    return nlp


def rounded(weights: Tensor) -> Tensor:
    """RETURNS (Tensor): Weights rounded to bfloat16, as float32."""
    return weights.bfloat16().float()
