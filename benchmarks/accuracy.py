"""Accuracy: trains named variants with several seeds and compares them, on a dev split.

    python -m benchmarks.accuracy --ud UD_FOLDER --variants ewt cnn --seeds 0 1 2

Each run is `spacy train` with overrides, one thread a run. Runs that are in the results file are
not repeated, so an interrupted experiment goes on where it stopped.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import comb
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import spacy
from spacy.training import Example

from spacy_lstm_tagger.readers import ConlluCorpus

from .peers import Treebank, cnn_config

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "accuracy.json"


@dataclass(frozen=True)
class Variant:
    """An experiment: a config and what it changes.

    treebank (str): The folder in UD_FOLDER, with train.conllu and dev.conllu in it.
    config (Optional[str]): A file in configs/. None: spaCy's CNN tagger, `init config -p tagger
        -o efficiency`, on gold tokens.
    overrides (dict[str, object]): Config values, as `spacy train` takes them.
    limit (int): Train on only so many sentences. 0: on all.
    """

    treebank: str = "en_ewt"
    config: str | None = "ewt.cfg"
    overrides: dict[str, object] = field(default_factory=dict)
    limit: int = 0

    @property
    def tag(self) -> str:
        """RETURNS (str): The column that the tags come from."""
        return str(self.overrides.get("vars.tag", "xpos"))


def steps(n: int) -> dict[str, object]:
    """RETURNS (dict[str, object]): Overrides that train for so many steps."""
    return {"training.max_steps": n, "training.optimizer.learn_rate.total_steps": n}


GREEK: dict[str, object] = {"vars.tag": "upos", "nlp.lang": "el"}
VARIANTS = {
    "cnn": Variant(config=None),
    "ewt": Variant(),
    "fast": Variant(config="fast.cfg"),
    "crf": Variant(config="crf.cfg"),
    "greek-cnn": Variant(treebank="el_gud", config=None, overrides=GREEK),
    "greek": Variant(treebank="el_gud", overrides={**GREEK, **steps(800)}),
    "greek-crf": Variant("el_gud", "crf.cfg", overrides={**GREEK, **steps(800)}),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--ud", type=Path, default=ROOT.parent / "shared" / "ud")
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    parser.add_argument("--output", type=Path, default=ROOT / "output" / "accuracy")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--reference", default="cnn", help="what McNemar's test compares with")
    args = parser.parse_args(argv)
    if not args.ud.is_dir():
        parser.error(f"--ud: found no folder at {args.ud}. Give the folder of the treebanks.")
    args.output.mkdir(parents=True, exist_ok=True)
    results = json.loads(args.results.read_text()) if args.results.exists() else {}
    todo = [
        (name, seed)
        for seed in args.seeds
        for name in args.variants
        if f"{name}/{seed}" not in results
    ]

    def work(job: tuple[str, int]) -> None:
        name, seed = job
        results[f"{name}/{seed}"] = run(name, VARIANTS[name], seed, ud=args.ud, output=args.output)
        args.results.parent.mkdir(parents=True, exist_ok=True)
        args.results.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n")

    with ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(work, todo))
    print(table(results, args.variants, reference=args.reference, output=args.output))


def run(name: str, variant: Variant, seed: int, *, ud: Path, output: Path) -> dict[str, Any]:
    """Train one variant with one seed and score it.

    RETURNS (dict[str, Any]): What was run, accuracies in percent, and the seconds it took.
    """
    folder = output / f"{name}-{seed}"
    train, dev = (ud / variant.treebank / f"{split}.conllu" for split in ("train", "dev"))
    if variant.config:
        config = ROOT / "configs" / variant.config
    else:
        config = folder / "cnn.cfg"
        folder.mkdir(parents=True, exist_ok=True)
        lang = str(variant.overrides.get("nlp.lang", "en"))
        cnn_config(Treebank(train, dev, variant.tag), lang=lang).to_disk(config)
    overrides = {"paths.train": train, "paths.dev": dev, "system.seed": seed, **variant.overrides}
    if variant.limit:
        overrides["corpora.train.limit"] = variant.limit
    if not variant.config:
        overrides = {key: value for key, value in overrides.items() if key not in variant.overrides}
    command = [sys.executable, "-m", "spacy", "train", str(config), "--output", str(folder)]
    command += [part for key, value in overrides.items() for part in (f"--{key}", str(value))]
    start = time.monotonic()
    with (output / f"{name}-{seed}.log").open("w") as log:
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, check=True, stdout=log, stderr=log, env=env, cwd=ROOT)
    seconds = time.monotonic() - start
    words = {w for s in read(train, variant.tag, variant.limit) for w in s.words}
    nlp = spacy.load(folder / "model-best")
    accuracies, correct = score(nlp, dev, variant.tag, words)
    (folder / "correct.json").write_text(json.dumps(correct))
    return {
        "treebank": variant.treebank,
        "split": "dev",
        "tag": variant.tag,
        "config": variant.config or "init config -p tagger -o efficiency",
        "overrides": {key: value for key, value in overrides.items() if "paths" not in key},
        "train_seconds": round(seconds),
        **accuracies,
    }


def read(path: Path, tag: str, limit: int = 0) -> Iterator[Any]:
    """YIELDS (Sentence): The sentences of a treebank."""
    for group in ConlluCorpus(path, tag=tag, limit=limit)._groups(1):
        yield from group


def score(
    nlp: spacy.Language, dev: Path, tag: str, known: set[str]
) -> tuple[dict[str, float], list[int]]:
    """Score a pipeline on lone sentences, on docs of ten, and on words that training did not have.

    RETURNS (tuple): The accuracies in percent, and for each token of the lone sentences whether
        its tag is right.
    """
    sentences = list(judge(nlp, list(ConlluCorpus(dev, tag=tag)(nlp))))
    correct = [right for right, _ in sentences]
    new = [right for right, word in sentences if word not in known]
    old = [right for right, word in sentences if word in known]
    tens = [right for right, _ in judge(nlp, list(ConlluCorpus(dev, tag=tag, group_by=10)(nlp)))]
    accuracies = {"sentences": correct, "tens": tens, "known": old, "unknown": new}
    # A small set may have no word of one kind.
    found = {name: rights for name, rights in accuracies.items() if rights}
    return {name: round(100 * mean(rights), 2) for name, rights in found.items()}, correct


def judge(nlp: spacy.Language, examples: Iterable[Example]) -> Iterator[tuple[int, str]]:
    """YIELDS (tuple): Whether a token's tag is right, and its text."""
    golds = [eg.reference for eg in examples]
    docs = nlp.pipe(spacy.tokens.Doc(nlp.vocab, words=[t.text for t in gold]) for gold in golds)
    for gold, doc in zip(golds, docs, strict=True):
        for expected, token in zip(gold, doc, strict=True):
            if expected.tag_:
                yield int(token.tag_ == expected.tag_), token.text


def mcnemar(a: Sequence[int], b: Sequence[int]) -> float:
    """McNemar's exact test (1947, https://doi.org/10.1007/BF02295996).

    RETURNS (float): The chance of a difference at least as large if both were equally good.
    """
    better = sum(x > y for x, y in zip(a, b, strict=True))
    worse = sum(x < y for x, y in zip(a, b, strict=True))
    n = better + worse
    if n == 0:
        return 1.0
    tail = sum(comb(n, k) for k in range(min(better, worse) + 1))
    return min(1.0, 2 * tail / 2**n)


def table(results: dict[str, Any], variants: Sequence[str], *, reference: str, output: Path) -> str:
    """RETURNS (str): A Markdown table, one row a variant, mean ± standard deviation over seeds."""
    columns = ("sentences", "tens", "known", "unknown", "train_seconds")
    rows = [
        "| variant | seeds | dev, sentences | docs of 10 | known | unknown | seconds | p |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in variants:
        runs = {key: run for key, run in results.items() if key.split("/")[0] == name}
        cells = [name, str(len(runs))]
        for column in columns:
            values = [run[column] for run in runs.values() if column in run]
            if not values:
                cells.append("")
                continue
            spread = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
            text = f"{mean(values):.0f}" if column == "train_seconds" else f"{mean(values):.2f}"
            cells.append(text + (spread if column != "train_seconds" else ""))
        cells.append(significance(name, runs, reference=reference, output=output))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def significance(name: str, runs: Iterable[str], *, reference: str, output: Path) -> str:
    """RETURNS (str): The largest p-value over seeds against the reference, where both were run
    here and on the same treebank.
    """
    values = []
    for key in runs:
        seed = key.split("/")[1]
        mine, other = (output / f"{n}-{seed}" / "correct.json" for n in (name, reference))
        if name != reference and mine.exists() and other.exists():
            a, b = json.loads(mine.read_text()), json.loads(other.read_text())
            if len(a) == len(b):
                values.append(mcnemar(a, b))
    return f"{max(values):.1g}" if values else ""


if __name__ == "__main__":
    main()
