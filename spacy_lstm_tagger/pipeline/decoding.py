"""From a lattice of tag scores to what is written into docs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from ..checks import check, check_flag, is_integer, is_number
from ..models.flat import FlatList
from ..nn.lattice import Lattice
from ..probabilities import OWN, TagProbabilities, TagSequences, forget
from ..whitespace import ABSTAINED, SPACE, SPACE_TAG, spread

MOST_SEQUENCES = 10_000  # what is in memory grows with them


class Guesses(FlatList):
    """The tags that were found for a batch of docs, as indices: one array a doc. White space
    is `SPACE`; where no tag was sure enough it is `ABSTAINED`.

    flat (NDArray[np.int64]): The tags of all docs. *Shape:* ``(tokens,)``.
    lengths (Iterable[int]): The number of tokens of each doc.
    labels (Sequence[str]): The tag set.
    probabilities (Optional[list[TagProbabilities]]): The probabilities to keep with each doc.
    sequences (Optional[list[TagSequences]]): The best sequences to keep with each doc.
    """

    def __init__(
        self,
        flat: NDArray[np.int64],
        lengths: Iterable[int],
        *,
        labels: Sequence[str],
        probabilities: list[TagProbabilities] | None,
        sequences: list[TagSequences] | None,
    ):
        super().__init__(flat, lengths)
        self.labels = labels
        self.probabilities = probabilities
        self.sequences = sequences

    def keep(self, docs: Iterable[Doc], *, overwrite: bool) -> None:
        """Keep probabilities and sequences, if there are any, with the docs, before their tags are
        set: those of an earlier tagger stay where all its tags do.

        docs (Iterable[Doc]): The docs.
        overwrite (bool): Whether tags that are there already are replaced.
        """
        for i, doc in enumerate(docs):
            if overwrite:
                forget(doc)
            stay = bool(doc.user_data) and doc.has_annotation("TAG", require_complete=True)
            if self.probabilities and not (stay and TagProbabilities.from_doc(doc)):
                self.probabilities[i].to_doc(doc)
                doc.user_data[TagProbabilities.key][OWN] = True
            if self.sequences and not (stay and TagSequences.from_doc(doc)):
                self.sequences[i].to_doc(doc)


@dataclass(frozen=True)
class Decoding:
    """What is asked of the decoder beside the best tags.

    save_probabilities (bool): Whether to give probabilities.
    n_best (Optional[int]): How many of the best sequences to give, up to 10,000. None: none.
    threshold (Optional[float]): The probability that a tag must have. None: any.
    temperature (float): What scores are divided by before they become probabilities.
    RAISES (ValueError): If a value is out of range.
    """

    save_probabilities: bool
    n_best: int | None
    threshold: float | None
    temperature: float

    @classmethod
    def of(cls, cfg: Mapping[str, Any]) -> "Decoding":
        """RETURNS (Decoding): What the settings of a tagger ask for."""
        return cls(**{field.name: cfg[field.name] for field in fields(cls)})

    def __post_init__(self) -> None:
        n, threshold, temperature = self.n_best, self.threshold, self.temperature
        check_flag(save_probabilities=self.save_probabilities)
        few = n is None or is_integer(n, 1, MOST_SEQUENCES)
        check(few, "n_best", n, f"null or from 1 to {MOST_SEQUENCES}")
        share = threshold is None or is_number(threshold, 0.0, 1.0)
        check(share, "threshold", threshold, "null or from 0 to 1")
        finite = is_number(temperature, 0.0) and 0.0 < temperature < float("inf")
        check(finite, "temperature", temperature, "more than 0")

    def __call__(
        self,
        lattice: Lattice,
        labels: Sequence[str],
        *,
        lengths: Sequence[int],
        spaces: NDArray[np.bool_],
    ) -> Guesses:
        """Find the tags of a batch, and what else is asked for.

        lattice (Lattice): The scores of words.
        labels (Sequence[str]): The tag set.
        lengths (Sequence[int]): The number of tokens of each doc.
        spaces (NDArray[np.bool_]): Which of them are white space, and no words.
            *Shape:* ``(tokens,)``.
        RETURNS (Guesses): The tags.
        """
        scaled = lattice.divided(self.temperature)
        sequences = None
        if self.n_best is None:
            best = lattice.best().numpy(force=True)
        else:
            tags, chances = (each.numpy(force=True) for each in scaled.n_best(self.n_best))
            best = tags[0]
            of_docs = FlatList(spread(tags.T, spaces, fill=len(labels)), lengths)
            sequences = [
                TagSequences.of([*labels, SPACE_TAG], of_doc.T, chance)
                for of_doc, chance in zip(of_docs, chances.T, strict=True)
            ]
        kept = None
        if self.save_probabilities or self.threshold:
            probabilities = scaled.probabilities().numpy(force=True)
            if self.save_probabilities:
                of_docs = FlatList(spread(probabilities, spaces, fill=0.0), lengths)
                kept = [TagProbabilities.of(labels, of_doc) for of_doc in of_docs]
            if self.threshold:
                sure = probabilities[np.arange(len(best)), best] >= self.threshold
                best = np.where(sure, best, ABSTAINED)
        best = spread(best, spaces, fill=SPACE)
        return Guesses(best, lengths, labels=labels, probabilities=kept, sequences=sequences)
