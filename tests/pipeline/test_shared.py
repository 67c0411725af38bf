"""One encoder for several components, and our layers in spaCy's own components."""

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import Adam, Model

from ..util import (
    ARCHITECTURES,
    SENTENCES,
    SMALL,
    TAGS,
    TEXTS,
    make_examples,
    small_model,
    tags_of,
    tok2vec_config,
    train,
    trained_nlp,
)

ENCODER = tok2vec_config(**SMALL)
LISTENER = {
    "@architectures": "spacy.Tok2VecListener.v1",
    "width": SMALL["width"],
    "upstream": "tok2vec",
}
TAGGER = {"@architectures": "spacy-lstm-tagger.Tagger.v1", "tok2vec": LISTENER}
SPACY_TAGGER = {"@architectures": "spacy.Tagger.v2", "tok2vec": LISTENER}
POS = {"DET": "DET", "NN": "NOUN", "V": "VERB", "PRP": "PRON", "ADJ": "ADJ", "ADV": "ADV"}


def examples_with_pos(nlp):
    examples = make_examples(nlp)
    for eg in examples:
        for token in eg.reference:
            token.pos_ = POS[token.tag_]
    return examples


def pos_of(docs):
    return [[token.pos_ for token in doc] for doc in docs]


def make_shared(second, model, steps=30):
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": ENCODER})
    nlp.add_pipe("lstm_tagger", config={"model": TAGGER})
    nlp.add_pipe(second, config={"model": model})
    examples = examples_with_pos(nlp)
    nlp.initialize(lambda: examples)
    optimizer = Adam(0.01)
    losses = train(nlp, examples, steps=steps, optimizer=optimizer)
    return nlp, optimizer, losses


@pytest.fixture(scope="module")
def shared():
    return make_shared("morphologizer", SPACY_TAGGER)[0]


@pytest.mark.parametrize("model", [TAGGER, SPACY_TAGGER])
def test_both_learn(model):
    nlp, _, losses = make_shared("morphologizer", model)
    assert nlp.get_pipe("tok2vec").listening_components == ["lstm_tagger", "morphologizer"]
    for name in ("lstm_tagger", "morphologizer"):
        assert losses[-1][name] < 0.25 * losses[0][name]
    docs = list(nlp.pipe(TEXTS))
    assert tags_of(docs) == TAGS
    assert pos_of(docs) == [[POS[tag] for tag in tags] for tags in TAGS]
    assert tags_of(nlp(text) for text in TEXTS) == TAGS


def test_each_listener_sends_a_gradient():
    def gradient(exclude):
        fix_random_seed(0)
        nlp.update(examples, sgd=False, exclude=exclude)
        gradients = []
        for node in nlp.get_pipe("tok2vec").model.walk():
            for shim in node.shims:
                for parameter in shim.module.parameters():
                    gradients.append(parameter.grad.flatten().clone())
                    parameter.grad.zero_()
        return np.concatenate(gradients)

    nlp, _, _ = make_shared("morphologizer", TAGGER, steps=1)
    examples = examples_with_pos(nlp)
    both, morphologizer = gradient([]), gradient(["lstm_tagger"])
    assert np.abs(morphologizer).max() > 0.01
    assert np.abs(both - morphologizer).max() > 0.01


def test_replace_listeners_keeps_the_tags(shared, tmp_path):
    shared.to_disk(tmp_path / "shared")
    nlp = spacy.load(tmp_path / "shared")
    before = nlp.get_pipe("lstm_tagger").model
    docs = [nlp.get_pipe("tok2vec")(nlp.make_doc(text)) for text in TEXTS]
    expected = before.predict(docs)
    nlp.replace_listeners("tok2vec", "lstm_tagger", ["model.tok2vec"])
    model = nlp.get_pipe("lstm_tagger").model
    found = model.predict([nlp.make_doc(text) for text in TEXTS])
    assert_allclose(np.concatenate(found), np.concatenate(expected), atol=1e-5)
    with nlp.select_pipes(enable="lstm_tagger"):
        assert tags_of(nlp.pipe(TEXTS)) == TAGS
    tok2vec = nlp.get_pipe_config("lstm_tagger")["model"]["tok2vec"]
    assert tok2vec["@architectures"] == "spacy.Tok2Vec.v2"
    nlp.remove_pipe("morphologizer")
    nlp.remove_pipe("tok2vec")
    nlp.to_disk(tmp_path / "alone")
    assert tags_of(spacy.load(tmp_path / "alone").pipe(TEXTS)) == TAGS


def test_replaced_listener_trains_apart():
    nlp, optimizer, _ = make_shared("morphologizer", TAGGER)
    nlp.replace_listeners("tok2vec", "lstm_tagger", ["model.tok2vec"])
    encoder = nlp.get_pipe("tok2vec").to_bytes()
    pos = pos_of(nlp.pipe(TEXTS))
    examples = make_examples(nlp, [(TEXTS[0], "V V V V V")])
    # The optimizer has a state for the encoder, and none yet for its copy.
    frozen = ["tok2vec", "morphologizer"]
    train(nlp, examples, steps=20, optimizer=optimizer, exclude=frozen)
    assert tags_of([nlp(TEXTS[0])]) == [["V"] * 5]
    assert nlp.get_pipe("tok2vec").to_bytes() == encoder
    assert pos_of(nlp.pipe(TEXTS)) == pos


def test_source_with_replace_listeners(shared):
    nlp = spacy.blank("en")
    shared = spacy.blank("en").from_config(shared.config).from_bytes(shared.to_bytes())
    shared.replace_listeners("tok2vec", "lstm_tagger", ["model.tok2vec"])
    nlp.add_pipe("lstm_tagger", source=shared)
    assert tags_of(nlp.pipe(TEXTS)) == TAGS


def test_save_and_load(shared, tmp_path):
    shared.to_disk(tmp_path)
    docs = list(spacy.load(tmp_path).pipe(TEXTS))
    assert tags_of(docs) == TAGS
    assert pos_of(docs) == pos_of(shared.pipe(TEXTS))


def test_empty_docs(shared):
    docs = list(shared.pipe(["", TEXTS[0], "", " "]))
    assert tags_of(docs)[:3] == [[], TAGS[0], []]
    assert tags_of(shared.pipe(["", ""])) == [[], []]


def test_training_with_empty_docs(shared):
    nlp = spacy.blank("en").from_config(shared.config).from_bytes(shared.to_bytes())
    optimizer = nlp.resume_training()
    empty = Example(nlp.make_doc(""), nlp.make_doc(""))
    losses = train(nlp, [empty, *examples_with_pos(nlp), empty], steps=2, optimizer=optimizer)
    assert losses[-1]["lstm_tagger"] > 0


# spaCy's own components


def test_stock_tagger_with_our_model(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger", config={"model": small_model()})
    # The model is initialized on ten docs only: the words of the others are learned as well.
    late = [("Lions roar loudly", "NN V ADV")]
    examples = make_examples(nlp, SENTENCES * 3 + late)
    nlp.initialize(lambda: examples)
    train(nlp, examples, steps=30, optimizer=Adam(0.01))
    assert tags_of(nlp.pipe(TEXTS)) == TAGS
    assert tags_of([nlp("Lions roar loudly")]) == [["NN", "V", "ADV"]]
    embed = next(n for n in nlp.get_pipe("tagger").model.walk() if n.name == "word_char_embed")
    table = embed.shims[0].module.tables["word"]
    assert 0 not in table.lookup(nlp("Lions roar").to_array("ORTH").astype("int64").tolist())
    nlp.to_disk(tmp_path)
    assert tags_of(spacy.load(tmp_path).pipe(TEXTS)) == TAGS


def test_our_encoder_under_ner(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("ner", config={"model": {"tok2vec": ENCODER}})
    texts = ["Anna met Bert", "Nobody met Anna"]
    entities = [[(0, 4, "PER"), (9, 13, "PER")], [(11, 15, "PER")]]
    examples = [
        Example.from_dict(nlp.make_doc(text), {"entities": spans})
        for text, spans in zip(texts, entities, strict=True)
    ]
    nlp.initialize(lambda: examples)
    train(nlp, examples, steps=40, optimizer=Adam(0.01))
    nlp.to_disk(tmp_path)
    for pipeline in (nlp, spacy.load(tmp_path)):
        docs = list(pipeline.pipe(texts))
        found = [[(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents] for doc in docs]
        assert found == entities


@pytest.mark.parametrize(
    "embed, encode",
    [
        (
            {"@architectures": "spacy-lstm-tagger.WordCharEmbed.v1", "width": 32},
            {
                "@architectures": "spacy.MaxoutWindowEncoder.v2",
                "width": 32,
                "window_size": 1,
                "maxout_pieces": 2,
                "depth": 1,
            },
        ),
        (
            {
                "@architectures": "spacy.MultiHashEmbed.v2",
                "width": 32,
                "attrs": ["NORM", "SUFFIX"],
                "rows": [100, 100],
                "include_static_vectors": False,
            },
            {
                "@architectures": "spacy-lstm-tagger.LSTMEncoder.v1",
                "width": 32,
                "input_width": 32,
                "depth": 1,
            },
        ),
    ],
    ids=["our embedding", "our encoder"],
)
def test_our_halves_compose_with_those_of_spacy(embed, encode, tmp_path):
    nlp = spacy.blank("en")
    tok2vec = {"@architectures": "spacy.Tok2Vec.v2", "embed": embed, "encode": encode}
    model = {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec}
    nlp.add_pipe("lstm_tagger", config={"model": model})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    train(nlp, examples, steps=40, optimizer=Adam(0.01))
    assert tags_of(nlp.pipe(TEXTS)) == TAGS
    nlp.to_disk(tmp_path)
    assert tags_of(spacy.load(tmp_path).pipe(TEXTS)) == TAGS


def test_without_the_encoder():
    """All words look the same: no tags are better."""
    nlp, *_ = make_shared("tagger", SPACY_TAGGER, steps=1)
    other = spacy.blank("en")
    other.add_pipe("lstm_tagger", source=nlp)
    with pytest.raises(ValueError, match=r"P016.*'lstm_tagger'.*'tok2vec'.*replace_listeners"):
        other(TEXTS[0])
    with pytest.raises(ValueError, match="P016"):
        list(other.pipe(["", TEXTS[0]]))
    other("")
    nlp(TEXTS[0])
    # What the error says to do.
    nlp.replace_listeners("tok2vec", "lstm_tagger", ["model.tok2vec"])
    other = spacy.blank("en")
    other.add_pipe("lstm_tagger", source=nlp)
    assert tags_of([other(TEXTS[0])]) == tags_of([nlp(TEXTS[0])])


def test_a_listener_of_another_width():
    nlp, *_ = make_shared("tagger", SPACY_TAGGER, steps=0)
    config = nlp.config.copy()
    config["components"]["lstm_tagger"]["model"]["tok2vec"]["width"] = 48
    other = spacy.blank("en").from_config(config)
    with pytest.raises(ValueError, match=r"P017.*'lstm_tagger'.*48 wide.*'tok2vec' are 32 wide"):
        other.initialize(lambda: make_examples(other))


def test_calibration_without_the_encoder():
    nlp, *_ = make_shared("tagger", SPACY_TAGGER, steps=1)
    pipe, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    with pytest.raises(ValueError, match=r"P016.*'lstm_tagger'.*'tok2vec'"):
        pipe.calibrate(examples)
    for eg in examples:
        nlp.get_pipe("tok2vec")(eg.predicted)
    assert pipe.calibrate(examples).temperature > 0.0


def test_behind_another_encoder():
    nlp, *_ = make_shared("tagger", SPACY_TAGGER, steps=1)
    other = spacy.blank("en")
    other.add_pipe("tok2vec").initialize(lambda: make_examples(other))
    other.add_pipe("lstm_tagger", source=nlp)
    with pytest.raises(ValueError, match=r"P012.*'tok2vec'.*32 wide.*96 wide.*replace_listeners"):
        other(TEXTS[0])


def test_no_rehearsal_behind_a_shared_encoder():
    """The copy that is to remember would see no vectors."""
    nlp, *_ = make_shared("tagger", SPACY_TAGGER, steps=1)
    nlp.resume_training()
    with pytest.raises(ValueError, match=r"P014.*'lstm_tagger'.*'tok2vec'.*replace_listeners"):
        nlp.get_pipe("lstm_tagger").rehearse(make_examples(nlp))


@pytest.mark.parametrize("architecture", ["Tagger", "CRFTagger"])
def test_behind_what_splits_tokens(architecture):
    """spaCy leaves a row too many in `doc.tensor`. No tag of any doc slides because of that."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": ENCODER})
    model = {"@architectures": f"spacy-lstm-tagger.{architecture}.v1", "tok2vec": LISTENER}
    nlp.add_pipe("lstm_tagger", config={"model": model})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    train(nlp, examples, steps=30, optimizer=Adam(0.01))
    expected = tags_of(nlp.pipe(TEXTS[:1]))
    nlp.add_pipe("token_splitter", after="tok2vec", config={"min_length": 7, "split_length": 4})
    texts = ["The quickly ate", *TEXTS, "The \n dog"]
    alone = [nlp(text) for text in texts]
    assert len(alone[0]) == 4 and len(alone[0].tensor) == 5
    assert tags_of(nlp.pipe(texts)) == tags_of(alone)
    assert tags_of(alone[1:2]) == expected
    nlp.get_pipe("lstm_tagger").cfg.update(save_probabilities=True, n_best=2)
    assert tags_of(nlp.pipe(texts)) == tags_of(alone)


@pytest.mark.parametrize("factory", ["paragraph_senter", "tag_morphologizer"])
def test_others_behind_what_splits_tokens(factory):
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": ENCODER})
    nlp.add_pipe(factory, config={"model": SPACY_TAGGER})
    examples = examples_with_pos(nlp)
    for token in (token for eg in examples for token in eg.reference):
        token.is_sent_start = token.i == 0
    nlp.initialize(lambda: examples)
    train(nlp, examples, steps=30, optimizer=Adam(0.01))
    nlp.add_pipe("token_splitter", after="tok2vec", config={"min_length": 7, "split_length": 4})
    texts = ["The quickly ate", *TEXTS]
    found = [[(t.is_sent_start, t.pos_) for t in doc] for doc in nlp.pipe(texts)]
    assert found == [[(t.is_sent_start, t.pos_) for t in nlp(text)] for text in texts]


def test_behind_what_clears_the_vectors():
    """`doc_cleaner` sets `doc.tensor` to None."""
    nlp, *_ = make_shared("tagger", SPACY_TAGGER, steps=1)
    nlp.add_pipe("doc_cleaner", before="lstm_tagger")
    with pytest.raises(ValueError, match=r"P016.*'tok2vec'"):
        nlp(TEXTS[0])


def test_behind_the_last_of_two_encoders():
    """Listening to "*" is listening to the one before."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": tok2vec_config(**{**SMALL, "width": 64})})
    wide = {**LISTENER, "width": 64}
    nlp.add_pipe("tagger", config={"model": {**SPACY_TAGGER, "tok2vec": wide}})
    nlp.add_pipe("tok2vec", name="encoder", config={"model": ENCODER})
    model = {**TAGGER, "tok2vec": {**LISTENER, "upstream": "*"}}
    pipe = nlp.add_pipe("lstm_tagger", config={"model": model})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    train(nlp, examples, steps=1, optimizer=Adam(0.01))
    assert nlp(TEXTS[0]).tensor.shape[-1] == 32
    pipe.model.get_ref("tok2vec").set_dim("nO", 16, force=True)
    with pytest.raises(ValueError, match=r"P017.*16 wide.*'encoder' are 32 wide"):
        nlp.initialize(lambda: examples)


def test_errors_behind_any_encoder():
    """Listening to "*", which is no component's name."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": ENCODER})
    model = {**TAGGER, "tok2vec": {**LISTENER, "upstream": "*"}}
    nlp.add_pipe("lstm_tagger", config={"model": model})
    nlp.initialize(lambda: make_examples(nlp))
    with pytest.raises(ValueError, match=r"P016.*'tok2vec'"):
        nlp(TEXTS[0], disable=["tok2vec"])
    with pytest.raises(ValueError, match=r"P014.*'tok2vec'"):
        nlp.get_pipe("lstm_tagger").rehearse(make_examples(nlp))
    config = nlp.config.copy()
    config["components"]["lstm_tagger"]["model"]["tok2vec"]["width"] = 48
    other = spacy.blank("en").from_config(config)
    with pytest.raises(ValueError, match=r"P017.*'tok2vec' are 32 wide"):
        other.initialize(lambda: make_examples(other))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_token_vectors_of_an_empty_doc_may_have_no_width(architecture):
    """Those of a listener of spacy-transformers have none."""
    nlp, optimizer = trained_nlp(architecture=architecture)
    model = nlp.get_pipe("lstm_tagger").model
    tok2vec = model.layers[0]

    def forward(_, docs, is_train):
        vectors, backprop = tok2vec(docs, is_train)
        return [rows if len(rows) else rows[:, :0] for rows in vectors], backprop

    model.layers[0] = Model("listener", forward, layers=[tok2vec])
    assert tags_of(nlp.pipe([TEXTS[0], ""])) == [TAGS[0], []]
    empty = Example.from_dict(nlp.make_doc(""), {})
    losses = train(nlp, [*make_examples(nlp), empty], steps=2, optimizer=optimizer)
    assert 0.0 < losses[1]["lstm_tagger"] < 10.0
