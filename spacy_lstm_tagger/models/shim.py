"""The torch shim: what Thinc needs to train, average, copy and save a PyTorch module."""

import contextlib
import copy
import os
from collections.abc import Callable, Iterator
from typing import cast

import srsly
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from thinc.api import Optimizer, PyTorchShim, get_torch_default_device
from thinc.shims import Shim
from thinc.types import ArgsKwargs, FloatsXd
from thinc.util import torch2xp, xp2torch
from torch import Tensor

from ..errors import Errors
from ..nn.vocabulary import VocabularyEmbedding

BLOCK = 1024
PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


class TorchShim(PyTorchShim):
    """Thinc's PyTorch shim, with what it lacks:

    * averaged weights (`use_averages`) reach the module;
    * weights are updated in place, so cuDNN's layout survives an update;
    * a copy has an id of its own, so it shares no optimizer state with its original;
    * weights are saved as safetensors: loading executes nothing;
    * bfloat16 beside float16, and on a CPU too;
    * it tells caches when the weights changed.

    model (torch.nn.Module): The module. Its `forward` takes a keyword `precision`. If it leaves a
        loss of its own in an attribute `auxiliary`, training adds it to that of the task.
    precision (str): What to compute in, a key of `PRECISIONS`. On a GPU it holds for training and
        tagging (mixed precision). On a CPU "bf16" holds for tagging alone, where the CPU has
        instructions for it; otherwise it is "fp32" there, as "fp16" is.
    """

    def __init__(self, model: torch.nn.Module, *, precision: str = "fp32"):
        if precision not in PRECISIONS:
            allowed = f"it must be one of {', '.join(PRECISIONS)}"
            raise ValueError(Errors.M001.format(name="precision", value=precision, allowed=allowed))
        super().__init__(model, mixed_precision=precision == "fp16")
        self.precision = precision
        self._changes = 0
        # Walking through a module takes longer than looking at its weights.
        self._modules: list[torch.nn.Module] | None = None

    def stamp(self) -> tuple:
        """RETURNS (tuple): A value that differs whenever the weights do. Changes through Thinc are
        counted, those that other code makes to the module show in PyTorch's own counters (but not
        if it writes to a parameter's `.data`).
        """
        return (self._changes, *((p.data_ptr(), p._version) for p in self._parameters()))

    @property
    def device(self) -> torch.device:
        """RETURNS (torch.device): Where the weights are."""
        return next(self._parameters()).device

    def _parameters(self) -> Iterator[Tensor]:
        if self._modules is None or self._modules[0] is not self._model:
            self._modules = list(self._model.modules())
        return (p for m in self._modules for p in m._parameters.values() if p is not None)

    def _changed(self) -> None:
        """Tell caches, and through training mode the layers, that the weights change."""
        self._changes += 1
        self._modules = None
        self._model.train()

    def predict(self, inputs: ArgsKwargs) -> Tensor:
        """Run the module without gradients.

        RETURNS (Tensor): The output, float32.
        """
        kernel = None
        if self.precision == "bf16" and self.device.type == "cpu" and cpu_has_bf16():
            kernel = torch.bfloat16
        if self._model.training:
            self._model.eval()
        with torch.inference_mode(), self._autocast():
            return self._model(*inputs.args, **inputs.kwargs, precision=kernel).float()

    def begin_update(self, inputs: ArgsKwargs) -> tuple[Tensor, Callable[[Tensor], None]]:
        """Run the module in training mode.

        RETURNS (tuple): The output, float32, and a callback that takes its gradient and leaves
            those of the weights and of the input tensors that require one in their `grad`.
        """
        self._changed()
        with self._autocast():
            output = self._model(*inputs.args, **inputs.kwargs).float()
        losses = []
        if getattr(self._model, "auxiliary", None) is not None:
            losses = [self._model.auxiliary.float()]
            self._model.auxiliary = None  # a module that holds a graph cannot be copied

        def backprop(d_output: Tensor) -> None:
            grads = [d_output.float(), *map(torch.ones_like, losses)]
            if not self._scales_gradients():
                torch.autograd.backward([output, *losses], grads)
                return
            scaler = self._grad_scaler
            tensors = [*self._model.parameters(), *inputs.args, *inputs.kwargs.values()]
            leaves = [t for t in tensors if isinstance(t, Tensor) and t.requires_grad]
            # Gradients of earlier batches are set aside, since they are not scaled any more.
            earlier = [t.grad for t in leaves]
            for t in leaves:
                t.grad = None
            torch.autograd.backward([output, *losses], scaler.scale(grads))
            found = [t.grad for t in leaves if t.grad is not None]
            if scaler.unscale(found):
                for grad in found:
                    grad.zero_()
            for t, before in zip(leaves, earlier, strict=True):
                if before is not None:
                    t.grad = before if t.grad is None else before.add_(t.grad)

        return output, backprop

    def _scales_gradients(self) -> bool:
        """RETURNS (bool): Whether float16 needs it: only a GPU computes in it."""
        return self.precision == "fp16" and self.device.type == "cuda"

    def _autocast(self) -> contextlib.AbstractContextManager:
        dtype = PRECISIONS[self.precision]
        if dtype is None or self.device.type != "cuda":
            return contextlib.nullcontext()
        return torch.autocast("cuda", dtype=dtype)

    def finish_update(self, optimizer: Optimizer) -> None:
        """Let the optimizer change the weights in place and clear the gradients."""
        self._changed()
        for key, weights, grad in self._pieces():
            if grad is not None and not self._grad_scaler.found_inf:
                updated, _ = optimizer(key, as_floats(weights), as_floats(grad))
                # Thinc's optimizers write to the array that they are given; if one does not:
                tensor = xp2torch(updated, device=weights.device)
                if tensor.data_ptr() != weights.data_ptr():
                    weights.copy_(tensor)
        self._model.zero_grad(set_to_none=True)
        if self._scales_gradients():
            self._grad_scaler.update()

    @contextlib.contextmanager
    def use_params(self, params: dict) -> Iterator[None]:
        """Use other weights, such as the optimizer's averages, while the context lasts."""
        backup = []
        try:
            for key, weights, _ in self._pieces():
                if key in params:
                    backup.append((weights, weights.clone()))
                    weights.copy_(xp2torch(params[key], device=weights.device))
            self._changed()
            yield
        finally:
            for weights, original in backup:
                weights.copy_(original)
            self._changed()

    def _pieces(self) -> Iterator[tuple[tuple[int, str], Tensor, Tensor | None]]:
        """Cut the parameters as the optimizer sees them: whole, but for a vocabulary's table, of
        which only the blocks in use are seen. An optimizer keeps a state of fixed size for each
        key, so these are many keys and not a growing one.

        YIELDS (tuple): A key, the weights and their gradient.
        """
        tables = {
            table.weight: len(table) + 1
            for table in self._model.modules()
            if isinstance(table, VocabularyEmbedding)
        }
        for name, parameter in self._model.named_parameters():
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

    def to_device(self, device_type: str, device_id: int) -> None:
        """Move the module."""
        super().to_device(device_type, device_id)
        self._changed()

    def to_bytes(self) -> bytes:
        """RETURNS (bytes): The configuration, and the weights as safetensors."""
        state = {
            name: value.detach().cpu().contiguous()
            for name, value in self._model.state_dict().items()
        }
        return srsly.msgpack_dumps({"config": self.cfg, "state": save_safetensors(state)})

    def from_bytes(self, bytes_data: bytes) -> "TorchShim":
        """Load the weights. The module is left as it was if that fails.

        RAISES (ValueError): If the bytes are damaged or come from another architecture.
        """
        try:
            msg = srsly.msgpack_loads(bytes_data)
            state = load_safetensors(msg["state"])
            config = msg["config"]
        except (SafetensorError, ValueError, KeyError, TypeError) as e:
            raise ValueError(Errors.L001.format(error=e)) from e
        try:
            copy.deepcopy(self._model).load_state_dict(state)
        except RuntimeError as e:
            raise ValueError(Errors.L002.format(error=e)) from e
        self._model.load_state_dict(state)
        device = get_torch_default_device()
        self._model.to(device)
        self._grad_scaler.to_(device)
        self.cfg = config
        self._changed()
        return self


def as_floats(tensor: Tensor) -> FloatsXd:
    """RETURNS (FloatsXd): The tensor as an array of the device's operations, sharing memory."""
    return cast(FloatsXd, torch2xp(tensor))


def cpu_has_bf16() -> bool:
    """RETURNS (bool): Whether this CPU computes bfloat16 in hardware rather than emulating it."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


_process = os.getpid()


def survive_fork() -> None:
    """To be called before any work. PyTorch's threads do not survive a fork: a forked worker of
    `nlp.pipe(n_process=2)` that asked for them would wait for ever. One thread needs none.
    """
    global _process
    if os.getpid() != _process:
        torch.set_num_threads(1)
        _process = os.getpid()
