"""Distillation: trains students on gold and silver data, and tells what each part of it gives.

    python -m benchmarks.distillation --ud UD_FOLDER --silver output/silver

`docs/distillation.md` says how the teacher and the silver data are made. Each run is `spacy train`
of configs/distil.cfg with overrides, on one thread. Runs that are in the results are not repeated.
"""

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import spacy

from .accuracy import read, score, train_pipeline
from .outputs import OUTPUT, ROOT, markdown
from .treebanks import add_ud_option, find_treebank
from .variants import EMBED, ENCODE, steps

# The ablation trains for two passes, all of its runs for equally many steps.
SHORT = {**steps(4400), "training.eval_frequency": 2200}
GOLD = "${corpora.train.corpora.gold}"


@dataclass(frozen=True)
class Student:
    """A student: what it changes of configs/distil.cfg.

    words (int): How much silver data it learns from, in words, by whole shards. 0: gold alone.
    overrides (Mapping[str, object]): Config values, as `spacy train` takes them.
    """

    words: int = 1_600_000
    overrides: Mapping[str, object] = field(default_factory=dict)


TAGS: dict[str, object] = {"components.lstm_tagger.soft_share": 0.0}
# The treebank's words alone have rows, as many as configs/distil.cfg has.
GOLD_WORDS: dict[str, object] = {"initialize.after_init.corpus": GOLD}
ACCURATE: dict[str, object] = {
    ENCODE + "width": 320,
    ENCODE + "depth": 2,
    ENCODE + "merge": "sum",
    ENCODE + "all_layers": True,
    EMBED + "word_width": 100,
    EMBED + "word_rows": 40000,
    EMBED + "feature_width": 32,
    EMBED + "feature_rows": 15000,
    "training.dropout": 0.1,
    **steps(8800),
    "training.eval_frequency": 1100,
}
STUDENTS = {
    "fast": Student(),
    "accurate": Student(overrides=ACCURATE),
    "gold": Student(words=0, overrides=SHORT),
    "tags, gold's words": Student(overrides={**SHORT, **TAGS, **GOLD_WORDS}),
    "tags": Student(overrides={**SHORT, **TAGS}),
    "probabilities": Student(overrides=SHORT),
    "0.4 M words": Student(words=400_000, overrides=SHORT),
    "0.1 M words": Student(words=100_000, overrides=SHORT),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    add_ud_option(parser)
    parser.add_argument("--silver", type=Path, required=True, help="what a teacher has labelled")
    parser.add_argument("--teacher", type=Path, help="a pipeline to score as well")
    parser.add_argument("--students", nargs="*", default=list(STUDENTS), choices=list(STUDENTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--output", type=Path, default=OUTPUT / "distillation")
    parser.add_argument(
        "--results",
        type=Path,
        help="the folder of results.json and the logs (default: OUTPUT/results)",
    )
    args = parser.parse_args(argv)
    args.ud = find_treebank(parser, args.ud, "en_ewt")
    if not (args.silver / "manifest.json").is_file():
        parser.error(f"--silver: {args.silver} is not what `lstm-tagger label` writes.")
    args.results = args.results or args.output / "results"
    args.results.mkdir(parents=True, exist_ok=True)
    path = args.results / "results.json"

    def results() -> dict[str, Any]:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def keep(key: str, result: dict[str, Any]) -> None:
        # Read anew: another process may have added its own.
        path.write_text(json.dumps({**results(), key: result}, indent=1) + "\n", encoding="utf-8")

    if args.teacher and "teacher" not in results():
        keep("teacher", accuracy(args.teacher, args.ud))
    for seed in args.seeds:
        for name in args.students:
            if f"{name}/{seed}" not in results():
                keep(f"{name}/{seed}", run(name, seed, args))
    print(table(results()))


def run(name: str, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """Train one student with one seed and score it.

    RETURNS (dict[str, Any]): What was run, accuracies in percent, and seconds.
    """
    student = STUDENTS[name]
    label = f"{name.replace(' ', '-').replace(',', '').replace(chr(39), '')}-{seed}"
    overrides: dict[str, object] = {
        "paths.train": args.ud / "train.conllu",
        "paths.dev": args.ud / "dev.conllu",
        "system.seed": seed,
        **student.overrides,
    }
    words = 0
    config = ROOT / "configs" / "distil.cfg"
    if student.words:
        overrides["paths.silver"], words = first_shards(args.silver, student.words, args.output)
    else:
        config = without_silver(config, args.output / "gold.cfg")
    folder = args.output / label
    log_path = args.results / f"{label}.log"
    seconds, _ = train_pipeline(config, folder, overrides, log_path)
    # The table of scores; what is printed around it tells where things lie on this machine.
    rows = re.findall(r"^(?:E  |---|  *\d+  ).*\n", log_path.read_text(), re.M)
    log_path.write_text("".join(rows))
    shown = {key: value for key, value in overrides.items() if not key.startswith("paths.")}
    return {
        "overrides": shown,
        "silver_words": words,
        "train_seconds": round(seconds),
        **accuracy(folder / "model-best", args.ud),
    }


def accuracy(pipeline: Path, ud: Path) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): A pipeline's accuracies on the dev set, in percent."""
    known = {word for s in read(ud / "train.conllu", "xpos") for word in s.words}
    return score(spacy.load(pipeline), ud / "dev.conllu", "xpos", known)


def first_shards(silver: Path, words: int, output: Path) -> tuple[Path, int]:
    """Make a folder of the first shards, as many as it takes to have so many words.

    RETURNS (tuple): The folder, and how many words it has.
    """
    shards = json.loads((silver / "manifest.json").read_text(encoding="utf-8"))["shards"]
    folder = output / f"silver-{words}"
    folder.mkdir(parents=True, exist_ok=True)
    count, names = 0, set[str]()
    for shard in shards:
        if count >= words:
            break
        # Replaced in one go, as another student may be reading them.
        link = folder / f".{shard['name']}"
        link.unlink(missing_ok=True)
        link.symlink_to((silver / shard["name"]).resolve())
        link.replace(folder / shard["name"])
        names.add(shard["name"])
        count += shard["words"]
    for path in folder.iterdir():  # of silver data that was there before
        if path.name.lstrip(".") not in names:
            path.unlink()
    return folder, count


def without_silver(config: Path, path: Path) -> Path:
    """RETURNS (Path): A copy of the config that learns from the treebank alone."""
    loaded = spacy.util.load_config(config)
    del loaded["corpora"]["train"]["corpora"]["silver"]
    path.parent.mkdir(parents=True, exist_ok=True)
    loaded.to_disk(path, interpolate=False)
    return path


def table(results: dict[str, Any]) -> str:
    """RETURNS (str): A Markdown table, one row a run."""
    columns = ("silver_words", "sentences", "tens", "known", "unknown", "train_seconds")
    runs = ([name, *(str(run.get(c, "")) for c in columns)] for name, run in results.items())
    return markdown([["run", *columns], *runs])


if __name__ == "__main__":
    main()
