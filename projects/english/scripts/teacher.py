"""What the teacher's config needs beside spaCy: `--code scripts/teacher.py`."""

from pathlib import Path
from typing import Any

import spacy
import torch
from thinc.api import Model

# Only one file can be given to `--code`.
spacy.util.import_file("tokenizer", Path(__file__).with_name("tokenizer.py"))

# Matrix products in bf16 where the CPU has units for them: half the time of a transformer.
torch.set_float32_matmul_precision("medium")


@spacy.registry.layers("english.no_gradient.v1")
def no_gradient(layer: Model) -> Model:
    """A listener that may stand beside other layers: to Docs no gradient goes back, where the
    listeners of spacy-transformers return None, which `concatenate` cannot add.
    """
    return Model("no_gradient", _forward, layers=[layer])


def _forward(model: Model, docs: Any, is_train: bool) -> tuple[Any, Any]:
    output, backprop = model.layers[0](docs, is_train)

    def without_result(gradient: Any) -> list:
        backprop(gradient)
        return []

    return output, without_result
