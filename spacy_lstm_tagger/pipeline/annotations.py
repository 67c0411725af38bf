"""What a tagger writes into docs: tags, and of universal ones what they say."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import MORPH, POS, TAG
from spacy.parts_of_speech import IDS as POS_IDS
from spacy.symbols import SPACE as SPACE_POS
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..checks import check, check_choice
from ..errors import Errors
from ..whitespace import ABSTAINED, SPACE, SPACE_TAG

# Where tags are written, for each `tag_set`.
TAG_SETS = {"xpos": [TAG], "upos": [TAG, POS], "upos+feats": [TAG, POS, MORPH]}


def check_tags(labels: Iterable[str], tag_set: str) -> None:
    """Check whether tags are those of a tag set.

    labels (Iterable[str]): The tags.
    tag_set (str): A key of `TAG_SETS`.
    RAISES (ValueError): If one of them is not.
    """
    labels = list(labels)
    label = find_bad_tag(labels, tag_set)
    if label is not None:
        raise ValueError(Errors.P010.format(tag=label, tag_set=tag_set))
    check("" not in labels, "labels", "", "tags of one character or more")


def find_bad_tag(labels: Iterable[str], tag_set: str) -> str | None:
    """RETURNS (Optional[str]): The first of some tags that is not of a tag set. None: all are."""
    for label in labels if tag_set != "xpos" else ():
        pos, *features = label.split("|")
        pairs = [feature.partition("=") for feature in features]
        known = pos in POS_IDS and pos != "" and all(name and value for name, _, value in pairs)
        if not known or (features and tag_set == "upos"):
            return label
    return None


def annotate(
    docs: Sequence[Doc],
    guesses: Sequence[NDArray[np.int64]],
    labels: Sequence[str],
    *,
    tag_set: str,
    overwrite: bool,
) -> bool:
    """Write tags into docs. White space is also told in `token.pos_`, as in spaCy's pipelines.

    docs (Sequence[Doc]): The docs.
    guesses (Sequence[NDArray[np.int64]]): The tags of each doc, by their places in the tag set,
        `SPACE` or `ABSTAINED`: no tag.
    labels (Sequence[str]): The tag set.
    tag_set (str): What tags these are, a key of `TAG_SETS`.
    overwrite (bool): Whether what is there already is replaced.
    RETURNS (bool): Whether all tokens had a tag that stays, and some of these another one.
    RAISES (ValueError): If there is no such tag set, or a tag is none of it.
    """
    check_choice("tag_set", tag_set, TAG_SETS)
    attributes = TAG_SETS[tag_set]
    tables: dict[int, NDArray[np.uint64]] = {}
    has_spaces = any(len(ids) for ids in guesses) and bool((np.concatenate(guesses) == SPACE).any())
    n_tokens = n_kept = 0
    differ = False
    for doc, ids in zip(docs, guesses, strict=True):
        if not len(doc):
            continue
        if id(doc.vocab) not in tables:
            used = np.unique(np.concatenate(guesses)) if MORPH in attributes else ()
            tables[id(doc.vocab)] = _values(doc.vocab, labels, tag_set, used)
        values = tables[id(doc.vocab)][ids]
        n_tokens += len(doc)
        if not overwrite and any(map(doc.has_annotation, attributes)):
            present = doc.to_array(attributes).reshape(values.shape)
            n_kept += int(np.count_nonzero(present.all(axis=1)))
            differ = differ or bool((present != values).any())
            values = np.where(present == 0, values, present)
        doc.from_array(attributes, cast(Any, values))
        if has_spaces and POS not in attributes:
            for i in np.flatnonzero(ids == SPACE).tolist():
                if overwrite or not doc[i].pos:
                    doc[i].pos = SPACE_POS
    return differ and n_tokens == n_kept


def _values(
    vocab: Vocab, labels: Sequence[str], tag_set: str, used: Iterable[int]
) -> NDArray[np.uint64]:
    """RETURNS (NDArray[np.uint64]): What each tag writes, then `SPACE` and `ABSTAINED`. *Shape:*
    ``(tags + 2, attributes)``.

    used (Iterable[int]): Which tags there are: too many have features to look at all of them.
    """
    attributes, tags = TAG_SETS[tag_set], [*labels, SPACE_TAG]
    columns = [[*map(vocab.strings.add, tags), 0]]
    if POS in attributes:
        pos = [POS_IDS.get(tag.partition("|")[0]) for tag in labels]
        if None in pos:  # `cfg` was changed in a trained tagger
            check_tags(labels, tag_set)
        columns.append([*pos, SPACE_POS, 0])
    if MORPH in attributes:
        column = [0] * (len(tags) + 1)
        written = [*tags, ""]
        for i in used:
            if i != ABSTAINED:
                feats = written[i].partition("|")[2]
                # Adds a string that outlives a memory zone, but none again that was one of a zone.
                vocab.morphology.add(feats)
                column[i] = vocab.strings.add(vocab.morphology.normalize_features(feats))
        columns.append(column)
    return np.array(columns, dtype=np.uint64).T
