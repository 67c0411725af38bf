"""How right a pipeline's tags are: on lone sentences and on texts, on known words and on others."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.training import Example

from .checks import check
from .comparison import Comparison
from .files.whole import is_stream
from .lexicon import Lexicon
from .models.word_char_embed import NAME as EMBEDDING
from .models.word_char_embed import tables_of
from .pipeline.gold import count_tags
from .readers import Corpus
from .taggers import layers_of, open_annotations, tagger_name

SENTENCES_PER_TEXT = 10


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
    known (Optional[Accuracy]): On those that training had; where the tagger does not keep which
        these are, on those that have a row in its vocabulary.
    unknown (Optional[Accuracy]): On the others. Both are None if neither is to be found.
    ambiguous (Optional[Accuracy]): On words that training had with several tags. None: the tagger
        does not keep which these are.
    tag_whole_sents (Optional[float]): Of how many sentences each tag is right.
    tag_macro_f (Optional[float]): The mean F1 of the tags.
    """

    all: Accuracy
    known: Accuracy | None
    unknown: Accuracy | None
    ambiguous: Accuracy | None
    tag_whole_sents: float | None
    tag_macro_f: float | None


def evaluate(
    nlp: Language, path: Path, *, tag: str = "xpos", raw: bool = False
) -> dict[str, Evaluation]:
    """Evaluate the tags of a pipeline.

    nlp (Language): The pipeline.
    path (Path): A file or folder that `Corpus.v1` reads.
    tag (str): Where its tags come from, as for `Corpus.v1`.
    raw (bool): Whether the pipeline splits the text into tokens. By default it gets those of the
        file.
    RETURNS (dict[str, Evaluation]): For "sentences", which are alone, and for "texts" of ten.
    RAISES (ValueError): If the pipeline has no tagger, or the file is not valid, has no tag or can
        be read only once.
    RAISES (FileNotFoundError): If the path does not exist.
    """
    check_reread(path)
    pipe = nlp.get_pipe(tagger_name(nlp))
    found = {}
    for name, group_by in (("sentences", 1), ("texts", SENTENCES_PER_TEXT)):
        examples = read_examples(nlp, path, tag=tag, group_by=group_by, gold_tokens=not raw)
        docs = nlp.pipe(eg.predicted for eg in examples)
        pairs = zip(docs, examples, strict=True)
        missing = open_annotations(pipe, count_tags(examples))
        compared = Comparison((Example(doc, eg.reference) for doc, eg in pairs), missing=missing)
        found[name] = accuracies(compared, find_kinds(nlp, compared.words))
    return found


def check_reread(path: Path) -> None:
    """RAISES (ValueError): If this is a pipe or the like, which can be read only once."""
    allowed = "a file or a folder, which can be read more than once"
    check(not is_stream(path), "The corpus", path, allowed)


def read_examples(nlp: Language, path: Path, **settings: Any) -> list[Example]:
    """Read a corpus without a warning of tags that the pipeline lacks, as if it was to learn them.

    nlp (Language): The pipeline.
    path (Path): A file or folder that `Corpus.v1` reads.
    settings (Any): Further ones of `Corpus.v1`.
    RETURNS (list[Example]): The examples.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\[LW003\]")
        return list(Corpus(path, **settings)(nlp))


def accuracies(found: Comparison, kinds: Mapping[str, NDArray[np.bool_]]) -> Evaluation:
    """RETURNS (Evaluation): The accuracy of tagged docs.

    found (Comparison): Their tags.
    kinds (Mapping[str, NDArray[np.bool_]]): Which words are "known", and so on, as far as there is
        telling. *Shape:* ``(words,)``.
    """
    parts: dict[str, Accuracy | None] = dict.fromkeys(("known", "unknown", "ambiguous"))
    parts |= {name: _accuracy(found, kind) for name, kind in kinds.items()}
    return Evaluation(
        all=_accuracy(found, np.ones(len(found.words), dtype=bool)),
        tag_whole_sents=found.whole_sentences(),
        tag_macro_f=found.tag_scores().macro_f1,
        **parts,
    )


def find_kinds(nlp: Language, words: NDArray[np.uint64]) -> dict[str, NDArray[np.bool_]]:
    """Tell words apart by what the training of a pipeline had of them: as its last tagger keeps it
    or, where it does not, by which words have a row of their own in a vocabulary.

    nlp (Language): The pipeline.
    words (NDArray[np.uint64]): The words' hashes. *Shape:* ``(words,)``, as of the results.
    RETURNS (dict[str, NDArray[np.bool_]]): See `Lexicon.kinds`. Empty if it tells neither.
    """
    lexicon = find_lexicon(nlp)
    if lexicon is not None:
        return lexicon.kinds(words)
    tables = [tables_of(layer)["word"] for layer in layers_of(nlp, EMBEDDING)]
    if not tables:
        return {}
    keys = words.astype(np.int64).tolist()  # those of rows are signed
    known = np.any([table.lookup(keys) for table in tables], axis=0)
    return {"known": known, "unknown": ~known}


def find_lexicon(nlp: Language) -> Lexicon | None:
    """RETURNS (Optional[Lexicon]): The words of the training data of the pipeline's tagger.
    None: it does not keep them.
    """
    pipe: Any = nlp.get_pipe(tagger_name(nlp))
    return Lexicon.from_settings(getattr(pipe, "cfg", {}))


def _accuracy(found: Comparison, chosen: NDArray[np.bool_]) -> Accuracy:
    return Accuracy(int(chosen.sum()), found.accuracy(chosen))
