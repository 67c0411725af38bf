"""A tagger that gets its token vectors from a component before it: whether it can have them."""

from collections.abc import Sequence
from typing import Any

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.tokens import Doc
from thinc.api import Model

from ..errors import Errors

# The layer of spacy-transformers that listens, and where what it listens to leaves its vectors.
TRANSFORMER_LISTENER, VECTORS = "transformer-listener", "trf_data"
# What a layer of spacy-curated-transformers has as long as it listens.
CURATED_LISTENER = "_TRANSFORMER_LISTENER"


def listener_of(model: Model) -> Model | None:
    """RETURNS (Optional[Model]): The layer of a tagger model that listens to an encoder of another
    component or, anywhere in the model, to a transformer.
    """
    encoder = model.maybe_get_ref("tok2vec")
    if isinstance(encoder, Tok2VecListener):
        return encoder
    if not Doc.has_extension(VECTORS):  # then there can be no transformer
        return None
    return next((node for node in model.walk() if is_transformer_listener(node)), None)


def is_transformer_listener(layer: Model) -> bool:
    """RETURNS (bool): Whether a layer listens to a transformer."""
    return layer.name == TRANSFORMER_LISTENER or CURATED_LISTENER in layer.attrs


def encoder_name(listener: Model) -> str:
    """RETURNS (str): The name of the component that is listened to. "*" is any: in configs that
    spaCy writes there is one, of this name.
    """
    name = getattr(listener, "upstream_name", listener.attrs.get("_upstream_name", "*"))
    if name == "*":
        return "transformer" if is_transformer_listener(listener) else "tok2vec"
    return name


def check_listener(model: Model, name: str, nlp: Language) -> None:
    """Check whether what a tagger model listens to has vectors of the width that it expects.

    model (Model): The tagger model.
    name (str): The name of its component.
    nlp (Language): The pipeline.
    RAISES (ValueError): If they are of another one.
    """
    listener = listener_of(model)
    pipes: list[tuple[str, Any]] = nlp.components
    encoders = [each for each in pipes if listener in getattr(each[1], "listeners", ())]
    if listener is None or not encoders:
        return
    encoder, upstream = encoders[-1]
    expected, found = listener.maybe_get_dim("nO"), upstream.model.maybe_get_dim("nO")
    if None not in (expected, found) and found != expected:
        names = {"name": name, "encoder": encoder}
        raise ValueError(Errors.P017.format(**names, found=found, expected=expected))


def check_encoder(model: Model, name: str, docs: Sequence[Doc]) -> None:
    """Check whether what a tagger model listens to has run.

    model (Model): The tagger model.
    name (str): The name of its component.
    docs (Sequence[Doc]): The docs.
    RAISES (ValueError): If it has not run on them, or another component has in its place.
    """
    listener = listener_of(model)
    if listener is None:
        return
    docs = [doc for doc in docs if len(doc)]
    names = {"name": name, "encoder": encoder_name(listener)}
    if is_transformer_listener(listener):
        if any(getattr(doc._, VECTORS) is None for doc in docs):
            raise ValueError(Errors.P016.format(**names))
        return
    # What it listens to leaves its vectors with the docs.
    expected = listener.get_dim("nO")
    widths = (0 if doc.tensor is None else doc.tensor.shape[-1] for doc in docs)
    found = next((width for width in widths if width != expected), expected)
    if not found:
        raise ValueError(Errors.P016.format(**names))
    if found != expected:
        raise ValueError(Errors.P012.format(**names, found=found, expected=expected))
