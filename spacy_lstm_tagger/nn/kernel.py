"""The LSTM kernel: one layer in one direction, from a zero state, as fast as PyTorch has it."""

import functools
from typing import cast

import torch
from torch import Tensor, nn


class LSTMLayer(nn.LSTM):
    r"""One LSTM layer in one direction (Hochreiter & Schmidhuber, 1997,
    https://doi.org/10.1162/neco.1997.9.8.1735).

    Initialized with Xavier input weights, orthogonal recurrent weights, and a bias of 1 for the
    forget gate (Jozefowicz et al., 2015, http://proceedings.mlr.press/v37/jozefowicz15).

    On a CPU PyTorch rearranges the weights for its kernel in every call, which for a short batch
    costs more than the computation. In evaluation mode this layer keeps the rearranged weights;
    `train()` drops them, and so does any change of the weights that PyTorch counts.

    input_width (int): Width of the input.
    hidden_width (int): Width of the hidden state.
    """

    def __init__(self, input_width: int, hidden_width: int):
        super().__init__(input_width, hidden_width)
        self._packed: tuple[tuple, list[Tensor]] | None = None
        init_lstm_(self)

    def run(self, x: Tensor) -> Tensor:
        """Run the layer on padded input, in the precision of the input.

        x (Tensor): *Shape:* ``(time, batch, input_width)``.
        RETURNS (Tensor): The hidden states, in the type of `x`.
            *Shape:* ``(time, batch, hidden_width)``.
        """
        if not self.training and not torch.is_grad_enabled() and can_pack(x.device.type, x.dtype):
            return self._run_packed(x)
        if x.dtype == self.weight_ih_l0.dtype:
            return self(x)[0]
        state = x.new_zeros(1, x.shape[1], self.hidden_size)
        weights = [weight.to(x.dtype) for weight in self.all_weights[0]]
        return torch.lstm(x, (state, state), weights, True, 1, 0.0, False, False, False)[0]

    def _run_packed(self, x: Tensor) -> Tensor:
        weights = cast(list[Tensor], self._flat_weights)
        stamp = (x.dtype, *((weight.data_ptr(), weight._version) for weight in weights))
        if self._packed is None or self._packed[0] != stamp:
            self._packed = (stamp, pack(weights, x.dtype))
        return run_packed(self._packed[1], x, self.hidden_size)

    def train(self, mode: bool = True) -> "LSTMLayer":
        """Set the mode, see `torch.nn.Module.train`."""
        if mode:
            self._packed = None
        return super().train(mode)

    def __getstate__(self) -> dict:
        return {**super().__getstate__(), "_packed": None}


def pack(weights: list[Tensor], dtype: torch.dtype) -> list[Tensor]:
    """Rearrange a layer's weights for the CPU's kernel.

    weights (list[Tensor]): Input weights, recurrent weights and the two biases.
    dtype (torch.dtype): What the kernel will compute in.
    RETURNS (list[Tensor]): The weights for `run_packed`.
    """
    w_input, w_hidden, *biases = (weight.detach().to(dtype) for weight in weights)
    hidden_width = w_hidden.shape[1]
    packed = torch.ops.mkldnn._reorder_mkldnn_rnn_layer_weight(
        w_input, w_hidden, hidden_width, False, True, False, None
    )
    return [*packed, *biases]


def run_packed(packed: list[Tensor], x: Tensor, hidden_width: int) -> Tensor:
    """Run a layer with the weights that `pack` made. *Shape:* as `LSTMLayer.run`."""
    w_input, w_hidden, *biases = packed
    state = x.new_zeros(x.shape[1], hidden_width)
    inputs = (x, w_input, w_hidden, biases[0], biases[1], state, state)
    lstm = 2  # the kernel's number for this kind of cell
    return torch.mkldnn_rnn_layer(
        *inputs, False, [], lstm, hidden_width, 1, True, False, False, False
    )[0]


@functools.cache
def can_pack(device_type: str, dtype: torch.dtype) -> bool:
    """RETURNS (bool): Whether this PyTorch has the kernel for packed weights on the device, and it
    computes what `torch.lstm` does. It is there for PyTorch's compiler rather than for us.
    """
    if device_type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    try:
        with torch.inference_mode():
            x = torch.linspace(-1, 1, 24).view(4, 2, 3).to(dtype)
            weights = [
                torch.linspace(-1, 1, 20 * width).view(20, width).to(dtype) for width in (3, 5)
            ]
            weights += [torch.linspace(-1, 1, 20).to(dtype)] * 2
            state = x.new_zeros(1, 2, 5)
            expected = torch.lstm(x, (state, state), weights, True, 1, 0.0, False, False, False)[0]
            return torch.allclose(run_packed(pack(weights, dtype), x, 5), expected, atol=1e-2)
    except (RuntimeError, AttributeError, NotImplementedError):
        return False


def init_lstm_(lstm: nn.LSTM) -> None:
    """Initialize in place, as `LSTMLayer` says."""
    for name, parameter in lstm.named_parameters():
        if name.startswith("weight_ih"):
            # Each of the four gates is a map of its own.
            for gate in parameter.data.chunk(4):
                nn.init.xavier_uniform_(gate)
        elif name.startswith("weight_hh"):
            for gate in parameter.data.chunk(4):
                nn.init.orthogonal_(gate)
        else:
            parameter.data.zero_()
            if name.startswith("bias_ih"):
                parameter.data.chunk(4)[1].fill_(1.0)
