"""spaCy's English tokenizer, with the words of the English Web Treebank where the two differ most.

The rules are set in [initialize], so they are saved with the tokenizer: a trained pipeline needs no
code. They were found in the treebank's training set, a few of them in raw text.
"""

import re
from collections.abc import Callable

from spacy.attrs import ORTH
from spacy.lang.char_classes import ALPHA
from spacy.language import Language
from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex, registry

# Marks that are one word however many there are: "?!", ">>", "=====". The full stop in "U.S.?" is
# none of them.
RUNS = [r"(?<!\.[A-Za-z])\.*[!?][.!?]*", r"<{2,}", r">{2,}", r"={2,}", r"\*{2,}", r"_{2,}"]
# Telephone numbers, decades ("60's"), "e-mail", and short forms that spaCy splits.
ONE_WORD = (
    r"(?:(?:1[-.])?\d{3}[-.])?\d{3}[-.]\d{4}|(?:\d\d)?\d0['’]s"
    r"|(?i:e-mails?|ft\.|lt\.)|(?:Mon|Tues?|Wed|Thur?s?|Fri|Sat)\."
)
# "non-smoker".
PREFIXED = r"(?i:(?:anti|co|counter|e|ex|mid|multi|non|over|post|pre|pro|re|semi)-[a-z]+)"
# A mark of its own, but in "#MeToo".
HASH = r"#(?![A-Za-z]\w)"
# Words of their own at the end of others: "7:30PM", "65k", "food- great", "ways--", "WON'T.".
SUFFIXES = [
    r"(?<=\d)(?:[AaPp][Mm]|[ap]\.m\.|k)",
    r"(?<=[A-Za-z0-9]{3})-",
    r"(?<=[A-Za-z0-9.,!?)])-{2,}",
    r"(?<=['’\d&][A-Z])\.",
]
# And at their beginning: "-but", "--but". "'72" is one word, mark and all.
PREFIXES = [r"-+(?=[A-Za-z])", r"['’]\d\ds?(?![\w/])"]
# And within: "person(s)", 'rule--"So', "clean!It", "so...I'm", "mama`s", "we´d", but "OK'd" whole.
INFIXES = [
    rf"(?<=[{ALPHA}0-9.,!?)])[()](?=[{ALPHA}0-9(])",
    r'(?<=\w)-{2,}(?=[\w"($])',
    r'(?<=\w--)["“($](?=\w)',
    r"(?<=[a-z]{3})[;!?]+(?=[A-Za-z])",
    r"(?<=[A-Za-z])(?:n['’`´]t|['’`´](?:m|re|ve|ll|s)|(?<=[EIUYeiuy])['’`´]d)(?!\w)",
]
# What is one word for spaCy, and what it splits: here the other way round.
SEVERAL = ["and/or", "):"]
ONE = ["Wed", "wed", "MR.", "MRS.", "a.d.", "a.k.a.", "b.c.", "o.k.", "t.v.", "u.k.", "u.s."]


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
    tokenizer.prefix_search = compile_prefix_regex([*RUNS, *PREFIXES, *prefixes]).search
    tokenizer.suffix_search = compile_suffix_regex([*RUNS, *SUFFIXES, *defaults.suffixes]).search
    tokenizer.infix_finditer = compile_infix_regex([*INFIXES, *defaults.infixes]).finditer
    tokenizer.token_match = re.compile(f"(?:{ONE_WORD}|{PREFIXED})$").match
    rules = {key: value for key, value in tokenizer.rules.items() if key not in SEVERAL}
    # "DON'T", as "don't".
    shouted = {
        key.upper(): [part | {ORTH: part[ORTH].upper()} for part in parts]
        for key, parts in rules.items()
        if re.search(r"\w['’]\w", key)
    }
    tokenizer.rules = {**shouted, **rules, **{key: [{ORTH: key}] for key in ONE}}
    return nlp
