"""The torch shim: what Thinc needs to train, average, copy and save a PyTorch module."""

import contextlib
import copy
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

import srsly
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from thinc.api import CupyOps, Model, Optimizer, PyTorchShim, get_current_ops
from thinc.shims import Shim
from thinc.types import ArgsKwargs
from thinc.util import get_torch_default_device, xp2torch
from torch import Tensor

from ..checks import check_choice, check_rate
from ..errors import Errors
from ..nn.kernel import stamp_of
from ..nn.vocabulary import EmbeddingTable
from .loss_scale import scaled_backward
from .optimizer import Key, Piece, State, update
from .threads import CPU, on_our_threads, our_threads

BLOCK = 1024
PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


class TorchShim(PyTorchShim):
    """Thinc's PyTorch shim, with what it lacks:

    * averaged weights (`use_averages`) reach the module;
    * weights are updated in place, so cuDNN's layout survives an update, and all at once;
    * a copy has an id of its own, so it shares no optimizer state with its original, and one in a
      worker process no weights;
    * weights are saved as safetensors with a checksum: loading executes nothing, and a damaged file
      changes nothing;
    * bfloat16 beside float16, and on a CPU too; no step is lost to float16;
    * it tells caches when the weights changed.

    module (torch.nn.Module): The module. Its `forward` takes a keyword `precision` and returns a
        `ModuleOutput`, whose loss training adds to that of the task.
    precision (str): What to compute in, a key of `PRECISIONS`. On a GPU it holds for training and
        tagging. On a CPU "bf16" holds for tagging alone, where the CPU has instructions for it;
        otherwise it is "fp32" there, as "fp16" is.
    """

    def __init__(self, module: torch.nn.Module, *, precision: str = "fp32"):
        check_choice("precision", precision, PRECISIONS)
        super().__init__(module, device=current_device())
        self.precision = precision
        self._changes = 0
        # Walking through a module takes longer than looking at its weights.
        self._modules: list[torch.nn.Module] | None = None
        # Of the optimizer, while training goes on.
        self._states: dict[Key, State] = {}

    @property
    def module(self) -> torch.nn.Module:
        """RETURNS (torch.nn.Module): The module."""
        return self._model

    def stamp(self) -> tuple:
        """RETURNS (tuple): A value that differs whenever the weights do. Changes through Thinc are
        counted, those that other code makes to the module show in PyTorch's own counters (but not
        if it writes to a parameter's `.data`).
        """
        return (self._changes, *stamp_of(list(self._parameters())))

    @property
    def device(self) -> torch.device:
        """RETURNS (torch.device): Where the weights are."""
        return next(self._parameters()).device

    def _parameters(self) -> Iterator[Tensor]:
        if self._modules is None or self._modules[0] is not self.module:
            self._modules = list(self.module.modules())
        return (p for m in self._modules for p in m._parameters.values() if p is not None)

    def changed(self) -> None:
        """Tell caches, and through training mode the layers, that the weights change."""
        self._changes += 1
        self._modules = None
        self.module.train()

    @on_our_threads
    def reset_parameters(self) -> None:
        """Draw the weights, on the CPU, so that a seed gives the same ones everywhere. Pretrained
        vectors stay.
        """
        device = self.device
        self.module.to(CPU).apply(reset)
        self.module.to(device)
        self.changed()

    def kernel_type(self, *, training: bool) -> torch.dtype | None:
        """RETURNS (Optional[torch.dtype]): What the LSTM kernels compute in. None: in the type of
        the weights.

        training (bool): Whether gradients will be taken.
        """
        if self.device.type == "cuda":
            return PRECISIONS[self.precision]
        if self.precision == "bf16" and not training and cpu_has_bf16():
            return torch.bfloat16
        return None

    @on_our_threads
    def predict(self, inputs: ArgsKwargs) -> Tensor:
        """Run the module without gradients.

        RETURNS (Tensor): The output, float32.
        """
        kernel = self.kernel_type(training=False)
        if self.module.training:
            self.module.eval()
            self._states.clear()
        with torch.inference_mode():
            return self.module(*inputs.args, **inputs.kwargs, precision=kernel).vectors.float()

    @on_our_threads
    def begin_update(self, inputs: ArgsKwargs) -> tuple[Tensor, Callable[[Tensor], None]]:
        """Run the module in training mode.

        RETURNS (tuple): The output, float32, and a callback that takes its gradient and leaves
            those of the weights and of the input tensors that require one in their `grad`.
        """
        self.changed()
        kernel = self.kernel_type(training=True)
        output, loss = self.module(*inputs.args, **inputs.kwargs, precision=kernel)
        output = output.float()
        losses = [] if loss is None else [loss]

        @on_our_threads
        def backprop(d_output: Tensor) -> None:
            outputs, grads = [output, *losses], [d_output, *map(torch.ones_like, losses)]
            if kernel != torch.float16:
                torch.autograd.backward(outputs, grads)
                return
            tensors = [*self.module.parameters(), *inputs.args, *inputs.kwargs.values()]
            leaves = [t for t in tensors if isinstance(t, Tensor) and t.requires_grad]
            scaled_backward(outputs, grads, leaves)

        return output, backprop

    @on_our_threads
    def finish_update(self, optimizer: Optimizer) -> None:
        """Let the optimizer change the weights in place and clear the gradients."""
        self.changed()
        pieces = self._pieces()
        found = [Piece(key, w, grad) for key, w, grad in pieces if grad is not None]
        update(optimizer, found, self._states)
        self.module.zero_grad(set_to_none=True)

    @contextlib.contextmanager
    def use_params(self, params: dict) -> Iterator[None]:
        """Use other weights, such as the optimizer's averages, while the context lasts."""
        backup: list[tuple[Tensor, Tensor]] = []
        # Not within the loop, for the same reason as in `TypeCache.vectors`.
        pieces = [piece for piece in self._pieces() if piece[0] in params]
        try:
            with our_threads():
                for key, weights, _ in pieces:
                    backup.append((weights, weights.clone()))
                    weights.copy_(xp2torch(params[key], device=weights.device))
            self.changed()
            yield
        finally:
            try:
                self._put_back(backup)
            except BaseException:  # a signal's handler may raise anywhere
                self._put_back(backup)
                raise

    def _put_back(self, backup: Iterable[tuple[Tensor, Tensor]]) -> None:
        with our_threads():
            for weights, original in backup:
                weights.copy_(original)
        self.changed()

    def _pieces(self) -> Iterator[tuple[Key, Tensor, Tensor | None]]:
        """Cut the parameters as the optimizer sees them: whole, but for a vocabulary's table, of
        which only the blocks in use are seen. An optimizer keeps a state of fixed size for each
        key, so these are many keys and not a growing one.

        YIELDS (tuple): A key, the weights and their gradient.
        """
        tables = {
            table.weight: len(table) + 1
            for table in self.module.modules()
            if isinstance(table, EmbeddingTable)
        }
        for name, parameter in self.module.named_parameters():
            if parameter not in tables:
                yield (self.id, name), parameter.data, parameter.grad
                continue
            grad = parameter.grad
            for start in range(0, tables[parameter], BLOCK):
                rows = slice(start, start + BLOCK)
                block = None if grad is None else grad[rows]
                yield (self.id, f"{name}[{start}]"), parameter.data[rows], block

    def copy(self) -> "TorchShim":
        """RETURNS (TorchShim): A deep copy with its own id."""
        copied = copy.deepcopy(self)
        with Shim.global_id_lock:
            Shim.global_id += 1
            copied.id = Shim.global_id
        return copied

    # The tensors go as arrays, and the module without them: `multiprocessing` would move their
    # memory to where processes share it, beneath a thread that tags.

    def __getstate__(self) -> dict[str, Any]:
        tensors = named_tensors(self.module)
        hollow = {
            id(tensor): in_place_of(tensor, torch.empty(0, dtype=tensor.dtype, device=CPU))
            for tensor in tensors.values()
        }
        return {
            **self.__dict__,
            "_model": copy.deepcopy(self.module, hollow),
            "_modules": None,
            "_states": {},
            "device": self.device,
            "values": {name: tensor.numpy(force=True) for name, tensor in tensors.items()},
        }

    @on_our_threads
    def __setstate__(self, state: dict[str, Any]) -> None:
        device, values = state.pop("device"), state.pop("values")
        self.__dict__.update(state)
        for name, tensor in named_tensors(self.module).items():
            # Not into the tensor that is there: a host may have made it in inference mode.
            path, _, own_name = name.rpartition(".")
            value = in_place_of(tensor, torch.tensor(values[name]))
            setattr(self.module.get_submodule(path), own_name, value)
        self.module.to(device)

    def to_device(self, device_type: str, device_id: int) -> None:
        """Move the module."""
        super().to_device(device_type, device_id)
        self.changed()

    @on_our_threads
    def to_bytes(self) -> bytes:
        """RETURNS (bytes): The configuration, the weights as safetensors, and their checksum."""
        state = {
            name: value.detach().cpu().contiguous()
            for name, value in self.module.state_dict().items()
        }
        data = save_safetensors(state)
        return srsly.msgpack_dumps({"config": self.cfg, "state": data, "checksum": checksum(data)})

    @on_our_threads
    def read(self, bytes_data: bytes) -> tuple[dict, dict[str, Tensor]]:
        """Read what `to_bytes` gave, and check it, without loading it.

        bytes_data (bytes): The bytes.
        RETURNS (tuple): The configuration, and the tensors of the module.
        RAISES (ValueError): If the bytes are damaged or come from another architecture, or a weight
            is not a finite number.
        """
        try:
            msg = srsly.msgpack_loads(bytes_data)
            if msg["checksum"] != checksum(msg["state"]):
                raise ValueError("the checksum is another one")
            config, state = msg["config"], load_safetensors(msg["state"])
        except (SafetensorError, ValueError, KeyError, TypeError) as e:
            raise ValueError(Errors.L001.format(error=e)) from e
        problems = state_problems(self.module, state)
        if problems:
            raise ValueError(Errors.L002.format(error="; ".join(problems)))
        for name, value in state.items():
            if value.is_floating_point() and not value.isfinite().all():
                raise ValueError(Errors.L004.format(name=name))
        return config, state

    @on_our_threads
    def from_bytes(self, bytes_data: bytes) -> "TorchShim":
        """Load the weights. The module is left as it was if that fails.

        RAISES (ValueError): As `read`.
        """
        config, state = self.read(bytes_data)
        self.module.load_state_dict(state)  # where the module is
        self.cfg = config
        self.changed()
        return self


def dropout_rate(layer: Model, own: float | None) -> float:
    """Tell the rate of dropout in training.

    layer (Model): One of our layers, which spaCy has set the rate of `[training] dropout` for.
    own (Optional[float]): The rate of its config, which goes before that.
    RETURNS (float): The rate.
    RAISES (ValueError): If it is not allowed.
    """
    rate = layer.attrs["dropout_rate"] if own is None else own
    check_rate(dropout=rate)
    return 0.0 if rate is None else rate


def current_device() -> torch.device:
    """RETURNS (torch.device): Where new models are.
    RAISES (ValueError): If CuPy has a GPU that PyTorch does not.
    """
    if isinstance(get_current_ops(), CupyOps) and not torch.cuda.is_available():
        raise ValueError(Errors.M007.format(version=torch.__version__))
    # With Apple's GPU Thinc's arrays stay on the CPU, and so do we.
    device = get_torch_default_device()
    return CPU if device.type == "mps" else device


def shim_of(layer: Model) -> TorchShim:
    """RETURNS (TorchShim): What holds the module of one of our layers."""
    return cast(TorchShim, layer.shims[0])


def state_problems(module: torch.nn.Module, state: dict[str, Tensor]) -> Sequence[str]:
    """Say what keeps saved tensors from being loaded, as `load_state_dict` would, but beforehand.

    module (torch.nn.Module): The module.
    state (dict[str, Tensor]): The saved tensors.
    RETURNS (Sequence[str]): The problems.
    """
    problems, own, state = [], module.state_dict(), dict(state)
    for prefix, table in module.named_modules():
        if isinstance(table, EmbeddingTable):
            prefix += "." if prefix else ""
            problems += table.problems(state, prefix)
            for name in ("keys", "weight"):  # of any length
                own.pop(prefix + name)
                state.pop(prefix + name, None)
    problems += [f"{name} is missing" for name in own.keys() - state.keys()]
    problems += [f"{name} is not expected" for name in state.keys() - own.keys()]
    for name in own.keys() & state.keys():
        if own[name].shape != state[name].shape:
            found, expected = tuple(state[name].shape), tuple(own[name].shape)
            problems.append(f"{name} has the shape {found}, expected {expected}")
    return sorted(problems)


def reset(module: torch.nn.Module) -> None:
    """Draw the weights that a module has beside those of its parts."""
    reset_parameters = getattr(module, "reset_parameters", None)
    if reset_parameters is not None:
        reset_parameters()


def named_tensors(module: torch.nn.Module) -> dict[str, Tensor]:
    """RETURNS (dict[str, Tensor]): The parameters and buffers of a module."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def in_place_of(tensor: Tensor, value: Tensor) -> Tensor:
    """RETURNS (Tensor): A value that a module can have instead: a parameter if that is one."""
    if isinstance(tensor, torch.nn.Parameter):
        return torch.nn.Parameter(value, requires_grad=tensor.requires_grad)
    return value


def checksum(data: bytes) -> bytes:
    """RETURNS (bytes): A digest by which damage is found."""
    return hashlib.blake2b(data, digest_size=16).digest()


def cpu_has_bf16() -> bool:
    """RETURNS (bool): Whether this CPU computes bfloat16 in hardware rather than emulating it."""
    # PyTorch has them for itself: where it has them no more, there is none.
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in names)
