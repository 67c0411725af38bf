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
    """

    treebank: str = "en_ewt"
    config: str | None = "accurate.cfg"
    overrides: dict[str, object] = field(default_factory=dict)
    limit: int = 0

    @property
    def tag(self) -> str:
        """RETURNS (str): The column that the tags come from."""
        return str(self.overrides.get("vars.tag", "xpos"))


def steps(n: int) -> dict[str, object]:
    """RETURNS (dict[str, object]): Overrides that train for so many steps."""
    return {"training.max_steps": n, "training.optimizer.learn_rate.total_steps": n}


TENTH = 1254  # sentences: a tenth of en_ewt
GREEK: dict[str, object] = {"vars.tag": "upos", "nlp.lang": "el"}
ENCODE = "components.lstm_tagger.model.tok2vec.encode."
ALONE: dict[str, object] = {ENCODE + "neighbours": 0.0}
CONCAT: dict[str, object] = {**ALONE, ENCODE + "merge": "concat"}
AUXILIARY = "components.lstm_tagger.auxiliary"
FREQUENCY: dict[str, object] = {AUXILIARY: {"frequency": 0.1}}
NOISY: dict[str, object] = {"@augmenters": "spacy-lstm-tagger.noise_augmenter.v1"}
VARIANTS = {
    "cnn": Variant(config=None),
    "accurate": Variant(),
    # What each part brings: the recipe without it.
    "accurate-alone": Variant(overrides=ALONE),
    "accurate-alone-concat": Variant(overrides=CONCAT),
    "accurate-frequency": Variant(overrides=FREQUENCY),
    "upos-frequency": Variant(overrides={"vars.tag": "upos", **FREQUENCY}),
    "greek-frequency": Variant(treebank="el_gud", overrides={**GREEK, **steps(800), **FREQUENCY}),
    "tenth-frequency": Variant(limit=TENTH, overrides={**steps(800), **FREQUENCY}),
    "fast-frequency": Variant(config="fast.cfg", overrides=FREQUENCY),
    "accurate-noise": Variant(overrides={"corpora.train.augmenter": NOISY}),
    "accurate-upos": Variant(overrides={"vars.tag": "upos"}),
    "fast": Variant(config="fast.cfg"),
    "fast-alone": Variant(config="fast.cfg", overrides=ALONE),
    "crf": Variant(config="crf.cfg"),
    "tenth-cnn": Variant(config=None, limit=TENTH),
    "tenth": Variant(limit=TENTH, overrides=steps(800)),
    "tenth-alone": Variant(limit=TENTH, overrides={**steps(800), **ALONE}),
    "greek-cnn": Variant(treebank="el_gud", config=None, overrides=GREEK),
    "greek": Variant(treebank="el_gud", overrides={**GREEK, **steps(800)}),
    "greek-alone-concat": Variant(treebank="el_gud", overrides={**GREEK, **steps(800), **CONCAT}),
    "greek-crf": Variant(treebank="el_gud", config="crf.cfg", overrides={**GREEK, **steps(800)}),
}
