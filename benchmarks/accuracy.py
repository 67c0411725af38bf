"""Accuracy: trains named variants with several seeds and compares them, on a dev split.

    python -m benchmarks.accuracy --ud UD_FOLDER --variants accurate cnn --seeds 0 1 2

Each run is `spacy train` with overrides, one thread a run. Runs that are in the results file are
not repeated, so an interrupted experiment goes on where it stopped. With `--engine ray` they are
tasks of a cluster whose nodes all see the project, the treebanks and the output. To see what is
published, give `--results benchmarks/results/accuracy.json`. The variants are in `variants.py`.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import spacy
from spacy.language import DEFAULT_CONFIG_PRETRAIN_PATH
from spacy.training import Example

from spacy_lstm_tagger.augmenters import NoiseAugmenter
from spacy_lstm_tagger.files.whole import write_whole
from spacy_lstm_tagger.readers import Corpus

from .jobs import add_engine_options, work_on
from .outputs import OUTPUT, ROOT, markdown
from .peers import Treebank, cnn_config
from .texts import Sentence, read_sentences
from .treebanks import add_ud_option, find_treebank
from .variants import VARIANTS, Variant

# What the dev set is scored with once more: the chance of each kind of noise.
NOISE = {"lower": 1.0, "upper": 1.0, "no_final": 1.0, "typos": 0.1}


def main(argv: Sequence[str] | None = None) -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    add_ud_option(parser)
    parser.add_argument(
        "--variants",
        nargs="+",
        default=["cnn", "accurate", "fast"],
        choices=list(VARIANTS),
        metavar="NAME",
        help="which to run, see variants.py (default: %(default)s)",
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--pretrained", type=Path, help="weights of spacy pretrain for the variants that use them"
    )
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    add_engine_options(parser)
    parser.add_argument(
        "--output", type=Path, default=OUTPUT / "accuracy", help="where pipelines go"
    )
    parser.add_argument(
        "--results", type=Path, help="where results are read and go (default: OUTPUT/accuracy.json)"
    )
    parser.add_argument("--reference", default="cnn", help="what curves are held against")
    args = parser.parse_args(argv)
    path = args.results or args.output / "accuracy.json"
    results = read_results(path)
    todo = [
        (name, seed)
        for seed in args.seeds
        for name in args.variants
        if f"{name}/{seed}" not in results
    ]
    for name, _ in todo:
        find_treebank(parser, args.ud, VARIANTS[name].treebank)
    given = {"paths.init_tok2vec": args.pretrained}
    for name, _ in todo:
        for option, value in needed(VARIANTS[name]).items():
            if given[value] is None:
                parser.error(f"{name} needs a file: give it as --{option}.")
    args.output.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)

    def work(job: tuple[str, int]) -> dict[str, Any]:
        name, seed = job
        return run(name, VARIANTS[name], seed, ud=args.ud, output=args.output, given=given)

    for (name, seed), result in work_on(todo, work, args):
        # Another run may have written meanwhile.
        results = {**read_results(path), f"{name}/{seed}": result}
        write_whole(path, as_json(results).encode("utf-8"))
    print(table(results, args.variants, reference=args.reference))


def read_results(path: Path) -> dict[str, dict[str, Any]]:
    """RETURNS (dict[str, dict[str, Any]]): The runs that a file has."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def as_json(results: Mapping[str, Mapping[str, Any]]) -> str:
    """RETURNS (str): The runs by name, a line for each thing that is known of a run: a learning
    curve is one line.
    """
    runs = []
    for name, run in sorted(results.items()):
        lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in run.items())
        runs.append(f" {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(runs) + "\n}\n"


def needed(variant: Variant) -> dict[str, str]:
    """RETURNS (dict[str, str]): The options of files that a variant needs, and the config values
    that they become.
    """
    return {"pretrained": "paths.init_tok2vec"} if variant.pretrained else {}


def run(
    name: str,
    variant: Variant,
    seed: int,
    *,
    ud: Path,
    output: Path,
    given: Mapping[str, Path | None],
) -> dict[str, Any]:
    """Train one variant with one seed and score it.

    name (str): The variant's name.
    variant (Variant): What to train.
    seed (int): The seed.
    ud (Path): The folder of the treebanks.
    output (Path): Where to save it.
    given (Mapping[str, Optional[Path]]): The files that some variants need, see `needed`.
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
    if variant.pretrained:
        config = with_pretraining(config, folder / "pretrain.cfg")
    overrides = {"paths.train": train, "paths.dev": dev, "system.seed": seed, **variant.overrides}
    overrides |= {path: given[path] for path in needed(variant).values()}
    if variant.limit:
        overrides["corpora.train.limit"] = variant.limit
    if not variant.config:  # the CNN's own has neither our variables nor our layers
        ours = {key for key in variant.overrides if not key.startswith("corpora.train.")}
        overrides = {key: value for key, value in overrides.items() if key not in ours}
    seconds, curve = train_pipeline(config, folder, overrides, output / f"{name}-{seed}.log")
    words = {w for s in read(train, variant.tag, variant.limit) for w in s.words}
    nlp = spacy.load(folder / "model-best")
    accuracies = score(nlp, dev, variant.tag, words)
    accuracies |= score_noisy(nlp, dev, variant.tag)
    return {
        "treebank": variant.treebank,
        "split": "dev",
        "tag": variant.tag,
        "config": variant.config or "init config -p tagger -o efficiency",
        "overrides": {key: value for key, value in overrides.items() if "paths" not in key},
        "train_seconds": round(seconds),
        **accuracies,
        "curve": curve,
    }


def with_pretraining(config: Path, path: Path) -> Path:
    """RETURNS (Path): A copy of a config with a [pretraining] block. Without one spaCy does not
    load pretrained weights, and says nothing.
    """
    block = spacy.util.load_config(DEFAULT_CONFIG_PRETRAIN_PATH)
    block["pretraining"] |= {"component": "lstm_tagger", "layer": "tok2vec"}
    path.parent.mkdir(parents=True, exist_ok=True)
    block.merge(spacy.util.load_config(config)).to_disk(path, interpolate=False)
    return path


def train_pipeline(
    config: Path, folder: Path, overrides: Mapping[str, object], log: Path
) -> tuple[float, list[tuple[int, float]]]:
    """Run `spacy train` on one thread, with overrides of the config. See `follow`."""
    command = [sys.executable, "-m", "spacy", "train", str(config), "--output", str(folder)]
    for key, value in overrides.items():
        text = json.dumps(value) if isinstance(value, bool | dict | list) else str(value)
        command += [f"--{key}", text]
    return follow(command, log)


def follow(command: Sequence[str], log: Path) -> tuple[float, list[tuple[int, float]]]:
    """Run `spacy train`, and note when it printed which accuracy.

    command (Sequence[str]): The command.
    log (Path): Where to write what it prints.
    RETURNS (tuple): The seconds it took, and its learning curve: seconds since the start, and the
        dev accuracy of lone sentences in percent.
    RAISES (RuntimeError): If it fails.
    """
    start = time.monotonic()
    curve: list[tuple[int, float]] = []
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    column: int | None = None  # counted from the right, where no name has a space
    with (
        log.open("w", buffering=1, encoding="utf-8") as file,
        subprocess.Popen(command, env=env, cwd=ROOT, **streams) as process,  # type: ignore[call-overload]
    ):
        for line in process.stdout:
            file.write(line)
            cells = line.split()
            if cells[:2] == ["E", "#"]:
                shown = "TAG_ACC_SENTS" if "TAG_ACC_SENTS" in cells else "TAG_ACC"
                column = cells.index(shown) - len(cells)
            elif column is not None and len(cells) > -column and cells[0].isdigit():
                curve.append((round(time.monotonic() - start), float(cells[column])))
    if process.returncode:
        raise RuntimeError(f"Training failed with exit code {process.returncode}. See {log}.")
    return time.monotonic() - start, curve


def seconds_to(curve: Sequence[tuple[int, float]], accuracy: float) -> int | None:
    """RETURNS (Optional[int]): When a learning curve first reached an accuracy."""
    return next((seconds for seconds, value in curve if value >= accuracy), None)


def read(path: Path, tag: str, limit: int = 0) -> Iterator[Sentence]:
    """YIELDS (Sentence): The sentences of a treebank."""
    return islice(read_sentences(path, tag), limit or None)


def score(nlp: spacy.Language, dev: Path, tag: str, known: set[str]) -> dict[str, float]:
    """RETURNS (dict[str, float]): The accuracy in percent on lone sentences, on docs of ten, and on
    words that training had and did not have.
    """
    sentences = list(judge(nlp, list(Corpus(dev, tag=tag)(nlp))))
    correct = [right for right, _ in sentences]
    new = [right for right, word in sentences if word not in known]
    old = [right for right, word in sentences if word in known]
    tens = [right for right, _ in judge(nlp, list(Corpus(dev, tag=tag, group_by=10)(nlp)))]
    accuracies = {"sentences": correct, "tens": tens, "known": old, "unknown": new}
    # A small set may have no word of one kind.
    found = {name: rights for name, rights in accuracies.items() if rights}
    return {name: round(100 * mean(rights), 2) for name, rights in found.items()}


def score_noisy(nlp: spacy.Language, dev: Path, tag: str) -> dict[str, float]:
    """Score a pipeline on the lone sentences made noisy, each kind of noise for itself.

    RETURNS (dict[str, float]): The accuracies in percent, by kind of noise.
    """
    accuracies = {}
    for name, chance in NOISE.items():
        random.seed(0)
        chances = {**dict.fromkeys(NOISE, 0.0), name: chance}
        corpus = Corpus(dev, tag=tag, augmenter=NoiseAugmenter(**chances))
        accuracies[name] = round(100 * mean(right for right, _ in judge(nlp, corpus(nlp))), 2)
    return accuracies


def judge(nlp: spacy.Language, examples: Iterable[Example]) -> Iterator[tuple[int, str]]:
    """YIELDS (tuple): Whether a token's tag is right, and its text."""
    golds = [eg.reference for eg in examples]
    docs = nlp.pipe(spacy.tokens.Doc(nlp.vocab, words=[t.text for t in gold]) for gold in golds)
    for gold, doc in zip(golds, docs, strict=True):
        for expected, token in zip(gold, doc, strict=True):
            if expected.tag_:
                yield int(token.tag_ == expected.tag_), token.text


def table(results: dict[str, Any], variants: Sequence[str], *, reference: str) -> str:
    """RETURNS (str): Two Markdown tables, one row a variant, mean ± standard deviation over seeds.
    *time* says when the learning curve passed the best accuracy of the reference, as a share of the
    reference's time. The second table has the accuracies on noisy text.
    """
    splits = {"sentences": "dev, sentences", "tens": "docs of 10", "known": "known"}
    splits["unknown"] = "unknown"
    rows = [["variant", "seeds", *splits.values(), "seconds", "time"]]
    noisy = [["variant", "seeds", *NOISE]]
    for name in variants:
        runs = of_variant(results, name)
        rows.append(
            [
                *(name, str(len(runs))),
                *columns(runs, splits, 2),
                *columns(runs, ["train_seconds"], 0),
                time_share(runs, of_variant(results, reference)),
            ]
        )
        noisy.append([name, str(len(runs)), *columns(runs, NOISE, 2)])
    return f"{markdown(rows)}\n\n{markdown(noisy)}"


def columns(runs: dict[str, Any], names: Iterable[str], digits: int) -> list[str]:
    """RETURNS (list[str]): Each figure over the runs that have it."""
    return [spread([run[name] for run in runs.values() if name in run], digits) for name in names]


def of_variant(results: dict[str, Any], name: str) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): The runs of a variant, by seed."""
    split = ((key.split("/"), run) for key, run in results.items())
    return {seed: run for (variant, seed), run in split if variant == name}


def spread(values: Sequence[float], digits: int) -> str:
    """RETURNS (str): Mean ± standard deviation, if there is more than one value."""
    if not values:
        return ""
    deviation = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{deviation}"


def time_share(runs: dict[str, Any], reference: dict[str, Any]) -> str:
    """RETURNS (str): The mean over seeds of the time to the reference's best accuracy, relative to
    the time that the reference itself took to it. Nothing if not all of them reached it.
    """
    shares = []
    for seed in runs.keys() & reference.keys():
        mine, other = runs[seed].get("curve"), reference[seed].get("curve")
        if mine and other and runs[seed]["treebank"] == reference[seed]["treebank"]:
            best = max(value for _, value in other)
            reached, took = seconds_to(mine, best), seconds_to(other, best)
            if reached is None or not took:
                return ""
            shares.append(reached / took)
    return f"{mean(shares):.0%}" if shares else ""


if __name__ == "__main__":
    main()
