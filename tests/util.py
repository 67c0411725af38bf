"""What the tests share: small models, examples, a trained pipeline."""

import importlib.util
import shutil
from io import StringIO
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import Adam

from spacy_lstm_tagger.models.architectures import build_word_char_embed

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "corpus"
CONFIGS = ROOT / "configs"

# The sizes of a model that trains in a second.
SMALL = {
    "width": 32,
    "depth": 1,
    "embed_width": 16,
    "word_width": 16,
    "char_width": 8,
    "char_hidden_width": 8,
    "feature_width": 8,
    "word_rows": 500,
    "feature_rows": 500,
    "char_rows": 200,
}
# The same where the two halves are blocks of their own, as in the configs.
SMALL_HALVES = {
    "encode.width": SMALL["width"],
    "encode.depth": SMALL["depth"],
    "encode.input_width": SMALL["embed_width"],
    "embed.width": SMALL["embed_width"],
    **{f"embed.{k}": v for k, v in SMALL.items() if k not in ("width", "depth", "embed_width")},
}
# And as settings of such a config.
SMALL_SETTINGS = {f"components.lstm_tagger.model.tok2vec.{k}": v for k, v in SMALL_HALVES.items()}

ARCHITECTURES = ["Tagger", "CRFTagger"]

SENTENCES = [
    ("The dog ate the apple", "DET NN V DET NN"),
    ("Everybody read that book", "NN V DET NN"),
    ("I slept", "PRP V"),
    ("The old man quickly closed the door", "DET ADJ NN ADV V DET NN"),
]
TEXTS = [text for text, _ in SENTENCES]
TAGS = [tags.split() for _, tags in SENTENCES]


# The settings of the sentence LSTM in what `tok2vec_config` takes, and those that both halves have.
ENCODER = ("width", "depth", "bidirectional", "merge", "last_width", "all_layers",
           "max_batch_items", "window", "context", "lm_weight")  # fmt: skip
BOTH = ("dropout", "precision")
# Layers one after the other, and no loss but the task's.
PLAIN = {"merge": "concat", "last_width": None, "all_layers": False, "lm_weight": 0.0}


def tok2vec_config(**settings):
    """RETURNS (dict): The config of token vectors, from the settings of both halves; `embed_width`
    is the `width` of the embedding layer.
    """
    encode = PLAIN | {k: v for k, v in settings.items() if k in (*ENCODER, *BOTH)}
    embed = {k: v for k, v in settings.items() if k not in (*ENCODER, "embed_width")}
    embed["width"] = settings.get("embed_width", 128)
    # Built only where it has to be: that draws random numbers.
    encode["input_width"] = embed["width"] or build_word_char_embed(**embed).get_dim("nO")
    return {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {"@architectures": "spacy-lstm-tagger.WordCharEmbed.v1", **embed},
        "encode": {"@architectures": "spacy-lstm-tagger.LSTMEncoder.v1", **encode},
    }


def small_model(**sizes):
    """RETURNS (dict): The config of a small tagger model, for `nlp.add_pipe`."""
    tok2vec = tok2vec_config(**{**SMALL, **sizes})
    return {"@architectures": "spacy-lstm-tagger.Tagger.v1", "tok2vec": tok2vec}


def listening_nlp(factory="lstm_tagger", architecture="spacy-lstm-tagger.Tagger.v1"):
    """RETURNS (Language): A tagger that listens to a small encoder, not initialized."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": tok2vec_config(**SMALL)})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": SMALL["width"]}
    nlp.add_pipe(factory, config={"model": {"@architectures": architecture, "tok2vec": listener}})
    return nlp


@Language.component("fails_behind_the_tagger")
def fails(doc):
    raise RuntimeError("what comes after the tagger should not run")


def make_examples(nlp, sentences=SENTENCES):
    return [
        Example.from_dict(nlp.make_doc(text), {"words": text.split(), "tags": tags.split()})
        for text, tags in sentences
    ]


def train(nlp, examples, *, steps=20, drop=0.0, optimizer=None, **kwargs):
    """RETURNS (list): The loss of each step."""
    losses = []
    for _ in range(steps):
        losses.append(nlp.update(examples, sgd=optimizer, drop=drop, losses={}, **kwargs))
    return losses


def trained_nlp(steps=20, seed=0, *, architecture="Tagger", config=None, **sizes):
    """RETURNS (tuple): A pipeline with a small `lstm_tagger`, and its optimizer."""
    fix_random_seed(seed)
    nlp = spacy.blank("en")
    model = small_model(**sizes) | {"@architectures": f"spacy-lstm-tagger.{architecture}.v1"}
    nlp.add_pipe("lstm_tagger", config={"model": model, **(config or {})})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    optimizer = Adam(0.01, use_averages=True)
    train(nlp, examples, steps=steps, optimizer=optimizer)
    return nlp, optimizer


def tags_of(docs):
    """RETURNS (list): The tags of each doc."""
    return [[token.tag_ for token in doc] for doc in docs]


def scores_of(pipe, docs):
    """RETURNS (list): The scores of each doc, from the whole batch at once."""
    return [pipe.model.ops.to_numpy(doc_scores) for doc_scores in pipe.model.predict(docs)]


def places(value, path=()):
    """YIELDS (tuple): The way to each part of nested data."""
    yield path
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in pairs:
        yield from places(each, (*path, key))


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def overrides(values, prefix=""):
    """RETURNS (list): Config values as command-line arguments."""
    arguments = []
    for name, value in values.items():
        arguments += [f"--{prefix}{name}", str(value)]
    return arguments


def copy_project(name, root):
    """Copy a project of `projects/`, and the configs that it reaches for.

    RETURNS (Path): The copy's folder.
    """
    project, made = root / "projects" / name, ("assets", "output", "packages")
    shutil.copytree(ROOT / "projects" / name, project, ignore=shutil.ignore_patterns(*made))
    shutil.copytree(CONFIGS, root / "configs")
    return project


def load_script(path):
    """RETURNS (ModuleType): A script of a project."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_conllu(path, sentences):
    """Write sentences, each of words and their tags.

    RETURNS (Path): The file.
    """
    rows = [
        "".join(
            f"{i}\t{word}\t_\t_\t{tag}" + "\t_" * 5 + "\n" for i, (word, tag) in enumerate(s, 1)
        )
        for s in sentences
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def with_lemmas(text):
    """RETURNS (str): A treebank whose words have their lower-cased form as lemma."""
    rows = [line.split("\t") for line in text.splitlines()]
    for row in rows:
        row[2:3] = [row[1].lower()] if len(row) > 1 else []
    return "\n".join(map("\t".join, rows)) + "\n\n"


@Language.component("merge_first")
def merge_first(doc):
    """Merge the first two tokens, as a component may that comes behind a tagger."""
    if len(doc) > 1:
        with doc.retokenize() as retokenizer:
            retokenizer.merge(doc[:2])
    return doc
