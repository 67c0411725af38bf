"""What the tests of distillation share: tiny teachers of several kinds, and docs of theirs."""

import numpy as np
import spacy
from spacy.tokens import Doc

from spacy_lstm_tagger.probabilities import TagProbabilities

from ..util import SENTENCES, listening_nlp, make_examples, small_model, train

TEXTS = ["The dog ate the apple . I slept .", "Everybody read  that book"]
LABELS = ["A", "B"]


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
    nlp = listening_nlp("tagger", "spacy.Tagger.v2")
    nlp.add_pipe("morphologizer")
    nlp.add_pipe("fails_behind_the_tagger")
    tags = ["DET", "NN", "V"]
    docs = [Doc(nlp.vocab, words=["a", "b", "c"], tags=tags, pos=["DET", "NOUN", "VERB"])]
    nlp.initialize(lambda: [spacy.training.Example(Doc(nlp.vocab, words=list("abc")), docs[0])])
    return nlp


def make_doc(vocab, lengths, number):
    """RETURNS (Doc): A doc of sentences, each word of which says where it is."""
    words = [f"{number}.{i}.{j}" for i, n in enumerate(lengths) for j in range(n)]
    starts = [j == 0 for n in lengths for j in range(n)]
    tags = [LABELS[i % 2] for i in range(len(words))]
    morphs = ["Case=Nom" if i % 2 else "" for i in range(len(words))]
    spaces = [i % 3 > 0 for i in range(len(words))]
    doc = Doc(
        vocab, words=words, spaces=spaces, tags=tags, pos=["NOUN"] * len(words), morphs=morphs
    )
    for token, start in zip(doc, starts, strict=True):
        token.is_sent_start = start
    probabilities = np.array([[0.75, 0.25], [0.25, 0.75]], "f4")[np.arange(len(words)) % 2]
    TagProbabilities.of(LABELS, probabilities, half=True).to_doc(doc)
    return doc
