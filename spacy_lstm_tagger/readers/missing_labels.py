"""Warns of labels that data has and a component of the pipeline lacks."""

import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.morphology import Morphology
from spacy.pipeline import EntityRecognizer, Morphologizer, SentenceRecognizer, Tagger
from spacy.strings import StringStore
from spacy.symbols import SPACE as SPACE_POS

from ..checks import first_of
from ..pipeline import LSTMTagger
from ..pipeline.notation import Notation
from ..pipeline.training_block import read_training
from ..warning_texts import Warnings
from ..whitespace import SPACE_TAG
from .encoded import Annotation


def warn_of_missing_labels(nlp: Language, path: Path, annotations: Collection[Annotation]) -> bool:
    """Warn of labels that a corpus has and an initialized component lacks: it can neither learn nor
    give them. Of components whose labels cannot be told from the annotation, warn if they had to
    take them from the start of a streamed corpus.

    nlp (Language): The pipeline.
    path (Path): The corpus.
    annotations (Collection[Annotation]): The distinct annotations of its words.
    RETURNS (bool): Whether there is such a component to compare with.
    """
    training, initialize = read_training(nlp), nlp.config.get("initialize", {})
    frozen = training.get("frozen_components", [])
    found = False
    for name, pipe in nlp.pipeline:
        labels = set(getattr(pipe, "labels", ()))
        if not labels or name in frozen or isinstance(pipe, SentenceRecognizer):
            continue
        found = True
        needed = labels_for(pipe, annotations, nlp.vocab.strings)
        if needed is None:
            is_given = initialize.get("components", {}).get(name, {}).get("labels")
            takes_labels = getattr(pipe, "label_data", None) is not None  # unlike a ruler
            if takes_labels and training.get("max_epochs") == -1 and not is_given:
                warnings.warn(Warnings.LW004.format(name=name), stacklevel=1)
        elif missing := sorted(needed - labels):
            shown = first_of(list(map(repr, missing)))
            values = {"path": path, "name": name, "count": len(missing), "labels": shown}
            warnings.warn(Warnings.LW003.format(**values), stacklevel=1)
    return found


def labels_for(
    pipe: Any, annotations: Iterable[Annotation], strings: StringStore
) -> set[str] | None:
    """RETURNS (Optional[set[str]]): The labels that a component needs for some annotations. None
    if they do not tell.
    """
    if isinstance(pipe, Morphologizer):
        morphology = pipe.vocab.morphology
        words = (each for each in annotations if each.pos != SPACE_POS)
        pairs = {(strings[each.pos], strings[each.morph]) for each in words}
        return {morph_label(morphology, *pair) for pair in pairs} - {""}
    if isinstance(pipe, Tagger):
        return set(count_labels(pipe, {strings[each.tag]: 1 for each in annotations}))
    if isinstance(pipe, EntityRecognizer):
        return {strings[each.entity] for each in annotations if each.entity}
    return None


def count_labels(pipe: Tagger, tags: Mapping[str, int]) -> Counter[str]:
    """Count the labels of a tagger in what words are annotated with.

    pipe (Tagger): The tagger.
    tags (Mapping[str, int]): How many words have each annotation.
    RETURNS (Counter[str]): For each label how many words may have it. 0: some are said not to.
    """
    counts = Notation.of(pipe.cfg).count(tags, set(pipe.labels))
    if isinstance(pipe, LSTMTagger):
        del counts[SPACE_TAG]  # white space has it without being told
    return counts


def morph_label(morphology: Morphology, pos: str, feats: str) -> str:
    """RETURNS (str): The label that spaCy's `morphologizer` has for a coarse tag and features.
    Empty if there is neither.
    """
    parts = Morphology.feats_to_dict(feats)
    if pos:
        parts[Morphologizer.POS_FEAT] = pos
    return morphology.strings[morphology.add(parts)] if parts else ""
