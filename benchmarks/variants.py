"""The experiments of the accuracy harness: named configs, and what each changes.

`EXPERIMENTS.md` tells what came of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

Overrides = dict[str, object]


@dataclass(frozen=True)
class Variant:
    """An experiment: a config and what it changes.

    treebank (str): The folder in UD_FOLDER, with train.conllu and dev.conllu in it.
    config (Optional[str]): A file in configs/. None: spaCy's CNN tagger, `init config -p tagger
        -o efficiency`, on gold tokens.
    overrides (dict[str, object]): Config values, as `spacy train` takes them.
    limit (int): Train on only so many sentences. 0: on all.
    pretrained (bool): Whether to start from the weights given as --pretrained.
    """

    treebank: str = "en_ewt"
    config: str | None = "accurate.cfg"
    overrides: Overrides = field(default_factory=dict)
    limit: int = 0
    pretrained: bool = False

    @property
    def tag(self) -> str:
        """RETURNS (str): The column that the tags come from."""
        return str(self.overrides.get("vars.tag", "xpos"))


EMBED = "components.lstm_tagger.model.tok2vec.embed."
ENCODE = "components.lstm_tagger.model.tok2vec.encode."
RATE = "training.optimizer.learn_rate."
TENTH = 1254  # sentences: a tenth of en_ewt


def steps(n: int) -> Overrides:
    """RETURNS (dict[str, object]): Overrides that train for so many steps."""
    return {"training.max_steps": n, "training.optimizer.learn_rate.total_steps": n}


def rate(highest: float) -> Overrides:
    """RETURNS (dict[str, object]): Overrides that set the highest learning rate."""
    return {RATE + "initial_rate": highest}


def dropout(encode: float, parts: float, *, words: float = 0.3) -> Overrides:
    """RETURNS (dict[str, object]): Overrides that set all dropout: in the sentence LSTM, of the
    parts of a word, and of whole words and other features.
    """
    return {ENCODE + "dropout": encode, EMBED + "dropout": parts, EMBED + "word_dropout": words}


def english(*changes: Overrides, config: str = "accurate.cfg") -> Variant:
    """RETURNS (Variant): A config on EWT, with changes, of which later ones win."""
    return Variant(config=config, overrides=merged(changes))


def tenth(*changes: Overrides, config: str = "accurate.cfg", pretrained: bool = False) -> Variant:
    """RETURNS (Variant): The same on a tenth of EWT, for 800 steps."""
    overrides = merged([*changes, steps(800)])
    return Variant(config=config, overrides=overrides, limit=TENTH, pretrained=pretrained)


def greek(*changes: Overrides) -> Variant:
    """RETURNS (Variant): `small.cfg` on Greek, with changes."""
    return Variant(treebank="el_gud", config="small.cfg", overrides=merged([GREEK, *changes]))


def merged(changes: Iterable[Overrides]) -> Overrides:
    """RETURNS (dict[str, object]): All overrides, of which later ones win."""
    return {key: value for change in changes for key, value in change.items()}


GREEK: Overrides = {"vars.tag": "upos", "nlp.lang": "el"}
UPOS: Overrides = {"vars.tag": "upos"}

# What a setting is without a part of the recipe.
ALONE: Overrides = {ENCODE + "lm_weight": 0.0}
NO_SHAPE: Overrides = {EMBED + "shape": False}
NO_AVERAGES: Overrides = {"training.optimizer.use_averages": False}
NO_SMOOTHING: Overrides = {"components.lstm_tagger.label_smoothing": 0.0}
NO_CLIPPING: Overrides = {"training.optimizer.grad_clip": 0.0}
NO_WARM_UP: Overrides = {RATE + "warmup_steps": 0}
AHEAD: Overrides = {EMBED + "char_bidirectional": False}
LETTERS_48: Overrides = {EMBED + "char_hidden_width": 48}
LAST_64: Overrides = {ENCODE + "last_width": 64}
IN_96: Overrides = {ENCODE + "input_width": 96, EMBED + "width": 96}
# What `small.cfg` reads more of a word's form, and `accurate.cfg` does not.
FORM: Overrides = {
    EMBED + "prefixes": [3, 5],
    EMBED + "suffixes": [2, 3, 4],
    EMBED + "feature_width": 24,
    EMBED + "char_attention": True,
    EMBED + "char_lm_weight": 0.03,
}
NO_FORM: Overrides = {
    EMBED + "prefixes": [3],
    EMBED + "suffixes": [2, 3],
    EMBED + "feature_width": 32,
    EMBED + "char_attention": False,
    EMBED + "char_lm_weight": 0.0,
}
NO_LETTERS: Overrides = {EMBED + "char_attention": False, EMBED + "char_lm_weight": 0.0}
NOISY: Overrides = {
    "corpora.train.augmenter": {"@augmenters": "spacy-lstm-tagger.NoiseAugmenter.v1"}
}

# The way to `accurate.cfg`, backwards: wider; dropout in the LSTM and more steps; more rows; then a
# lower rate, neither noise nor filled rows, and wider once more.
WIDE: Overrides = {EMBED + "char_hidden_width": 64, ENCODE + "width": 256}
VARIATIONAL: Overrides = {"training.dropout": 0.2, ENCODE + "dropout": None, **steps(6000)}
WIDER: Overrides = {**WIDE, **VARIATIONAL}
ROWS_16: Overrides = {**WIDER, EMBED + "word_rows": 16000, EMBED + "feature_rows": 8000}
CLEAN: Overrides = {
    **WIDER,
    **rate(0.003),
    "corpora.train.augmenter": None,
    "initialize.after_init": None,
    EMBED + "width": 128,
    EMBED + "word_rows": 20000,
    EMBED + "feature_rows": 10000,
    ENCODE + "input_width": 128,
    ENCODE + "last_width": 128,
}
NOISE: Overrides = {**CLEAN, **NOISY}
FILL: Overrides = {key: value for key, value in NOISE.items() if key != "initialize.after_init"}
FILL |= {EMBED + "word_rows": 12000, EMBED + "feature_rows": 8000}
NARROWER: Overrides = {**WIDER, **NO_SHAPE, **LETTERS_48}
WIDTH_224: Overrides = {ENCODE + "width": 224}
# And to `fast.cfg`.
FAST_192: Overrides = {ENCODE + "width": 192}
FAST_VARIATIONAL: Overrides = {**FAST_192, **VARIATIONAL}
FAST_64: Overrides = {**FAST_VARIATIONAL, EMBED + "char_hidden_width": 64}
FAST_CLEAN: Overrides = {
    **FAST_64,
    **rate(0.003),
    "corpora.train.augmenter": None,
    "initialize.after_init": None,
    EMBED + "feature_rows": 10000,
}

VARIANTS: dict[str, Variant] = {
    # The configs, and what they are compared with.
    "cnn": Variant(config=None),
    # Trained on sentences and on texts of ten, as ours is.
    "cnn-texts": Variant(config=None, overrides={"corpora.train.group_by": [1, 10]}),
    "accurate": english(),
    "accurate-alone": english(ALONE),
    "accurate-beta2": english({"training.optimizer.beta2": 0.999}),
    "cnn-upos": Variant(config=None, overrides=UPOS),
    "accurate-upos": english(UPOS),
    "fast": english(config="fast.cfg"),
    "crf": english(config="crf.cfg"),
    "tenth-cnn": Variant(config=None, limit=TENTH),
    "tenth": tenth(),
    "tenth-alone": tenth(ALONE),
    "greek-cnn": Variant(treebank="el_gud", config=None, overrides=GREEK),
    "greek": greek(),
    # The way there.
    "clean": english(CLEAN),
    "noise": english(NOISE),
    "variational-rate-3": english(ROWS_16, rate(0.003)),
    "variational-rows-16": english(ROWS_16),
    "variational": english(WIDER),
    "accurate-wide": english(WIDE),
    "fast-clean": english(FAST_CLEAN, config="fast.cfg"),
    "fast-letters-64": english(FAST_64, config="fast.cfg"),
    "fast-variational": english(FAST_VARIATIONAL, config="fast.cfg"),
    "fast-192": english(FAST_192, config="fast.cfg"),
    "variational-upos": english(WIDER, UPOS),
    "variational-upos-rows-16": english(ROWS_16, UPOS),
    "clean-upos": english(CLEAN, UPOS),
    # Dropout, and how many steps.
    "wide-2400": english(WIDE, dropout(0.0, 0.2), steps(2400)),
    "wide-3600": english(WIDE, dropout(0.0, 0.2), steps(3600)),
    "wide-3600-no-word-dropout": english(WIDE, dropout(0.0, 0.2, words=0.0), steps(3600)),
    "wide-3600-less": english(WIDE, dropout(0.05, 0.2, words=0.15), steps(3600)),
    "wide-3600-more": english(WIDE, dropout(0.1, 0.2), steps(3600)),
    "wide-6000-more": english(WIDE, dropout(0.1, 0.2), steps(6000)),
    "wide-half": english(WIDE, dropout(0.0, 0.5)),
    "variational-only-on-words": english(WIDER, {ENCODE + "dropout": 0.0}),
    "fast-192-3600": english(FAST_192, dropout(0.0, 0.2), steps(3600), config="fast.cfg"),
    "fast-192-20": english(FAST_192, dropout(0.0, 0.2), config="fast.cfg"),
    # Shape, smoothing, averages.
    "variational-no-shape": english(WIDER, NO_SHAPE),
    "variational-no-smoothing": english(WIDER, NO_SMOOTHING),
    "variational-no-averages": english(WIDER, NO_AVERAGES),
    "variational-letters-48-no-averages": english(WIDER, LETTERS_48, NO_AVERAGES),
    "fast-variational-no-smoothing": english(FAST_VARIATIONAL, NO_SMOOTHING, config="fast.cfg"),
    # Narrower, for speed.
    "variational-48": english(NARROWER),
    "variational-48-ahead": english(NARROWER, AHEAD),
    "variational-48-224": english(NARROWER, WIDTH_224),
    "variational-48-224-ahead": english(NARROWER, WIDTH_224, AHEAD),
    "variational-48-224-ahead-8000": english(NARROWER, WIDTH_224, AHEAD, steps(8000)),
    "fast-variational-160-ahead": english(VARIATIONAL, NO_SHAPE, AHEAD, config="fast.cfg"),
    "noise-in-96": english(NOISE, IN_96),
    "noise-96": english(NOISE, IN_96, {ENCODE + "last_width": 96}),
    "noise-last-64": english(NOISE, LAST_64),
    "clean-last-64": english(CLEAN, LAST_64),
    "accurate-no-shape": english(NO_SHAPE),
    "no-shape-more": english(NO_SHAPE, dropout(0.05, 0.2)),
    "no-shape-ahead": english(NO_SHAPE, AHEAD, dropout(0.0, 0.2)),
    "fast-ahead": english(AHEAD, config="fast.cfg"),
    "fast-no-shape-ahead": english(NO_SHAPE, AHEAD, dropout(0.0, 0.2), config="fast.cfg"),
    # More, elsewhere.
    "clean-letters-affixes": english(CLEAN, FORM),
    "noise-fill": english(FILL),
    "pretrained": Variant(overrides=CLEAN, pretrained=True),
    # A tenth of the treebank.
    "tenth-clean": tenth(CLEAN),
    "tenth-noise": tenth(NOISE),
    "tenth-rate-3": tenth(ROWS_16, rate(0.003)),
    "tenth-rows-16": tenth(ROWS_16),
    "tenth-rate-10": tenth(ROWS_16, rate(0.01)),
    "tenth-variational": tenth(WIDER),
    "tenth-variational-no-shape": tenth(WIDER, NO_SHAPE),
    "tenth-variational-no-smoothing": tenth(WIDER, NO_SMOOTHING),
    "tenth-small": tenth(config="small.cfg"),
    "tenth-small-no-letters": tenth(NO_LETTERS, config="small.cfg"),
    "tenth-pretrained": tenth(CLEAN, pretrained=True),
    # Greek.
    "greek-plain": greek(NO_FORM),
    "greek-no-letters": greek(NO_LETTERS),
    "greek-no-shape": greek(NO_SHAPE),
    "greek-no-smoothing": greek(NO_SMOOTHING),
    "greek-other-dropout": greek(dropout(0.0, 0.33)),
    "greek-rate-3": greek(rate(0.003)),
    "greek-rate-5": greek(rate(0.005)),
    "greek-rate-20": greek(rate(0.02)),
    "greek-clean": greek(rate(0.003), {"corpora.train.augmenter": None}),
}

# One change each, after 1,200 steps.
BOTH: dict[str, Overrides] = {
    "no-shape": NO_SHAPE,
    "no-smoothing": NO_SMOOTHING,
    "no-averages": NO_AVERAGES,
    "no-clipping": NO_CLIPPING,
    "no-warm-up": NO_WARM_UP,
}
SHORT: dict[str, Overrides] = {
    **BOTH,
    "no-characters": {EMBED + "characters": False},
    "no-affixes": {EMBED + "prefixes": [], EMBED + "suffixes": []},
    "no-lower": {EMBED + "lower": False},
    "few-words": {EMBED + "word_rows": 5000},
    "in-96": IN_96,
    "in-64": {ENCODE + "input_width": 64, EMBED + "width": 64},
    "last-64": LAST_64,
    "wide-last-alone": {ENCODE + "last_width": 256, ENCODE + "all_layers": False},
    "wide": {ENCODE + "width": 384, ENCODE + "last_width": 192},
    "three-layers": {ENCODE + "depth": 3},
    "sentences": {"corpora.train.group_by": 1},
    "rate-2": rate(0.002),
    "rate-5": rate(0.005),
    "small-batches": {"training.batcher.size": 500, **steps(2400)},
}
QUICK: dict[str, Overrides] = {
    **BOTH,
    "letters-48": LETTERS_48,
    "letters-32": {EMBED + "char_hidden_width": 32},
    "letters-ahead": AHEAD,
    "no-variational-dropout": {ENCODE + "dropout": 0.0},
    "no-dropout-on-parts": {EMBED + "dropout": 0.0},
    "no-word-dropout": {EMBED + "word_dropout": 0.0},
    "rate-7": rate(0.007),
    "rate-10": rate(0.01),
}
for base, name, changes in ((CLEAN, "short", SHORT), (ROWS_16, "quick", QUICK)):
    VARIANTS[name] = english(base, steps(1200))
    VARIANTS |= {
        f"{name}-{change}": english(base, steps(1200), overrides)
        for change, overrides in changes.items()
    }

# Small treebanks: small.cfg with the steps that projects/ud takes from 15,000 words on.
for language, folder, lang, columns in (
    ("welsh", "cy_ccg", "xx", ("upos", "xpos")),
    ("armenian", "hy_bsut", "hy", ("upos",)),
    ("maltese", "mt_mudt", "xx", ("upos", "xpos")),
    ("uyghur", "ug_udt", "xx", ("upos", "xpos")),
):
    for column in columns:
        learned: Overrides = {"vars.tag": column, "nlp.lang": lang}
        name = f"{language}-{column}"
        VARIANTS[f"{name}-cnn"] = Variant(treebank=folder, config=None, overrides=learned)
        VARIANTS[name] = Variant(
            treebank=folder, config="small.cfg", overrides={**learned, **steps(1600)}
        )

# Around the size from which on projects/ud takes accurate.cfg: both configs, on parts of en_ewt and
# on the largest of the small ones.
FIFTH, THIRD = 2509, 4181  # sentences
VARIANTS |= {
    "third": Variant(limit=THIRD),
    "third-small": Variant(config="small.cfg", limit=THIRD, overrides=steps(4000)),
    "fifth": Variant(limit=FIFTH),
    "fifth-small": Variant(config="small.cfg", limit=FIFTH, overrides=steps(2400)),
    "welsh-upos-accurate": Variant(treebank="cy_ccg", overrides={**UPOS, "nlp.lang": "xx"}),
}
