"""What the config of the last training needs beside spaCy: `--code scripts/heads.py`."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import cast

import spacy
import torch
from spacy.language import Language
from spacy.util import import_file, registry
from thinc.shims import PyTorchShim
from thinc.util import torch2xp, xp2torch
from torch import Tensor

from spacy_lstm_tagger.readers import read_word_lemmas
from spacy_lstm_tagger.taggers import layers_of

# Only one file can be given to `--code`.
import_file("tokenizer", Path(__file__).with_name("tokenizer.py"))

# In which of spaCy's tables the irregular words of a tag are, and how they end.
IRREGULAR = {
    "VBD": ("verb", ""),
    "VBN": ("verb", ""),
    "VBG": ("verb", "ing"),
    "VBZ": ("verb", "s"),
    "NNS": ("noun", ""),
    "JJR": ("adj", "er"),
    "JJS": ("adj", "st"),
}
# Verbs that double their last letter before "ing".
DOUBLING = re.compile(r"[^aeiou][aeiou][^aeiouwxy]$")


@registry.readers("english.lemmas.v1")
def read_lemmas(path: str, tag: str, irregular: str) -> list[tuple[str, str, str, int]]:
    """Read the lemmas of a treebank, and what it may lack: irregular words ("drank", "heroes"),
    verbs and nouns by which rules are chosen ("wiped" is of "wipe"), and verbs in -e whose forms
    rules would give another one ("named", "staring").

    path (str): The treebank.
    tag (str): The column of its tags.
    irregular (str): A pipeline with spaCy's rule lemmatizer, as `en_core_web_sm`.
    RETURNS (list[tuple[str, str, str, int]]): Words, tags, lemmas, and how often the treebank has
        them: 0 for those of the lemmatizer.
    """
    lookups = spacy.load(irregular).get_pipe("lemmatizer").lookups
    tables = lookups.get_table("lemma_exc")
    known = [
        (word, name, lemmas[0], 0)
        for name, (table, ending) in IRREGULAR.items()
        for word, lemmas in tables[table].items()
        if word.endswith(ending) and "_" not in word + lemmas[0]
    ]
    index = lookups.get_table("lemma_index")
    known += [(verb, "VB", verb, 0) for verb in index["verb"]]
    known += [(noun, "NN", noun, 0) for noun in nouns_in_doubt(index["noun"], index["verb"])]
    known += [(*form, 0) for form in forms_of_verbs(index["verb"])]
    return [*read_word_lemmas(path=path, tag=tag), *known]


def nouns_in_doubt(nouns: Iterable[str], verbs: Iterable[str]) -> Iterator[str]:
    """YIELDS (str): Nouns whose plural another word could have ("viruses", "dunes"), but for those
    that would be taken for verbs: "cooking" is not of "cooke".

    nouns (Iterable[str]): All nouns.
    verbs (Iterable[str]): All verbs.
    """
    verbs = set(verbs)
    for noun in nouns:
        stem = noun[:-1]
        is_no_verb = stem not in verbs or noun.endswith("ee") or DOUBLING.search(stem)
        if noun.endswith("us") or (noun.endswith("e") and is_no_verb):
            yield noun


def forms_of_verbs(verbs: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """YIELDS (tuple): Forms of verbs in -e, with a tag and the verb.

    verbs (Iterable[str]): All verbs.
    """
    verbs = set(verbs)
    for verb in sorted(verb for verb in verbs if verb.isalpha() and verb.endswith("e")):
        stem = verb[:-1]
        # "singing" is of "sing", but "staring" of "stare": that of "star" has "rr".
        if stem not in verbs or DOUBLING.search(stem):
            start = stem[:-1] + "y" if verb.endswith("ie") else stem
            start = verb if verb.endswith(("ee", "oe", "ye")) else start
            yield from ((verb + "d", tag, verb) for tag in ("VBD", "VBN"))
            yield start + "ing", "VBG", verb


@registry.callbacks("english.round_weights.v1")
def create_callback() -> Callable[[Language], Language]:
    """RETURNS (Callable[[Language], Language]): Rounds a pipeline's weights before it is saved."""
    return round_weights


@torch.no_grad()
def round_weights(nlp: Language) -> Language:
    """Round weights to bfloat16. They stay float32, but a wheel of them has half the size.

    nlp (Language): The pipeline.
    RETURNS (Language): The same.
    """
    for layer in layers_of(nlp):
        for shim in layer.shims:
            for weight in cast(PyTorchShim, shim)._model.parameters():
                weight.copy_(rounded(weight))
        for name in layer.param_names:
            if layer.has_param(name):
                layer.set_param(name, torch2xp(rounded(xp2torch(layer.get_param(name)))))
    return nlp


def rounded(weights: Tensor) -> Tensor:
    """RETURNS (Tensor): Weights rounded to bfloat16, as float32."""
    return weights.bfloat16().float()
