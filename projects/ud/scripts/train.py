"""Train the config that fits the size of a treebank: `train.py FOLDER [options of spacy train]`."""

import json
import subprocess
import sys
from pathlib import Path

from spacy.util import get_lang_class

from spacy_lstm_tagger.cli.debug import SMALL
from spacy_lstm_tagger.pipeline.tokenizing import own_tokenizer
from spacy_lstm_tagger.readers import Corpus

CONFIGS = Path(__file__).parents[3] / "configs"
# Has a tokenizer of its own, but in treebanks words with spaces between them.
SPACED = ("ko",)
SMALLER = 15_000  # words: for more, small.cfg wants twice the steps


def main(folder: Path, options: list[str]) -> int:
    """Train.

    folder (Path): Has train.conllu and dev.conllu, and gets the model.
    options (list[str]): Options of `spacy train`, and settings of the config as `name=value`.
    RETURNS (int): Its exit status.
    RAISES (SystemExit): If spaCy does not know the language.
    """
    words = Corpus(folder / "train.conllu").count_words()
    config = CONFIGS / ("small.cfg" if words <= SMALL else "accurate.cfg")
    arguments = [str(config), "--output", str(folder)]
    arguments += ["--paths.train", f"{folder}/train.conllu", "--paths.dev", f"{folder}/dev.conllu"]
    if SMALLER < words <= SMALL:
        arguments += ["--training.max_steps", "1600"]
        arguments += ["--training.optimizer.learn_rate.total_steps", "1600"]
    # weasel takes the dashes away.
    options = [f"--{each}" if "=" in each and each[0] != "-" else each for each in options]
    lang = options[options.index("--nlp.lang") + 1]
    try:
        tokenizer = own_tokenizer(get_lang_class(lang))
    except ImportError:
        sys.exit(f"spaCy has no language {lang}. Set lang to xx.")
    if tokenizer is not None and lang not in SPACED:
        arguments += ["--nlp.tokenizer.@tokenizers", tokenizer]
        # That of Japanese sets tags too.
        arguments += ["--components.lstm_tagger.overwrite", "true"]
    else:
        learn = {"@callbacks": "ud.learn_tokenizer.v1"}
        learn |= {"path": "${paths.train}", "tag": "${vars.tag}"}
        arguments += ["--code", str(Path(__file__).with_name("tokenizer.py"))]
        arguments += ["--initialize.before_init", json.dumps(learn)]
    print(f"{words:,} words: {config.name}", flush=True)
    return subprocess.call([sys.executable, "-m", "spacy", "train", *arguments, *options])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
