"""What is left out is not saved; what cannot be loaded changes nothing, the vocabulary included."""

import numpy as np
import pytest
import spacy
import srsly

from ..util import TEXTS, make_examples, small_model, tags_of, train


def make_tagger(width, seed):
    """RETURNS (Language): A tagger with vectors of its own, 5 wide."""
    nlp = spacy.blank("en")
    random = np.random.default_rng(seed)
    for word in sorted({word for text in TEXTS for word in text.split()}):
        nlp.vocab.set_vector(word, random.normal(size=5).astype("f"))
    model = small_model(width=width, include_static_vectors=True)
    pipe = nlp.add_pipe("lstm_tagger", config={"model": model, "save_probabilities": True})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    train(nlp, examples, steps=3, optimizer=nlp.create_optimizer())
    return nlp, pipe


@pytest.mark.parametrize(
    ("exclude", "expected"),
    [
        ([], {"cfg", "model", "checksum", "vocab"}),
        (["vocab"], {"cfg", "model", "checksum"}),
        (["model", "vocab"], {"cfg"}),
        (["cfg"], {"model", "checksum", "vocab"}),
    ],
)
def test_what_is_left_out_is_not_saved(tmp_path, exclude, expected):
    pipe = spacy.blank("en").add_pipe("lstm_tagger", config={"model": small_model()})
    pipe.to_disk(tmp_path, exclude=iter(exclude))
    assert {path.name for path in tmp_path.iterdir()} == expected
    assert srsly.msgpack_loads(pipe.to_bytes(exclude=iter(exclude))).keys() == expected


def probabilities(nlp):
    return [token._.tag_confidence for doc in nlp.pipe(TEXTS) for token in doc]


@pytest.mark.parametrize("how", ["bytes", "disk"])
def test_vectors_stay_where_the_model_does_not_fit(tmp_path, how):
    nlp, pipe = make_tagger(32, seed=0)
    _, other = make_tagger(16, seed=1)
    vectors = nlp.vocab.vectors.data.copy()
    expected = probabilities(nlp)
    other.to_disk(tmp_path / "other")
    with pytest.raises(ValueError, match=r"L003.*L002"):
        if how == "bytes":
            pipe.from_bytes(other.to_bytes())
        else:
            pipe.from_disk(tmp_path / "other")
    assert np.array_equal(nlp.vocab.vectors.data, vectors)
    assert probabilities(nlp) == expected


@pytest.mark.parametrize("how", ["bytes", "disk"])
def test_vectors_come_with_a_model_that_fits(tmp_path, how):
    nlp, pipe = make_tagger(32, seed=0)
    original, other = make_tagger(32, seed=1)
    other.to_disk(tmp_path / "other")
    if how == "bytes":
        pipe.from_bytes(other.to_bytes())
    else:
        pipe.from_disk(tmp_path / "other")
    assert np.array_equal(nlp.vocab.vectors.data, original.vocab.vectors.data)
    assert tags_of(nlp.pipe(TEXTS)) == tags_of(original.pipe(TEXTS))
