"""Write a tagger's card, and what its package has to say of where it comes from."""

from pathlib import Path
from typing import Annotated, Any

import spacy
import srsly
import typer


def main(
    folder: Path,
    *,
    treebank: Annotated[str, typer.Option(help="As its repository is called")],
    release: Annotated[str, typer.Option(help="Its release")],
) -> None:
    """Write a card beside a trained pipeline.

    folder (Path): Has model-best and its figures.
    treebank (str): What it was trained on.
    release (str): Its release.
    """
    path = folder / "model-best"
    nlp = spacy.load(path)
    url = f"https://github.com/UniversalDependencies/{treebank}"
    nlp.config["paths"] = dict.fromkeys(nlp.config["paths"])
    nlp.meta["sources"] = [{"name": f"{treebank} {release}", "url": url, "license": "see there"}]
    nlp.meta["description"] = f"Part-of-speech tags, learned from {treebank}."
    nlp.to_disk(path)
    names = {"accuracy": "the treebank's words", "accuracy-raw": "its own tokenizer's words"}
    rows = [row(name, srsly.read_json(folder / f"{file}.json")) for file, name in names.items()]
    text = f"""# {folder.name}

{nlp.meta["description"]} Trained by [the project for any treebank]({url}) of spacy-lstm-tagger.

| test set | lone sentences | texts of ten | words that training did not have |
|---|--:|--:|--:|
{chr(10).join(rows)}

The licence is that of [{treebank}]({url}), release {release}.
"""
    (path / "README.md").write_text(text, encoding="utf-8")


def row(name: str, figures: dict[str, Any]) -> str:
    """RETURNS (str): A row of the table."""
    alone, texts = figures["sentences"], figures["texts"]
    cells = [alone["all"], texts["all"], alone["unknown"]]
    return f"| {name} | " + " | ".join(f"{100 * cell['tag_acc']:.1f} %" for cell in cells) + " |"


if __name__ == "__main__":
    typer.run(main)
