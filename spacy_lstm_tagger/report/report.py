"""The report on pipelines and a corpus: what a notebook, the command and tests make one of."""

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.util import ensure_path

from ..checks import check
from ..errors import Errors
from ..evaluation import SENTENCES_PER_TEXT, check_reread
from ..files.formats import finite
from ..lexicon import Lexicon
from ..logger import FILE, read_training_log
from ..readers import read_tag_counts, read_word_tags
from ..taggers import load_pipeline, open_annotations, tagger_name
from .figures import bands, by_tag, confusion, headline, reliability
from .mistakes import compare, mistakes
from .resampling import LEVEL, SAMPLES
from .tagged import TaggedCorpus, tag_corpus
from .text import render_text

Given = Language | str | Path  # what a pipeline is given as
MOST_BYTES = 1_000_000  # of sentences with errors, so that a page has less than 2 MB
FRAME = (
    '<iframe title="Tagging report" srcdoc="{}" sandbox="allow-scripts" '
    'style="width: 100%; height: 80vh; min-height: 30rem">'
    "A tagging report. It is shown if you trust this notebook.</iframe>"
)


class Report:
    """How well pipelines tag a corpus, and where they go wrong: `report.figures`, or as a page,
    JSON or text. In a notebook it shows itself.

    pipelines (Union[Language, str, Path, Iterable, Mapping]): One or more pipelines, or their names
        or folders; by name, if what they are called is to be another.
    corpus (Union[str, Path]): A file or folder that `Corpus.v1` reads.
    tag (str): Where its tags come from, as for `Corpus.v1`.
    group_by (Union[int, str]): Sentences in a text, as for `Corpus.v1`. "document": intervals and
        tests draw documents rather than sentences, if there are several.
    train (Optional[Union[str, Path]]): The training data, for figures of known, unknown and
        ambiguous words and by frequency. None: what each pipeline keeps of its own.
    logs (Optional[Mapping[str, Union[str, Path]]]): The log of each pipeline's training, by the
        pipeline's name. None: the one beside the pipeline, if it is there.
    RAISES (ValueError): If two pipelines have the same name, one has no tagger or changes tokens,
        or the corpus no sentence or tag or can be read only once, or most words a tag that a
        pipeline does not give, or a log is none.
    RAISES (OSError): If a pipeline, the corpus, the training data or a log is not there.
    """

    def __init__(
        self,
        pipelines: Given | Iterable[Given] | Mapping[str, Given],
        corpus: str | Path,
        *,
        tag: str = "xpos",
        group_by: int | str = SENTENCES_PER_TEXT,
        train: str | Path | None = None,
        logs: Mapping[str, str | Path] | None = None,
    ):
        check(isinstance(corpus, (str, Path)), "corpus", corpus, "a file or folder")
        path = Path(corpus)
        check_reread(path)
        named = name_pipelines(pipelines)
        holds = logs is None or (isinstance(logs, Mapping) and set(logs) <= set(named))
        check(holds, "logs", logs, f"null, or a file for some of {', '.join(named)}")
        curves = {
            name: _read_log(pipeline, (logs or {}).get(name)) for name, pipeline in named.items()
        }
        given = None
        if train is not None:
            given = Lexicon.of(read_word_tags(path=ensure_path(train), tag=tag))
        loaded = {
            name: pipeline if isinstance(pipeline, Language) else load_pipeline(pipeline)
            for name, pipeline in named.items()
        }
        tagged = _tag_with_each(loaded, path, tag=tag, group_by=group_by)
        first = tagged[0]
        language = next(iter(loaded.values())).lang
        self.figures: dict[str, Any] = {
            "corpus": {
                "path": str(path),
                "language": "" if language == "xx" else language,
                "tag": tag,
                "group_by": group_by,
                "words": len(first.found.words),
                "sentences": int(first.found.sentences.max()) + 1,
                "texts": len(first.references),
            },
            "train": None if train is None else str(train),
            "level": LEVEL,
            "samples": SAMPLES,
            "units": "documents" if first.by_document else "sentences",
            "pipelines": [
                _describe(
                    each,
                    given or each.lexicon,
                    curves[each.name],
                    most_bytes=MOST_BYTES // len(tagged),
                )
                for each in tagged
            ],
            "comparisons": [compare(first, each) for each in tagged[1:]],
        }

    def to_json(self) -> str:
        """RETURNS (str): The figures as JSON."""
        return json.dumps(finite(self.figures), ensure_ascii=False, indent=1)

    def to_text(self) -> str:
        """RETURNS (str): The figures as text for a terminal."""
        return render_text(self.figures)

    def to_html(self) -> str:
        """RETURNS (str): A page that needs nothing else.
        RAISES (ValueError): If matplotlib is missing.
        """
        from .html import render_html  # only a page needs matplotlib

        return render_html(self.figures)

    def _repr_html_(self) -> str:
        """RETURNS (str): The page in a frame of its own, for notebooks."""
        # Its links to its own parts would open the notebook in the frame.
        page = self.to_html().replace("<head>", '<head>\n<base href="about:srcdoc">', 1)
        # On one line, as an empty one ends HTML in Markdown.
        return FRAME.format(escape(page).replace("\n", "&#10;"))


def name_pipelines(pipelines: Any) -> dict[str, Language | str | Path]:
    """RETURNS (dict): Pipelines by what they are called: by their name or folder, or that of their
    meta data.
    RAISES (ValueError): If there is none, something else is among them, or two have the same name.
    """
    allowed = "a pipeline, its name or folder, or several of them"
    is_one = isinstance(pipelines, Given)
    check(is_one or isinstance(pipelines, Iterable), "pipelines", pipelines, allowed)
    if isinstance(pipelines, Mapping):
        named = {str(name): pipeline for name, pipeline in pipelines.items()}
    else:
        several: Sequence[Any] = [pipelines] if is_one else list(pipelines)
        names = [
            f"{each.lang}_{each.meta['name']}" if isinstance(each, Language) else str(each)
            for each in several
        ]
        named = dict(zip(names, several, strict=True))
        if len(named) < len(several):
            raise ValueError(Errors.C019.format(names=", ".join(names)))
    if not named:
        raise ValueError(Errors.C020)
    for pipeline in named.values():
        check(isinstance(pipeline, Given), "pipelines", pipeline, allowed)
    return named


def _tag_with_each(
    pipelines: Mapping[str, Language], path: Path, *, tag: str, group_by: int | str
) -> list[TaggedCorpus]:
    """RETURNS (list[TaggedCorpus]): What each pipeline says of the same words of a corpus."""
    # What is no tag to one of them does not count for the others.
    taggers = [nlp.get_pipe(tagger_name(nlp, pipeline=name)) for name, nlp in pipelines.items()]
    annotations = read_tag_counts(path=path, tag=tag)
    missing = {each for pipe in taggers for each in open_annotations(pipe, annotations)}
    return [
        tag_corpus(nlp, path, name=name, tag=tag, group_by=group_by, missing=missing)
        for name, nlp in pipelines.items()
    ]


def _read_log(
    pipeline: Language | str | Path, path: str | Path | None
) -> list[dict[str, Any]] | None:
    """RETURNS (Optional[list[dict[str, Any]]]): The figures of a pipeline's training. None: there
    is no log.
    """
    if path is not None:
        return read_training_log(Path(path))
    folder = pipeline.path if isinstance(pipeline, Language) else Path(pipeline)
    # A name that is no folder here is that of an installed pipeline.
    if folder is None or not folder.is_dir():
        return None
    log = folder.resolve().parent / FILE
    try:
        return read_training_log(log) if log.is_file() else None
    except ValueError as error:  # a file of another kind by that name
        warnings.warn(str(error), stacklevel=2)
        return None


def _describe(
    tagged: TaggedCorpus,
    lexicon: Lexicon | None,
    curve: list[dict[str, Any]] | None,
    *,
    most_bytes: int,
) -> dict[str, Any]:
    return {
        "name": tagged.name,
        "tagger": tagged.tagger,
        "missing_tags": tagged.missing_tags,
        "figures": headline(tagged, lexicon),
        "tags": by_tag(tagged),
        "confusion": confusion(tagged),
        "bands": bands(tagged, lexicon),
        "reliability": reliability(tagged),
        "mistakes": mistakes(tagged, most_bytes=most_bytes),
        "training": curve,
    }
