"""Score a pipeline on treebanks: the figures of its card."""

import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import spacy
import srsly
import typer
from spacy.language import Language

from spacy_lstm_tagger.readers import Corpus

LINES = re.compile(r"(?:[^\n]+\n)+")


def main(
    pipeline: Path,
    output: Path,
    *,
    train: Annotated[Path, typer.Option(help="What it learned from")],
    dev: Annotated[list[Path], typer.Option(help="What to score it on")],
) -> None:
    """Score a pipeline.

    pipeline (Path): The folder of the pipeline.
    output (Path): The file for the figures, JSON.
    train (Path): The treebank that it learned from, which tells new words from others.
    dev (list[Path]): The treebanks to score it on.
    """
    nlp = spacy.load(pipeline)
    known = {token.text for eg in Corpus(train)(spacy.blank("en")) for token in eg.reference}
    figures = {path.parent.name: score(nlp, path, known) for path in dev}
    srsly.write_json(output, figures)


def score(nlp: Language, path: Path, known: set[str]) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): The figures of a treebank."""
    found = {
        "sentences": evaluate(nlp, path),
        "texts": evaluate(nlp, path, group_by=10),
        "raw text": evaluate(nlp, path, group_by=10, gold_tokens=False),
    }
    right = words = 0
    confusions: Counter[str] = Counter()
    examples = list(Corpus(path)(nlp))
    for doc, eg in zip(nlp.pipe([eg.predicted for eg in examples]), examples, strict=True):
        for token, gold in zip(doc, eg.reference, strict=True):
            if token.text not in known:
                right, words = right + (token.tag_ == gold.tag_), words + 1
            if token.tag_ != gold.tag_:
                confusions[f"{gold.tag_} → {token.tag_}"] += 1
    found["new words"] = {"tag_acc": right / max(words, 1), "words": words}
    wrong = max(confusions.total(), 1)
    found["confusions"] = {pair: count / wrong for pair, count in confusions.most_common(10)}
    with tempfile.TemporaryDirectory() as folder:
        lower = Path(folder, "lower.conllu")
        lower.write_text("".join(lower_cased(path)), encoding="utf-8")
        found["lower case"] = evaluate(nlp, lower)
        found["genres"] = {}
        for genre, text in by_genre(path).items():
            part = Path(folder, "genre.conllu")
            part.write_text(text, encoding="utf-8")
            found["genres"][genre] = evaluate(nlp, part)["tag_acc"]
    return found


def evaluate(nlp: Language, path: Path, **settings: Any) -> dict[str, float]:
    """RETURNS (dict[str, float]): What `spacy evaluate` tells, as far as it is one number."""
    scores = nlp.evaluate(list(Corpus(path, **settings)(nlp)))
    return {name: value for name, value in scores.items() if isinstance(value, float)}


def lower_cased(path: Path) -> Iterator[str]:
    """YIELDS (str): The lines of a treebank, its words in lower case."""
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        columns = line.split("\t")
        if len(columns) > 1:
            columns[1] = columns[1].lower()
        elif line.startswith("# text = "):
            columns = [line.lower()]
        yield "\t".join(columns)


def by_genre(path: Path) -> dict[str, str]:
    """RETURNS (dict[str, str]): The sentences of each genre, the first word of a document's name:
    "weblog-…", "GUM_academic_…".
    """
    genres: dict[str, str] = {}
    genre = ""
    for sentence in LINES.findall(path.read_text(encoding="utf-8")):
        named = re.search(r"# newdoc id = (?:GUM_)?([a-z]+)", sentence)
        genre = named[1] if named else genre
        genres[genre] = genres.get(genre, "") + sentence + "\n"
    return genres


if __name__ == "__main__":
    typer.run(main)
