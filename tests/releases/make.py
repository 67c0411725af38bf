"""Makes the pipelines of this version: `python -m tests.releases.make`, once, at its release."""

import inspect
import json
import shutil
import tempfile
from importlib.metadata import distribution
from pathlib import Path

import spacy
from spacy.cli.train import train
from spacy.language import Language

from spacy_lstm_tagger import __version__

from ..util import CONFIGS, CORPUS, SMALL_HALVES

FOLDER = Path(__file__).parent
# What each is trained with: between them they have all kinds of layers and settings that are saved.
CONFIG = {"softmax": "accurate.cfg", "crf": "crf.cfg"}
SETTINGS = {"softmax": {"threshold": 0.5}, "crf": {}}
SENTENCES, STEPS = 12, 400
ROWS = {"embed.word_rows": 100, "embed.feature_rows": 60, "embed.char_rows": 60}
TEXTS = [
    "I left the soup on the stove .",
    "Nobody knew where the old clock had stopped .",
    "Zyxwvut glorbed  the Ὀδυσσεία in 1999 !",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z",
]


def make(name, target):
    """Train a small pipeline and write it down with its tags.

    name (str): Which of them, a key of `CONFIG`.
    target (Path): A folder that is not there yet.
    """
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "train.conllu"
        blocks = (CORPUS / "en-train.conllu").read_text(encoding="utf-8").split("\n\n")
        corpus.write_text("\n\n".join(blocks[:SENTENCES]) + "\n\n", encoding="utf-8")
        overrides = {"paths.train": str(corpus), "paths.dev": str(corpus), "nlp.lang": "xx"}
        steps = ("max_steps", "eval_frequency", "optimizer.learn_rate.total_steps")
        overrides |= {f"training.{key}": STEPS for key in steps}
        prefix = "components.lstm_tagger.model.tok2vec."
        overrides |= {prefix + key: value for key, value in (SMALL_HALVES | ROWS).items()}
        train(CONFIGS / CONFIG[name], Path(folder) / "output", overrides=overrides)
        nlp = spacy.load(Path(folder) / "output" / "model-last")
    pipe = nlp.get_pipe("lstm_tagger")
    pipe.cfg.update(SETTINGS[name])
    pipe.set_tag_dictionary({"glorbed": ["VBD", "VBN"]})
    nlp.config["paths"] = {name: None for name in nlp.config["paths"]}
    target.mkdir(parents=True)
    nlp.to_disk(target / "pipeline")
    text = json.dumps(golden(nlp), ensure_ascii=False, indent=0)
    (target / "golden.json").write_text(text + "\n", encoding="utf-8")


def golden(nlp):
    """RETURNS (list): The tags of each text, and how probable they are."""
    nlp.get_pipe("lstm_tagger").cfg["save_probabilities"] = True
    return [
        {
            "text": doc.text,
            "tags": [token.tag_ for token in doc],
            "confidence": [round(token._.tag_confidence or 0.0, 3) for token in doc],
        }
        for doc in nlp.pipe(TEXTS)
    ]


def settings():
    """RETURNS (dict): Whatever a config can name, each with its settings and their defaults."""
    found = {}
    for entry in distribution("spacy-lstm-tagger").entry_points:
        key, function = f"{entry.group.removeprefix('spacy_')} {entry.name}", entry.load()
        if entry.group == "spacy_factories":
            pipe = spacy.blank("xx").add_pipe(entry.name)
            settings = Language.get_factory_meta(entry.name).default_config
            found[f"initialize {entry.name}"] = defaults(pipe.initialize)
            found[key] = json.loads(json.dumps(settings))
        elif entry.group != "spacy_cli":
            found[key] = defaults(function)
    return found


def defaults(function):
    """RETURNS (dict): The default of each parameter."""
    return {
        name: "required" if each.default is each.empty else json.loads(json.dumps(each.default))
        for name, each in inspect.signature(function).parameters.items()
    }


if __name__ == "__main__":
    for each in CONFIG:
        place = FOLDER / __version__ / each
        shutil.rmtree(place, ignore_errors=True)
        make(each, place)
    text = json.dumps(settings(), indent=0)
    (FOLDER / __version__ / "settings.json").write_text(text + "\n", encoding="utf-8")
