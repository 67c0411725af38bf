"""The texts of our warnings: what was found, what it means, what to do."""

from .errors import WithCodes


class Warnings(metaclass=WithCodes):
    """Texts of warnings by code."""

    LW001 = (
        "{name!r} has left the tags of a whole batch as they were, since each token had one: "
        "from another tagger before it, from the tokenizer (that of Japanese or Korean), or from "
        "an earlier run. Take another tagger out of the pipeline, or set overwrite = true. If this "
        "one is to fill what the threshold of another leaves empty, all is well."
    )
    LW002 = (
        "After {updates} updates {name!r} hardly knows more than how frequent each tag is. Check "
        "[training.optimizer] learn_rate, which is probably too high (our configs have 0.005), and "
        "the annotation."
    )
    LW003 = (
        "{path} has {count} label(s) that {name!r} lacks, so it can neither learn nor give them: "
        "{labels}. If the training data have them, give it all labels: set "
        "[initialize.components.{name}.labels] to a reader such as spacy-lstm-tagger.TagLabels.v1 "
        "(tags) or MorphLabels.v1 (morphologizer), or to spacy.read_labels.v1, for what `python -m "
        "spacy init labels CONFIG FOLDER --training.max_epochs 0` writes. To a tagger with a "
        "`source`, which takes no such block, AddLabels.v1 adds tags ([initialize.after_init])."
    )
    LW004 = (
        "The training corpus is streamed (max_epochs = -1), so {name!r} has taken its labels from "
        "the first 100 examples, and lacks those that they do not have. Give it all: set "
        "[initialize.components.{name}.labels] to spacy.read_labels.v1, for what `python -m spacy "
        "init labels CONFIG FOLDER --training.max_epochs 0` writes."
    )
    LW005 = (
        "The training corpus is streamed (max_epochs = -1), so {name!r} has {what} in the first "
        "100 examples alone. Give it all: set [initialize.components.{name}.{setting}] to the "
        "reader spacy-lstm-tagger.{reader}."
    )
    LW006 = (
        "{name!r} found tokens without a tag, and has taken their words in lower case as lemmas. "
        "Put a tagger before it, and leave its threshold at null."
    )
    LW007 = (
        "max_steps = {steps} is not a multiple of eval_frequency = {every}: `spacy train` does not "
        "score the last {unscored} steps, and model-best is of an earlier one. Set [training] "
        "eval_frequency to a divisor of max_steps."
    )
    LW008 = (
        "The pipeline's tokenizer finds only {share:.0%} of the words of the training data, since "
        "it needs spaces between them. Set [nlp.tokenizer] to that of the language: "
        "--nlp.tokenizer.@tokenizers {own}. If you will only tag given words, ignore this."
    )
    LW009 = (
        "{name!r} got {setting} with tags such as {given}, but learns others, such as {seen}. Give "
        "the reader of {setting} the `tag` of the corpus (xpos, upos, upos+feats)."
    )
    LW010 = (
        "The learning rate is 0, so {name!r} learns nothing. Set optimizer.learn_rate, such as to "
        "0.001: that of most configs begins at 0 and stays there unless each step ends with "
        "optimizer.step_schedules(), as in `spacy train`. If this is `spacy train`, total_steps of "
        "the schedule is too low."
    )
