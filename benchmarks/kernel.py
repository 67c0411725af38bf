"""The kernel limit: a sentence LSTM's kernel calls alone, on batches without padding."""

import copy
import math

import torch
from torch import nn

from spacy_lstm_tagger.nn.lstm import BucketedLSTM

from .measure import seconds

TIME = 25
# Sequences a batch. What is best on a CPU leaves a GPU idle.
SEQUENCES = {"cpu": 32, "cuda": 1024}


class KernelLimit:
    """Calls PyTorch's LSTM as often as the tagger has to, and does nothing else.

    sentence (BucketedLSTM): The sentence LSTM whose sizes and weights to take.
    precision (torch.dtype): What to compute in.
    """

    def __init__(self, sentence: BucketedLSTM, precision: torch.dtype = torch.float32):
        layers = [*sentence.forward_lstms, *sentence.backward_lstms]
        device = next(sentence.parameters()).device
        sequences = SEQUENCES.get(device.type, SEQUENCES["cuda"])
        self.n_tokens = TIME * sequences  # of one batch
        self.calls: list[tuple[nn.LSTM, torch.Tensor]] = []
        for layer in layers:
            assert isinstance(layer, nn.LSTM)
            lstm = copy.deepcopy(layer).to(precision)
            lstm.flatten_parameters()
            shape = (TIME, sequences, lstm.input_size)
            self.calls.append((lstm, torch.randn(shape, dtype=precision, device=device)))

    def words_per_second(self, n_tokens: int) -> float:
        """RETURNS (float): Measured on at least so many tokens."""
        n_batches = math.ceil(n_tokens / self.n_tokens)
        return n_batches * self.n_tokens / seconds(lambda: self._run(n_batches))

    @torch.inference_mode()
    def _run(self, n_batches: int) -> None:
        for _ in range(n_batches):
            for lstm, x in self.calls:
                lstm(x)
