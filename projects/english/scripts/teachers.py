"""Score teachers on treebanks, each alone and all of them averaged."""

from pathlib import Path
from typing import Annotated

import spacy
import srsly
import typer
from spacy.cli._util import import_code

from spacy_lstm_tagger.distil.teacher import Teachers
from spacy_lstm_tagger.files.texts import Text
from spacy_lstm_tagger.readers import Corpus

GROUPS = {"sentences": 1, "texts": 10}


def main(
    teachers: list[str],
    *,
    output: Annotated[Path, typer.Option(help="The file for the figures, JSON")],
    dev: Annotated[list[Path], typer.Option(help="What to score them on")],
    weights: Annotated[str, typer.Option(help="What each counts, such as 2,1,1")],
    code: Path | None = None,
) -> None:
    """Score teachers.

    teachers (list[str]): Names or folders of pipelines. The tags are those of the first.
    output (Path): The file for the figures, JSON.
    dev (list[Path]): The treebanks to score them on.
    weights (str): What each counts in the mean.
    code (Optional[Path]): A file with registered functions that they need.
    """
    folders = [path.parent.name for path in dev]
    if len(set(folders)) < len(folders):
        names = ", ".join(folders)
        raise SystemExit(f"The treebanks' folders are called {names}: give each a name of its own.")
    import_code(code)
    numbers = [float(weight) for weight in weights.split(",")]
    members = {"together": Teachers(teachers, weights=numbers, other_tags=True)}
    members |= {teacher: Teachers([teacher]) for teacher in teachers}
    srsly.write_json(
        output,
        {
            name: {
                path.parent.name: {
                    kind: score(each, path, group_by) for kind, group_by in GROUPS.items()
                }
                for path in dev
            }
            for name, each in members.items()
        },
    )


def score(teachers: Teachers, path: Path, group_by: int) -> float:
    """RETURNS (float): The share of words with the right tag."""
    gold = [example.reference for example in Corpus(path, group_by=group_by)(spacy.blank("en"))]
    words = [Text(None, [t.text for t in doc], [bool(t.whitespace_) for t in doc]) for doc in gold]
    found = (token.tag_ for doc in teachers.label(words) for token in doc)
    right = [tag == t.tag_ for tag, t in zip(found, (t for d in gold for t in d), strict=True)]
    return sum(right) / len(right)


if __name__ == "__main__":
    typer.run(main)
