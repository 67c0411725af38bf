"""spaCy's English tokenizer, with the words of the English Web Treebank where the two differ most.

The rules are set in [initialize], so they are saved with the tokenizer: a trained pipeline needs no
code. They were found in the treebank's training set.
"""

import re
from collections.abc import Callable

from spacy.language import Language
from spacy.util import compile_prefix_regex, compile_suffix_regex, registry

# Marks that are one word however many there are: "?!", ">>", "=====".
RUNS = [r"[.!?]*[!?][.!?]*", r"<{2,}", r">{2,}", r"={2,}", r"\*{2,}", r"_{2,}"]
# Telephone numbers, "e-mail", and short forms that spaCy splits.
ONE_WORD = r"(?:\d{3}[-.])?\d{3}[-.]\d{4}|(?i:e-mails?|ft\.|lt\.)|Sat\.|Wed\.|Fri\."
# "non-smoker".
PREFIXED = r"(?i:(?:anti|co|counter|e|ex|mid|multi|non|over|post|pre|pro|re|semi)-[a-z]+)"
# A mark of its own, but in "#MeToo".
HASH = r"#(?![A-Za-z]\w)"
# What is one word for spaCy.
SEVERAL = ["and/or", "):"]


@registry.callbacks("english.customize_tokenizer.v1")
def create_callback() -> Callable[[Language], Language]:
    """RETURNS (Callable[[Language], Language]): Changes the rules of a pipeline's tokenizer."""
    return customize


def customize(nlp: Language) -> Language:
    """Change the rules of a pipeline's tokenizer.

    nlp (Language): The pipeline, of English.
    RETURNS (Language): The same.
    """
    tokenizer, defaults = nlp.tokenizer, nlp.Defaults
    prefixes = [HASH if prefix == "#" else prefix for prefix in defaults.prefixes]
    tokenizer.prefix_search = compile_prefix_regex([*RUNS, *prefixes]).search
    tokenizer.suffix_search = compile_suffix_regex([*RUNS, *defaults.suffixes]).search
    tokenizer.token_match = re.compile(f"(?:{ONE_WORD}|{PREFIXED})$").match
    tokenizer.rules = {key: value for key, value in tokenizer.rules.items() if key not in SEVERAL}
    return nlp
