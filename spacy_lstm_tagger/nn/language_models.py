"""Language models that share an LSTM with the tagger: losses that training adds."""

import torch
from torch import Tensor, nn

# How many words a guess chooses from at most, which bounds memory.
CANDIDATES = 1024


class WordLanguageModel(nn.Module):
    r"""Lets a language model learn in the sentence LSTM (Rei, 2017,
    https://aclanthology.org/P17-1194): before a direction reads a word, its state has to tell it
    from the other words of the batch.

    .. math:: - \sum_t \log \frac{\exp(x_{t+1} \cdot g(\overrightarrow{h}_t))}
        {\sum_s \exp(x_s \cdot g(\overrightarrow{h}_t))}

    with the words' vectors :math:`x` and an affine map :math:`g`; and the same backwards. The
    candidates :math:`s` are the words that are guessed beside it, up to `CANDIDATES`, so no
    vocabulary has to be kept.

    hidden_width (int): Width of one direction's state.
    word_width (int): Width of the words' vectors.
    bidirectional (bool): Whether there are states of a second direction.
    """

    def __init__(self, *, hidden_width: int, word_width: int, bidirectional: bool):
        super().__init__()
        self.following = nn.Linear(hidden_width, word_width, dtype=torch.float32)
        self.preceding = (
            nn.Linear(hidden_width, word_width, dtype=torch.float32) if bidirectional else None
        )

    def forward(self, words: Tensor, states: Tensor, followed: Tensor) -> Tensor:
        """Guess.

        words (Tensor): The vectors of the words. *Shape:* ``(tokens, word_width)``.
        states (Tensor): The states after each of them, of one direction or of both side by side,
            neither of which has seen the other. *Shape:* ``(tokens, directions * hidden_width)``.
        followed (Tensor): The rows of the tokens that another one of the same sequence follows,
            int64. *Shape:* ``(pairs,)``.
        RETURNS (Tensor): The loss, summed over all guesses. *Shape:* ``()``.
        """
        width = self.following.in_features
        here, next_one = (words.index_select(0, rows) for rows in (followed, followed + 1))
        guesses = [(self.following(states[:, :width].index_select(0, followed)), next_one)]
        if self.preceding is not None:
            before = states[:, width:].index_select(0, followed + 1)
            guesses.append((self.preceding(before), here))
        losses = [words.new_zeros(())]
        for pair in guesses:
            parts = zip(*(each.split(CANDIDATES) for each in pair), strict=True)
            losses += [contrast(*part) for part in parts]
        return torch.stack(losses).sum()


class CharacterLanguageModel(nn.Module):
    r"""Lets a language model learn in the character LSTM (Rei, 2017,
    https://aclanthology.org/P17-1194): after each letter, the state has to tell which one it will
    read next.

    .. math:: - \sum_i \log \mathrm{softmax}(E\, g(h_i))_{l_{i+1}}

    with the table :math:`E` of the letters' vectors and an affine map :math:`g`.

    hidden_width (int): Width of the state.
    char_width (int): Width of the letters' vectors.
    """

    def __init__(self, *, hidden_width: int, char_width: int):
        super().__init__()
        self.guess = nn.Linear(hidden_width, char_width, dtype=torch.float32)

    def forward(self, states: Tensor, letters: Tensor, mask: Tensor, table: Tensor) -> Tensor:
        """Guess.

        states (Tensor): The states after each letter. *Shape:* ``(time, batch, hidden_width)``.
        letters (Tensor): The letters, as rows in the table, int64. *Shape:* ``(time, batch)``.
        mask (Tensor): Whether a cell is a letter, not padding. *Shape:* ``(time, batch)``, bool.
        table (Tensor): The letters' vectors. *Shape:* ``(characters, char_width)``.
        RETURNS (Tensor): The loss, summed over all guesses. *Shape:* ``()``.
        """
        scores = self.guess(states[:-1]) @ table.T  # (time - 1, batch, characters)
        # Left out by their target rather than by a mask, for which a GPU would have to be waited.
        following = letters[1:].masked_fill(~mask[1:], -1)
        return nn.functional.cross_entropy(
            scores.flatten(0, 1), following.flatten(), ignore_index=-1, reduction="sum"
        )


def contrast(guesses: Tensor, words: Tensor) -> Tensor:
    """The cross-entropy of telling each guess's word from the others (van den Oord et al., 2018,
    https://arxiv.org/abs/1807.03748).

    guesses (Tensor): *Shape:* ``(pairs, width)``.
    words (Tensor): The word that each should be. *Shape:* ``(pairs, width)``.
    RETURNS (Tensor): The sum over pairs. *Shape:* ``()``.
    """
    cross_entropy = nn.functional.cross_entropy
    if words.is_cuda:  # to find the types there, one would have to wait
        targets = torch.arange(len(words), device=words.device)
        return cross_entropy(guesses @ words.T, targets, reduction="sum")
    # Tokens of one type have the same vector: it is scored once, and counts as often as they are.
    _, of, counts = torch.unique(fingerprints(words), return_inverse=True, return_counts=True)
    # One of the tokens stands for each type. Their vectors are one, so its gradient is that of all.
    token = torch.empty_like(counts).scatter_(0, of, torch.arange(len(of)))
    weights = counts.to(words.dtype).log()  # (types,)
    scores = guesses @ words[token].T + weights  # (pairs, types)
    return cross_entropy(scores, of, reduction="sum") + weights[of].sum()


def fingerprints(words: Tensor) -> Tensor:
    """A number for each vector, the same for equal vectors and another for others: comparing whole
    vectors would take many times as long.

    words (Tensor): *Shape:* ``(tokens, width)``.
    RETURNS (Tensor): *Shape:* ``(tokens,)``, float64.
    """
    # Square roots, so that no simple sum of other features makes up for a difference in one.
    roots = torch.arange(1, words.shape[1] + 1, dtype=torch.float64, device=words.device).sqrt()
    return (words.detach() * roots).sum(1)
