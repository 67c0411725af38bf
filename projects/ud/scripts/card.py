"""Write a tagger's card, and what its package has to say of where it comes from. A lemmatizer is
added if the treebank has lemmas.
"""

import shutil
import warnings
from pathlib import Path
from typing import Annotated, Any

import spacy
import srsly
import typer
from spacy.language import Language
from spacy.scorer import Scorer

from spacy_lstm_tagger.readers import Corpus, read_word_lemmas

# What the tagger sets, by its tags.
ATTRIBUTES = {
    "xpos": "`token.tag_`",
    "upos": "`token.tag_`, `token.pos_`",
    "upos+feats": "`token.tag_`, `token.pos_`, `token.morph`",
}


def main(
    folder: Path,
    *,
    treebank: Annotated[str, typer.Option(help="As its repository is called")],
    release: Annotated[str, typer.Option(help="Its release")],
    license: Annotated[str, typer.Option(help="Its licence, and so that of the package")],
    test: Annotated[Path, typer.Option(help="What the tagger is scored on")],
) -> None:
    """Write package, with a card, of a trained pipeline.

    folder (Path): Has model-best and its figures.
    treebank (str): What it was trained on.
    release (str): Its release.
    license (str): Its licence.
    test (Path): What the tagger is scored on.
    """
    path = folder / "package"  # what is in model-best was trained, and need not be trained again
    nlp = spacy.load(folder / "model-best")
    lemmas = add_lemmatizer(nlp, folder / "train.conllu", test)
    url = f"https://github.com/UniversalDependencies/{treebank}"
    nlp.config["paths"] = dict.fromkeys(nlp.config["paths"])
    nlp.config["initialize"]["before_init"] = None  # what it did is saved
    license = license.strip('"')  # as weasel gives it on Windows
    nlp.meta["sources"] = [{"name": f"{treebank} {release}", "url": url, "license": license}]
    nlp.meta["license"] = license
    attributes = ATTRIBUTES[nlp.get_pipe("lstm_tagger").cfg["tag_set"]]
    nlp.meta["description"] = f"Part-of-speech tags ({attributes}), learned from {treebank}."
    # With what only an earlier pipeline had: setuptools packs whatever is in "build".
    for old in (path, *Path("packages").glob("*/build")):
        shutil.rmtree(old, ignore_errors=True)
    nlp.to_disk(path)
    names = {"accuracy": "the treebank's words", "accuracy-raw": "its own tokenizer's words"}
    rows = [row(name, srsly.read_json(folder / f"{file}.json")) for file, name in names.items()]
    text = f"""# {folder.name}

{nlp.meta["description"]} Trained by `projects/ud` of spacy-lstm-tagger.

| test set | lone sentences | texts of ten | words that training did not have |
|---|--:|--:|--:|
{chr(10).join(rows)}

{tokens(nlp, test)}{lemmas}The licence is that of [{treebank}]({url}), release {release}.
"""
    (path / "README.md").write_text(text, encoding="utf-8")


def add_lemmatizer(nlp: Language, train: Path, test: Path) -> str:
    """Add a lemmatizer, if the treebank has lemmas.

    nlp (Language): The pipeline.
    train (Path): What it was trained on.
    test (Path): What it is scored on.
    RETURNS (str): What the card says of lemmas.
    """
    tag = nlp.get_pipe("lstm_tagger").cfg["tag_set"]
    try:
        lemmas = read_word_lemmas(path=train, tag=tag)
    except ValueError:  # there are none
        return ""
    name = "tag_lemmatizer"
    if name not in nlp.pipe_names:
        nlp.add_pipe(name, config={"overwrite": True})  # the tokenizer of Japanese sets them too
    nlp.get_pipe(name).initialize(lambda: [], lemmas=lemmas)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\[LW003\]")  # of tags, which are scored above
        score = nlp.evaluate(list(Corpus(test, tag=tag)(nlp)))["lemma_acc"]
    if score is None:  # the test set has none
        return ""
    return f"Of its lemmas {100 * score:.1f} % are right (lone sentences, its words).\n\n"


def tokens(nlp: Language, test: Path) -> str:
    """RETURNS (str): What the card says of the tokenizer."""
    tag = nlp.get_pipe("lstm_tagger").cfg["tag_set"]
    score = Scorer.score_tokenization(list(Corpus(test, tag=tag, gold_tokens=False)(nlp)))
    return (
        f"Its tokenizer finds the treebank's words with an F1 of {100 * score['token_f']:.1f} %. "
        "Where a multiword token does not spell its words (French *du*: *de le*), the text has the "
        "words.\n\n"
    )


def row(name: str, figures: dict[str, Any]) -> str:
    """RETURNS (str): A row of the table."""
    alone, texts = figures["sentences"], figures["texts"]
    scores = [each["tag_acc"] for each in (alone["all"], texts["all"], alone["unknown"])]
    cells = ["–" if score is None else f"{100 * score:.1f} %" for score in scores]
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    typer.run(main)
