"""Make a trained pipeline ready to be packaged: its name, licence and card."""

import shutil
from pathlib import Path
from typing import Annotated, Any

import spacy
import srsly
import typer
from jinja2 import Template

TEMPLATE = Path(__file__).with_name("card.md.jinja")
TITLES = {"en_ewt": "English Web Treebank", "en_gum": "GUM, of which it learned nothing"}
ROWS = {
    "tags, lone sentences": ("sentences", "tag_acc"),
    "tags, texts of ten sentences": ("texts", "tag_acc"),
    "tags, words that the treebank lacks": ("new words", "tag_acc"),
    "tags, all in lower case": ("lower case", "tag_acc"),
    "universal tags (`pos_`)": ("texts", "pos_acc"),
    "`morph`, all features of a word": ("texts", "morph_acc"),
    "lemmas": ("texts", "lemma_acc"),
    "tags from raw text": ("raw text", "tag_acc"),
    "sentences from raw text (F1)": ("raw text", "sents_f"),
}
SOURCES = [
    {
        "name": "UD English EWT 2.16",
        "url": "https://github.com/UniversalDependencies/UD_English-EWT",
        "license": "CC BY-SA 4.0",
        "author": "Natalia Silveira et al.",
    },
    {
        "name": "MASC, product reviews and presidential speeches (raw text)",
        "url": "https://anc.org/data/masc",
        "license": "free for any use; reviews: CC BY 4.0",
        "author": "American National Corpus; Minqing Hu and Bing Liu",
    },
    {
        "name": "all-mpnet-base-v2 (labelled the raw text, made vectors of words)",
        "url": "https://huggingface.co/sentence-transformers/all-mpnet-base-v2",
        "license": "Apache 2.0",
        "author": "Sentence-Transformers",
    },
    {
        "name": "wordfreq 3.1.1 (which words have vectors)",
        "url": "https://github.com/rspeer/wordfreq",
        "license": "CC BY-SA 4.0",
        "author": "Robyn Speer",
    },
    {
        "name": "en_core_web_sm 3.8.0 (labelled it too; lemmas of irregular words)",
        "url": "https://github.com/explosion/spacy-models",
        "license": "MIT",
        "author": "Explosion",
    },
]


def main(
    pipeline: Path,
    figures: Path,
    output: Path,
    *,
    name: Annotated[str, typer.Option(help="Without the language")],
    words: Annotated[int, typer.Option(help="How many words have vectors")],
    speed: Annotated[str, typer.Option(help="What the card says of it")],
    training: Annotated[str, typer.Option(help="What it says of trainings and seeds")],
    version: str = "0.1.0",
) -> None:
    """Write a pipeline with its licence and card.

    pipeline (Path): The folder of the trained pipeline.
    figures (Path): What `measure.py` found.
    output (Path): The folder for the pipeline.
    name (str): Its name.
    words (int): How many words have vectors.
    speed (str): What the card says of how fast it is.
    training (str): What it says of trainings and seeds.
    version (str): Its version.
    """
    # Nothing of where it was trained, nor what only a training needs; nor the words that it met
    # there, which nobody asks it for.
    nlp = spacy.load(pipeline, exclude=["vocab"])
    nlp.config["paths"] = dict.fromkeys(nlp.config["paths"])
    nlp.config["initialize"]["before_init"] = None
    nlp.config["initialize"]["components"] = {}
    nlp.config["training"]["before_to_disk"] = None
    nlp.meta.pop("requirements", None)  # packaging tells those of today
    nlp.meta.update(
        name=name,
        version=version,
        description=f"English tags, morphology, lemmas and sentences: {', '.join(nlp.pipe_names)}",
        license="CC BY-SA 4.0",
        sources=SOURCES,
    )
    found = srsly.read_json(figures)
    # With what only an earlier pipeline had: setuptools packs whatever is in "build".
    earlier = [output] if (output / "meta.json").is_file() else []
    for old in (*earlier, *Path("packages").glob("*/build")):
        shutil.rmtree(old)
    nlp.to_disk(output)
    told = {"words": words, "speed": speed, "training": training}
    text = card(f"{nlp.lang}_{name}", nlp.pipe_names, found, **told)
    (output / "README.md").write_text(f"{text.rstrip()}\n", encoding="utf-8")


def card(name: str, components: list[str], figures: dict[str, Any], **told: Any) -> str:
    """RETURNS (str): The card of a pipeline, in Markdown.

    name (str): The pipeline's name.
    components (list[str]): Its components.
    figures (dict[str, Any]): What `measure.py` found.
    told (Any): What else it says, see `main`.
    """
    rows = {
        title: [figures[bank][kind][score] for bank in figures]
        for title, (kind, score) in ROWS.items()
    }
    template = Template(TEMPLATE.read_text(encoding="utf-8"), trim_blocks=True)
    return template.render(
        name=name, components=components, titles=TITLES, figures=figures, rows=rows, **told
    )


if __name__ == "__main__":
    typer.run(main)
