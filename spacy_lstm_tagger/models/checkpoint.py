"""Model files: held against the model that they are for before anything of it is changed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import srsly
from thinc.api import Model
from thinc.model import deserialize_attr
from thinc.shims import Shim

from ..errors import Errors
from .resize import PARAMETERS, can_resize, forget_size, has_weights
from .shim import TorchShim, checksum


class Checkpoint:
    """What a model file says, if all of it fits a model.

    A model whose output layer can grow and has no weights yet takes one of any size: that of a
    tagger whose labels have grown, say, though its config names a number.

    model (Model): The model, which stays as it is.
    data (bytes): The file, from `Model.to_bytes`.
    saved (bytes): The checksum that was saved with it, in hexadecimal digits.
    RAISES (ValueError): If the file is damaged (L001), is of another architecture (L002), or has
        weights that are not finite (L004).
    """

    def __init__(self, model: Model, data: bytes, *, saved: bytes):
        self._model = model
        can_grow = can_resize(model) and not has_weights(model)
        self._output = model.get_ref("output_layer") if can_grow else None
        if checksum(data).hex().encode("ascii") != saved:
            raise ValueError(Errors.L001.format(error="their checksum is another one"))
        self._message: dict[str, Any] = _decode(srsly.msgpack_loads, data)
        try:
            self._check()
        except (KeyError, IndexError, TypeError, AttributeError, BufferError) as e:
            raise ValueError(Errors.L001.format(error=repr(e))) from e

    @property
    def n_tags(self) -> int | None:
        """RETURNS (Optional[int]): For how many tags there are weights. None if that is not known,
        or the model was saved before it was initialized.
        """
        layer = self._model.maybe_get_ref("output_layer")
        if layer is None:
            return None
        place = next(i for i, node in enumerate(self._model.walk()) if node is layer)
        if all(value is None for value in self._message["params"][place].values()):
            return None
        return self._message["nodes"][place]["dims"].get("nO")

    def load(self) -> None:
        """Give the model what the file says."""
        if self._output is not None:
            forget_size(self._model)
        self._model.from_dict(self._message)

    def _check(self) -> None:
        nodes = list(self._model.walk())
        columns = [self._message[part] for part in ("nodes", "attrs", "params", "shims")]
        if {len(column) for column in columns} != {len(nodes)}:
            raise _other(f"it has {len(columns[0])} layers, not {len(nodes)}")
        for node, info, attrs, params, shims in zip(nodes, *columns, strict=True):
            name = info["name"]
            if not node.layers and name != node.name:  # those of others say what is in them
                raise _other(f"it has the layer {name!r} in the place of {node.name!r}")
            self._check_sizes(node, info["dims"])
            for name, place in info["refs"].items():
                own, saved = node.maybe_get_ref(name), None if place is None else nodes[place]
                if own is not saved and (own is not None or saved not in node.walk()):
                    raise _other(f"{name!r} of the layer {node.name!r} is another layer")
            for name, value in attrs.items():
                _decode(deserialize_attr, node.attrs.get(name), value, name, node)
            self._check_params(node, info["dims"], params)
            if len(shims) != len(node.shims):
                raise _other(f"{node.name!r} has {len(shims)} modules, not {len(node.shims)}")
            for shim, data in zip(node.shims, shims, strict=True):
                check_shim(shim, data)

    def _check_sizes(self, node: Model, dims: dict[str, int | None]) -> None:
        for name, size in dims.items():
            if name not in node.dim_names:
                raise _other(f"the layer {node.name!r} has no size {name!r}")
            free = name == "nO" and any(each is self._output for each in node.walk())
            if size is not None and node.has_dim(name) and not free:
                _compare(f"{name} of the layer {node.name!r}", size, node.get_dim(name))

    def _check_params(self, node: Model, dims: dict[str, int], params: dict[str, Any]) -> None:
        if set(params) != set(node.param_names):
            names = (", ".join(each) or "none" for each in (params, node.param_names))
            raise _other("the weights of {!r} are {}, not {}".format(node.name, *names))
        for name, value in params.items():
            if value is None:
                continue
            where = f"{name} of the layer {node.name!r}"
            if node is self._output:
                _compare(where, value.shape, tuple(dims[dim] for dim in PARAMETERS[name]))
            elif node.has_param(name):
                _compare(where, value.shape, node.get_param(name).shape)
            if not np.isfinite(value).all():
                raise ValueError(Errors.L004.format(name=where))


def _decode(load: Callable, *args: Any) -> Any:
    try:
        return load(*args)
    except ValueError as e:
        raise ValueError(Errors.L001.format(error=e)) from e


def check_shim(shim: Shim, data: bytes) -> None:
    """Check whether a shim can load some bytes, without changing it.

    shim (Shim): The shim.
    data (bytes): From its `to_bytes`.
    RAISES (ValueError): If it cannot.
    """
    if isinstance(shim, TorchShim):
        shim.read(data)
        return
    try:
        shim.copy().from_bytes(data)
    except Exception as e:  # whatever others may raise
        raise _other(str(e)) from e


def _compare(what: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise _other(f"{what} is {found}, not {expected}")


def _other(error: str) -> ValueError:
    """RETURNS (ValueError): That the file is of another architecture."""
    return ValueError(Errors.L002.format(error=error))
