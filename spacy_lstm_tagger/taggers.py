"""Pipelines and their taggers, whoever made them: which they are, and how sure they are."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import torch
from numpy.typing import NDArray
from spacy.attrs import LEMMA, MORPH, POS, TAG
from spacy.cli._util import import_code
from spacy.language import Language
from spacy.pipeline import Tagger
from spacy.tokens import Doc
from spacy.util import load_model
from thinc.api import Model, NumpyOps, to_numpy

from .errors import Errors
from .files.reading import files_in
from .models.flat import FlatList, predict_flat
from .pipeline import LSTMTagger
from .pipeline.annotations import TAG_SETS
from .pipeline.notation import Notation
from .probabilities import TagProbabilities


def load_pipeline(name: str | Path) -> Language:
    """Load a pipeline that the user has named, so that an error tells which one it is.

    name (Union[str, Path]): Its name, or its folder.
    RETURNS (Language): The pipeline.
    RAISES (ValueError): If it cannot be loaded.
    RAISES (OSError): If there is no such pipeline.
    """
    try:
        return load_model(name)
    except (ValueError, TypeError, LookupError, EOFError) as error:
        told = str(error).rstrip(".") or type(error).__name__
        raise ValueError(Errors.C030.format(name=name, error=told)) from error


def prepare_process(code: Path | None, gpu_id: int) -> None:
    """Make a worker process ready for pipelines.

    code (Optional[Path]): A file with registered functions that they need.
    gpu_id (int): The GPU. -1: none.
    """
    import_code(code)
    if gpu_id >= 0:
        spacy.require_gpu(gpu_id)
    torch.set_num_threads(1)


def tagger_names(nlp: Language) -> list[str]:
    """RETURNS (list[str]): The names of the components that set token.tag_."""
    return [name for name in nlp.pipe_names if "token.tag" in nlp.get_pipe_meta(name).assigns]


def tagger_name(nlp: Language, *, pipeline: str | None = None) -> str:
    """Find the component whose tags are in docs: of several that set token.tag_ the last one that
    overwrites, or the first one if none does.

    nlp (Language): The pipeline.
    pipeline (Optional[str]): What it is called in an error. None: by its name.
    RETURNS (str): The component's name.
    RAISES (ValueError): If there is none.
    """
    names = tagger_names(nlp)
    if not names:
        others = ", ".join(nlp.pipe_names) or "none"
        raise ValueError(Errors.C006.format(pipeline=pipeline or nlp.meta["name"], names=others))
    for name in reversed(names):
        if getattr(nlp.get_pipe(name), "cfg", {}).get("overwrite", True):
            return name
    return names[0]


def open_annotations(pipe: Any, annotations: Iterable[str]) -> list[str]:
    """RETURNS (list[str]): The annotations that do not say which one tag a word has, as a tagger of
    ours reads them. Others do not know of any.

    pipe (Any): The tagger.
    annotations (Iterable[str]): What words are annotated with.
    """
    if not isinstance(pipe, LSTMTagger):
        return []
    return Notation.of(pipe.cfg).open(annotations, pipe.labels)


def written_by(pipe: Any) -> list[int]:
    """RETURNS (list[int]): The attributes of tokens that a tagger sets."""
    return TAG_SETS[pipe.cfg["tag_set"]] if isinstance(pipe, LSTMTagger) else [TAG]


def written_in(nlp: Language) -> set[int]:
    """RETURNS (set[int]): What the components of a pipeline set of tags and what goes with them."""
    declared = {"token.tag": TAG, "token.pos": POS, "token.morph": MORPH, "token.lemma": LEMMA}
    found: set[int] = set()
    for name, pipe in nlp.pipeline:
        names = nlp.get_pipe_meta(name).assigns
        own = isinstance(pipe, LSTMTagger)  # which declares all that it may set
        found.update(written_by(pipe) if own else (declared[n] for n in names if n in declared))
    return found


def tokenize(tokenizer: Callable[[str], Doc], text: str, *, place: str) -> Doc:
    """Tokenize a text, so that an error tells which one it is.

    tokenizer (Callable[[str], Doc]): The tokenizer.
    text (str): The text.
    place (str): Where it is.
    RETURNS (Doc): Its tokens.
    RAISES (ValueError): If the tokenizer refuses it, as that of Japanese a long one.
    """
    try:
        return tokenizer(text)
    except (MemoryError, ImportError):
        raise
    except Exception as error:  # Sudachi's is nothing more
        told = f"{type(error).__name__}: {error}"
        raise ValueError(Errors.D027.format(place=place, error=told)) from error


def check_tokens(doc: Doc, n_tokens: int, *, place: str) -> None:
    """Check, by their number, that a pipeline has left the tokens that it was given.

    doc (Doc): A doc that it has made something of.
    n_tokens (int): How many it was given.
    place (str): What the error names.
    RAISES (ValueError): If it has merged or split some.
    """
    if len(doc) != n_tokens:
        raise ValueError(Errors.C029.format(place=place, words=n_tokens, found=len(doc)))


def layers_of(nlp: Language, name: str | None = None, *, enabled: bool = False) -> Iterator[Model]:
    """YIELDS (Model): Each layer of the components that have a model.

    name (Optional[str]): What the layers are called. None: anything.
    enabled (bool): Whether those of disabled components are left out.
    """
    for _, pipe in nlp.pipeline if enabled else nlp.components:
        model = getattr(pipe, "model", None)
        for node in model.walk() if model is not None else ():
            if name in (None, node.name):
                yield node


@contextmanager
def keeping_probabilities(nlp: Language, name: str) -> Iterator[None]:
    """Let a tagger keep the probabilities of its tags with each doc that it tags in a block, if it
    can, and no other one in its place. Later they could not be found: another component may have
    changed what its model reads.

    nlp (Language): The pipeline.
    name (str): The component's name.
    """
    pipe: Any = nlp.get_pipe(name)
    ours = [each for _, each in nlp.components if isinstance(each, LSTMTagger)]
    before = [each.cfg["save_probabilities"] for each in ours]
    for each in ours:
        each.cfg["save_probabilities"] = each is pipe
    is_stock = pipe not in ours and isinstance(pipe, Tagger) and pipe.model.has_ref("softmax")
    if is_stock:
        pipe.predict = partial(_predict_and_keep, pipe)
    try:
        yield
    finally:
        for each, saved in zip(ours, before, strict=True):
            each.cfg["save_probabilities"] = saved
        if is_stock:
            del pipe.predict


def _predict_and_keep(pipe: Tagger, docs: Iterable[Doc]) -> Any:
    """RETURNS (Any): What a tagger of spaCy predicts, having kept how sure it is."""
    docs = list(docs)
    lengths = [len(doc) for doc in docs]
    scores = np.empty((0, len(pipe.labels)), dtype=np.float32)
    if any(lengths):
        scores = to_numpy(predict_flat(pipe.model, docs))  # from a GPU all at once
    for doc, part in zip(docs, FlatList(as_probabilities(scores), lengths), strict=True):
        TagProbabilities.of(pipe.labels, part).to_doc(doc)
    if type(pipe).predict is Tagger.predict:  # which would run the model once more
        return pipe._scores2guesses(FlatList(scores, lengths))
    return type(pipe).predict(pipe, docs)


def read_probabilities(docs: Sequence[Doc], labels: Sequence[str]) -> NDArray[np.float32] | None:
    """Find the probabilities of the tags of docs.

    docs (Sequence[Doc]): Docs that were tagged, see `keeping_probabilities`.
    labels (Sequence[str]): The tagger's tags.
    RETURNS (Optional[NDArray[np.float32]]): The probability of each of `labels`; NaN in a doc whose
        tokens were others when it was tagged. None if the tagger gives tags alone. *Shape:*
        ``(tokens, labels)``.
    """
    if not any(TagProbabilities.key in doc.user_data for doc in docs):
        return None
    kept = [TagProbabilities.from_doc(doc) for doc in docs]
    nothing = np.full((1, len(labels)), np.nan, dtype=np.float32)
    return np.concatenate(
        [
            nothing.repeat(len(doc), axis=0) if each is None else each.dense(labels)
            for doc, each in zip(docs, kept, strict=True)
        ]
    )


def read_confidence(docs: Sequence[Doc], labels: Sequence[str]) -> NDArray[np.float32] | None:
    """Find how sure a tagger was of the tags that docs have.

    docs (Sequence[Doc]): Docs that were tagged, see `keeping_probabilities`.
    labels (Sequence[str]): The tagger's tags.
    RETURNS (Optional[NDArray[np.float32]]): The probability of each token's tag; NaN for a tag that
        is not the tagger's, and in a doc whose tokens were others when it was tagged. None if the
        tagger gives tags alone. *Shape:* ``(tokens,)``.
    """
    dense = read_probabilities(docs, labels)
    if dense is None:
        return None
    columns = {label: i for i, label in enumerate(labels)}
    found = [columns.get(token.tag_, -1) for doc in docs for token in doc]
    tags = np.array(found, dtype=np.int64)
    return np.where(tags >= 0, dense[np.arange(len(tags)), tags], np.float32(np.nan))


def as_probabilities(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Make probabilities of what a tagger's model predicts: logits, which have the same best tag
    and are what models of `normalize = false` give, or probabilities already.

    scores (NDArray[np.float32]): *Shape:* ``(tokens, tags)``.
    RETURNS (NDArray[np.float32]): *Shape:* ``(tokens, tags)``.
    """
    if (scores >= 0.0).all() and np.allclose(scores.sum(axis=1), 1.0, atol=1e-3):
        return scores
    return NumpyOps().softmax(scores)


def digest_of(nlp: Language) -> str:
    """RETURNS (str): What tells a pipeline from another one at the same path: a digest of its
    files.
    """
    digest = hashlib.blake2b(digest_size=16)
    folder = Path(nlp.path)
    for path in files_in(folder):
        digest.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
