"""The experiments of the accuracy harness: named configs, and what each changes."""

from dataclasses import dataclass, field


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
    overrides: dict[str, object] = field(default_factory=dict)
    limit: int = 0
    pretrained: bool = False

    @property
    def tag(self) -> str:
        """RETURNS (str): The column that the tags come from."""
        return str(self.overrides.get("vars.tag", "xpos"))

    @property
    def raw(self) -> bool:
        """RETURNS (bool): Whether it reads raw text beside the treebank."""
        return self.config == "raw.cfg"


def steps(n: int) -> dict[str, object]:
    """RETURNS (dict[str, object]): Overrides that train for so many steps."""
    return {"training.max_steps": n, "training.optimizer.learn_rate.total_steps": n}


TENTH = 1254  # sentences: a tenth of en_ewt


def dropout(encode: float, parts: float, *, words: float = 0.3) -> dict[str, object]:
    """RETURNS (dict[str, object]): Overrides that set all dropout: in the sentence LSTM, of the
    parts of a word, and of whole words and other features.
    """
    return {ENCODE + "dropout": encode, EMBED + "dropout": parts, EMBED + "word_dropout": words}


def auxiliary(**weights: float) -> dict[str, object]:
    """RETURNS (dict[str, object]): Overrides that add auxiliary losses of these weights."""
    return {"components.lstm_tagger.auxiliary": weights}


GREEK: dict[str, object] = {"vars.tag": "upos", "nlp.lang": "el"}
EMBED = "components.lstm_tagger.model.tok2vec.embed."
ENCODE = "components.lstm_tagger.model.tok2vec.encode."
RATE = "training.optimizer.learn_rate."

# What the configs were when they dropped less of a word, but some of what the sentence LSTM reads
# and gives, which took more steps.
VARIATIONAL: dict[str, object] = {
    "training.dropout": 0.2,
    ENCODE + "dropout": None,
    **steps(6000),
}
# And `accurate.cfg`, which was wider.
WIDE: dict[str, object] = {EMBED + "char_hidden_width": 64, ENCODE + "width": 256}
WIDER: dict[str, object] = {**VARIATIONAL, **WIDE}

NO_SHAPE: dict[str, object] = {EMBED + "shape": False}
# Narrower, for speed: letters; letters in one direction; the first layer.
LETTERS_48: dict[str, object] = {EMBED + "char_hidden_width": 48}
AHEAD: dict[str, object] = {EMBED + "char_bidirectional": False}
WIDTH_224: dict[str, object] = {ENCODE + "width": 224}
NARROWER: dict[str, object] = {**WIDER, **NO_SHAPE, **LETTERS_48}
NO_AVERAGES: dict[str, object] = {"training.optimizer.use_averages": False}
NO_SMOOTHING: dict[str, object] = {"components.lstm_tagger.label_smoothing": 0.0}
NOISY: dict[str, object] = {"@augmenters": "spacy-lstm-tagger.NoiseAugmenter.v1"}

# What `accurate.cfg` was before it had fewer rows.
ROWS_16: dict[str, object] = {**WIDER, EMBED + "word_rows": 16000, EMBED + "feature_rows": 8000}

# What the configs were before that, when they learned more slowly.
SLOW: dict[str, object] = {RATE + "initial_rate": 0.003}

# What `accurate.cfg` was before that, before it got noise, and narrower for the time that it takes.
CLEAN: dict[str, object] = {
    **WIDER,
    **SLOW,
    "corpora.train.augmenter": None,
    "initialize.after_init": None,
    EMBED + "width": 128,
    EMBED + "word_rows": 20000,
    EMBED + "feature_rows": 10000,
    ENCODE + "input_width": 128,
    ENCODE + "last_width": 128,
}
NOISE: dict[str, object] = {**CLEAN, "corpora.train.augmenter": NOISY}
IN_96: dict[str, object] = {ENCODE + "input_width": 96, EMBED + "width": 96}

# What that was before each of these was added, in this order.
LETTERS: dict[str, object] = {
    EMBED + "@architectures": "spacy-lstm-tagger.WordCharEmbed.v1",
    EMBED + "char_attention": True,
    EMBED + "char_lm_weight": 0.03,
}
AFFIXES: dict[str, object] = {EMBED + "prefixes": [3, 5], EMBED + "suffixes": [2, 3, 4]}
NARROW_LAST: dict[str, object] = {ENCODE + "last_width": 128}
ALL_LAYERS: dict[str, object] = {**NARROW_LAST, ENCODE + "all_layers": True}
BEFORE: dict[str, object] = {
    **CLEAN,
    ENCODE + "last_width": 256,
    ENCODE + "all_layers": False,
    **steps(4000),
}
# What `fast.cfg` was before its layer was narrower; before that, with the dropout of then; and
# before that, when it read letters in a wider one.
FAST_192: dict[str, object] = {ENCODE + "width": 192}
FAST_VARIATIONAL: dict[str, object] = {**FAST_192, **VARIATIONAL}
FAST_64: dict[str, object] = {**FAST_VARIATIONAL, EMBED + "char_hidden_width": 64}
# What that was before noise, rows for the most frequent words and a higher learning rate.
FAST_CLEAN: dict[str, object] = {
    **FAST_64,
    **SLOW,
    "corpora.train.augmenter": None,
    "initialize.after_init": None,
    EMBED + "feature_rows": 10000,
}
FAST_BEFORE: dict[str, object] = {
    **FAST_CLEAN,
    **steps(4000),
    EMBED + "width": 128,
    ENCODE + "input_width": 128,
    ENCODE + "width": 256,
}
ALONE: dict[str, object] = {ENCODE + "lm_weight": 0.0}
CONCAT: dict[str, object] = {**BEFORE, **ALONE, ENCODE + "merge": "concat"}
GREEK_BEFORE: dict[str, object] = {**BEFORE, **GREEK, **steps(800)}
VARIANTS = {
    "cnn": Variant(config=None),
    "accurate": Variant(),
    "accurate-wide": Variant(overrides=WIDE),
    "accurate-no-shape": Variant(overrides=NO_SHAPE),
    "accurate-upos": Variant(overrides={"vars.tag": "upos"}),
    "fast": Variant(config="fast.cfg"),
    "fast-192": Variant(config="fast.cfg", overrides=FAST_192),
    "fast-ahead": Variant(config="fast.cfg", overrides=AHEAD),
    "tenth": Variant(limit=TENTH, overrides=steps(800)),
    # How the dropout of now was found.
    "wide-2400": Variant(overrides={**WIDE, **dropout(0.0, 0.2), **steps(2400)}),
    "wide-3600": Variant(overrides={**WIDE, **dropout(0.0, 0.2), **steps(3600)}),
    "wide-3600-no-word-dropout": Variant(
        overrides={**WIDE, **dropout(0.0, 0.2, words=0.0), **steps(3600)}
    ),
    "wide-3600-less": Variant(overrides={**WIDE, **dropout(0.05, 0.2, words=0.15), **steps(3600)}),
    "wide-3600-more": Variant(overrides={**WIDE, **dropout(0.1, 0.2), **steps(3600)}),
    "wide-6000-more": Variant(overrides={**WIDE, **dropout(0.1, 0.2), **steps(6000)}),
    "wide-half": Variant(overrides={**WIDE, **dropout(0.0, 0.5)}),
    "no-shape-more": Variant(overrides={**NO_SHAPE, **dropout(0.05, 0.2)}),
    "no-shape-ahead": Variant(overrides={**NO_SHAPE, **AHEAD, **dropout(0.0, 0.2)}),
    "fast-192-3600": Variant(
        config="fast.cfg", overrides={**FAST_192, **dropout(0.0, 0.2), **steps(3600)}
    ),
    "fast-192-20": Variant(config="fast.cfg", overrides={**FAST_192, **dropout(0.0, 0.2)}),
    "fast-no-shape-ahead": Variant(
        config="fast.cfg", overrides={**NO_SHAPE, **AHEAD, **dropout(0.0, 0.2)}
    ),
    # What there was before.
    "variational": Variant(overrides=WIDER),
    "variational-rows-16": Variant(overrides=ROWS_16),
    "variational-rate-3": Variant(overrides={**ROWS_16, **SLOW}),
    "variational-letters-48-no-averages": Variant(overrides={**WIDER, **LETTERS_48, **NO_AVERAGES}),
    "variational-no-shape": Variant(overrides={**WIDER, **NO_SHAPE}),
    "variational-only-on-words": Variant(overrides={**WIDER, ENCODE + "dropout": 0.0}),
    "variational-no-word-dropout": Variant(overrides={**WIDER, EMBED + "word_dropout": 0.0}),
    "variational-48": Variant(overrides=NARROWER),
    "variational-48-ahead": Variant(overrides={**NARROWER, **AHEAD}),
    "variational-48-224": Variant(overrides={**NARROWER, **WIDTH_224}),
    "variational-48-224-ahead": Variant(overrides={**NARROWER, **WIDTH_224, **AHEAD}),
    "variational-48-224-ahead-8000": Variant(
        overrides={**NARROWER, **WIDTH_224, **AHEAD, **steps(8000)}
    ),
    "variational-no-averages": Variant(overrides={**WIDER, **NO_AVERAGES}),
    "variational-no-smoothing": Variant(overrides={**WIDER, **NO_SMOOTHING}),
    "variational-upos": Variant(overrides={**WIDER, "vars.tag": "upos"}),
    "variational-upos-rows-16": Variant(overrides={**ROWS_16, "vars.tag": "upos"}),
    "fast-variational": Variant(config="fast.cfg", overrides=FAST_VARIATIONAL),
    "fast-variational-160-ahead": Variant(
        config="fast.cfg", overrides={**VARIATIONAL, **NO_SHAPE, **AHEAD}
    ),
    "fast-letters-64": Variant(config="fast.cfg", overrides=FAST_64),
    "fast-variational-no-smoothing": Variant(
        config="fast.cfg", overrides={**FAST_VARIATIONAL, **NO_SMOOTHING}
    ),
    "fast-clean": Variant(config="fast.cfg", overrides=FAST_CLEAN),
    "fast-noise": Variant(
        config="fast.cfg", overrides={**FAST_CLEAN, "corpora.train.augmenter": NOISY}
    ),
    "crf": Variant(config="crf.cfg"),
    # How the recipe came about: each with what is named beside what it was before.
    "before-alone-concat": Variant(overrides=CONCAT),
    "before": Variant(overrides=BEFORE),
    "before-crf": Variant(config="crf.cfg", overrides=BEFORE),
    "before-fast": Variant(config="fast.cfg", overrides=FAST_BEFORE),
    "before-fast-192": Variant(config="fast.cfg", overrides={**FAST_CLEAN, **steps(4000)}),
    "before-fast-alone": Variant(config="fast.cfg", overrides={**FAST_BEFORE, **ALONE}),
    "before-letters": Variant(overrides={**BEFORE, **LETTERS}),
    "before-192": Variant(overrides={**BEFORE, ENCODE + "width": 192, ENCODE + "last_width": 192}),
    "before-narrow-last": Variant(overrides={**BEFORE, **NARROW_LAST}),
    "before-all-layers": Variant(overrides={**BEFORE, **ALL_LAYERS}),
    "before-all-layers-letters-affixes": Variant(
        overrides={**BEFORE, **ALL_LAYERS, **LETTERS, **AFFIXES}
    ),
    "clean": Variant(overrides=CLEAN),
    "clean-upos": Variant(overrides={**CLEAN, "vars.tag": "upos"}),
    "clean-last-64": Variant(overrides={**CLEAN, ENCODE + "last_width": 64}),
    "clean-letters-affixes": Variant(
        overrides={**CLEAN, **LETTERS, **AFFIXES, EMBED + "feature_width": 24}
    ),
    "noise": Variant(overrides=NOISE),
    "noise-last-64": Variant(overrides={**NOISE, ENCODE + "last_width": 64}),
    "noise-in-96": Variant(overrides={**NOISE, **IN_96}),
    "noise-96": Variant(overrides={**NOISE, **IN_96, ENCODE + "last_width": 96}),
    "noise-fill": Variant(
        overrides={
            **SLOW,
            "corpora.train.augmenter": NOISY,
            EMBED + "width": 128,
            **ROWS_16,
            EMBED + "word_rows": 12000,
            ENCODE + "input_width": 128,
            ENCODE + "last_width": 128,
        }
    ),
    "tenth-cnn": Variant(config=None, limit=TENTH),
    "tenth-variational": Variant(limit=TENTH, overrides={**WIDER, **steps(800)}),
    "tenth-variational-no-shape": Variant(
        limit=TENTH, overrides={**WIDER, **NO_SHAPE, **steps(800)}
    ),
    "tenth-variational-no-smoothing": Variant(
        limit=TENTH, overrides={**WIDER, **steps(800), **NO_SMOOTHING}
    ),
    "tenth-rows-16": Variant(limit=TENTH, overrides={**ROWS_16, **steps(800)}),
    "tenth-rate-3": Variant(limit=TENTH, overrides={**ROWS_16, **steps(800), **SLOW}),
    "tenth-rate-10": Variant(
        limit=TENTH, overrides={**ROWS_16, **steps(800), RATE + "initial_rate": 0.01}
    ),
    "tenth-rate-20": Variant(
        limit=TENTH, overrides={**ROWS_16, **steps(800), RATE + "initial_rate": 0.02}
    ),
    "tenth-small": Variant(limit=TENTH, config="small.cfg"),
    "tenth-clean": Variant(limit=TENTH, overrides={**CLEAN, **steps(800)}),
    "tenth-clean-alone": Variant(limit=TENTH, overrides={**CLEAN, **steps(800), **ALONE}),
    "tenth-noise": Variant(limit=TENTH, overrides={**NOISE, **steps(800)}),
    # Raw text: beside the treebank, or before it.
    "raw": Variant(config="raw.cfg", overrides=steps(8000)),
    "tenth-raw": Variant(config="raw.cfg", limit=TENTH, overrides=steps(1600)),
    "pretrained": Variant(overrides=CLEAN, pretrained=True),
    "tenth-pretrained": Variant(limit=TENTH, overrides={**CLEAN, **steps(800)}, pretrained=True),
    "greek-cnn": Variant(treebank="el_gud", config=None, overrides=GREEK),
    "greek": Variant(treebank="el_gud", config="small.cfg", overrides=GREEK),
    "greek-no-shape": Variant(
        treebank="el_gud", config="small.cfg", overrides={**GREEK, **NO_SHAPE}
    ),
    "greek-no-smoothing": Variant(
        treebank="el_gud", config="small.cfg", overrides={**GREEK, **NO_SMOOTHING}
    ),
    "greek-other-dropout": Variant(
        treebank="el_gud", config="small.cfg", overrides={**GREEK, **dropout(0.0, 0.33)}
    ),
    "greek-rate-3": Variant(treebank="el_gud", config="small.cfg", overrides={**GREEK, **SLOW}),
    "greek-rate-5": Variant(
        treebank="el_gud", config="small.cfg", overrides={**GREEK, RATE + "initial_rate": 0.005}
    ),
    "greek-rate-20": Variant(
        treebank="el_gud", config="small.cfg", overrides={**GREEK, RATE + "initial_rate": 0.02}
    ),
    "greek-clean": Variant(
        treebank="el_gud",
        config="small.cfg",
        overrides={**GREEK, **SLOW, "corpora.train.augmenter": None},
    ),
    "greek-before": Variant(treebank="el_gud", overrides=GREEK_BEFORE),
    "greek-before-crf": Variant(treebank="el_gud", config="crf.cfg", overrides=GREEK_BEFORE),
    "greek-before-alone-concat": Variant(
        treebank="el_gud", overrides={**CONCAT, **GREEK, **steps(800)}
    ),
    "greek-before-letters": Variant(treebank="el_gud", overrides={**GREEK_BEFORE, **LETTERS}),
    "greek-before-letters-affixes": Variant(
        treebank="el_gud", overrides={**GREEK_BEFORE, **LETTERS, **AFFIXES}
    ),
}

# One change each to "clean", all trained for a short while and with one seed: what is worth a
# longer look. The reference is "short".
CHANGES: dict[str, dict[str, object]] = {
    "no-characters": {EMBED + "characters": False},
    "no-affixes": {EMBED + "prefixes": [], EMBED + "suffixes": []},
    "more-affixes": AFFIXES,
    "letters": LETTERS,
    "no-shape": NO_SHAPE,
    "no-lower": {EMBED + "lower": False},
    "few-words": {EMBED + "word_rows": 5000},
    "no-word-dropout": {EMBED + "word_dropout": 0.0},
    "no-dropout": {"training.dropout": 0.0},
    "no-variational-dropout": {ENCODE + "dropout": 0.0},
    "no-dropout-on-parts": {EMBED + "dropout": 0.0},
    "alone": ALONE,
    "concat": {ENCODE + "merge": "concat"},
    "one-layer": {ENCODE + "depth": 1},
    "three-layers": {ENCODE + "depth": 3},
    "wide": {ENCODE + "width": 384, ENCODE + "last_width": 192},
    "last-64": {ENCODE + "last_width": 64},
    "in-96": IN_96,
    "in-64": {ENCODE + "input_width": 64, EMBED + "width": 64},
    "last-layer-alone": {ENCODE + "all_layers": False},
    "wide-last-layer": {ENCODE + "last_width": 256},
    "sentences": {"corpora.train.group_by": 1},
    "no-smoothing": NO_SMOOTHING,
    "no-averages": NO_AVERAGES,
    "letters-32": {EMBED + "char_hidden_width": 32},
    "letters-48": LETTERS_48,
    "letters-ahead": AHEAD,
    "rate-2": {RATE + "initial_rate": 0.002},
    "rate-5": {RATE + "initial_rate": 0.005},
    "rate-7": {RATE + "initial_rate": 0.007},
    "rate-10": {RATE + "initial_rate": 0.01},
    "no-warm-up": {RATE + "warmup_steps": 0},
    "wide-last-alone": {ENCODE + "last_width": 256, ENCODE + "all_layers": False},
    "no-clipping": {"training.optimizer.grad_clip": 0.0},
    "small-batches": {"training.batcher.size": 500, **steps(2400)},
    "large-batches": {"training.batcher.size": 2000, **steps(600)},
    "frequency": auxiliary(frequency=0.1),
    "pos-morph": auxiliary(pos=0.1, morph=0.1),
    "upos": {"vars.tag": "upos"},
    "upos-morph": {"vars.tag": "upos", **auxiliary(morph=0.1)},
}
VARIANTS["short"] = Variant(overrides={**CLEAN, **steps(1200)})
VARIANTS |= {
    f"short-{name}": Variant(overrides={**CLEAN, **steps(1200), **changes})
    for name, changes in CHANGES.items()
}
# The same to `accurate.cfg` as it was before it had fewer rows.
VARIANTS["quick"] = Variant(overrides={**ROWS_16, **steps(1200)})
VARIANTS |= {
    f"quick-{name}": Variant(overrides={**ROWS_16, **steps(1200), **changes})
    for name, changes in CHANGES.items()
}
