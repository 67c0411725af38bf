"""Tag texts of files into files."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from math import isnan
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from .errors import Errors
from .files.docs import Stored, restore
from .files.formats import ENCODERS, no_rows
from .files.outputs import Output
from .files.reading import read_texts
from .files.streams import STANDARD
from .files.tagged import Style, TaggedTexts
from .files.texts import BadTexts, Reading, Text, in_groups, leave_out_long
from .files.whole import identity
from .memory import WordLimit, memory_error
from .pipeline.annotations import find_bad_tag
from .probabilities import forget
from .progress import Progress
from .taggers import (
    check_tokens,
    keeping_probabilities,
    load_pipeline,
    prepare_process,
    read_confidence,
    tagger_name,
    tokenize,
    written_in,
)
from .workers import in_processes, until_failure

Encoded = TypeVar("Encoded")

# So many docs, or characters, are tagged and written at a time.
DOCS, CHARACTERS = 5000, 500_000
# What a cluster notes while it works is in a folder beside the output, whose name ends so.
CHECKPOINT = ".checkpoint"


@dataclass(frozen=True)
class Job:
    """How texts are tagged.

    pipeline (str): The name or folder of a pipeline with a tagger.
    kind (str): What is written, as a suffix.
    style (Style): How it is written.
    probabilities (bool): Whether the probability of each tag is told.
    batch_size (Optional[int]): How many docs the pipeline gets at a time. None: as it likes.
    gpu_id (int): The GPU. -1: none.
    code (Optional[Path]): A file with registered functions that the pipeline needs.
    """

    pipeline: str
    kind: str
    style: Style
    probabilities: bool = False
    batch_size: int | None = None
    gpu_id: int = -1
    code: Path | None = None


@dataclass(frozen=True)
class Cluster:
    """What a cluster does with the work. Results do not depend on it.

    concurrency (int): How many actors tag. 0: as many as there are CPUs, or GPUs.
    gpus (float): How many GPUs each of them has.
    block_size (float): How much text an actor gets at a time, in megabytes.
    file_size (float): How much a file of the output has at least, in megabytes of rows.
    """

    concurrency: int = 0
    gpus: float = 0
    block_size: float = 2
    file_size: float = 64


class Part(NamedTuple):
    """Some texts, and the number of the output that they are for."""

    output: int
    texts: list[Text]


class Written(NamedTuple):
    """What is to be written of some texts, the number of the output, and what was counted."""

    output: int
    data: Any
    texts: int
    words: int
    size: float


class FileTagger:
    """A pipeline that tags texts, and encodes them to be written.

    job (Job): How.
    RAISES (ValueError): If the pipeline has no tagger, or one that does not tell what is asked.
    """

    def __init__(self, job: Job):
        self.job = job
        self.nlp = load_pipeline(job.pipeline)
        self._name = tagger_name(self.nlp, pipeline=job.pipeline)
        self._labels: tuple[str, ...] = tuple(getattr(self.nlp.get_pipe(self._name), "labels", ()))
        self._written = written_in(self.nlp)  # docs of a file come without it, as it would stay
        self._word_limit = WordLimit(self.nlp)
        self._check()

    def _check(self) -> None:
        job, column = self.job, self.job.style.column
        if job.kind == ".conllu" and (tag := find_bad_tag(self._labels, column)) is not None:
            other = "xpos" if find_bad_tag(self._labels, "upos+feats") is not None else "upos+feats"
            found = {"pipeline": job.pipeline, "tag": tag, "column": column, "other": other}
            raise ValueError(Errors.C012.format(**found))
        if job.probabilities and self._read_numbers(self._tag([self.nlp.make_doc(".")])) is None:
            raise ValueError(Errors.C011.format(pipeline=job.pipeline, name=self._name))

    def __call__(self, part: Part) -> Written:
        """RETURNS (Written): Texts that are tagged."""
        texts, size = part.texts, sum(text.size for text in part.texts)
        if not texts:
            return Written(part.output, None, 0, 0, size)
        data, lengths = self.apply(texts, ENCODERS[self.job.kind])
        return Written(part.output, data, len(texts), int(lengths.sum()), size)

    def apply(
        self, texts: Sequence[Text], encode: Callable[[TaggedTexts, Style], Encoded]
    ) -> tuple[Encoded, NDArray[np.int64]]:
        """Tag texts.

        texts (Sequence[Text]): The texts, one or more.
        encode (Callable[[TaggedTexts, Style], Encoded]): What is made of them. It holds no doc.
        RETURNS (tuple): What it made, and the number of words of each text.
        RAISES (ValueError): If the pipeline has changed tokens that came with a text.
        """
        with self._word_limit():
            docs = self._tag(self._make_docs(texts))
            for text, doc in zip(texts, docs, strict=True):
                if text.text is None:  # a value a word, as they came
                    check_tokens(doc, len(text.words), place=text.place)
            numbers = self._read_numbers(docs) if self.job.probabilities else None
            tagged = TaggedTexts(texts, docs, numbers or [])
            return encode(tagged, self.job.style), np.diff(tagged.bounds)

    def _make_docs(self, texts: Sequence[Text]) -> list[Doc]:
        vocab = self.nlp.vocab
        stored = [text.source for text in texts if isinstance(text.source, Stored)]
        restored = iter(restore(stored, vocab, without=self._written))
        docs = []
        for text in texts:
            if isinstance(text.source, Stored):
                doc = next(restored)
                forget(doc)  # what another tagger thought
                docs.append(doc)
            elif text.text is None:
                docs.append(Doc(vocab, words=text.words, spaces=text.spaces))
            else:
                docs.append(tokenize(self.nlp.make_doc, text.text, place=text.place))
        return docs

    def _tag(self, docs: Sequence[Doc]) -> list[Doc]:
        """RETURNS (list[Doc]): The docs, tagged."""
        keeping = (
            keeping_probabilities(self.nlp, self._name) if self.job.probabilities else nullcontext()
        )
        with keeping:
            return list(self.nlp.pipe(docs, batch_size=self.job.batch_size))

    def _read_numbers(self, docs: Sequence[Doc]) -> list[str | None] | None:
        """RETURNS (Optional[list]): How sure the tag of each token of each doc is; None for a tag
        that is not the tagger's. None if the tagger does not tell.
        """
        sure = read_confidence(docs, self._labels)
        if sure is None:
            return None
        return [None if isnan(number) else f"{number:.4f}" for number in sure.tolist()]


@contextmanager
def _frozen() -> Iterator[None]:
    """Spare the garbage collector what is there already: where docs are short, it goes through it
    again and again.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@_frozen()
def tag_files(
    tagger: FileTagger,
    files: Sequence[tuple[Path, Sequence[Path]]],
    reading: Reading,
    *,
    n_process: int,
    bad: BadTexts,
    report: Callable[[Progress], object],
) -> Progress:
    """Tag files. In memory are only some texts at a time.

    tagger (FileTagger): What tags them. If there are several processes, each has its own.
    files (Sequence[tuple[Path, Sequence[Path]]]): What is written, and what it is made of.
    reading (Reading): How that is read.
    n_process (int): How many processes tag.
    bad (BadTexts): What is done with texts that cannot be read.
    report (Callable[[Progress], object]): Is told the progress.
    RETURNS (Progress): What was done.
    RAISES (ValueError): If a text cannot be read or tagged, or anything fails after some was
        tagged, which is kept.
    RAISES (OSError): If a file cannot be read or written, or a process ends early, before that.
    """
    paths = [path for _, inputs in files for path in inputs if path != STANDARD]
    progress = Progress(sum(path.stat().st_size for path in paths))
    parts = _parts(files, reading, bad, tagger.nlp.max_length)
    written: Iterator[Written] = map(tagger, parts)
    if n_process > 1:
        written = in_processes(partial(_in_worker, tagger.job), parts, n_process=n_process)
    done: dict[tuple[int, int], Path] = {}  # what has got its name
    for number, group in groupby(written, key=attrgetter("output")):
        path, inputs = files[number]
        if path.is_file() and (first := done.get(identity(path))):  # by another name of it
            raise ValueError(Errors.C008.format(first=first, second=inputs[0], path=path))
        with _completed(Output(path, tagger.job.kind)) as output:
            for each in group:
                if each.texts:
                    output.write(each.data)
                progress.add(texts=each.texts, size=each.size, words=each.words)
                report(progress)
            if output.is_empty and tagger.job.kind == ".parquet":
                output.write(_no_rows(tagger.job, inputs, reading))
        if path.is_file():
            done[identity(path)] = inputs[0]
    return progress


@contextmanager
def _completed(output: Output) -> Iterator[Output]:
    """Complete a file. An error before that tells where what was written is kept."""
    try:
        yield output
        output.complete()
    except BaseException as error:
        kept = output.break_off()
        if kept is None:
            raise
        if isinstance(error, KeyboardInterrupt):
            error.args = (Errors.C010.format(error="It was interrupted", path=kept),)
            raise
        told = str(error) if isinstance(error, (ValueError, OSError)) else memory_error(error)
        if told is None:
            raise
        raise ValueError(Errors.C010.format(error=told.rstrip("."), path=kept)) from error


def _no_rows(job: Job, inputs: Sequence[Path], reading: Reading) -> Any:
    """RETURNS (pyarrow.Table): The columns of a Parquet file that has no text."""
    tables = [path for path in inputs if reading.kind_of(path) == ".parquet" and path.is_file()]
    return no_rows(tables[0] if tables else None, job.style, probabilities=job.probabilities)


def _parts(
    files: Sequence[tuple[Path, Sequence[Path]]], reading: Reading, bad: BadTexts, longest: int
) -> Iterator[Part]:
    """YIELDS (Part): What there is to tag. What can be read is, before an error is raised."""
    for number, (_, inputs) in enumerate(files):
        failures: list[Exception] = []
        found = leave_out_long(read_texts(inputs, reading, bad=bad), longest, bad)
        groups = in_groups(until_failure(found, failures), CHARACTERS, most=DOCS)
        yield Part(number, next(groups, []))  # there may be no text, and an output nevertheless
        yield from (Part(number, texts) for texts in groups)
        for failure in failures:
            raise failure


def _in_worker(job: Job) -> FileTagger:
    """RETURNS (FileTagger): The pipeline of a worker process."""
    prepare_process(job.code, job.gpu_id)
    tagger = FileTagger(job)
    gc.freeze()  # as in `_frozen`
    return tagger
