"""What the tests of distillation share: tiny teachers of several kinds."""

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ..util import SENTENCES, SMALL, make_examples, small_model, tok2vec_config, train

TEXTS = ["The dog ate the apple . I slept .", "Everybody read  that book"]


def stock_teacher(seed=0, *, model=None, steps=20, factory="tagger", sentences=SENTENCES, **config):
    """RETURNS (Language): A pipeline with a tagger that is trained on the shared sentences."""
    spacy.util.fix_random_seed(seed)
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, config={"model": model or small_model(), **config})
    examples = make_examples(nlp, sentences)
    optimizer = nlp.initialize(lambda: examples)
    train(nlp, examples, steps=steps, optimizer=optimizer)
    return nlp


def shared_teacher():
    """RETURNS (Language): A tagger that listens to an encoder, and a parser behind it."""
    nlp = spacy.blank("en")
    encoder = tok2vec_config(**SMALL)
    nlp.add_pipe("tok2vec", config={"model": encoder})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": SMALL["width"]}
    model = {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}
    nlp.add_pipe("tagger", config={"model": model})
    nlp.add_pipe("morphologizer")
    nlp.add_pipe("fails_behind_the_tagger")
    tags = ["DET", "NN", "V"]
    docs = [Doc(nlp.vocab, words=["a", "b", "c"], tags=tags, pos=["DET", "NOUN", "VERB"])]
    nlp.initialize(lambda: [spacy.training.Example(Doc(nlp.vocab, words=list("abc")), docs[0])])
    return nlp


@Language.component("fails_behind_the_tagger")
def fails(doc):
    raise RuntimeError("what comes after the tagger should not run")
