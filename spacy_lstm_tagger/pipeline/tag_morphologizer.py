"""The `tag_morphologizer` component: spaCy's morphologizer, held to the tags of the words."""

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import TAG
from spacy.language import Language
from spacy.parts_of_speech import IDS as POS_IDS
from spacy.parts_of_speech import NAMES as POS_NAMES
from spacy.pipeline.morphologizer import Morphologizer, morphologizer_score
from spacy.symbols import SPACE as SPACE_POS
from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model, to_numpy

from ..checks import check, is_list_of_strings
from ..models.flat import FlatList, predict_flat
from ..warning_texts import Warnings
from ..whitespace import docs_with_spaces
from .dictionary import TagDictionary
from .factory import DEFAULT_MODEL
from .gold import compare_tags, count_tags
from .training_block import SAMPLE, is_sample


@Language.factory(
    "tag_morphologizer",
    assigns=["token.morph", "token.pos"],
    requires=["token.tag"],
    default_config={
        "model": DEFAULT_MODEL,
        "overwrite": False,
        "label_smoothing": 0.0,
        "scorer": {"@scorers": "spacy.morphologizer_scorer.v1"},
    },
    default_score_weights={"pos_acc": 0.5, "morph_acc": 0.5, "morph_per_feat": None},
)
def make_tag_morphologizer(
    nlp: Language,
    name: str,
    model: Model,
    overwrite: bool,
    label_smoothing: float,
    scorer: Callable | None,
) -> "TagMorphologizer":
    """Make the component. See `TagMorphologizer` for the values."""
    return TagMorphologizer(
        nlp.vocab,
        model,
        name,
        overwrite=overwrite,
        label_smoothing=label_smoothing,
        scorer=scorer,
    )


class TagMorphologizer(Morphologizer):
    """spaCy's morphologizer behind a tagger: of the coarse tags (`token.pos_`), a word gets one
    that the training data had together with its `token.tag_`. Words without a tag, or with one that
    the training data lacked, may get any.

    vocab (Vocab): The vocabulary of the pipeline.
    model (Model): The network, as of a tagger.
    name (str): The name of the component.
    overwrite (bool): Whether annotation that is there already is replaced.
    label_smoothing (float): As in spaCy's taggers.
    scorer (Optional[Callable]): The scoring method.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "tag_morphologizer",
        *,
        overwrite: bool = False,
        label_smoothing: float = 0.0,
        scorer: Callable | None = morphologizer_score,
    ):
        super().__init__(
            vocab, model, name, overwrite=overwrite, label_smoothing=label_smoothing, scorer=scorer
        )
        self.cfg["tag_pos"] = {}
        # The tables of `cfg` that it was made of, and what was made of them.
        self._kept: tuple[dict[str, list[str]], list[str], TagDictionary | None] | None = None

    @property
    def label_data(self) -> dict[str, dict[str, Any]]:
        """RETURNS (dict): The labels, as of spaCy's component; and in "tags", the coarse tags that
        the training data has with each tag.
        """
        return {**super().label_data, "tags": self.cfg["tag_pos"]}

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare for training.

        get_examples (Callable[[], Iterable[Example]]): Gives a representative sample.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Dict[str, Dict[str, Any]]]): The labels, and which coarse tags go with
            which tags, as `MorphLabels.v1` reads them. None: those of the sample.
        RAISES (ValueError): If there is no label, or `labels` are not such.
        """
        validate_get_examples(get_examples, "TagMorphologizer.initialize")
        if labels is None:
            if is_sample(get_examples, nlp):
                names = {"what": "found labels", "setting": "labels", "reader": "MorphLabels.v1"}
                warnings.warn(Warnings.LW005.format(name=self.name, **names), stacklevel=2)
            found: defaultdict[str, set[str]] = defaultdict(set)
            for token in (token for eg in get_examples() for token in eg.reference):
                if token.tag and token.pos:
                    found[token.tag_].add(token.pos_)
            tag_pos: Any = {tag: sorted(found[tag]) for tag in sorted(found)}
        else:
            are_such = isinstance(labels, Mapping) and all(
                isinstance(labels.get(name), Mapping) for name in ("morph", "pos")
            )
            check(are_such, "labels", labels, "tables morph and pos, as MorphLabels.v1 reads them")
            tag_pos = labels.get("tags", {})
            check_tag_pos(tag_pos)
            compare_tags(self.name, "labels", tag_pos, count_tags(islice(get_examples(), SAMPLE)))
        super().initialize(get_examples, nlp=nlp, labels=labels)
        self.cfg["tag_pos"] = tag_pos

    def predict(self, docs: Iterable[Doc]) -> Sequence[NDArray[np.int64]]:
        """Find the labels of a batch of docs, without changing them.

        docs (Iterable[Doc]): The docs, with tags.
        RETURNS (Sequence[NDArray[np.int64]]): Indices of labels, one array a doc.
        """
        docs = list(docs)
        lengths = list(map(len, docs))
        if not any(lengths):
            return FlatList(np.zeros(0, dtype=np.int64), lengths)
        scores: Any = predict_flat(self.model, docs)
        guesses = to_numpy(scores.argmax(axis=1))
        dictionary = self._labels_of_tags()
        if dictionary is not None:
            tokens, rows = dictionary.find(docs)
            is_wrong = ~dictionary.allowed[rows, guesses[tokens]]
            if is_wrong.any():
                wrong, allowed = tokens[is_wrong], dictionary.allowed[rows[is_wrong]]
                others = to_numpy(scores[self.model.ops.asarray(wrong)])
                guesses[wrong] = np.where(allowed, others, -np.inf).argmax(axis=1)
        return FlatList(guesses, lengths)

    def set_annotations(
        self, docs: Iterable[Doc] | Doc, batch_tag_ids: Sequence[NDArray[np.int64]]
    ) -> None:
        """Set `token.pos_` and `token.morph`, as spaCy's component does. White space is `SPACE`
        and has no features.

        docs (Union[Iterable[Doc], Doc]): The docs.
        batch_tag_ids (Sequence[NDArray[np.int64]]): Indices of labels, from `predict`.
        """
        docs = [docs] if isinstance(docs, Doc) else list(docs)
        # In another pipeline (`source`) it keeps its own vocabulary, to which alone spaCy's tells
        # what features there are: docs would have none.
        for vocab in {doc.vocab for doc in docs} - {self.vocab}:
            for features in self.cfg["labels_morph"].values():
                vocab.morphology.add(features)
        overwrite, places = self.cfg["overwrite"], docs_with_spaces(docs)
        spaces = [docs[i][j] for i, of_doc in places for j in np.flatnonzero(of_doc).tolist()]
        present = [(token, token.has_morph(), token.pos) for token in spaces]
        super().set_annotations(docs, batch_tag_ids)
        for token, has_morph, pos in present:
            if overwrite or not has_morph:
                token.set_morph("")
            if overwrite or not pos:
                token.pos = SPACE_POS

    def _labels_of_tags(self) -> TagDictionary | None:
        """RETURNS (Optional[TagDictionary]): Which labels go with which tags, as `cfg` says now.
        None: any of them.
        """
        # Once: another thread may replace it meanwhile.
        kept = self._kept
        tag_pos, labels = self.cfg["tag_pos"], list(self.labels)
        if kept is None or kept[0] is not tag_pos or kept[1] != labels:
            pos = {label: POS_NAMES[i] for label, i in self.cfg["labels_pos"].items()}
            # A label without a coarse tag goes with all of them.
            entries = {
                tag: [label for label in labels if pos[label] in ("", *names)]
                for tag, names in tag_pos.items()
            }
            entries = {tag: found for tag, found in entries.items() if found}
            dictionary = TagDictionary(entries, labels, attribute=TAG) if entries else None
            self._kept = kept = tag_pos, labels, dictionary
        return kept[2]


def check_tag_pos(tag_pos: Any) -> None:
    """RAISES (ValueError): If this does not say which coarse tags go with which tags."""
    is_table = isinstance(tag_pos, Mapping)
    check(is_table, "labels.tags", tag_pos, "a table of tags, each with a list of coarse tags")
    for tag, names in tag_pos.items():
        known = is_list_of_strings(names) and set(names) <= set(POS_IDS)
        check(known, f"labels.tags.{tag}", names, "a list of universal coarse tags, as NOUN")
