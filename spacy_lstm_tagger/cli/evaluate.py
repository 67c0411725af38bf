"""`lstm-tagger evaluate`: how right a pipeline's tags are."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from spacy.cli._util import Arg, Opt, import_code, setup_gpu
from wasabi import msg

from ..evaluation import SENTENCES_PER_TEXT, Accuracy, Evaluation, evaluate
from ..files.whole import write_whole
from ..missing_tags import find_missing_tags
from ..taggers import load_pipeline
from . import lstm_tagger_cli
from .messages import clear_errors
from .options import Code, GpuId, Tag, check_output

RAW_HELP = "Let the pipeline split the text into tokens, rather than take those of the file"


@lstm_tagger_cli.command("evaluate")
def evaluate_cli(
    pipeline: Annotated[str, Arg(help="A pipeline with a tagger: name or folder")],
    data: Annotated[Path, Arg(help="CoNLL-U or .spacy: a file, or a folder of them")],
    tag: Tag = "xpos",
    raw: Annotated[bool, Opt("--raw", "-r", help=RAW_HELP)] = False,
    output: Annotated[Path | None, Opt("--output", "-o", help="JSON file for the figures")] = None,
    gpu_id: GpuId = -1,
    code: Code = None,
) -> None:
    """
    Measure how many words a pipeline tags right, in sentences alone and in texts of ten: all words
    and, for our taggers, those known from training, unknown ones, and those with several tags.
    """
    import_code(code)
    with clear_errors():
        setup_gpu(gpu_id)
        if output is not None:
            check_output(output, read=[data])
        nlp = load_pipeline(pipeline)
        missing = find_missing_tags(nlp, data, tag=tag, pipeline=pipeline)
        found = evaluate(nlp, data, tag=tag, raw=raw)
        if output is not None:
            tokens = "raw" if raw else "gold"
            setting = {"pipeline": pipeline, "data": str(data), "tag": tag, "tokens": tokens}
            figures = {name: asdict(evaluation) for name, evaluation in found.items()}
            text = json.dumps({**setting, **figures, "missing_tags": missing}, indent=1)
            write_whole(output, f"{text}\n".encode())
    if missing:
        msg.warn("Always wrong, as the pipeline does not give these tags:", ", ".join(missing))
    rows = [row(name, found) for name in ("all", "known", "unknown", "ambiguous")]
    rows.append(shares("whole sentences", [each.tag_whole_sents for each in found.values()]))
    rows.append(shares("F1, mean of tags", [each.tag_macro_f for each in found.values()]))
    header = ("words", "number", "sentences alone", f"texts of {SENTENCES_PER_TEXT}")
    msg.table([each for each in rows if each], header=header, aligns=tuple("lrrr"), divider=True)
    if output is not None:
        msg.good("Saved figures", str(output))


def row(name: str, found: dict[str, Evaluation]) -> tuple[str, ...]:
    """RETURNS (tuple[str, ...]): What the table says of some words: nothing if there are none."""
    accuracies: list[Accuracy | None] = [getattr(each, name) for each in found.values()]
    cells = [f"{each.tag_acc:.2%}" for each in accuracies if each and each.tag_acc is not None]
    return (name, f"{accuracies[0].words:,}", *cells) if cells and accuracies[0] else ()


def shares(name: str, values: Sequence[float | None]) -> tuple[str, ...]:
    """RETURNS (tuple[str, ...]): A row of figures of no number of words."""
    return (name, "", *("" if value is None else f"{value:.2%}" for value in values))
