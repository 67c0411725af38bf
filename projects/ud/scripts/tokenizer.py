"""spaCy's tokenizer, with the words of a treebank where the two differ: what its training set
splits off becomes a rule, and a rule of the language goes, if by that fewer words are wrong.

The rules are set in [initialize], so they are saved with the tokenizer: a trained pipeline needs no
code.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate, pairwise

from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex, registry

from spacy_lstm_tagger.readers import Corpus

OFTEN = 2  # so often the training set has a mark, for a rule to be made of it
KINDS = ("prefixes", "suffixes", "infixes")
Words = tuple[str, ...]


@registry.callbacks("ud.learn_tokenizer.v1")
def create_callback(path: str, tag: str) -> Callable[[Language], Language]:
    """RETURNS (Callable[[Language], Language]): Learns the rules of a pipeline's tokenizer.

    path (str): The training set.
    tag (str): The column of its tags.
    """

    def learn(nlp: Language) -> Language:
        if type(nlp.tokenizer) is Tokenizer:  # others have no such rules
            examples = Corpus(path, tag=tag)(nlp)
            chunks = Counter(chunk for eg in examples for chunk in chunks_of(eg.reference))
            if any(len(words) > 1 for words in chunks):  # else it does not say what is split
                Rules(nlp, chunks).learn(find_marks(chunks))
        return nlp

    return learn


class Rules:
    """The rules of a tokenizer, and which words of a treebank are wrong by them.

    nlp (Language): The pipeline, whose tokenizer changes.
    chunks (Mapping[Words, int]): The treebank's words between two spaces, and how often.
    """

    def __init__(self, nlp: Language, chunks: Mapping[Words, int]):
        self.tokenizer = nlp.tokenizer
        self.rules = {kind: list(getattr(nlp.Defaults, kind) or ()) for kind in KINDS}
        self.gold: dict[str, Counter[frozenset]] = defaultdict(Counter)
        for words, count in chunks.items():
            self.gold["".join(words)][spans(words)] += count
        self.wrong = {text: self.count_wrong(text) for text in self.gold}

    def learn(self, marks: Mapping[str, Counter[str]]) -> None:
        """Add and remove rules.

        marks (Mapping[str, Counter[str]]): For each kind what may be one, and how often it is.
        """
        for kind, counts in marks.items():
            for mark, count in counts.most_common():
                rule = re.escape(mark)
                if count >= OFTEN:
                    self.attempt(kind, rule, [rule, *self.rules[kind]])
        for kind in KINDS:
            for rule in list(self.rules[kind]):
                self.attempt(kind, rule, [each for each in self.rules[kind] if each != rule])

    def attempt(self, kind: str, rule: str, rules: list[str]) -> None:
        """Take other rules, if by them fewer words are wrong.

        kind (str): Which ones.
        rule (str): The one that is new, or is missing.
        rules (list[str]): All of this kind.
        """
        texts = list(filter(re.compile(rule).search, self.gold))
        if not any(self.wrong[text] for text in texts):
            return
        self.put(kind, rules)
        wrong = {text: self.count_wrong(text) for text in texts}
        if sum(wrong.values()) < sum(self.wrong[text] for text in texts):
            self.rules[kind] = rules
            self.wrong.update(wrong)
        else:
            self.put(kind, self.rules[kind])

    def put(self, kind: str, rules: list[str]) -> None:
        """Give the tokenizer rules."""
        tokenizer = self.tokenizer
        if kind == "prefixes":
            tokenizer.prefix_search = compile_prefix_regex(rules).search if rules else None
        elif kind == "suffixes":
            tokenizer.suffix_search = compile_suffix_regex(rules).search if rules else None
        else:
            tokenizer.infix_finditer = compile_infix_regex(rules).finditer if rules else None

    def count_wrong(self, text: str) -> int:
        """RETURNS (int): How many words the tokenizer misses or makes up, wherever this text is."""
        found = spans(token.text for token in self.tokenizer(text))
        return sum(count * len(found ^ gold) for gold, count in self.gold[text].items())


def chunks_of(doc: Doc) -> list[Words]:
    """RETURNS (list[Words]): The words of a doc between its spaces."""
    ends = [token.i + 1 for token in doc if token.whitespace_ or token.i + 1 == len(doc)]
    return [tuple(token.text for token in doc[i:j]) for i, j in pairwise([0, *ends])]


def find_marks(chunks: Mapping[Words, int]) -> dict[str, Counter[str]]:
    """RETURNS (dict[str, Counter[str]]): What could be a rule of each kind, and how often it is a
    word beside another one: what ends or begins with a mark there, as "l'" does, and marks alone.

    chunks (Mapping[Words, int]): Words between two spaces, and how often.
    """
    marks: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for words, count in chunks.items():
        found = {
            "prefixes": [word for word in words[:-1] if is_mark(word[-1])],
            "suffixes": [word for word in words[1:] if is_mark(word[0])],
            "infixes": [word for word in words[1:-1] if all(map(is_mark, word))],
        }
        for kind, each in found.items():
            marks[kind].update(dict.fromkeys(each, count))
    return marks


def is_mark(character: str) -> bool:
    """RETURNS (bool): Whether this is no letter, no part of one (as vowel signs are), and no
    number.
    """
    return unicodedata.category(character)[0] not in "LMN"


def spans(words: Iterable[str]) -> frozenset:
    """RETURNS (frozenset): Where words begin and end."""
    return frozenset(pairwise(accumulate(map(len, words), initial=0)))
