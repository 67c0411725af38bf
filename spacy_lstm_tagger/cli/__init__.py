"""The commands `python -m spacy lstm-tagger …`, which spaCy finds through our entry point."""

import typer
from spacy.cli._util import app

lstm_tagger_cli = typer.Typer(
    name="lstm-tagger",
    help="Commands for taggers: tag files, evaluate, report, calibrate, label text for a student, "
    "check training data.",
    no_args_is_help=True,
)
app.add_typer(lstm_tagger_cli)

# Each registers its command.
from . import calibrate, debug, evaluate, label, report, tag  # noqa: E402, F401
