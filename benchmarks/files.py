"""What `lstm-tagger tag` takes beside the tagging: CPU time of it, and of `nlp.pipe` on the same.

    python -m benchmarks.files --pipeline fast=en_lstm_fast --ud UD_FOLDER

The files are read, tagged and written in one process, in turn with `nlp.pipe` on texts (or on
docs, where the file has its words).
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import srsly
from spacy.language import Language
from spacy.tokens import DocBin

from spacy_lstm_tagger.files.tagged import Style
from spacy_lstm_tagger.files.texts import BadTexts, Reading
from spacy_lstm_tagger.tagging import FileTagger, Job, tag_files

from .outputs import OUTPUT, write
from .sections import exhaust
from .speed import named_path
from .texts import Text, of_length, read_texts
from .treebanks import add_ud_option, find_treebank

DOC_WORDS = 100
READING = Reading(strip=False, keep=True)
OUTPUTS = [".jsonl", ".tsv", ".conllu", ".parquet", ".spacy"]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    add_ud_option(parser)
    parser.add_argument(
        "--pipeline", type=named_path, action="append", required=True, metavar="NAME=PATH"
    )
    parser.add_argument("--words", type=int, default=200_000, help="in all")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is run")
    parser.add_argument("--output", type=Path, default=OUTPUT / "files.json")
    args = parser.parse_args(argv)
    treebank = find_treebank(parser, args.ud, "en_ewt") / "train.conllu"
    texts = of_length(read_texts([treebank]), DOC_WORDS, n_tokens=args.words)
    figures: dict[str, dict[str, float]] = {}
    for name, path in args.pipeline:
        with tempfile.TemporaryDirectory(prefix="files-") as folder:
            figures[name] = measure(str(path), texts, Path(folder), rounds=args.rounds)
        for way, figure in figures[name].items():
            print(f"{name:<16} {way:<32} {figure:>9,}", flush=True)
    write(args.output, figures)


def measure(pipeline: str, texts: Sequence[Text], folder: Path, *, rounds: int) -> dict[str, float]:
    """RETURNS (dict[str, float]): By input and output, how many times as long the files take as
    `nlp.pipe`; and words a second of that.
    """
    taggers = {kind: FileTagger(Job(pipeline, kind, Style())) for kind in OUTPUTS}
    nlp = taggers[OUTPUTS[0]].nlp
    inputs = write_inputs(texts, nlp, folder)
    runs: dict[tuple[str, str], Callable[[], Any]] = {}
    for kind, path in inputs.items():
        runs[kind, "nlp.pipe"] = partial(pipe, nlp, texts, tokens=kind != ".jsonl")
        for out in OUTPUTS:
            target = folder / f"out{out}"
            files = [(target, [path])]
            options: dict[str, Any] = {
                "n_process": 1,
                "bad": BadTexts(),
                "report": lambda progress: None,
            }
            runs[kind, out] = partial(tag_files, taggers[out], files, READING, **options)
    times: dict[tuple[str, str], list[float]] = {way: [] for way in runs}
    for _ in range(rounds + 1):
        for way, run in runs.items():
            start = time.process_time()
            run()
            times[way].append(time.process_time() - start)
    # The fastest round, and not the first, in which all words are new.
    spent = {way: min(seconds[1:]) for way, seconds in times.items()}
    ratios = {
        f"{kind} to {out}": round(spent[kind, out] / spent[kind, "nlp.pipe"], 2)
        for kind, out in runs
        if out != "nlp.pipe"
    }
    words = sum(map(len, texts))
    return ratios | {
        f"words a second of nlp.pipe, {kind}": round(words / spent[kind, "nlp.pipe"])
        for kind in inputs
    }


def write_inputs(texts: Sequence[Text], nlp: Language, folder: Path) -> dict[str, Path]:
    """RETURNS (dict[str, Path]): The texts as files, by their format."""
    paths = {kind: folder / f"in{kind}" for kind in (".jsonl", ".conllu", ".spacy")}
    srsly.write_jsonl(paths[".jsonl"], ({"text": str(text)} for text in texts))
    with paths[".conllu"].open("w", encoding="utf-8") as file:
        for number, text in enumerate(texts):
            file.write(f"# newdoc id = {number}\n# text = {text}\n")
            for i, (word, space) in enumerate(zip(text.words, text.spaces, strict=True), start=1):
                misc = "_" if space else "SpaceAfter=No"
                file.write(f"{i}\t{word}\t_\t_\t_\t_\t_\t_\t_\t{misc}\n")
            file.write("\n")
    DocBin(docs=[text.doc(nlp.vocab) for text in texts]).to_disk(paths[".spacy"])
    return paths


def pipe(nlp: Language, texts: Sequence[Text], *, tokens: bool) -> None:
    """Tag texts, with their words or without."""
    exhaust(nlp, [t.doc(nlp.vocab) if tokens else str(t) for t in texts], nlp.batch_size)


if __name__ == "__main__":
    main()
