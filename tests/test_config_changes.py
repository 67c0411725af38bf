"""The configs cannot drift apart: each differs from another only in what a table says."""

import pytest
import spacy

from .util import CONFIGS

NAMES = sorted(path.name for path in CONFIGS.glob("*.cfg"))
EMBED = "components.lstm_tagger.model.tok2vec.embed."
ENCODE = "components.lstm_tagger.model.tok2vec.encode."
RATE = "training.optimizer.learn_rate."
GONE = object()

GOLD = {
    "@readers": "spacy-lstm-tagger.Corpus.v1",
    "path": "${paths.train}",
    "tag": "${vars.tag}",
    "group_by": [1, 10],
    "shuffle_buffer": 2000,
}
NOISE = {
    "@augmenters": "spacy-lstm-tagger.NoiseAugmenter.v1",
    "lower": 0.1,
    "upper": 0.03,
    "no_final": 0.05,
    "typos": 0.01,
}
LABELS = {
    "@readers": "spacy-lstm-tagger.TagLabels.v1",
    "path": "${paths.train}",
    "tag": "${vars.tag}",
}
LISTENER = {
    "@architectures": "spacy.Tok2VecListener.v1",
    "width": "${components.tok2vec.model.encode.width}",
    "upstream": "tok2vec",
}
# With fewer words than `accurate.cfg` has rows for, nothing has to choose them.
ALL_WORDS = {EMBED + "word_rows": GONE, EMBED + "feature_rows": GONE, "initialize.after_init": None}
WIDER = {
    EMBED + "width": 128,
    EMBED + "char_hidden_width": GONE,
    ENCODE + "input_width": 128,
    ENCODE + "width": 256,
    ENCODE + "last_width": 128,
}
ONE_LAYER = {
    ENCODE + "depth": 1,
    ENCODE + "merge": GONE,
    ENCODE + "last_width": GONE,
    ENCODE + "all_layers": GONE,
}


def steps(n, every):
    """RETURNS (dict): The changes that train for so many steps, and score after every so many."""
    return {"training.max_steps": n, RATE + "total_steps": n, "training.eval_frequency": every}


# What each config changes from the one that it starts from: a value, a whole block, or GONE.
# `tutorial.cfg` is that of PyTorch's tutorial instead; `test_tutorial.py` says what it is.
CHANGES = {
    "crf.cfg": (
        "accurate.cfg",
        {"components.lstm_tagger.model.@architectures": "spacy-lstm-tagger.CRFTagger.v1"},
    ),
    "fast.cfg": (
        "accurate.cfg",
        {
            **ONE_LAYER,
            EMBED + "word_width": 64,
            EMBED + "feature_width": 16,
            ENCODE + "width": 160,
        },
    ),
    "gpu.cfg": (
        "accurate.cfg",
        {
            **steps(1200, 100),
            "system.gpu_allocator": "pytorch",
            "nlp.batch_size": 2048,
            EMBED + "precision": "fp16",
            ENCODE + "precision": "fp16",
            "training.batcher.size": 4000,
            RATE + "warmup_steps": 100,
        },
    ),
    "small.cfg": (
        "accurate.cfg",
        {
            **ALL_WORDS,
            **WIDER,
            **steps(800, 100),
            EMBED + "prefixes": [3, 5],
            EMBED + "suffixes": [2, 3, 4],
            EMBED + "feature_width": 24,
            EMBED + "char_attention": True,
            EMBED + "char_lm_weight": 0.03,
            ENCODE + "dropout": GONE,
            "training.dropout": 0.2,
            RATE + "initial_rate": 0.01,
        },
    ),
    "continue.cfg": (
        "accurate.cfg",
        {
            **steps(600, 100),
            "paths.vectors": GONE,
            "paths.init_tok2vec": GONE,
            "paths.source": None,
            "paths.old": None,
            "components.lstm_tagger": {
                "source": "${paths.source}",
                "replace_listeners": ["model.tok2vec"],
            },
            "corpora.train": {
                "@readers": "spacy-lstm-tagger.MixedCorpus.v1",
                "weights": {"new": 1.0, "old": 1.0},
                "shuffle_buffer": 500,
                "corpora": {
                    "new": {**GOLD, "augmenter": "${corpora.train.corpora.old.augmenter}"},
                    "old": {**GOLD, "path": "${paths.old}", "augmenter": NOISE},
                },
            },
            RATE + "warmup_steps": 50,
            RATE + "initial_rate": 0.001,
            "initialize.vectors": None,
            "initialize.init_tok2vec": None,
            "initialize.before_init": {
                "@callbacks": "spacy.copy_from_base_model.v1",
                "tokenizer": "${paths.source}",
                "vocab": "${paths.source}",
            },
            "initialize.after_init": {
                "@callbacks": "spacy-lstm-tagger.AddLabels.v1",
                "labels": LABELS,
            },
            "initialize.components": {},
        },
    ),
    "distil.cfg": (
        "fast.cfg",
        {
            **steps(20000, 2000),
            "paths.silver": None,
            "components.lstm_tagger.soft_share": 1.0,
            EMBED + "width": 128,
            EMBED + "word_width": 32,
            EMBED + "word_rows": 32000,
            EMBED + "word_dropout": 0.1,
            EMBED + "feature_rows": 8000,
            EMBED + "char_hidden_width": GONE,
            ENCODE + "input_width": 128,
            ENCODE + "width": 256,
            ENCODE + "lm_weight": 0.03,
            ENCODE + "dropout": GONE,
            "corpora.train": {
                "@readers": "spacy-lstm-tagger.MixedCorpus.v1",
                "repeat": {"gold": 3},
                "shuffle_buffer": 500,
                "corpora": {
                    "gold": GOLD,
                    "silver": {
                        "@readers": "spacy-lstm-tagger.ShardCorpus.v1",
                        "path": "${paths.silver}",
                        "group_by": [1, 10],
                    },
                },
            },
            "training.dropout": 0.05,
            RATE + "initial_rate": 0.003,
        },
    ),
    "cpu.cfg": (
        "accurate.cfg",
        {
            **ALL_WORDS,
            **WIDER,
            **steps(1000, 100),
            "paths.train": "corpus/en-train.conllu",
            "paths.dev": "corpus/en-dev.conllu",
            EMBED + "word_dropout": 0.2,
            ENCODE + "dropout": GONE,
            "corpora.train.augmenter": GONE,
            "corpora.train.shuffle_buffer": 1000,
            "training.batcher.size": 500,
            RATE + "warmup_steps": 100,
        },
    ),
    "vectors.cfg": (
        "cpu.cfg",
        {EMBED + "include_static_vectors": True},
    ),
    "shared.cfg": (
        "cpu.cfg",
        {
            "nlp.pipeline": ["tok2vec", "lstm_tagger", "morphologizer"],
            "nlp.batch_size": 256,
            "components.tok2vec": {
                "factory": "tok2vec",
                "model": {
                    "@architectures": "spacy.Tok2Vec.v2",
                    "embed": {
                        "@architectures": "spacy-lstm-tagger.WordCharEmbed.v1",
                        "width": 128,
                        "word_dropout": 0.2,
                    },
                    "encode": {
                        "@architectures": "spacy-lstm-tagger.LSTMEncoder.v1",
                        "input_width": 128,
                        "width": 256,
                        "depth": 2,
                        "merge": "sum",
                        "last_width": None,
                        "all_layers": False,
                        "lm_weight": 0.1,
                    },
                },
            },
            "components.lstm_tagger.model.tok2vec": LISTENER,
            "components.morphologizer": {
                "factory": "morphologizer",
                "label_smoothing": 0.05,
                "overwrite": False,
                "model": {"@architectures": "spacy-lstm-tagger.Tagger.v1", "tok2vec": LISTENER},
            },
            "training.score_weights.tag_acc": 0.5,
            "training.score_weights.pos_acc": 0.5,
            "training.score_weights.morph_acc": 0.0,
            "training.score_weights.morph_per_feat": None,
            "initialize.components.morphologizer": {
                "labels": {
                    "@readers": "spacy-lstm-tagger.MorphLabels.v1",
                    "path": "${paths.train}",
                },
            },
            RATE + "initial_rate": 0.003,
        },
    ),
}


def load(name):
    """RETURNS (Config): A config as it is written: references to other values stay."""
    return spacy.util.load_config(CONFIGS / name, interpolate=False)


def flat(block, prefix=""):
    """RETURNS (dict): The values of a config by their dotted names."""
    values = {}
    for key, value in block.items():
        name = f"{prefix}{key}"
        values |= flat(value, f"{name}.") if isinstance(value, dict) and value else {name: value}
    return values


def changed(values, changes):
    """RETURNS (dict): The values, by dotted names, after some changes."""
    values = dict(values)
    for name, change in changes.items():
        for key in [key for key in values if key == name or key.startswith(f"{name}.")]:
            del values[key]
        if change is not GONE:
            values |= flat({name: change})
    return values


def test_every_config_is_in_the_table():
    assert {"accurate.cfg", "tutorial.cfg", *CHANGES} == set(NAMES)


@pytest.mark.parametrize("name", CHANGES)
def test_config_differs_from_its_base_as_the_table_says(name):
    base, changes = CHANGES[name]
    before = flat(load(base))
    assert flat(load(name)) == changed(before, changes)
    # The table has nothing that is so anyway.
    for key, change in changes.items():
        assert changed(before, {key: change}) != before, key


@pytest.mark.parametrize("name", sorted({"accurate.cfg", *CHANGES}))
def test_the_rate_falls_until_the_last_step_and_that_is_scored(name):
    training = load(name)["training"]
    assert training["optimizer"]["learn_rate"]["total_steps"] == training["max_steps"]
    assert training["max_steps"] % training["eval_frequency"] == 0


def test_the_default_model_is_that_of_the_accurate_config_but_for_its_size():
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger")
    default = flat(nlp.config)
    # What depends on the data, and what saves time.
    sizes = {EMBED + "word_rows", EMBED + "feature_rows", EMBED + "char_hidden_width"}
    sizes |= {EMBED + "word_dropout", ENCODE + "width", ENCODE + "dropout"}
    model = {k: v for k, v in flat(load("accurate.cfg")).items() if ".model." in k}
    assert sizes < set(model)
    assert {k: default[k] for k in set(model) - sizes} == {k: model[k] for k in set(model) - sizes}
