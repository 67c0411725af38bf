"""What a tagger writes into docs: tags, and of universal ones what they say."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import MORPH, POS, TAG
from spacy.parts_of_speech import IDS as POS_IDS
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..errors import Errors
from ..whitespace import SPACE_TAG

# Where tags are written, for each `tag_set`.
ATTRIBUTES = {"xpos": {"TAG": TAG}, "upos": {"TAG": TAG, "POS": POS}}
ATTRIBUTES["upos+feats"] = {**ATTRIBUTES["upos"], "MORPH": MORPH}


def check_tags(labels: Iterable[str], tag_set: str) -> None:
    """Check whether tags are those of a tag set.

    labels (Iterable[str]): The tags.
    tag_set (str): A key of `ATTRIBUTES`.
    RAISES (ValueError): If one of them is not.
    """
    for label in labels if tag_set != "xpos" else ():
        pos, *features = label.split("|")
        pairs = [feature.partition("=") for feature in features]
        known = pos in POS_IDS and pos != "" and all(name and value for name, _, value in pairs)
        if not known or (features and tag_set == "upos"):
            raise ValueError(Errors.P019.format(tag=label, tag_set=tag_set))


def annotate(
    docs: Sequence[Doc],
    guesses: Sequence[NDArray[np.int64]],
    labels: Sequence[str],
    *,
    tag_set: str,
    overwrite: bool,
) -> bool:
    """Write tags into docs.

    docs (Sequence[Doc]): The docs.
    guesses (Sequence[NDArray[np.int64]]): The tags of each doc, by their places in the tag set. The
        one after the last is that of white space, `ABSTAINED` writes nothing.
    labels (Sequence[str]): The tag set.
    tag_set (str): What tags these are, a key of `ATTRIBUTES`.
    overwrite (bool): Whether what is there already is replaced.
    RETURNS (bool): Whether there was nothing to do: all tokens had a tag that stays.
    """
    attributes = ATTRIBUTES[tag_set]
    used = np.unique(np.concatenate(guesses)) if guesses else np.zeros(0, dtype=np.int64)
    tables: dict[int, NDArray[np.uint64]] = {}
    n_tokens = n_kept = 0
    for doc, ids in zip(docs, guesses, strict=True):
        if not len(doc):
            continue
        if id(doc.vocab) not in tables:
            tables[id(doc.vocab)] = _values(doc.vocab, used, labels, tag_set)
        values = tables[id(doc.vocab)][ids]
        n_tokens += len(doc)
        if not overwrite and any(map(doc.has_annotation, attributes)):
            present = doc.to_array(list(attributes)).reshape(values.shape)
            n_kept += np.count_nonzero(present[:, 0])
            values = np.where(present == 0, values, present)
        doc.from_array(list(attributes), cast(Any, values))
    return 0 < n_tokens == n_kept


def _values(
    vocab: Vocab, used: NDArray[np.int64], labels: Sequence[str], tag_set: str
) -> NDArray[np.uint64]:
    """RETURNS (NDArray[np.uint64]): What each tag in use writes. *Shape:*
    ``(tags + 2, attributes)``.
    """
    values = np.zeros((len(labels) + 2, len(ATTRIBUTES[tag_set])), dtype=np.uint64)
    for i in used[used >= 0].tolist():
        label = labels[i] if i < len(labels) else SPACE_TAG
        pos, _, features = label.partition("|")
        row = [vocab.strings.add(label), POS_IDS.get(pos, POS_IDS["SPACE"])]
        if tag_set == "upos+feats":
            row.append(vocab.morphology.add(features))
        values[i] = row[: values.shape[1]]
    return values
