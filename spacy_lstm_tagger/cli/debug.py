"""`lstm-tagger debug`: whether the data of a config is fit to train its taggers on."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from click import UsageError
from spacy.cli._util import Arg, Opt, import_code, parse_config_overrides, show_validation_error
from spacy.cli.debug_data import (
    BLANK_MODEL_MIN_THRESHOLD,
    BLANK_MODEL_THRESHOLD,
    DEP_LABEL_THRESHOLD,
)
from spacy.language import Language
from spacy.pipeline import Tagger
from spacy.schemas import ConfigSchemaTraining
from spacy.training.initialize import init_nlp
from spacy.util import (
    get_sourced_components,
    load_config,
    load_model_from_config,
    registry,
    resolve_dot_names,
)
from thinc.api import Config, fix_random_seed
from typer import Context
from wasabi import msg

from ..checks import first_of
from ..corpus_profile import CorpusProfile
from ..errors import Errors
from ..models.lstm_encoder import NAME as ENCODER
from ..pipeline import LSTMTagger
from ..readers.missing_labels import count_labels
from ..taggers import layers_of, tagger_names
from . import lstm_tagger_cli
from .messages import clear_errors, fail
from .options import Code

# A tag, like the label of a dependency, is one of each word: spaCy wants more examples than these.
FEW = DEP_LABEL_THRESHOLD
SMALL = 40_000  # words: up to here small.cfg is the better config, as the README tells
MAX_WORDS = 10_000_000
LONG = 10_000  # tokens of a doc, which is at least a batch
# Settings of readers by which they change what is in the files, or read it more than once. The
# weights of a mixture stay: it counts the words of its corpora otherwise, and one may be endless.
CHANGES = ("augmenter", "also_group_by", "repeat")
READERS = ("spacy.", "spacy-lstm-tagger.")  # those of which it is known that they may be null
FILL = "spacy-lstm-tagger.FillVocabulary.v1"
# How typer takes settings of the config, as spaCy's commands do.
SETTINGS = {"allow_extra_args": True, "ignore_unknown_options": True}


@lstm_tagger_cli.command("debug", context_settings=SETTINGS)
def debug_cli(
    ctx: Context,
    config_path: Annotated[Path, Arg(help="Training config", exists=True, allow_dash=True)],
    max_words: Annotated[int, Opt(min=1, help="Words to read of a corpus at most")] = MAX_WORDS,
    verbose: Annotated[bool, Opt("--verbose", "-V", help="Show how often each tag occurs")] = False,
    code: Code = None,
) -> None:
    """
    Check the data for each tagger that a config trains, as spaCy's `debug data` does for its own:
    words, tags, and what the data lacks. Give values of the config as for `spacy train`:
    --paths.train my-train.conllu. Nothing is trained or written.
    """
    try:
        overrides = parse_config_overrides(ctx.args)
    except UsageError as error:
        fail(f"{error.format_message()} Give values of the config, such as --paths.train.")
    import_code(code)
    with clear_errors(), show_validation_error(config_path), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\[LW003\]")  # of labels, which are told below
        config = load_config(config_path, overrides=overrides)
        names, train, dev = read_data(config, config_path, max_words=max_words)
        nlp = initialize(config)
        msg.good("Pipeline can be initialized with data")
        tell_data(nlp, train, dev, is_new=not {*names} <= {*get_sourced_components(config)})
        fit = [tell_tags(nlp, name, train, dev, verbose=verbose) for name in names]
    if not all(fit):
        raise SystemExit(1)


def read_data(
    config: Config, path: Path, *, max_words: int
) -> tuple[list[str], CorpusProfile, CorpusProfile]:
    """Read the corpora of a config: what is in their files, once.

    config (Config): The config.
    path (Path): Its file.
    max_words (int): How many words are read of each.
    RETURNS (tuple): The names of the taggers that are trained, the training data, and dev data.
    RAISES (ValueError): If there is no tagger to train, or no tag in one of the corpora.
    """
    msg.divider("Data file validation")
    nlp = load_model_from_config(config)
    filled = nlp.config.interpolate()
    training = registry.resolve(filled["training"], schema=ConfigSchemaTraining)
    frozen = training["frozen_components"]
    taggers = [name for name in tagger_names(nlp) if isinstance(nlp.get_pipe(name), Tagger)]
    names = [name for name in taggers if name not in frozen]
    if not names:
        raise ValueError(Errors.C023.format(path=path, names=nlp.pipe_names))
    _as_it_is(filled["corpora"])
    if training["seed"] is not None:
        fix_random_seed(training["seed"])  # readers may group sentences at random
    found = []
    dot_names = [training["train_corpus"], training["dev_corpus"]]
    for name, corpus in zip(dot_names, resolve_dot_names(filled, dot_names), strict=True):
        profile = CorpusProfile.of(corpus(nlp), max_words=max_words)
        if not profile.tags:
            words = profile.word_tags.total()
            raise ValueError(Errors.C024.format(name=name, docs=len(profile.lengths), words=words))
        if profile.is_cut:
            msg.warn(f"The rest of {name} was not read (--max-words {max_words:,})")
        found.append(profile)
    msg.good("Corpus is loadable")
    return names, found[0], found[1]


def _as_it_is(block: dict[str, Any]) -> None:
    """Let readers yield what is in their files, once."""
    ours = str(block.get("@readers", "")).startswith(READERS)
    for name, value in block.items():
        if ours and name in CHANGES:
            block[name] = None
        elif isinstance(value, dict):
            _as_it_is(value)


def initialize(config: Config) -> Language:
    """RETURNS (Language): The pipeline, with labels as when its training begins."""
    config = config.interpolate()  # a copy
    after_init = config.get("initialize", {}).get("after_init") or {}
    if after_init.get("@callbacks") == FILL:  # it reads the corpus once more, and tells no label
        config["initialize"]["after_init"] = None
    return init_nlp(config)


def tell_data(nlp: Language, train: CorpusProfile, dev: CorpusProfile, *, is_new: bool) -> None:
    """Print how large the corpora are, and what their docs and words lack.

    nlp (Language): The pipeline.
    train (CorpusProfile): The training data.
    dev (CorpusProfile): The dev data.
    is_new (bool): Whether there is a tagger that begins with this data.
    """
    msg.divider("Training stats")
    msg.text(f"Language: {nlp.lang}")
    msg.text(f"Training pipeline: {', '.join(nlp.pipe_names)}")
    corpora, lexicon = {"train": train, "dev": dev}, train.lexicon
    columns = [_column(profile, profile.count_kinds(lexicon)) for profile in corpora.values()]
    rows = [(name, *(column[name] for column in columns)) for name in columns[0]]
    msg.table(rows, header=("", *corpora), aligns=("l", "r", "r"), divider=True)
    sentences, tagged = train.sentences.total(), train.tags.total()
    if is_new and sentences < BLANK_MODEL_THRESHOLD:
        msg.warn(
            f"Low number of examples to train a new pipeline ({sentences} sentences). At least "
            f"{BLANK_MODEL_THRESHOLD} are recommended (minimum {BLANK_MODEL_MIN_THRESHOLD})"
        )
    fitting = "small.cfg" if tagged <= SMALL else "accurate.cfg, or with much text to tag fast.cfg"
    msg.info(f"What the README says to take for {tagged:,} words with a tag: {fitting}")
    overlap = sum(n for each, n in dev.sentences.items() if each in train.sentences)
    if overlap:
        msg.warn(f"{overlap} dev sentence(s) are in the train data as well")
    else:
        msg.good("No overlap between train and dev data")
    windows = (layer.attrs["settings"].window for layer in layers_of(nlp, ENCODER))
    window = min(filter(None, windows), default=float("inf"))
    for name, profile in corpora.items():
        _tell_docs(name, profile, window)


def _column(profile: CorpusProfile, kinds: Mapping[str, int]) -> dict[str, str]:
    """RETURNS (dict[str, str]): What the table says of a corpus."""
    words, tagged = profile.word_tags.total(), profile.tags.total()
    return {
        "docs": f"{len(profile.lengths):,}",
        "sentences": f"{profile.sentences.total():,}",
        "words": f"{words:,}",
        "different words": f"{len({word for word, _ in profile.word_tags}):,}",
        "white space": f"{profile.space_tags.total():,}",
        "words with a tag": f"{tagged:,}",
        "… that train lacks": f"{kinds['unknown'] / tagged:.1%}",
        "… of several tags in train": f"{kinds['ambiguous'] / tagged:.1%}",
    }


def _tell_docs(name: str, profile: CorpusProfile, window: float) -> None:
    """Print what the docs of a corpus lack, and which of them are long."""
    if profile.untagged_docs:
        msg.warn(f"{profile.untagged_docs} doc(s) of the {name} data without any tag")
    if untagged := profile.word_tags.total() - profile.tags.total():
        msg.warn(f"{untagged} word(s) of the {name} data without a tag: they do not count")
    if profile.misaligned:
        msg.warn(f"{profile.misaligned} misaligned token(s) in the {name} data")
    if n_long := sum(length > window for length in profile.lengths):
        msg.info(
            f"{n_long} doc(s) of the {name} data are longer than the window of {window} "
            f"tokens, and are read in several (the longest has {max(profile.lengths)} tokens)"
        )
    if n_long := sum(length > LONG for length in profile.lengths):
        msg.warn(
            f"{n_long} doc(s) of the {name} data have more than {LONG:,} tokens. Each is a "
            "batch, which takes much memory and time: cut them, or mark their sentences"
        )


def tell_tags(
    nlp: Language, name: str, train: CorpusProfile, dev: CorpusProfile, *, verbose: bool
) -> bool:
    """Print what the corpora have of a tagger's labels.

    nlp (Language): The pipeline, initialized.
    name (str): The tagger's name.
    train (CorpusProfile): The training data.
    dev (CorpusProfile): The dev data.
    verbose (bool): Whether to print how often there is each label.
    RETURNS (bool): Whether it can be trained.
    """
    msg.divider(f"Part-of-speech Tagging ({name})")
    pipe: Any = nlp.get_pipe(name)
    # Ours learns nothing of white space, spaCy's does.
    is_ours = isinstance(pipe, LSTMTagger)
    tags = [each.tags if is_ours else each.tags + each.space_tags for each in (train, dev)]
    counts, needed = (count_labels(pipe, each) for each in tags)
    labels = set(pipe.labels)
    msg.info(f"{len(counts)} label(s) in train data, {len(labels)} of the component")
    shares = np.array([n for n in counts.values() if n]) / counts.total()
    if len(shares) > 1:
        entropy = -(shares * np.log2(shares)).sum() / np.log2(len(shares))
        msg.info(f"{entropy:.3f} is the normalised label entropy")
    if len(counts) == 1:
        msg.warn(f"All words have the tag {next(iter(counts))!r}: there is nothing to learn")
    rare = [f"{label!r} ({n})" for label, n in reversed(counts.most_common()) if n <= FEW]
    if rare:
        msg.warn(
            f"Low number of examples ({FEW} or less) for {len(rare)} label(s): {first_of(rare)}"
        )
    else:
        msg.good("Good amount of examples for all labels")
    unseen = [f"{label!r} ({n})" for label, n in needed.most_common() if label not in counts]
    if unseen:
        shown = first_of(unseen)
        msg.warn(f"{len(unseen)} label(s) of the dev data are not in the train data: {shown}")
    else:
        msg.good("All labels of the dev data are in the train data")
    if idle := sorted(labels - counts.keys()):
        shown = first_of(list(map(repr, idle)))
        msg.warn(
            "Some model labels are not present in the train data. The model performance may be "
            f"degraded for these labels after training: {shown}"
        )
    if missing := sorted(counts.keys() - labels):
        shown = first_of(list(map(repr, missing)))
        msg.fail(
            f"The component lacks {len(missing)} label(s) of the train data, at which training "
            f"stops: {shown}. Set [initialize.components.{name}.labels] to a reader such as "
            "spacy-lstm-tagger.TagLabels.v1, or to what `spacy init labels` writes"
        )
    if verbose:
        msg.text(", ".join(f"'{label}' ({n})" for label, n in counts.most_common()))
    return not missing
