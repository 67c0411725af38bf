"""A tagger that listens to a transformer, which leaves what it finds in `doc._.trf_data`."""

import pytest
from spacy.tokens import Doc
from thinc.api import Model

from ..util import ARCHITECTURES, TAGS, TEXTS, make_examples, tags_of, trained_nlp

# Layers that listen, and the components that they listen to.
LISTENERS = {"transformer-listener": "transformer", "last_transformer_layer_listener": "trf"}


@pytest.fixture(params=LISTENERS)
def layer(request):
    return request.param


@pytest.fixture
def nlp(layer):
    """A pipeline whose tagger has a layer like the listener of spacy-transformers, or that of
    spacy-curated-transformers, in it.
    """
    Doc.set_extension("trf_data", default=None)
    nlp, _ = trained_nlp(architecture=ARCHITECTURES[0])
    model = nlp.get_pipe("lstm_tagger").model
    tok2vec = model.layers[0]
    listener = Model(layer, lambda model, docs, is_train: tok2vec(docs, is_train))
    if layer != "transformer-listener":
        listener.attrs.update(_TRANSFORMER_LISTENER=True, _upstream_name=LISTENERS[layer])
    model.layers[0] = Model(
        "transformer-listener>>wrapper",
        lambda model, docs, is_train: listener(docs, is_train),
        layers=[listener],
    )
    yield nlp
    Doc.remove_extension("trf_data")


def run_transformer(doc):
    doc._.trf_data = "vectors"
    return doc


def test_docs_that_the_transformer_has_read_are_tagged(nlp):
    tagger = nlp.get_pipe("lstm_tagger")
    docs = [run_transformer(nlp.make_doc(text)) for text in TEXTS]
    assert tags_of(tagger.pipe([*docs, nlp.make_doc("")])) == [*TAGS, []]


def test_a_transformer_that_has_not_run_is_an_error(nlp, layer):
    read, unread = run_transformer(nlp.make_doc(TEXTS[0])), nlp.make_doc(TEXTS[1])
    expected = f"P016.*'lstm_tagger' listens to the component '{LISTENERS[layer]}'"
    with pytest.raises(ValueError, match=expected):
        nlp.get_pipe("lstm_tagger").predict([read, unread])
    with pytest.raises(ValueError, match="P016"):
        nlp.get_pipe("lstm_tagger").calibrate(make_examples(nlp))


def test_no_rehearsal(nlp, layer):
    with pytest.raises(ValueError, match=f"P014.*'{LISTENERS[layer]}'"):
        nlp.get_pipe("lstm_tagger").rehearse(make_examples(nlp))


def test_with_the_library_loaded_others_are_as_they_were(nlp):
    other, _ = trained_nlp()
    assert tags_of(other.pipe(TEXTS)) == TAGS
