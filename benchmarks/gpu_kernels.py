"""How best to run the two directions of an LSTM layer on a GPU: the kernels alone."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from .measure import Figure, Key, Run, interleave, seconds, to_figures

TIME = 25
# Width of the input, and of one direction's states: those of `configs/gpu.cfg`, and others that are
# multiples of 128, for which cuDNN has kernels that keep their weights.
WIDTHS = ((96, 112), (128, 128))
ONE_BY_ONE = "one after the other"


class Layer:
    """A layer of two directions, each on its own copy of the input, as the tagger runs them.

    input_width (int): Width of the input.
    hidden_width (int): Width of one direction's states.
    dtype (torch.dtype): What to compute in.
    sequences (int): Sequences a batch.
    """

    def __init__(self, input_width: int, hidden_width: int, *, dtype: torch.dtype, sequences: int):
        device = "cuda" if torch.cuda.is_available() else "cpu"

        def lstm(**options: bool) -> nn.LSTM:
            return nn.LSTM(input_width, hidden_width, **options).to(device, dtype)

        self.ahead, self.back, self.both = lstm(), lstm(), lstm(bidirectional=True)
        self.x = torch.randn(TIME, sequences, input_width, device=device).to(dtype)
        self.stream = torch.cuda.Stream() if device == "cuda" else None

    def one_by_one(self) -> list[Tensor]:
        """RETURNS (list[Tensor]): The states, the kernels of one direction after the other's."""
        return [self.ahead(self.x)[0], self.back(self.x.flip(0))[0]]

    def on_streams(self) -> list[Tensor]:
        """RETURNS (list[Tensor]): The states, the directions side by side."""
        if self.stream is None:
            return self.one_by_one()
        main = torch.cuda.current_stream()
        self.stream.wait_stream(main)
        with torch.cuda.stream(self.stream):
            back = self.back(self.x.flip(0))[0]
        ahead = self.ahead(self.x)[0]
        main.wait_stream(self.stream)
        back.record_stream(main)
        return [ahead, back]

    def at_once(self) -> list[Tensor]:
        """RETURNS (list[Tensor]): The states from one call of cuDNN, which needs one length."""
        return [self.both(self.x)[0]]


WAYS: dict[str, Callable[[Layer], list[Tensor]]] = {
    ONE_BY_ONE: Layer.one_by_one,
    "on two streams": Layer.on_streams,
    "in one call": Layer.at_once,
}


def kernels(*, rounds: int, tokens: int, sequences: Sequence[int]) -> list[Figure]:
    """Measure.

    rounds (int): How often everything is run.
    tokens (int): How many tokens, about, in a run.
    sequences (Sequence[int]): How many sequences are side by side.
    RETURNS (list[Figure]): Words a second of each of `WAYS`, when tagging and when training.
    """
    figures = []
    for dtype in (torch.float32, torch.float16):
        for widths in WIDTHS:
            runs: dict[Key, Run] = {}
            for n in sequences:
                layer = Layer(*widths, dtype=dtype, sequences=n)
                n_batches = max(1, tokens // (TIME * n))
                for training in (False, True):
                    setting = f"{'training' if training else 'tagging'} {n:,} sequences"
                    for name, way in WAYS.items():
                        work = partial(run, layer, way, n_batches, training=training)
                        runs[setting, name] = partial(rate, work, n_batches * TIME * n)
            kind = str(dtype).removeprefix("torch.")
            section = f"directions of a layer, {widths[0]} to {widths[1]} wide, {kind}"
            samples = interleave(runs, rounds=rounds)
            figures += to_figures(section, "words/s", samples, reference=ONE_BY_ONE)
    return figures


def rate(work: Callable[[], object], n_words: int) -> float:
    """RETURNS (float): Words a second."""
    return n_words / seconds(work)


def run(
    layer: Layer, way: Callable[[Layer], list[Tensor]], n_batches: int, *, training: bool
) -> None:
    """Run a layer so many times, with the way back in training."""
    for _ in range(n_batches):
        with torch.inference_mode(not training):
            states = way(layer)
        if training:
            torch.autograd.backward(states, [torch.ones_like(state) for state in states])
