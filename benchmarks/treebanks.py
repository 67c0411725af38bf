"""Where the treebanks are: nothing is assumed about it."""

import argparse
import os
from pathlib import Path

VARIABLE = "UD_FOLDER"


def add_ud_option(parser: argparse.ArgumentParser) -> None:
    """Let a script take the folder of the treebanks."""
    given = os.environ.get(VARIABLE)
    parser.add_argument(
        "--ud",
        type=Path,
        default=Path(given) if given else None,
        metavar="FOLDER",
        help=f"the folder of the treebanks, en_ewt/train.conllu in it (default: ${VARIABLE})",
    )


def find_treebank(parser: argparse.ArgumentParser, ud: Path | None, name: str) -> Path:
    """RETURNS (Path): The folder of a treebank, with train.conllu and dev.conllu in it.
    RAISES (SystemExit): If it is not there, with what to do.
    """
    remedy = (
        f"Give the folder of the treebanks as --ud, or set {VARIABLE}. There, {name}/train.conllu "
        f"and {name}/dev.conllu are files of a treebank from https://universaldependencies.org."
    )
    if ud is None:
        parser.error(f"--ud is missing. {remedy}")
    for split in ("train", "dev"):
        path = ud / name / f"{split}.conllu"
        if not path.is_file():
            parser.error(f"--ud: there is no file {path}. {remedy}")
    return ud / name
