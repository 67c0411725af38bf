"""How right a pipeline's tags are: on lone sentences and on texts, on known words and on others."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from spacy.attrs import TAG
from spacy.language import Language
from spacy.pipeline.tagger import tagger_score
from spacy.training import Example

from .models.word_char_embed import NAME as EMBEDDING
from .readers import Corpus

TEXT = 10  # sentences


@dataclass(frozen=True)
class Accuracy:
    """The accuracy on some words.

    words (int): How many of them have a gold tag.
    tag_acc (Optional[float]): How many of these have the right tag, as `spacy evaluate` tells it.
        None: there are no words.
    """

    words: int
    tag_acc: float | None


@dataclass(frozen=True)
class Evaluation:
    """The accuracy on docs of one kind.

    all (Accuracy): On all words.
    known (Optional[Accuracy]): On those that have a row in the tagger's vocabulary.
    unknown (Optional[Accuracy]): On the others. Both are None if the tagger has no such rows.
    """

    all: Accuracy
    known: Accuracy | None
    unknown: Accuracy | None


def evaluate(
    nlp: Language, path: Path, *, tag: str = "xpos", raw: bool = False, n_process: int = 1
) -> dict[str, Evaluation]:
    """Evaluate the tags of a pipeline.

    nlp (Language): The pipeline.
    path (Path): A file or folder that `Corpus.v1` reads.
    tag (str): Where its tags come from, as for `Corpus.v1`.
    raw (bool): Whether the pipeline splits the text into tokens. By default it gets those of the
        file.
    n_process (int): How many processes tag.
    RETURNS (dict[str, Evaluation]): For "sentences", which are alone, and for "texts" of ten.
    RAISES (ValueError): If the file is not valid or has no tag.
    """
    known = known_words(nlp)
    found = {}
    for name, group_by in (("sentences", 1), ("texts", TEXT)):
        examples = read_examples(nlp, path, tag=tag, group_by=group_by, gold_tokens=not raw)
        docs = nlp.pipe((eg.predicted for eg in examples), n_process=n_process)
        pairs = zip(docs, examples, strict=True)
        found[name] = accuracies([Example(doc, eg.reference) for doc, eg in pairs], known)
    return found


def read_examples(nlp: Language, path: Path, **settings: Any) -> list[Example]:
    """Read a corpus without a warning of tags that the pipeline lacks, as if it was to learn them.

    nlp (Language): The pipeline.
    path (Path): A file or folder that `Corpus.v1` reads.
    settings (Any): Further ones of `Corpus.v1`.
    RETURNS (list[Example]): The examples.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\[W010\]")
        return list(Corpus(path, **settings)(nlp))


def accuracies(examples: list[Example], known: Callable[[int], bool] | None) -> Evaluation:
    """RETURNS (Evaluation): The accuracy of tagged docs. `known` tells whether a word is."""
    if known is None:
        return Evaluation(_accuracy(examples), None, None)
    parts = (
        _accuracy(_with_tags_of(eg, known, wanted) for eg in examples) for wanted in (True, False)
    )
    return Evaluation(_accuracy(examples), *parts)


def known_words(nlp: Language) -> Callable[[int], bool] | None:
    """RETURNS (Optional[Callable[[int], bool]]): Whether a word, by its hash, has a row of its own
    in a vocabulary of the pipeline's tagger or of an encoder. None if there is no such vocabulary.
    """
    models = [pipe.model for _, pipe in nlp.pipeline if hasattr(pipe, "model")]
    layers = [node for model in models for node in model.walk() if node.name == EMBEDDING]
    tables: list[Any] = [layer.shims[0]._model.tables["word"] for layer in layers]
    if not tables:
        return None

    def known(orth: int) -> bool:
        key = orth - (1 << 64) if orth >> 63 else orth  # the keys of rows are signed
        return any(table.lookup([key])[0] for table in tables)

    return known


def _accuracy(examples: Iterable[Example]) -> Accuracy:
    examples = list(examples)
    words = sum(int(np.count_nonzero(eg.reference.to_array(TAG))) for eg in examples)
    return Accuracy(words, tagger_score(examples)["tag_acc"])


def _with_tags_of(eg: Example, known: Callable[[int], bool], wanted: bool) -> Example:
    """RETURNS (Example): The same, with gold tags only of words that are known, or are not."""
    reference = eg.reference.copy()
    for token in reference:
        if known(token.orth) is not wanted:
            token.tag = 0
    return Example(eg.predicted, reference)
