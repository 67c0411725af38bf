"""What the tests on a GPU share: pipelines on one device or the other, and their weights."""

from contextlib import contextmanager

import numpy as np
from spacy.training.initialize import init_nlp
from spacy.util import load_config, load_model_from_config
from thinc.api import use_ops

from ..util import CONFIGS, CORPUS

PRECISIONS = ["fp32", "fp16", "bf16"]
# How far logits may be from those of the CPU. On a GPU fp32 is TensorFloat-32: 10 bits.
TOLERANCE = {"fp32": 5e-3, "fp16": 2e-2, "bf16": 0.1}


@contextmanager
def on(device):
    """What is made while the context lasts is on the "cpu" or the "gpu"."""
    with use_ops({"cpu": "numpy", "gpu": "cupy"}[device]):
        yield


def with_precision(name, precision):
    """RETURNS (dict): The override of a config's precision, in both halves of the network."""
    owner = "tok2vec.model" if name == "shared.cfg" else "lstm_tagger.model.tok2vec"
    return {f"components.{owner}.{half}.precision": precision for half in ("embed", "encode")}


def nlp_from(name, changes=()):
    """RETURNS (Language): The pipeline of a config, initialized from the embedded corpus, on the GPU."""
    paths = {f"paths.{split}": str(CORPUS / f"en-{split}.conllu") for split in ("train", "dev")}
    with on("gpu"):
        return init_nlp(
            load_config(CONFIGS / name, overrides={**paths, **dict(changes)}), use_gpu=0
        )


def copied(nlp, device):
    """RETURNS (Language): A copy on a device, by way of what is saved."""
    with on(device_of(nlp)):
        data = nlp.to_bytes()
    with on(device):
        return load_model_from_config(nlp.config).from_bytes(data)


def modules(nlp):
    """YIELDS (tuple): The name of each PyTorch module of a pipeline, and the module."""
    for name, pipe in nlp.pipeline:
        for node in pipe.model.walk():
            for shim in node.shims:
                yield f"{name} {node.name}", shim._model


def device_of(nlp):
    """RETURNS (str): Where all the weights are."""
    (found,) = {weight.device.type for _, each in modules(nlp) for weight in each.parameters()}
    return {"cpu": "cpu", "cuda": "gpu"}[found]


def assert_close(found, expected, atol):
    """Check two lists of arrays."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)
