"""Vectors of words, each alone as the trained transformer sees it: `vectors.py TEACHER FOLDER`."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import spacy
import torch
import typer
from numpy.typing import NDArray
from spacy.util import import_file
from spacy.vectors import Vectors
from wordfreq import top_n_list

LAYERS = 8  # of 12
BATCH = 512
# The scale of the values, and what each is a multiple of, so that a wheel of them is small.
STD, STEP = 0.5, 1 / 32


def main(
    teacher: Path,
    output: Path,
    *,
    width: Annotated[int, typer.Option(help="Of the vectors")] = 32,
    words: Annotated[int, typer.Option(help="How many of the most frequent get one")] = 100_000,
) -> None:
    """Write a pipeline that has nothing but the vectors of lower-cased words.

    teacher (Path): The pipeline with the transformer.
    output (Path): The folder for the pipeline.
    width (int): The width of the vectors.
    words (int): How many words get one: the most frequent ones.
    """
    import_file("teacher", Path(__file__).with_name("teacher.py"))
    model = spacy.load(teacher).get_pipe("transformer").model
    transformer = model.transformer.eval()
    transformer.encoder.layer = transformer.encoder.layer[:LAYERS]
    frequent = top_n_list("en", words, wordlist="large")
    if len(frequent) < words:
        raise SystemExit(
            f"wordfreq has only {len(frequent):,} words: give --vars.words {len(frequent)}"
        )
    states = word_states(frequent, model.tokenizer, transformer)
    nlp = spacy.blank("en")
    nlp.vocab.vectors = Vectors(
        strings=nlp.vocab.strings, data=reduce(states, width), keys=frequent, attr="LOWER"
    )
    nlp.to_disk(output)


def word_states(words: list[str], tokenizer: Any, transformer: Any) -> NDArray[np.float32]:
    """RETURNS (NDArray[np.float32]): The mean state of each word's pieces.
    *Shape:* ``(words, width of the transformer)``.
    """
    states = np.empty((len(words), transformer.config.hidden_size), dtype=np.float32)
    order = sorted(range(len(words)), key=lambda i: len(words[i]))
    for start in range(0, len(words), BATCH):
        batch = order[start : start + BATCH]
        inputs = tokenizer(
            [words[i] for i in batch],
            padding=True,
            return_tensors="pt",
            return_special_tokens_mask=True,
        )
        is_piece = (inputs.pop("special_tokens_mask") == 0).float()[..., None]
        with torch.inference_mode():
            y = transformer(**inputs.to(transformer.device)).last_hidden_state.cpu()
        total = (y * is_piece).sum(1)
        states[batch] = (total / is_piece.sum(1).clamp(min=1)).numpy()
    return states


def reduce(states: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """RETURNS (NDArray[np.float32]): The first principal components.
    *Shape:* ``(words, width)``.
    """
    x = states - states.mean(0)
    x /= np.linalg.norm(x, axis=1, keepdims=True) + 1e-6
    _, axes = np.linalg.eigh(x.T @ x)  # the largest last
    x = x @ axes[:, ::-1][:, :width]
    return np.round(x * (STD / x.std(0).mean()) / STEP) * STEP


if __name__ == "__main__":
    typer.run(main)
