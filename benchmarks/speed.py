"""How fast the taggers are: trains or loads them, runs them in turn, prints tables.

python -m benchmarks.speed --ud UD_FOLDER --pipeline accurate=output/accurate/model-best
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from spacy.util import get_package_path, is_package

from .measure import Figure, use_device
from .outputs import OUTPUT
from .peers import Treebank, build_peers
from .report import describe_machine, to_markdown, write_json
from .sections import SECTIONS, Bench
from .treebanks import add_ud_option, find_treebank

PEERS = ["cnn", "torch-bilstm", "packed", "kernel"]
# Not written into the results: where things lie says nothing to others.
PATH_OPTIONS = {"ud", "train", "dev", "text", "pipeline", "output"}
THREAD_VARIABLES = [
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "BLIS_NUM_THREADS",
]


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the options and check them."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description="Compare the speed of taggers in one run.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )

    def option(name: str, **kwargs) -> None:
        parser.add_argument(name, **kwargs)

    add_ud_option(parser)
    option("--train", type=Path, help="CoNLL-U file to train on, rather than en_ewt's of --ud")
    option("--dev", type=Path, help="CoNLL-U file to tag, rather than en_ewt's of --ud")
    option("--tag", default="xpos", help="where tags come from: xpos, upos or upos+feats")
    option(
        "--pipeline",
        type=named_path,
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="a trained pipeline to compare; can be given again (default: one of ours is trained)",
    )
    option("--bf16", action="store_true", help="compare each of ours in bfloat16 too")
    option("--peers", type=names_in(PEERS), default=PEERS, help="what to compare it with")
    option("--only", type=names_in(list(SECTIONS)), default=list(SECTIONS), help="sections to run")
    option("--reference", default="cnn", help="the peer that ratios refer to")
    option("--threads", type=int, default=1, help="threads of PyTorch and of BLAS")
    option("--gpu-id", type=int, default=-1, help="the GPU, or -1 for the CPU")
    option("--rounds", type=int, default=7, help="how often everything is run")
    option("--batch-size", type=numbers, default=[256, 1000], help="docs a batch")
    option("--tokens", type=int, default=50_000, help="tokens tagged in a run")
    option(
        "--earlier-tokens",
        type=int,
        default=100_000,
        help="tokens of other text that are tagged before, to measure running text",
    )
    option(
        "--text",
        type=Path,
        metavar="JSONL",
        help='tag raw texts rather than the treebank: a file with one {"text": …} a line',
    )
    option("--stream-tokens", type=int, default=1_000_000, help="tokens streamed for memory")
    option(
        "--lengths",
        type=numbers,
        default=[10, 100, 1000, 5000, 10_000, 100_000],
        help="tokens a doc",
    )
    option("--train-steps", type=int, default=50, help="batches to train spaCy's taggers on")
    option("--output", type=Path, default=OUTPUT / "speed.json", help="for the results")
    args = parser.parse_args(argv)
    for name in ("train", "dev"):
        path = getattr(args, name)
        if path is None:
            setattr(args, name, find_treebank(parser, args.ud, "en_ewt") / f"{name}.conllu")
        elif not path.is_file():
            parser.error(
                f"--{name}: there is no file {path}. Give the CoNLL-U file of a treebank, such as "
                "UD English EWT from https://universaldependencies.org, or that of corpus/."
            )
    if args.text is not None and not args.text.is_file():
        parser.error(f"--text: there is no file {args.text}")
    return args


def named_path(value: str) -> tuple[str, Path]:
    """Read NAME=PATH, of a pipeline's folder or of one that is installed."""
    name, _, path = value.partition("=")
    if not name or not path:
        raise argparse.ArgumentTypeError(f"{value!r} is not of the form NAME=PATH")
    folder = Path(path)
    if not folder.is_dir() and is_package(path):
        folder = next((each.parent for each in get_package_path(path).glob("*/config.cfg")), folder)
    if not (folder / "config.cfg").is_file():
        raise argparse.ArgumentTypeError(f"{path!r} is no folder of a pipeline, nor installed")
    return name, folder


def names_in(allowed: list[str]):
    """RETURNS (Callable): Reads a comma list of some of these names."""

    def names(value: str) -> list[str]:
        chosen = [name for name in value.split(",") if name]
        unknown = [name for name in chosen if name not in allowed]
        if unknown:
            raise argparse.ArgumentTypeError(
                f"{', '.join(unknown)} is none of {', '.join(allowed)}"
            )
        return chosen

    return names


def numbers(value: str) -> list[int]:
    """Read a comma list of positive numbers."""
    chosen = [int(number) for number in value.split(",")]
    if min(chosen) < 1:
        raise argparse.ArgumentTypeError(f"{value!r}: numbers must be 1 or more")
    return chosen


def fix_threads(threads: int) -> None:
    """Start this process anew with the number of threads in the environment, where the libraries
    look for it when they are loaded.
    """
    wanted = dict.fromkeys(THREAD_VARIABLES, str(threads))
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | wanted)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables and write JSON."""
    args = parse(argv)
    torch.set_num_threads(args.threads)
    use_device(args.gpu_id)
    machine = describe_machine(threads=args.threads, gpu_id=args.gpu_id)
    treebank = Treebank(args.train, args.dev, args.tag)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        log("building the peers")
        peers = build_peers(
            dict(args.pipeline),
            args.peers,
            treebank,
            Path(folder),
            gpu_id=args.gpu_id,
            steps=args.train_steps,
            bf16=args.bf16,
        )
        bench = Bench(
            peers=peers,
            treebank=treebank,
            reference=args.reference,
            rounds=args.rounds,
            tokens=args.tokens,
            earlier_tokens=args.earlier_tokens,
            raw=args.text,
            stream_tokens=args.stream_tokens,
            batch_sizes=args.batch_size,
            lengths=args.lengths,
            kernel="kernel" in args.peers,
            gpu_id=args.gpu_id,
        )
        for section in args.only:
            log(f"{section}: {', '.join(peer.name for peer in peers)}")
            figures += SECTIONS[section](bench)
    print(to_markdown(figures, machine, reference=args.reference))
    settings = {name: value for name, value in vars(args).items() if name not in PATH_OPTIONS}
    write_json(args.output, figures, machine, settings)
    log(f"results in {args.output}")


def log(text: str) -> None:
    """Say what is being done, beside the tables."""
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    fix_threads(parse().threads)
    main()
