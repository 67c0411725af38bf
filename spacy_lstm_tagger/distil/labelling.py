"""Label raw text with teachers, in shards that can be made by several processes."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import Errors
from ..files.cut import cut
from ..files.reading import find_texts, read_texts
from ..files.texts import BadTexts, Reading, Text, in_groups
from ..files.whole import alone, is_within
from ..progress import Progress
from ..taggers import digest_of, prepare_process
from ..workers import in_processes
from .shards import ShardFolder, digest_of_texts, to_bytes
from .teacher import MAX_WORDS, TOP_K, Teachers


@dataclass(frozen=True)
class LabelJob:
    """What to label, and how.

    teachers (tuple[str, ...]): Names or folders of pipelines.
    texts (Path): A file or a folder of them, see `read_texts`.
    weights (tuple[float, ...]): What the probabilities of each count. None given: all the same.
    other_tags (bool): Whether the others may have tags that the first teacher lacks.
    text_key (str): The name of the text in a .jsonl file.
    limit (int): Label only this many texts. 0: all.
    top_k (int): How many tags of a token to keep with their probabilities. 0: only the tag.
    max_words (int): A longer text is cut into several docs.
    shard_size (int): How many characters of text complete a shard.
    skip_bad (int): How many texts that cannot be read are left out.
    """

    teachers: tuple[str, ...]
    texts: Path
    weights: tuple[float, ...] = ()
    other_tags: bool = False
    text_key: str = "text"
    limit: int = 0
    top_k: int = TOP_K
    max_words: int = MAX_WORDS
    shard_size: int = 250_000
    skip_bad: int = 0

    def load(self) -> Teachers:
        """RETURNS (Teachers): The teachers."""
        return Teachers(
            self.teachers,
            weights=self.weights,
            other_tags=self.other_tags,
            top_k=self.top_k,
            max_words=self.max_words,
        )

    def options(self, teachers: Teachers) -> dict[str, Any]:
        """RETURNS (dict[str, Any]): What the labels depend on beside the texts."""
        options = asdict(self)
        del options["texts"], options["skip_bad"]
        return {
            **options,
            "weights": teachers.weights,
            # In their order: the first one tokenizes, and each has a weight.
            "teachers": [(each.source, digest_of(each.nlp)) for each in teachers.members],
            "labels": teachers.labels,
        }


class Task(NamedTuple):
    """The texts of a shard that is to be made, its number, and the digest of the texts."""

    number: int
    texts: list[Text]
    digest: str

    @property
    def share(self) -> float:
        """RETURNS (float): How many texts there are, or what share of one."""
        return sum(text.share for text in self.texts)

    @property
    def size(self) -> float:
        """RETURNS (float): Their size in their files, in bytes."""
        return sum(text.size for text in self.texts)


class Shard(NamedTuple):
    """Labelled texts, ready to be written.

    number (int): Its number.
    digest (str): The digest of the texts.
    data (bytes): The docs in spaCy's format.
    docs (int): How many there are.
    words (int): How many words they have.
    texts (float): How many texts they were made of, or what share of one.
    size (float): The size of these in their files, in bytes.
    """

    number: int
    digest: str
    data: bytes
    docs: int
    words: int
    texts: float
    size: float

    @classmethod
    def of(cls, task: Task, teachers: Teachers) -> "Shard":
        """RETURNS (Shard): Texts that are labelled by these teachers."""
        data, docs, words = teachers.apply(
            task.texts, lambda docs: (to_bytes(docs), len(docs), sum(map(len, docs)))
        )
        return cls(task.number, task.digest, data, docs, words, task.share, task.size)


def label(
    job: LabelJob,
    teachers: Teachers,
    folder: Path,
    *,
    n_process: int = 1,
    gpu_id: int = -1,
    code: Path | None = None,
    engine: Callable[[Iterator[Task]], Iterator[Shard]] | None = None,
    report: Callable[[Progress], None],
) -> ShardFolder:
    """Label texts. Shards that are there already are not made again.

    job (LabelJob): What to label.
    teachers (Teachers): Its teachers. They label if there is one process.
    folder (Path): Where the shards go.
    n_process (int): How many processes label. If there are several, each loads the teachers.
    gpu_id (int): The GPU that they use. -1: none.
    code (Optional[Path]): A file with registered functions that the teachers need.
    engine (Optional[Callable[[Iterator[Task]], Iterator[Shard]]]): What makes the shards instead,
        in the same order.
    report (Callable[[Progress], None]): Is told the progress after each shard.
    RETURNS (ShardFolder): The shards.
    RAISES (ValueError): If the folder has shards that were made otherwise, or a text is not valid.
    RAISES (OSError): If a file cannot be read or written, or a process ends early.
    """
    paths = _find_inputs(job.texts, folder)
    bad = BadTexts(job.skip_bad)
    texts = islice(read_texts(paths, Reading(text_key=job.text_key), bad=bad), job.limit or None)
    shards = in_groups(cut(texts, max_words=job.max_words), job.shard_size)
    progress = Progress(sum(path.stat().st_size for path in paths), job.limit)
    count = 0

    def tasks() -> Iterator[Task]:  # read below, when `done` is there
        nonlocal count
        for texts in shards:
            task = Task(count, texts, digest_of_texts(texts))
            count += 1
            if done.has(task.number, task.digest):
                progress.skip(texts=task.share, size=task.size)
            else:
                yield task

    made: Iterator[Shard]
    if engine is not None:
        made = engine(tasks())
    elif n_process == 1:
        made = (Shard.of(task, teachers) for task in tasks())
    else:
        made = in_processes(partial(_in_worker, job, gpu_id, code), tasks(), n_process=n_process)
    with alone(folder, folder, is_folder=True):
        done = ShardFolder(folder, job.options(teachers))
        for shard in made:
            counts = {"docs": shard.docs, "words": shard.words}
            done.put(shard.number, shard.data, texts=shard.digest, **counts)
            progress.add(texts=shard.texts, size=shard.size, words=shard.words)
            report(progress)
        done.complete(count, bad_texts=bad.found)
    return done


def _find_inputs(path: Path, folder: Path) -> list[Path]:
    """RETURNS (list[Path]): The files of texts, without the shards, if these are among them.
    RAISES (ValueError): If there are no others.
    """
    paths = find_texts(path)
    if path.is_dir():
        paths = [each for each in paths if not is_within(each, folder)]
    if not paths:
        raise ValueError(Errors.C009.format(path=path))
    return paths


def _in_worker(job: LabelJob, gpu_id: int, code: Path | None) -> Callable[[Task], Shard]:
    """RETURNS (Callable[[Task], Shard]): The teachers of a worker process."""
    prepare_process(code, gpu_id)
    return partial(Shard.of, teachers=job.load())
