"""Tests of reports: their pipelines, and a corpus that is hostile."""

import spacy
from spacy.language import Language

from ..util import make_examples, small_model, train

# Text that would be executed, break out of where it is, or be taken for a template.
HOSTILE = [
    "<script>window.hacked=1</script>",
    "</script><script>window.hacked=1</script>",
    '"><img/src=x/onerror=window.hacked=1>',
    "<!--",
    "{{7*7}}",
    "\u2028'\\",
]
BAD_NAME = "<img src=x onerror=window.hacked=1>"


@Language.factory("one_tag", assigns=["token.tag"], default_config={"tag": ""})
class OneTag:
    """Gives every word the same tag, or none, and says that it has others."""

    labels = ("A", "B", "C")

    def __init__(self, nlp, name, tag):
        self.tag = tag

    def __call__(self, doc):
        for token in doc:
            token.tag_ = self.tag
        return doc


def one_tag(tag):
    """RETURNS (Language): A pipeline that gives every word the same tag."""
    nlp = spacy.blank("en")
    nlp.add_pipe("one_tag", config={"tag": tag})
    return nlp


def make_pipeline(*, factory="lstm_tagger", steps=15, tags=None):
    """RETURNS (Language): A pipeline that is trained a little on the shared sentences."""
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, config={"model": small_model()})
    examples = make_examples(nlp)
    labels = sorted({t.tag_ for eg in examples for t in eg.reference} | set(tags or ()))
    nlp.get_pipe(factory).initialize(lambda: examples, nlp=nlp, labels=labels)
    train(nlp, examples, steps=steps, optimizer=nlp.create_optimizer())
    return nlp


def hostile_sentences():
    words = [(word, "NN") for word in HOSTILE]
    return [[("The", "DET"), *words, ("ate", "V")], [("I", "PRP"), ("slept", "<b>V</b>")]] * 3
