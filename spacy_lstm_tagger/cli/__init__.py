"""The commands `python -m spacy lstm-tagger …`, which spaCy finds by its entry points."""

import typer
from spacy.cli._util import app

lstm_tagger_cli = typer.Typer(
    name="lstm-tagger",
    help="Commands for word + character LSTM taggers, such as labelling text for distillation.",
    no_args_is_help=True,
)

# Each adds its command.
from . import label  # noqa: E402, F401

app.add_typer(lstm_tagger_cli)
