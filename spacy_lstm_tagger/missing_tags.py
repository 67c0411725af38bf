"""Which tags of a file a pipeline does not give: a few, or those of another tag set."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from spacy.attrs import TAG
from spacy.language import Language
from spacy.pipeline import AttributeRuler, Tagger

from .errors import Errors
from .evaluation import read_examples
from .readers import read_tag_counts
from .readers.corpus import TAGS
from .taggers import open_annotations, tagger_name, tagger_names
from .whitespace import SPACE_TAG

SHOWN = 5  # so many tags are named
SAMPLE = 1000  # so many sentences show which tags a pipeline gives, if it does not tell


def find_missing_tags(
    nlp: Language, path: Path, *, tag: str, pipeline: str, missing: Iterable[str] = ()
) -> list[str]:
    """Find the tags of a file that a pipeline does not give.

    nlp (Language): The pipeline.
    path (Path): The file.
    tag (str): Where its tags come from.
    pipeline (str): The pipeline's name.
    missing (Iterable[str]): Annotations that are no tag, beside those that are none to it.
    RETURNS (list[str]): The tags; none if it is not known which tags the pipeline gives.
    RAISES (ValueError): If the pipeline has no tagger, or most words have such tags.
    """
    tagger = nlp.get_pipe(tagger_name(nlp, pipeline=pipeline))
    # One that has a tag for each word leaves none to the others.
    has_all = isinstance(tagger, Tagger) and not tagger.cfg.get("threshold")
    taggers = [tagger] if has_all else map(nlp.get_pipe, tagger_names(nlp))
    labels = {label for pipe in taggers for label in getattr(pipe, "labels", ())}
    rulers = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, AttributeRuler)]
    ruled = {nlp.vocab.strings[each[TAG]] for pipe in rulers for each in pipe.attrs if TAG in each}
    given = {*labels, *ruled, SPACE_TAG}
    if not labels:  # by what it does
        examples = read_examples(nlp, path, tag=tag, limit=SAMPLE)
        given |= {token.tag_ for eg in examples for token in nlp(eg.predicted)}
    counts = Counter(read_tag_counts(path=path, tag=tag))
    known = {*given, *missing, *open_annotations(tagger, counts)}
    unknown = check_fit(counts, known.__contains__, given, path=path, tag=tag, pipeline=pipeline)
    return unknown if labels else []


def check_fit(
    counts: Counter[str],
    knows: Callable[[str], bool],
    labels: Iterable[str],
    *,
    path: Path,
    tag: str,
    pipeline: str,
) -> list[str]:
    """Find the tags of a file that a pipeline does not give. A few may be missing from what it was
    trained on; where they are those of most words, it is the wrong column or file. So it is where
    they lack the features that the pipeline's have.

    counts (Counter[str]): How many words have each tag.
    knows (Callable[[str], bool]): Whether the pipeline gives what a word is annotated with.
    labels (Iterable[str]): The tags that it gives.
    path (Path): The file.
    tag (str): The column that the tags come from, as for `Corpus.v1`.
    pipeline (str): The pipeline's name.
    RETURNS (list[str]): The tags, the most frequent first.
    RAISES (ValueError): If most words have such tags.
    """
    unknown = [each for each, _ in counts.most_common() if not knows(each)]
    has_features = any("|" in label for label in labels)
    if _known(counts, knows) >= 0.5 and not (has_features and tag == "upos"):
        return unknown
    others = [each for each in TAGS if not (has_features and each == "upos")]
    shares = {each: _share(path, each, knows) for each in others}
    best = max(shares, key=shares.__getitem__)
    raise ValueError(
        Errors.C004.format(
            path=path,
            tag=tag,
            tags=", ".join((unknown or list(counts))[:SHOWN]),
            pipeline=pipeline,
            remedy=f"Give --tag {best}" if shares[best] >= 0.5 else "Give data of the same tag set",
        )
    )


def _known(counts: Counter[str], knows: Callable[[str], bool]) -> float:
    """RETURNS (float): The share of words whose tag is known."""
    return sum(n for tag, n in counts.items() if knows(tag)) / counts.total() if counts else 1.0


def _share(path: Path, tag: str, knows: Callable[[str], bool]) -> float:
    try:
        return _known(Counter(read_tag_counts(path=path, tag=tag)), knows)
    except ValueError:  # nothing is in that column
        return 0.0
