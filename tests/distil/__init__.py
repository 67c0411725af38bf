"""What the tests of distillation share: tiny teachers of several kinds."""

import spacy

from ..util import make_examples, small_model, train

TEXTS = ["The dog ate the apple . I slept .", "Everybody read  that book"]


def stock_teacher(seed=0, *, model=None, steps=20, factory="tagger"):
    """RETURNS (Language): A pipeline with a tagger that is trained on the shared sentences."""
    spacy.util.fix_random_seed(seed)
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, config={"model": model or small_model()})
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    train(nlp, examples, steps=steps, optimizer=optimizer)
    return nlp
