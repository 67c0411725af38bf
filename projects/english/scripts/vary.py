"""Write labelled texts anew, with other words of the same tags: what the teachers know of words
that the texts do not have is learned as well.
"""

import json
import random
import re
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Annotated

import spacy
import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training.corpus import walk_corpus

from spacy_lstm_tagger.readers import Corpus
from spacy_lstm_tagger.readers.docbin import read_docs

# The tags of words that are exchanged.
OPEN = {
    *("NN", "NNS", "NNP", "NNPS", "JJ", "JJR", "JJS", "RB"),
    *("VB", "VBD", "VBG", "VBN", "VBP", "VBZ"),
}
WORD = re.compile(r"[^\W\d_][\w'.-]*")
# Of the words that a pipeline knows: whole ones, not the suffixes and shapes beside them.
NEW = re.compile(r"[A-Za-z][a-z]{3,}(-[a-z]+)?|[A-Z]{2,6}")
SHARE = 0.35  # of the words of these tags


def main(
    silver: Path,
    treebank: Path,
    output: Path,
    *,
    knows: Annotated[str, typer.Option(help="A pipeline: the words that it knows, and their tags")],
    copies: Annotated[int, typer.Option(help="How often the treebank is told anew")] = 2,
    seed: int = 0,
) -> None:
    """Write texts, one a line of JSON.

    silver (Path): The folder of labelled texts.
    treebank (Path): The treebank.
    output (Path): The file for the texts.
    knows (str): A pipeline with further words.
    copies (int): How often the treebank is told anew. The texts are, once.
    seed (int): The seed of what is drawn.
    """
    rng, nlp = random.Random(seed), spacy.blank("en")
    docs = [doc for path in walk_corpus(silver, ".spacy") for doc in read_docs(path, nlp.vocab)]
    gold = [example.reference for example in Corpus(treebank, group_by="document")(nlp)]
    words = Words([*docs, *gold], spacy.load(knows))
    texts = [words.vary(doc, rng) for doc in [*docs, *gold * copies]]
    rng.shuffle(texts)
    output.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps({"text": text}, ensure_ascii=False) for text in texts)
    output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


class Words:
    """The words of each tag: those of texts, the more frequent ones more often, and further ones.

    docs (Iterable[Doc]): The texts, with tags.
    nlp (Language): A pipeline that knows further words.
    """

    def __init__(self, docs: Iterable[Doc], nlp: Language):
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for doc in docs:
            for token in doc:
                if token.tag_ in OPEN and WORD.fullmatch(token.text):
                    counts[token.tag_][token.text] += 1
        self.words = {tag: list(found) for tag, found in counts.items()}
        self.sums = {
            tag: list(accumulate(n**0.5 for n in found.values())) for tag, found in counts.items()
        }
        there = {word.lower() for words in self.words.values() for word in words}
        self.new: defaultdict[str, list[str]] = defaultdict(list)
        for word, tag in new_words(nlp, there):
            self.new[tag].append(word)
        self.new["VBP"] = self.new["VB"]

    def vary(self, doc: Doc, rng: random.Random) -> str:
        """RETURNS (str): The text of a doc, with other words."""
        return "".join(
            (self.draw(token.text, token.tag_, rng) if rng.random() < SHARE else token.text)
            + token.whitespace_
            for token in doc
        )

    def draw(self, word: str, tag: str, rng: random.Random) -> str:
        """RETURNS (str): Another word of a tag, in the case of this one, which stays if there is
        none.
        """
        words, new = self.words.get(tag, []), self.new[tag]
        if not words or not WORD.fullmatch(word):
            return word
        if rng.random() < len(new) / (len(new) + len(words)):
            other = rng.choice(new)
        else:
            sums = self.sums[tag]
            other = words[bisect(sums, rng.random() * sums[-1])]
        if word[0].isupper() and other[0].islower():
            return other[0].upper() + other[1:]
        if word[0].islower() and not tag.startswith("NNP"):
            return other.lower()
        return other


def new_words(nlp: Language, there: set[str]) -> Iterator[tuple[str, str]]:
    """YIELDS (tuple[str, str]): The words that a pipeline knows and that are not there, with the
    tag that each has alone.
    """
    found = {word for word in nlp.vocab.strings if NEW.fullmatch(word)} - {"Xxxx", "Xxxxx"}
    capital = {word.lower() for word in found if word[0].isupper()}
    # spaCy keeps each word's lower-cased form too.
    words = sorted(
        w for w in found if w.lower() not in there and (w[0].isupper() or w not in capital)
    )
    for doc in nlp.pipe(Doc(nlp.vocab, words=[word]) for word in words):
        if doc[0].tag_ in OPEN:
            yield doc[0].text, doc[0].tag_


if __name__ == "__main__":
    typer.run(main)
