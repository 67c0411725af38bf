"""`lstm-tagger report`: how well pipelines tag a corpus, and where they go wrong."""

import sys
from pathlib import Path
from typing import Annotated

from spacy.cli._util import Arg, Opt, import_code, setup_gpu

from ..checks import check_choice
from ..errors import Errors
from ..evaluation import SENTENCES_PER_TEXT
from ..files.whole import write_whole
from ..report import Report
from . import lstm_tagger_cli
from .messages import clear_errors, tell_done
from .options import Code, GpuId, Tag, check_output, given_path

FORMATS = {"html": Report.to_html, "json": Report.to_json, "text": Report.to_text}
SUFFIXES = {".html": "html", ".htm": "html", ".json": "json", ".txt": "text"}
PATHS_HELP = "One or more pipelines with a tagger, followed by a corpus: CoNLL-U or .spacy"
OUTPUT_HELP = "A file; without it, the report goes to the terminal"
FORMAT_HELP = f"What is written, whatever the suffix: {', '.join(FORMATS)}"
GROUP_HELP = 'Sentences in a text: a number, or "document" (# newdoc)'
TRAIN_HELP = "The training data, if a pipeline does not record which words it had"


@lstm_tagger_cli.command("report")
def report_cli(
    paths: Annotated[list[str], Arg(metavar="PIPELINE... CORPUS", help=PATHS_HELP)],
    output: Annotated[Path | None, Opt("--output", "-o", help=OUTPUT_HELP)] = None,
    format: Annotated[str | None, Opt("--format", "-f", help=FORMAT_HELP)] = None,
    tag: Tag = "xpos",
    group_by: Annotated[str, Opt(help=GROUP_HELP)] = str(SENTENCES_PER_TEXT),
    train: Annotated[Path | None, Opt(help=TRAIN_HELP)] = None,
    gpu_id: GpuId = -1,
    code: Code = None,
) -> None:
    """
    Report how well one or more pipelines tag a corpus and where they go wrong: a page that needs
    no network, JSON, or text for the terminal.
    """
    import_code(code)
    with clear_errors():
        setup_gpu(gpu_id, silent=True)
        *pipelines, corpus = paths
        kind = find_format(format, output)
        if output is not None:
            check_output(output, read=[given_path("CORPUS", corpus), train])
        number = int(group_by) if group_by.isdecimal() else group_by
        report = Report(pipelines, corpus, tag=tag, group_by=number, train=train)
        text = FORMATS[kind](report)
        if output is not None:
            write_whole(output, text.encode())
    if output is not None:
        tell_done("Saved report", str(output))
    elif kind == "text" or not hasattr(sys.stdout, "buffer"):  # as that of a notebook
        print(text)
    else:  # UTF-8 whatever the terminal has, as in a file
        sys.stdout.buffer.write(f"{text}\n".encode())


def find_format(format: str | None, output: Path | None) -> str:
    """RETURNS (str): What is written.
    RAISES (ValueError): If it is not clear, or not to be had.
    """
    if format is None and output is not None:
        format = SUFFIXES.get(output.suffix.lower())
        if format is None:
            allowed = ", ".join(SUFFIXES)
            raise ValueError(Errors.C007.format(path=output, suffix=output.suffix, allowed=allowed))
    if format is not None:
        check_choice("--format", format, FORMATS)
    if format == "html":
        from ..report import html  # noqa: F401 - before the work, if a package is missing
    return format or "text"
