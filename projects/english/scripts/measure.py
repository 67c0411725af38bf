"""Score a pipeline on treebanks: the figures of its card."""

import re
import tempfile
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import spacy
import srsly
import typer
from spacy.language import Language
from spacy.strings import StringStore
from spacy.training import Example

from spacy_lstm_tagger.augmenters import NoiseAugmenter
from spacy_lstm_tagger.comparison import Comparison
from spacy_lstm_tagger.lexicon import Lexicon
from spacy_lstm_tagger.readers import Corpus, read_word_tags

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
    folders = [path.parent.name for path in dev]
    if len(set(folders)) < len(folders):
        names = ", ".join(folders)
        raise SystemExit(f"The treebanks' folders are called {names}: give each a name of its own.")
    nlp = spacy.load(pipeline)
    lexicon = Lexicon.of(read_word_tags(path=train))
    srsly.write_json(output, {path.parent.name: score(nlp, path, lexicon) for path in dev})


def score(nlp: Language, path: Path, lexicon: Lexicon) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): The figures of a treebank."""
    lower = NoiseAugmenter(lower=1.0, upper=0.0, no_final=0.0, typos=0.0)
    found: dict[str, Any] = {
        "sentences": evaluate(nlp, path),
        "texts": evaluate(nlp, path, group_by=10),
        "raw text": evaluate(nlp, path, group_by=10, gold_tokens=False),
        "lower case": evaluate(nlp, path, augmenter=lower),
    }
    examples = list(Corpus(path)(nlp))
    docs = nlp.pipe(eg.predicted for eg in examples)
    tags = Comparison(Example(d, eg.reference) for d, eg in zip(docs, examples, strict=True))
    new = lexicon.kinds(tags.words)["unknown"]
    found["new words"] = {"tag_acc": tags.accuracy(new) or 0.0, "words": int(new.sum())}
    found["confusions"] = confusions(tags, nlp.vocab.strings)
    found["genres"] = {}
    with tempfile.TemporaryDirectory() as folder:
        for genre, text in by_genre(path).items():
            part = Path(folder, "genre.conllu")
            part.write_text(text, encoding="utf-8")
            found["genres"][genre] = evaluate(nlp, part)["tag_acc"]
    return found


def confusions(tags: Comparison, strings: StringStore) -> dict[str, float]:
    """RETURNS (dict[str, float]): The ten most frequent pairs of a right tag and the wrong one that
    is given, each with its share of all wrong ones.
    """
    wrong = ~tags.is_hit
    pairs = np.column_stack([tags.gold[tags.places], tags.guesses])[wrong]
    distinct, counts = np.unique(pairs, axis=0, return_counts=True)
    return {
        " → ".join(strings[key] for key in distinct[i].tolist()): counts[i] / len(pairs)
        for i in np.argsort(-counts, kind="stable")[:10].tolist()
    }


def evaluate(nlp: Language, path: Path, **settings: Any) -> dict[str, float]:
    """RETURNS (dict[str, float]): What `spacy evaluate` tells, as far as it is one number."""
    scores = nlp.evaluate(list(Corpus(path, **settings)(nlp)))
    return {name: value for name, value in scores.items() if isinstance(value, float)}


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
