"""Output layers that grow: more tags, without a change to what is known of the others."""

from thinc.api import Model
from thinc.types import FloatsXd

# The sizes of an output layer's parameters: nO is the number of tags.
PARAMETERS = {
    "W": ("nO", "nI"),
    "b": ("nO",),
    "transitions": ("nO", "nO"),
    "start": ("nO",),
    "end": ("nO",),
}


def can_resize(model: Model) -> bool:
    """RETURNS (bool): Whether the model has an output layer that can grow: a plain one, or ours."""
    layer = model.maybe_get_ref("output_layer")
    if layer is None:
        return False
    return not layer.layers and not layer.shims and set(layer.param_names) <= set(PARAMETERS)


def has_weights(model: Model) -> bool:
    """RETURNS (bool): Whether the output layer has been initialized or loaded."""
    layer = model.get_ref("output_layer")
    return any(layer.has_param(name) for name in layer.param_names)


def n_tags(model: Model) -> int | None:
    """RETURNS (Optional[int]): For how many tags the model has weights. None if it has none yet, or
    that is not known.
    """
    if not model.has_ref("output_layer") or not has_weights(model):
        return None
    return model.get_ref("output_layer").maybe_get_dim("nO")


def resize_output(model: Model, new_nO: int) -> Model:
    """Widen the output layer of a tagger model. The scores of the tags that are there stay the
    same; a new tag scores their mean, so that it is never the best one before it is trained, be it
    by itself or, in a CRF, in a sequence.

    model (Model): The tagger model, with a ref to its `output_layer`.
    new_nO (int): The number of tags.
    RETURNS (Model): The model.
    """
    layer = model.get_ref("output_layer")
    params = {name: layer.get_param(name) for name in layer.param_names if layer.has_param(name)}
    forget_size(model)
    for node in model.walk():
        if layer in node.walk() and node.has_dim("nO") is None:
            node.set_dim("nO", new_nO)
    # The optimizer's state of these weights has their old sizes, so it must not know them again.
    with Model.global_id_lock:
        Model.global_id += 1
        layer.id = Model.global_id
    for name, value in params.items():
        for axis, size in enumerate(PARAMETERS[name]):
            if size == "nO":
                value = _append_mean(layer, value, axis=axis, size=new_nO)
        layer.set_param(name, value)
    return model


def forget_size(model: Model) -> None:
    """Take the weights and the number of tags from the output layer, so that a saved one of any
    size can be loaded: that of a tagger whose labels have grown, say, though its config names a
    number.

    model (Model): A tagger model that can grow, see `can_resize`.
    """
    layer = model.get_ref("output_layer")
    for name in layer.param_names:
        layer.set_param(name, None)  # or the size could not be changed
    for node in model.walk():
        if layer in node.walk() and node.has_dim("nO"):
            node.set_dim("nO", None, force=True)  # type: ignore[arg-type]


def _append_mean(layer: Model, value: FloatsXd, *, axis: int, size: int) -> FloatsXd:
    xp = layer.ops.xp
    mean = xp.mean(value, axis=axis, keepdims=True)
    new = xp.repeat(mean, size - value.shape[axis], axis=axis)
    return xp.concatenate([value, new], axis=axis)
