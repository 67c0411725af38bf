"""The LSTM kernel: one layer in one direction, from a zero state, as fast as PyTorch has it."""

import functools
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn


class LSTMLayer(nn.LSTM):
    r"""One LSTM layer in one direction (Hochreiter & Schmidhuber, 1997,
    https://doi.org/10.1162/neco.1997.9.8.1735).

    Initialized with Xavier input weights, orthogonal recurrent weights, and a bias of 1 for the
    forget gate (Jozefowicz et al., 2015, http://proceedings.mlr.press/v37/jozefowicz15).

    The kernels want the weights in another layout, and in the precision that they compute in. They
    are arranged once a forward pass, by `arranged`, and in evaluation mode, without gradients,
    kept: `train()` drops them, and so does any change of the weights that PyTorch counts.

    input_width (int): Width of the input.
    hidden_width (int): Width of the hidden state.
    """

    def __init__(self, input_width: int, hidden_width: int):
        super().__init__(input_width, hidden_width, dtype=torch.float32)
        self._kept: tuple[tuple, Arranged] | None = None

    def reset_parameters(self) -> None:
        """Draw the weights, in place."""
        super().reset_parameters()
        w_input, w_hidden, *biases = (w.data for w in cast(list[Tensor], self._flat_weights))
        # Each of the four gates is a map of its own.
        for gate in w_input.chunk(4):
            nn.init.xavier_uniform_(gate)
        for gate in w_hidden.chunk(4):
            nn.init.orthogonal_(gate)
        for bias in biases:
            bias.zero_()
        biases[0].chunk(4)[1].fill_(1.0)

    def arranged(self, dtype: torch.dtype) -> "Arranged":
        """RETURNS (Arranged): The weights as the kernel for this precision wants them.

        dtype (torch.dtype): What to compute in.
        """
        # By name, as they may have been replaced: by `functional_call`, or a parametrization.
        weights = [getattr(self, name) for name in cast(list[str], self._flat_weights_names)]
        # Autocast would cast packed weights, too, for which PyTorch has no kernel.
        if self.training or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
            return Arranged(in_one_buffer(weights, dtype))
        stamp = (dtype, *stamp_of(weights))
        if self._kept is None or self._kept[0] != stamp:
            if can_pack(weights[0].device.type, dtype):
                self._kept = (stamp, Arranged(pack(weights, dtype), is_packed=True))
            else:
                self._kept = (stamp, Arranged(in_one_buffer(weights, dtype)))
        return self._kept[1]

    def run(self, x: Tensor, weights: "Arranged") -> Tensor:
        """Run the layer on padded input, from a zero state.

        x (Tensor): *Shape:* ``(time, batch, input_width)``.
        weights (Arranged): From `arranged`, for the type of `x`.
        RETURNS (Tensor): The hidden states, in the type of `x`.
            *Shape:* ``(time, batch, hidden_width)``.
        """
        if weights.is_packed:
            return run_packed(weights.tensors, x, self.hidden_size)
        state = x.new_zeros(1, x.shape[1], self.hidden_size)
        options = (True, 1, 0.0, self.training, False, False)
        return torch.lstm(x, (state, state), weights.tensors, *options)[0]

    def train(self, mode: bool = True) -> "LSTMLayer":
        """Set the mode, see `torch.nn.Module.train`."""
        if mode:
            self._kept = None
        return super().train(mode)

    def __getstate__(self) -> dict:
        return {**super().__getstate__(), "_kept": None}

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self.flatten_parameters()  # cuDNN's one buffer, which a copy takes apart


class Arranged(NamedTuple):
    """A layer's weights as a kernel wants them.

    tensors (list[Tensor]): Input weights, recurrent weights and the two biases.
    is_packed (bool): Whether they are for `run_packed`.
    """

    tensors: list[Tensor]
    is_packed: bool = False


def stamp_of(weights: list[Tensor]) -> tuple:
    """RETURNS (tuple): A value that differs whenever weights do, as far as PyTorch counts changes:
    it does not where they were made in inference mode.
    """
    try:
        return tuple([(weight.data_ptr(), weight._version) for weight in weights])
    except RuntimeError:
        return tuple([weight.data_ptr() for weight in weights])


def in_one_buffer(weights: list[Tensor], dtype: torch.dtype) -> list[Tensor]:
    """Cast a layer's weights all at once. They stay side by side, as cuDNN wants them.

    weights (list[Tensor]): The weights.
    dtype (torch.dtype): The type that they should have.
    RETURNS (list[Tensor]): The weights as they are if they have it, otherwise views of one buffer.
    """
    if weights[0].dtype == dtype:
        return weights
    flat = torch.cat([weight.flatten() for weight in weights]).to(dtype)
    parts = flat.split([weight.numel() for weight in weights])
    return [part.view_as(weight) for part, weight in zip(parts, weights, strict=True)]


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
        x = torch.linspace(-1, 1, 24).view(4, 2, 3).to(dtype)
        weights = [torch.linspace(-1, 1, 20 * width).view(20, width).to(dtype) for width in (3, 5)]
        weights += [torch.linspace(-1, 1, 20).to(dtype)] * 2
        state = x.new_zeros(1, 2, 5)
        expected = torch.lstm(x, (state, state), weights, True, 1, 0.0, False, False, False)[0]
        return torch.allclose(run_packed(pack(weights, dtype), x, 5), expected, atol=1e-2)
    except (RuntimeError, AttributeError):
        return False
