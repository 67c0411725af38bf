"""What the teacher's config needs beside spaCy: `--code scripts/teacher.py`."""

from pathlib import Path
from typing import Any

import spacy
import torch
from thinc.api import Model
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from transformers import PreTrainedModel

# Only one file can be given to `--code`.
spacy.util.import_file("tokenizer", Path(__file__).with_name("tokenizer.py"))

# The transformer, wherever spacy-transformers keeps it, works in bf16, which is faster on a CPU
# that has units for it.
_entered: list[torch.autocast] = []


def _enter(module: torch.nn.Module, args: Any) -> None:
    if isinstance(module, PreTrainedModel):
        _entered.append(torch.autocast("cpu", dtype=torch.bfloat16))
        _entered[-1].__enter__()


def _leave(module: torch.nn.Module, args: Any, output: Any) -> Any:
    if not isinstance(module, PreTrainedModel):
        return None
    _entered.pop().__exit__(None, None, None)
    return type(output)(**{name: tensor.float() for name, tensor in output.items()})


register_module_forward_pre_hook(_enter)
register_module_forward_hook(_leave)


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
