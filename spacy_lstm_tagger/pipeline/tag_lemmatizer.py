"""The `tag_lemmatizer` component: lemmas by word and tag."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import srsly
from spacy.attrs import LEMMA, ORTH, TAG
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.pipeline.lemmatizer import lemmatizer_score
from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples
from spacy.vocab import Vocab

from ..checks import check, is_counted
from ..errors import Errors
from ..lemmas import LemmaTables
from ..warning_texts import Warnings
from .gold import compare_tags, count_tags
from .training_block import SAMPLE, is_sample

FILE = "lemmas.json"
# Words with their tags whose lemmas are kept at hand.
CACHE_SIZE = 100_000
# Of the hashes of a word and its tag. Lemmas are texts: a memory zone forgets the strings that it
# has met.
Cache = dict[tuple[int, int], str]

Self = TypeVar("Self", bound="TagLemmatizer")


@Language.factory(
    "tag_lemmatizer",
    assigns=["token.lemma"],
    requires=["token.tag"],
    default_config={"overwrite": False, "scorer": {"@scorers": "spacy.lemmatizer_scorer.v1"}},
    default_score_weights={"lemma_acc": 0.0},
)
def make_tag_lemmatizer(
    nlp: Language, name: str, overwrite: bool, scorer: Callable | None
) -> "TagLemmatizer":
    """Make the component. See `TagLemmatizer` for the values."""
    return TagLemmatizer(nlp.vocab, name, overwrite=overwrite, scorer=scorer)


class TagLemmatizer(Pipe):
    """Sets `token.lemma_` by the word and its `token.tag_`. What it knows it reads from a treebank
    when the pipeline is initialized: nothing is trained.

    vocab (Vocab): The vocabulary of the pipeline.
    name (str): The name of the component.
    overwrite (bool): Whether lemmas that are there already are replaced.
    scorer (Optional[Callable]): The scoring method.
    """

    def __init__(
        self,
        vocab: Vocab,
        name: str = "tag_lemmatizer",
        *,
        overwrite: bool = False,
        scorer: Callable | None = lemmatizer_score,
    ):
        self.vocab = vocab
        self.name = name
        self.overwrite = overwrite
        self.scorer = scorer
        # The tables, and what has been looked up in them.
        self._lemmas: tuple[LemmaTables, Cache] | None = None
        self._warned = False

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        lemmas: Iterable[Any] | None = None,
    ) -> None:
        """Learn the lemmas of the training data.

        get_examples (Callable[[], Iterable[Example]]): Returns the training data.
        nlp (Optional[Language]): The pipeline.
        lemmas (Optional[Iterable[Tuple[str, str, str, int]]]): Words, each with a tag, a lemma and
            how often, as `WordLemmas.v1` reads them. What is there 0 times is known, but no rule
            is learned from it. None: those of the training data.
        RAISES (ValueError): If no word has a tag and a lemma, or `lemmas` are not such.
        """
        if lemmas is None:
            validate_get_examples(get_examples, "TagLemmatizer.initialize")
            if is_sample(get_examples, nlp):
                names = {"what": "found lemmas", "setting": "lemmas", "reader": "WordLemmas.v1"}
                warnings.warn(Warnings.LW005.format(name=self.name, **names), stacklevel=2)
            tokens = (token for example in get_examples() for token in example.reference)
            found = ((t.text, t.tag_, t.lemma_, 1) for t in tokens if t.tag and t.lemma)
            # So `spacy convert` writes that there is none, but for the word _ itself.
            lemmas = (each for each in found if each[2] != "_" or each[0] == "_")
        counts: Counter[tuple[str, str, str]] = Counter()
        for i, entry in enumerate(lemmas):
            if not (is_counted(entry, 3, least=0) and entry[2]):
                check(False, f"lemmas[{i}]", entry, "a word, a tag, a lemma and a number of tokens")
            word, tag, lemma, count = entry
            counts[word, tag, lemma] += count
        if not any(counts.values()):
            raise ValueError(Errors.P011.format(name=self.name))
        tags = (tag for _, tag, _ in counts)
        compare_tags(self.name, "lemmas", tags, count_tags(islice(get_examples(), SAMPLE)))
        self._set_tables(LemmaTables.learn(counts))

    def __call__(self, doc: Doc) -> Doc:
        """Set the lemmas of a doc.

        doc (Doc): The doc.
        RETURNS (Doc): The doc.
        RAISES (ValueError): If the component is not initialized.
        """
        if self._lemmas is None:
            raise ValueError(Errors.P020.format(name=self.name))
        lemmas = np.array(self._lookup(doc, *self._lemmas), dtype=np.uint64)
        return doc.from_array([LEMMA], cast(Any, lemmas))

    def _lookup(self, doc: Doc, tables: LemmaTables, cache: Cache) -> list[int]:
        strings = doc.vocab.strings
        if len(cache) > CACHE_SIZE:
            cache.clear()
        lemmas = []
        for word, tag, present in doc.to_array([ORTH, TAG, LEMMA]).tolist():
            if present and not self.overwrite:
                lemmas.append(present)
                continue
            lemma = cache.get((word, tag))
            if lemma is None:
                if not tag and not self._warned:
                    self._warned = True
                    warnings.warn(Warnings.LW006.format(name=self.name), stacklevel=2)
                lemma = cache[word, tag] = tables.lemma(strings[word], strings[tag])
            lemmas.append(strings.add(lemma))
        return lemmas

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Save the component.

        path (Union[str, Path]): The component's folder.
        exclude (Iterable[str]): There is no field to leave out.
        """
        Path(path).mkdir(exist_ok=True)
        (Path(path) / FILE).write_bytes(self.to_bytes())

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """RETURNS (bytes): The component. See `to_disk`."""
        tables = None if self._lemmas is None else self._lemmas[0].to_json()
        return srsly.json_dumps(tables).encode("utf-8")

    def from_disk(self: Self, path: str | Path, *, exclude: Iterable[str] = ()) -> Self:
        """Load the component. If it cannot be loaded, what was loaded before stays.

        path (Union[str, Path]): The component's folder.
        exclude (Iterable[str]): There is no field to leave out.
        RAISES (ValueError): If the file is damaged or missing.
        """
        path = Path(path) / FILE
        try:
            data = path.read_bytes()
        except FileNotFoundError as e:
            raise ValueError(Errors.L007.format(path=path, error="there is no such file")) from e
        return self._load(data, source=str(path))

    def from_bytes(self: Self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Self:
        """Load the component from bytes. See `from_disk`."""
        return self._load(bytes_data, source="bytes")

    def _load(self: Self, data: bytes, *, source: str) -> Self:
        try:
            content = srsly.json_loads(data.decode("utf-8"))
            tables = None if content is None else LemmaTables.from_json(content)
        except ValueError as e:
            raise ValueError(Errors.L007.format(path=source, error=e)) from e
        self._set_tables(tables)
        return self

    def _set_tables(self, tables: LemmaTables | None) -> None:
        self._lemmas = None if tables is None else (tables, {})
