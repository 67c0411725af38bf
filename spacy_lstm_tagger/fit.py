"""Whether the tags of a file are those that a pipeline gives."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from spacy.language import Language

from .errors import Errors
from .evaluation import read_examples
from .readers import read_tag_counts
from .readers.corpus import TAGS
from .taggers import tagger_names
from .whitespace import SPACE_TAG

SHOWN = 5  # so many tags are named
SAMPLE = 1000  # so many sentences show which tags a pipeline gives, if it does not tell


def find_missing_tags(nlp: Language, path: Path, *, tag: str, pipeline: str) -> list[str]:
    """Find the tags of a file that a pipeline does not give.

    nlp (Language): The pipeline.
    path (Path): The file.
    tag (str): Where its tags come from.
    pipeline (str): The pipeline's name.
    RETURNS (list[str]): The tags; none if it is not known which tags the pipeline gives.
    RAISES (ValueError): If the pipeline has no tagger, or most words have such tags.
    """
    taggers = tagger_names(nlp)
    if not taggers:
        raise ValueError(
            Errors.C006.format(pipeline=pipeline, names=", ".join(nlp.pipe_names) or "none")
        )
    labels = {label for name in taggers for label in getattr(nlp.get_pipe(name), "labels", ())}
    given = labels
    if not labels:  # by what it does
        examples = read_examples(nlp, path, tag=tag, limit=SAMPLE)
        given = {token.tag_ for eg in examples for token in nlp(eg.predicted)}
    given = {*given, SPACE_TAG}
    counts = Counter(read_tag_counts(path=path, tag=tag))
    missing = check_fit(counts, given.__contains__, path=path, tag=tag, pipeline=pipeline)
    return missing if labels else []


def check_fit(
    counts: Counter[str], knows: Callable[[str], bool], *, path: Path, tag: str, pipeline: str
) -> list[str]:
    """Find the tags of a file that a pipeline does not give. A few may be missing from what it was
    trained on; where they are those of most words, it is the wrong column or file.

    counts (Counter[str]): How many words have each tag.
    knows (Callable[[str], bool]): Whether the pipeline gives a tag.
    path (Path): The file.
    tag (str): The column that the tags come from, as for `Corpus.v1`.
    pipeline (str): The pipeline's name.
    RETURNS (list[str]): The tags, the most frequent first.
    RAISES (ValueError): If most words have such tags.
    """
    unknown, fits = _unknown(counts, knows)
    if fits:
        return unknown
    others = [each for each in TAGS if each != tag and _has_fitting(path, each, knows)]
    raise ValueError(
        Errors.C004.format(
            path=path,
            tag=tag,
            tags=", ".join(unknown[:SHOWN]),
            pipeline=pipeline,
            remedy=f"Give --tag {others[0]}" if others else "Give data of the same tag set",
        )
    )


def _unknown(counts: Counter[str], knows: Callable[[str], bool]) -> tuple[list[str], bool]:
    """RETURNS (tuple): The tags that are not known, and whether few words have one."""
    unknown = [tag for tag, _ in counts.most_common() if not knows(tag)]
    return unknown, 2 * sum(counts[tag] for tag in unknown) <= counts.total()


def _has_fitting(path: Path, tag: str, knows: Callable[[str], bool]) -> bool:
    try:
        return _unknown(Counter(read_tag_counts(path=path, tag=tag)), knows)[1]
    except ValueError:  # nothing is in that column
        return False
