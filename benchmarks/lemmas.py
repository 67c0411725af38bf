"""What finds lemmas: how many are right, how long it takes, and how large it is.

    python -m benchmarks.lemmas --pipeline NAME=PATH --dev UD_FOLDER/en_ewt/dev.conllu

Texts of ten sentences, gold tokens. What finds lemmas is timed alone, on docs that the other
components have annotated.
"""

import argparse
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import spacy
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc
from spacy.training import Example

from spacy_lstm_tagger.pipeline import TagLemmatizer
from spacy_lstm_tagger.readers import Corpus

from .outputs import OUTPUT, write
from .speed import named_path

NAMES = ("lemmatizer", "tag_lemmatizer", "trainable_lemmatizer")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument(
        "--pipeline", type=named_path, action="append", required=True, metavar="NAME=PATH"
    )
    parser.add_argument("--dev", type=Path, action="append", required=True, metavar="CONLLU")
    parser.add_argument("--rounds", type=int, default=5, help="how often the time is taken")
    parser.add_argument("--output", type=Path, default=OUTPUT / "lemmas.json")
    args = parser.parse_args(argv)
    names = [dev.parent.name for dev in args.dev]
    if len(set(names)) < len(names):
        parser.error(f"--dev: the folders are called {', '.join(names)}; give each its own name")
    figures: dict[str, dict[str, float]] = {}
    for name, path in args.pipeline:
        nlp = spacy.load(path)
        component = next((each for each in NAMES if each in nlp.pipe_names), None)
        if component is None:
            parser.error(f"--pipeline: {name} has none of {', '.join(NAMES)}")
        figures[name] = {"MB": round(size(nlp, component) / 1e6, 2)}
        for dev in args.dev:
            examples = list(Corpus(dev, group_by=10)(nlp))
            found = measure(nlp, component, examples, rounds=args.rounds)
            figures[name] |= {f"{dev.parent.name}, {key}": value for key, value in found.items()}
    write(args.output, figures)
    print(args.output.read_text(encoding="utf-8"))


def measure(
    nlp: Language, name: str, examples: Sequence[Example], *, rounds: int
) -> dict[str, float]:
    """RETURNS (dict[str, float]): The accuracy of lemmas, with the tags of the pipeline and, of a
    component that needs nothing else, with gold ones; and the time.
    """
    lemmatizer = cast(Pipe, nlp.get_pipe(name))
    with nlp.select_pipes(disable=[name]):
        docs = list(nlp.pipe(example.predicted for example in examples))
    times = []
    for _ in range(rounds):
        copies = [doc.copy() for doc in docs]
        start = time.process_time()
        copies = list(lemmatizer.pipe(copies, batch_size=nlp.batch_size))
        times.append(time.process_time() - start)
    found = {
        "per cent": accuracy(copies, examples),
        "µs a word": round(1e6 * min(times) / sum(map(len, docs)), 2),
    }
    if isinstance(lemmatizer, TagLemmatizer):
        gold = [with_tags(doc, eg.reference) for doc, eg in zip(docs, examples, strict=True)]
        found["per cent with gold tags"] = accuracy(list(lemmatizer.pipe(gold)), examples)
    return found


def with_tags(doc: Doc, reference: Doc) -> Doc:
    """RETURNS (Doc): A doc of the same words with the tags of another one, and nothing else."""
    words, tags = ([getattr(token, name) for token in reference] for name in ("text", "tag_"))
    return Doc(doc.vocab, words=words, tags=tags)


def accuracy(docs: Sequence[Doc], examples: Sequence[Example]) -> float:
    """RETURNS (float): How many lemmas are right, of words that have one, per cent."""
    pairs = [
        (token.lemma_, gold.lemma_)
        for doc, example in zip(docs, examples, strict=True)
        for token, gold in zip(doc, example.reference, strict=True)
        if gold.lemma_
    ]
    return round(100 * sum(found == gold for found, gold in pairs) / len(pairs), 2)


def size(nlp: Language, name: str) -> int:
    """RETURNS (int): What the component adds to a wheel, in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        nlp.to_disk(folder)
        files = [path for path in Path(folder, name).rglob("*") if path.is_file()]
        return sum(len(zlib.compress(path.read_bytes())) for path in files)


if __name__ == "__main__":
    main()
