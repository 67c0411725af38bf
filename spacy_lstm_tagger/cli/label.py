"""`lstm-tagger label`: label raw text with a teacher, for a student to learn from."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from spacy.cli._util import Arg, Opt, import_code, setup_gpu
from wasabi import msg

from ..checks import is_list_of_strings
from ..distil.labelling import LabelJob, label
from ..distil.shards import MANIFEST
from ..distil.teacher import Teacher, check_labels
from ..errors import Errors
from ..files.streams import STANDARD
from ..readers import read_tag_labels
from . import lstm_tagger_cli
from .engine import check_engine, labelling_with_ray
from .messages import clear_errors
from .options import (
    Address,
    Code,
    Concurrency,
    Engine,
    GpuId,
    Gpus,
    NProcess,
    SkipBad,
    TextKey,
    given_path,
)

STUDENT_HELP = (
    "Check that the student has the teacher's tags: a CoNLL-U file, labels from `init labels` "
    "(.json), or the folder of a pipeline"
)
SHOWN = 10  # so many bad texts are shown


@lstm_tagger_cli.command("label")
def label_cli(
    context: typer.Context,
    teachers: Annotated[list[str], Arg(help="Pipelines with a tagger: names or folders")],
    texts: Annotated[str, Opt("--texts", help="File or folder of texts, see above")],
    output: Annotated[str, Opt("--output", "-o", help="Folder for the labelled docs")],
    student: Annotated[Path | None, Opt("--student", "-s", help=STUDENT_HELP)] = None,
    tag: Annotated[
        str, Opt("--tag", "-t", help="Column of the tags, if --student is CoNLL-U")
    ] = "xpos",
    weights: Annotated[str, Opt(help="How much each teacher counts, such as 2,1,1")] = "",
    other_tags: Annotated[
        bool, Opt("--other-tags", help="Leave out other teachers' tags that the first lacks")
    ] = False,
    text_key: TextKey = "text",
    limit: Annotated[int, Opt("--limit", "-l", min=0, help="Number of texts. 0: all")] = 0,
    top_k: Annotated[
        int, Opt(min=0, help="Tags to keep with probabilities. 0: none")
    ] = LabelJob.top_k,
    max_words: Annotated[
        int, Opt(min=1, help="Cut longer texts, between sentences")
    ] = LabelJob.max_words,
    shard_size: Annotated[
        int, Opt(min=1, help="Characters of text in a shard")
    ] = LabelJob.shard_size,
    skip_bad: SkipBad = 0,
    n_process: NProcess = 1,
    gpu_id: GpuId = -1,
    code: Code = None,
    engine: Engine = None,
    address: Address = None,
    concurrency: Concurrency = 0,
    gpus: Gpus = 0,
) -> None:
    """
    Label raw text with a teacher, for a smaller tagger to learn from: writes .spacy files with
    the teacher's tags and probabilities; those of several teachers are averaged.

    Texts are read from .jsonl and .parquet files, from .spacy and .conllu files, whose tokens are
    kept, and from plain text with one text a line. Interrupted work goes on where it stopped,
    if the command is the same.
    """
    import_code(code)
    with clear_errors(), ExitStack() as stack:
        setup_gpu(gpu_id)
        folder = given_path("--output", output)
        if texts == str(STANDARD):  # of which interrupted work could not go on
            raise FileNotFoundError(Errors.D001.format(path=texts))
        job = LabelJob(
            teachers=tuple(teachers),
            texts=given_path("--texts", texts),
            weights=read_weights(weights, len(teachers)),
            other_tags=other_tags,
            text_key=text_key,
            limit=limit,
            top_k=top_k,
            max_words=max_words,
            shard_size=shard_size,
            skip_bad=skip_bad,
        )
        check_engine(engine, context)
        loaded = job.load()
        if student is not None:
            labels = read_labels(student, tag=tag)
            check_labels(loaded.members[0], labels, whose=str(student))
        work = None
        if engine == "ray":
            options = {"concurrency": concurrency, "gpus": gpus, "code": code}
            work = stack.enter_context(labelling_with_ray(job, address, **options))
        done = label(
            job,
            loaded,
            folder,
            n_process=n_process,
            gpu_id=gpu_id,
            code=code,
            engine=work,
            report=print,
        )
    if done.remade:
        msg.warn("Lost or damaged, and made again", ", ".join(done.remade))
    if bad := done.manifest["bad_texts"]:
        msg.warn(f"Left out {len(bad)} text(s) that cannot be read")
        more = [f"… all of them are in {MANIFEST}"] if len(bad) > SHOWN else []
        print(*bad[:SHOWN], *more, sep="\n")
    msg.good(f"{done.words:,} words in {len(done)} shard{'' if len(done) == 1 else 's'}", output)


def read_weights(given: str, teachers: int) -> tuple[float, ...]:
    """RETURNS (tuple[float, ...]): The numbers between commas.
    RAISES (ValueError): If something else is there.
    """
    try:
        return tuple(float(weight) for weight in given.split(",")) if given else ()
    except ValueError as error:
        raise ValueError(Errors.D019.format(weights=given, teachers=teachers)) from error


def read_labels(path: Path, *, tag: str = "xpos") -> list[str]:
    """Read the tag set of a student.

    path (Path): A CoNLL-U file or a folder of them, a list of labels as JSON, or a pipeline.
    tag (str): The column of a CoNLL-U file that has the tags.
    RETURNS (list[str]): The tags.
    RAISES (ValueError): If there are none to be had.
    """
    if path.suffix == ".json":
        try:
            labels = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise ValueError(Errors.C002.format(path=path, found=error)) from error
        if not is_list_of_strings(labels):
            found = f"{str(labels)[:40]}…"
            raise ValueError(Errors.C002.format(path=path, found=found))
        return labels
    if (path / "config.cfg").exists():
        return list(Teacher(str(path)).labels)
    return read_tag_labels(path=path, tag=tag)
