"""`lstm-tagger tag`: tag files."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from spacy.cli._util import Arg, Opt, import_code, setup_gpu
from wasabi import msg

from ..checks import check_choice
from ..errors import Errors
from ..files.formats import ENCODERS, kind_for
from ..files.parquet import import_pyarrow
from ..files.reading import READERS, find_texts
from ..files.streams import STANDARD, incomplete, kind_of, open_source, split_name
from ..files.tagged import Style
from ..files.texts import BadTexts, Reading
from ..files.whole import check_place, identity, is_within
from ..progress import LiveLine
from ..readers.corpus import TAGS
from ..tagging import Cluster, FileTagger, Job, tag_files
from . import lstm_tagger_cli
from .engine import check_engine, tag_with_ray
from .messages import clear_errors, tell_done
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

FORMATS = tuple(kind[1:] for kind in ENCODERS)
INPUT_FORMATS = ("text", *(kind[1:] for kind in READERS))
INPUT_HELP = "Files or folders; - for standard input"
FORMAT_HELP = f"What is written, whatever the suffix: {', '.join(FORMATS)}"
INPUT_FORMAT_HELP = f"What is read, whatever the suffix: {', '.join(INPUT_FORMATS)}"
OUTPUT_HELP = "A file, - for standard output, or a folder for one file each"


@lstm_tagger_cli.command("tag")
def tag_cli(
    context: typer.Context,
    pipeline: Annotated[str, Arg(help="A pipeline with a tagger: name or folder")],
    inputs: Annotated[list[str], Arg(help=INPUT_HELP)],
    output: Annotated[str, Opt("--output", "-o", help=OUTPUT_HELP)],
    format: Annotated[str | None, Opt("--format", "-f", help=FORMAT_HELP)] = None,
    input_format: Annotated[str | None, Opt(help=INPUT_FORMAT_HELP)] = None,
    text_key: TextKey = "text",
    tokens: Annotated[
        bool, Opt("--tokens", help="Texts are words with spaces between them")
    ] = False,
    whole_files: Annotated[
        bool, Opt("--whole-files", help="Each file of plain text is one document")
    ] = False,
    column: Annotated[str, Opt("--tag", "-t", help="CoNLL-U: the column of the tags")] = "xpos",
    probabilities: Annotated[
        bool, Opt("--probabilities", "--scores", "-p", help="Write how probable each tag is")
    ] = False,
    prefix: Annotated[str, Opt(help="A prefix for the names of what is added")] = "",
    skip_bad: SkipBad = 0,
    n_process: NProcess = 1,
    batch_size: Annotated[int | None, Opt(min=1, help="Docs tagged at a time")] = None,
    gpu_id: GpuId = -1,
    code: Code = None,
    engine: Engine = None,
    address: Address = None,
    concurrency: Concurrency = Cluster.concurrency,
    gpus: Gpus = Cluster.gpus,
    block_size: Annotated[
        float, Opt(help="ray: how much text an actor gets, in MB")
    ] = Cluster.block_size,
    file_size: Annotated[
        float, Opt(help="ray: the smallest size of a file, in MB")
    ] = Cluster.file_size,
) -> None:
    """
    Tag files: plain text with a document a line, JSONL, CoNLL-U, Parquet or .spacy; to CoNLL-U,
    JSONL, TSV, Parquet or .spacy; compressed if the name ends with .gz or .zst. All else in a
    file is kept, where the format has a place for it. A file appears when it is complete.
    """
    import_code(code)
    is_shown = output == str(STANDARD) and sys.stdout.isatty()  # what is written, on the terminal
    live, bad = LiveLine(is_hidden=is_shown), BadTexts(skip_bad)
    with clear_errors(), live:
        setup_gpu(gpu_id, silent=True)
        for name, value, choices in [
            ("--tag", column, tuple(TAGS)),
            ("--format", format, FORMATS),
            ("--input-format", input_format, INPUT_FORMATS),
        ]:
            if value is not None:
                check_choice(name, value, choices)
        check_engine(engine, context)
        reading = Reading(
            text_key=text_key,
            tokens=tokens,
            whole=whole_files,
            strip=False,
            kind=input_format and f".{input_format}",
            keep=True,
        )
        given_path("--output", output)
        paths = [given_path("INPUTS", each) for each in inputs]
        kind = format and f".{format}"
        job = Job(
            pipeline,
            kind or "",
            Style(column=column, prefix=prefix, text_key=text_key),
            probabilities=probabilities,
            batch_size=batch_size,
            gpu_id=gpu_id,
            code=code,
        )
        if engine == "ray":
            words, speed, bad.found = tag_with_ray(
                job,
                inputs,
                output,
                reading,
                skip_bad=skip_bad,
                address=address,
                cluster=Cluster(concurrency, gpus, block_size, file_size),
            )
        else:
            kind, files = plan_files(paths, output, kind, reading)
            check_files(files, kind, reading)
            tagger = FileTagger(replace(job, kind=kind))
            done = tag_files(tagger, files, reading, n_process=n_process, bad=bad, report=live)
            words, speed = done.words, done.speed
    if bad.found:
        title = f"{msg.icons['warn']} Left out {len(bad.found)} text(s):"
        print(title, *bad.found, sep="\n", file=sys.stderr)
    if output != str(STANDARD):
        tell_done(f"{words:,} words, {speed:,.0f} a second", output)


def plan_files(
    inputs: Sequence[Path], output: str, kind: str | None, reading: Reading
) -> tuple[str, list[tuple[Path, list[Path]]]]:
    """Find out what is written, and what it is made of.

    inputs (Sequence[Path]): Files and folders.
    output (str): A file, a folder if it is there or ends with a slash, or `-`.
    kind (Optional[str]): What is written, as a suffix. None: what the output's name says,
        or that of the inputs.
    reading (Reading): How the inputs are read.
    RETURNS (tuple): What is written, as a suffix; and each file with those that it is made of.
    RAISES (ValueError): If it is not clear what is written, or two are the same.
    RAISES (FileNotFoundError): If there is no input.
    """
    path = Path(output)
    is_folder = output.endswith(("/", os.sep)) or path.is_dir()
    found = [
        (root, each)
        for root in inputs
        for each in find_texts(root)
        if not is_ours(each, root, path)
    ]
    if not found:
        raise FileNotFoundError(Errors.D001.format(path=inputs[0]))
    if kind is None:
        is_nameless = is_folder or path == STANDARD
        kinds = (reading.kind_of(each) for _, each in found)
        kind = kind_for(kinds) if is_nameless else _kind_by_name(path)
    if not is_folder:
        return kind, [(path, [each for _, each in found])]
    places: dict[Path, Path] = {}
    for root, each in found:
        inside = each.relative_to(root).parent
        place = path / inside / f"{split_name(each)[0]}{kind}"
        if place in places:
            raise ValueError(Errors.C008.format(first=places[place], second=each, path=place))
        places[place] = each
    return kind, [(place, [each]) for place, each in places.items()]


def _kind_by_name(path: Path) -> str:
    """RETURNS (str): What the name of an output says that it is, as a suffix.
    RAISES (ValueError): If that cannot be written.
    """
    kind = kind_of(path)
    if kind not in ENCODERS:
        allowed = f"{', '.join(ENCODERS)}, or .gz or .zst behind it"
        raise ValueError(Errors.C007.format(path=path, suffix=kind, allowed=allowed))
    return kind


def is_ours(path: Path, root: Path, output: Path) -> bool:
    """RETURNS (bool): Whether a file that was found in a folder is what this command has written.

    path (Path): The file.
    root (Path): The folder, or the file itself.
    output (Path): Where it writes. In a file there is nothing.
    """
    return is_within(path, output) and is_within(output, root)


def check_files(files: Sequence[tuple[Path, Sequence[Path]]], kind: str, reading: Reading) -> None:
    """Find out before the work begins what would fail at its end.

    RAISES (ValueError): If a file is both read and written, or a package is missing.
    RAISES (OSError): If a file cannot be read or written.
    """
    read = {path for _, inputs in files for path in inputs if path.is_file()}
    known = set(map(identity, read))
    for path in read:
        with open_source(path):
            if reading.kind_of(path) == ".parquet":
                import_pyarrow(path)
    if kind == ".parquet":
        import_pyarrow(files[0][0])
    for path, _ in files:
        if path != STANDARD:
            for place in (path, incomplete(path.resolve())):  # which an error would leave
                if place.exists() and identity(place) in known:
                    raise ValueError(Errors.C009.format(path=place))
            check_place(path)
