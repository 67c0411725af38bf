"""A loss that training adds: to guess the next letter of each word."""

from torch import Tensor, nn


class NextLetterLoss(nn.Module):
    r"""Lets a character language model learn in the same LSTM (Rei, 2017,
    https://aclanthology.org/P17-1194): after each letter, the state has to tell which one it will
    read next.

    .. math:: - \sum_i \log \mathrm{softmax}(E\, g(h_i))_{l_{i+1}}

    with the table :math:`E` of the letters' vectors and an affine map :math:`g`.

    hidden_width (int): Width of the state.
    char_width (int): Width of the letters' vectors.
    """

    def __init__(self, *, hidden_width: int, char_width: int):
        super().__init__()
        self.guess = nn.Linear(hidden_width, char_width)

    def forward(self, states: Tensor, letters: Tensor, mask: Tensor, table: Tensor) -> Tensor:
        """Guess.

        states (Tensor): The states after each letter. *Shape:* ``(time, batch, hidden_width)``.
        letters (Tensor): The letters, as rows in the table, int64. *Shape:* ``(time, batch)``.
        mask (Tensor): Whether a cell is a letter, not padding. *Shape:* ``(time, batch)``, bool.
        table (Tensor): The letters' vectors. *Shape:* ``(characters, char_width)``.
        RETURNS (Tensor): The loss, summed over all guesses. *Shape:* ``()``.
        """
        follows = mask[1:]
        scores = self.guess(states[:-1][follows]) @ table.T  # (guesses, characters)
        return nn.functional.cross_entropy(scores, letters[1:][follows], reduction="sum")
