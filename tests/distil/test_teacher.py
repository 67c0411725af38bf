"""Teachers, alone and together: tags, probabilities, and what does not fit."""

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from spacy_lstm_tagger.distil.shards import to_bytes
from spacy_lstm_tagger.distil.teacher import Teacher, Teachers, check_labels
from spacy_lstm_tagger.files.texts import Text
from spacy_lstm_tagger.pipeline.soft_targets import is_corrected
from spacy_lstm_tagger.probabilities import TagProbabilities
from spacy_lstm_tagger.taggers import digest_of

from ..util import (
    SENTENCES,
    make_examples,
    merge_first,
    small_model,
    tags_of,
    train,
    trained_nlp,
)
from . import TEXTS, shared_teacher, stock_teacher

TOK2VEC = {"@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 16}
TOK2VEC |= {"depth": 1, "embed_size": 100, "window_size": 1, "maxout_pieces": 2}
TOK2VEC |= {"subword_features": True}
MODELS = {
    "ours": None,
    "stock": {"@architectures": "spacy.Tagger.v2", "tok2vec": TOK2VEC, "normalize": False},
    "normalized": {"@architectures": "spacy.Tagger.v2", "tok2vec": TOK2VEC, "normalize": True},
}


def text(string):
    return Text(string, [], [], len(string))


@Language.component("no_labels", assigns=["token.tag"])
def no_labels(doc):
    return doc


@Language.factory("tags_alone", assigns=["token.tag"])
class TagsAlone:
    """A tagger that is none of spaCy's."""

    labels = ("DET", "ADJ", "ADV", "NN", "PRP", "V")

    def __init__(self, nlp, name):
        pass

    def __call__(self, doc):
        for token in doc:
            token.tag_ = "NN"
        return doc


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """Two teachers of ours on disk."""
    folder = tmp_path_factory.mktemp("teachers")
    for seed in (0, 1):
        stock_teacher(seed, factory="lstm_tagger").to_disk(folder / str(seed))
    return [str(folder / "0"), str(folder / "1")]


@pytest.mark.parametrize("kind", [*MODELS, "listener"])
def test_tags_and_probabilities_are_the_pipeline_s(tmp_path, kind):
    nlp = shared_teacher() if kind == "listener" else stock_teacher(model=MODELS[kind])
    nlp.to_disk(tmp_path)
    teachers = Teachers([str(tmp_path)], top_k=2)
    docs = teachers.label(map(text, TEXTS))
    if kind == "listener":
        nlp.remove_pipe("fails_behind_the_tagger")
    expected = [[t.tag_ if not t.is_space else "" for t in doc] for doc in nlp.pipe(TEXTS)]
    assert tags_of(docs) == expected
    for doc in docs:
        scores = TagProbabilities.from_doc(doc)
        assert scores.tags.shape == (len(doc), 2)
        assert scores.probabilities.dtype == np.float16
        for token, tags, values in zip(doc, scores.tags, scores.probabilities, strict=True):
            assert values[0] >= values[1] and (values.sum() <= 1.01 or token.is_space)
            assert token.is_space or scores.labels[tags[0]] == token.tag_
    # As sure as the pipeline is, too.
    teacher = Teacher(str(tmp_path))
    copies = [Doc(teacher.nlp.vocab, words=[t.text for t in doc]) for doc in docs]
    full = teacher.label(copies)
    assert_allclose(full.sum(axis=1), 1.0, atol=1e-4)
    top = np.concatenate([TagProbabilities.from_doc(doc).probabilities[:, 0] for doc in docs])
    words = np.array([not token.is_space for doc in docs for token in doc])
    assert_allclose(full.max(axis=1)[words], top[words], atol=1e-3)


def test_components_before_the_tagger_teach_too(tmp_path):
    """The first teacher's `pos_` and `morph` come along, but for white space."""
    nlp = spacy.blank("en")
    nlp.add_pipe("morphologizer")
    nlp.add_pipe("tagger", config={"model": small_model()})
    examples = make_examples(nlp)
    for token in (token for example in examples for token in example.reference):
        token.pos_ = "NOUN" if token.tag_ == "NN" else "X"
        token.set_morph("Number=Sing" if token.tag_ == "NN" else "")
    train(nlp, examples, steps=20, optimizer=nlp.initialize(lambda: examples))
    nlp.to_disk(tmp_path / "first")
    stock_teacher().to_disk(tmp_path / "second")
    teachers = Teachers([str(tmp_path / name) for name in ("first", "second")])
    (doc,) = teachers.label([text("the dog\nsleeps")])
    expected = nlp(doc.text)
    found = [(token.pos_, str(token.morph)) for token in doc if not token.is_space]
    assert found == [(t.pos_, str(t.morph)) for t in expected if not t.is_space]
    assert any(morph for _, morph in found)
    assert not doc[2].pos and not doc[2].morph and not doc[2].tag


def test_universal_tags_say_what_is_in_pos_and_morph(tmp_path):
    """Those that the teachers have together, not the first one's own."""
    said = {"DET": "DET|PronType=Art", "NN": "NOUN", "V": "VERB", "PRP": "PRON|Case=Nom"}
    sentences = [(each, " ".join(said.get(t, t) for t in tags.split())) for each, tags in SENTENCES]
    options = {"factory": "lstm_tagger", "sentences": sentences, "tag_set": "upos+feats"}
    for steps, name in enumerate("ab"):
        stock_teacher(steps=5 * steps, **options).to_disk(tmp_path / name)
    folders = [str(tmp_path / name) for name in "ab"]
    alone, both = (Teachers(each).label([text(TEXTS[0])]) for each in (folders[:1], folders))
    assert tags_of(alone) != tags_of(both)
    for token in both[0]:
        assert "|".join(filter(None, [token.pos_, str(token.morph)])) == token.tag_


def test_several_teachers_are_averaged(ours):
    docs = Teachers(ours, top_k=6).label(map(text, TEXTS))
    single = [Teachers([source], top_k=6).label(map(text, TEXTS)) for source in ours]
    for doc, one, two in zip(docs, *single, strict=True):
        dense = [TagProbabilities.from_doc(d).dense(Teachers(ours).labels) for d in (doc, one, two)]
        assert_allclose(dense[0], (dense[1] + dense[2]) / 2, atol=2e-3)
        best = TagProbabilities.from_doc(doc)
        for token, tags in zip(doc, best.tags, strict=True):
            assert token.tag_ == ("" if token.is_space else best.labels[tags[0]])


def test_weights(ours):
    docs = Teachers(ours, weights=[3, 1], top_k=6).label(map(text, TEXTS))
    single = [Teachers([source], top_k=6).label(map(text, TEXTS)) for source in ours]
    for doc, one, two in zip(docs, *single, strict=True):
        dense = [TagProbabilities.from_doc(d).dense(Teachers(ours).labels) for d in (doc, one, two)]
        assert_allclose(dense[0], (3 * dense[1] + dense[2]) / 4, atol=2e-3)


@pytest.mark.parametrize(
    "weights", [[1], [1, 0], [1, -1], [1, float("nan")], [1, float("inf")], [1, 2e6], [1, 5e-7]]
)
def test_weights_that_are_none(ours, weights):
    assert Teachers(ours, weights=[1e-6, 1e6]).weights == (1e-6, 1e6)
    with pytest.raises(ValueError, match=r"D019.*of 2 teacher"):
        Teachers(ours, weights=weights)


def test_other_tags_of_other_teachers(ours, tmp_path):
    """Of a teacher of two tags, one of which the first teacher has, that one counts."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger", config={"model": small_model()})
    (example,) = make_examples(nlp)[:1]
    for i, token in enumerate(example.reference):
        token.tag_ = "NN" if i % 2 else "OTHER"
    nlp.initialize(lambda: [example])
    nlp.to_disk(tmp_path)
    with pytest.raises(ValueError, match=r"D005.*--other-tags"):
        Teachers([ours[0], str(tmp_path)])
    teachers = Teachers([ours[0], str(tmp_path)], other_tags=True, top_k=6)
    words = [Text(None, ["The", "dog", "slept"], [True, True, False], 3.0)]
    mixed, first = (
        TagProbabilities.from_doc(t.label(words)[0]).dense(teachers.labels)
        for t in (teachers, Teachers(ours[:1], top_k=6))
    )
    other = Teacher(str(tmp_path))
    scores = other.label([Doc(other.nlp.vocab, words=words[0].words)])
    expected = first.copy()
    expected[:, teachers.labels.index("NN")] += scores[:, other.labels.index("NN")]
    assert_allclose(mixed, expected / expected.sum(axis=1, keepdims=True), atol=2e-3)


def test_order_of_tags_does_not_matter(ours, tmp_path):
    nlp = spacy.load(ours[0])
    swapped = spacy.load(ours[0])
    pipe = swapped.get_pipe("lstm_tagger")
    pipe.cfg["labels"] = list(reversed(pipe.labels))
    output = pipe.model.get_ref("output_layer")
    for name in ("W", "b"):
        output.set_param(name, output.get_param(name)[::-1].copy())
    swapped.to_disk(tmp_path)
    docs = Teachers([ours[0], str(tmp_path)], top_k=0).label(map(text, TEXTS))
    assert tags_of(docs) == [
        [t.tag_ if not t.is_space else "" for t in doc] for doc in nlp.pipe(TEXTS)
    ]


def test_without_probabilities(ours):
    docs = Teachers(ours[:1], top_k=0).label([text(TEXTS[0])])
    assert TagProbabilities.from_doc(docs[0]) is None
    assert all(token.tag_ for token in docs[0])


def test_tags_of_a_crf_are_its_most_probable_ones(tmp_path):
    """Those of its best sequence may be others, and would look as if they had been corrected."""
    nlp, _ = trained_nlp(steps=0, architecture="CRFTagger")
    crf = nlp.get_pipe("lstm_tagger").model.get_ref("crf")
    rng = np.random.default_rng(1)
    crf.set_param("transitions", rng.normal(0, 2, crf.get_param("transitions").shape).astype("f4"))
    nlp.to_disk(tmp_path)
    words = [each.split() for each in TEXTS]
    texts = [Text(None, each, [True] * len(each), 1.0) for each in words]
    docs = Teachers([str(tmp_path)]).label(texts)
    best = [[token.tag_ for token in nlp(Doc(nlp.vocab, words=each))] for each in words]
    assert tags_of(docs) != best
    for doc in docs:
        assert not is_corrected(doc, TagProbabilities.from_doc(doc)).any()


def test_white_space_and_empty_texts(ours):
    docs = Teachers(ours[:1]).label(map(text, ["", " \n ", "\n\nThe dog  slept \n"]))
    (doc,) = docs
    assert doc.text == "\n\nThe dog  slept \n"
    scores = TagProbabilities.from_doc(doc)
    for token, values in zip(doc, scores.probabilities, strict=True):
        assert bool(token.tag_) != token.is_space
        assert (values.sum() > 0) != token.is_space
    assert Teachers(ours[:1]).label([text("")]) == []


def test_long_texts_are_cut_between_sentences(ours):
    teachers = Teachers(ours[:1], max_words=10)
    docs = teachers.label([text("The dog slept . " * 5)])
    assert [len(doc) for doc in docs] == [8, 8, 4]
    assert all(doc[0].is_sent_start for doc in docs)
    assert [sum(t.is_sent_start for t in doc) for doc in docs] == [2, 2, 1]
    endless = teachers.label([text("dog " * 25)])
    assert [len(doc) for doc in endless] == [10, 10, 5]


def test_longer_than_a_parser_takes(ours):
    """`nlp.max_length` bounds a text of `nlp(text)`."""
    teachers = Teachers(ours[:1])
    teachers.members[0].nlp.max_length = 10
    docs = teachers.label([text("The dog slept . " * 5)])
    assert sum(map(len, docs)) == 20


def test_tokens_that_are_given(ours):
    given = Text(None, ["don't", "read", "!"], [True, False, False], 1.0)
    (doc,) = Teachers(ours[:1]).label([given])
    assert [token.text for token in doc] == ["don't", "read", "!"]
    assert doc.text == "don't read!"


def test_tags_alone(ours, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("tags_alone")
    nlp.to_disk(tmp_path)
    (doc,) = Teachers([str(tmp_path)]).label([text(TEXTS[1])])
    assert tags_of([doc]) == [["NN", "NN", "", "NN", "NN"]]
    assert TagProbabilities.from_doc(doc) is None
    with pytest.raises(ValueError, match=r"D006.*cannot be averaged"):
        Teachers([ours[0], str(tmp_path)])


def test_tag_set_that_is_not_known(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("no_labels")
    nlp.to_disk(tmp_path)
    with pytest.raises(ValueError, match=r"D004.*'no_labels'"):
        Teacher(str(tmp_path))


def test_a_teacher_that_changes_tokens(tmp_path, ours):
    """Its tags would be those of other words."""
    nlp = stock_teacher()
    nlp.add_pipe(merge_first.__name__, first=True)
    nlp.to_disk(tmp_path)
    for sources in ([str(tmp_path)], [ours[0], str(tmp_path)]):
        teachers = Teachers(sources)
        with pytest.raises(ValueError, match=rf"C029.*{tmp_path.name}: \d+ tokens became \d+"):
            teachers.label(map(text, TEXTS))


def test_not_exactly_one_tagger(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("morphologizer")
    nlp.to_disk(tmp_path / "none")
    with pytest.raises(ValueError, match=r"D003.*found: none"):
        Teacher(str(tmp_path / "none"))
    nlp = stock_teacher()
    nlp.add_pipe("lstm_tagger", source=stock_teacher(factory="lstm_tagger"))
    nlp.to_disk(tmp_path / "two")
    with pytest.raises(ValueError, match=r"D003.*found: tagger, lstm_tagger"):
        Teacher(str(tmp_path / "two"))


def test_labels_that_are_not_shared(ours):
    teacher = Teacher(ours[0])
    check_labels(teacher, tuple(reversed(teacher.labels)), whose="the student")
    more = [*teacher.labels[1:], "XYZ"]
    pattern = f"D005.*student.*only the first has {teacher.labels[0]};.*only the second has XYZ"
    with pytest.raises(ValueError, match=pattern):
        check_labels(teacher, more, whose="the student")


def test_digest_tells_teachers_apart(ours, tmp_path):
    digests = {digest_of(Teacher(source).nlp) for source in ours}
    assert len(digests) == 2
    spacy.load(ours[0]).to_disk(tmp_path)
    assert digest_of(Teacher(ours[0]).nlp) in digests


def test_the_tag_of_white_space_is_no_label(tmp_path):
    """spaCy's own taggers learn it; ours have it by rule, so a student lacks it."""
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger", config={"model": MODELS["stock"]})
    words, tags = ["The", "dog", "\n", "slept"], ["DET", "NN", "_SP", "V"]
    gold = Doc(nlp.vocab, words=words, tags=tags)
    nlp.initialize(lambda: [spacy.training.Example(Doc(nlp.vocab, words=words), gold)])
    nlp.to_disk(tmp_path / "spaces")
    teachers = Teachers([str(tmp_path / "spaces")])
    assert "_SP" in nlp.get_pipe("tagger").labels
    assert teachers.labels == ("DET", "NN", "V")
    check_labels(teachers.members[0], ["V", "NN", "DET"], whose="the student")
    (doc,) = teachers.label([text("The dog\n slept")])
    kept = TagProbabilities.from_doc(doc)
    assert kept.labels == teachers.labels
    assert [total > 0 for total in kept.dense().sum(axis=1)] == [not t.is_space for t in doc]
    assert [token.tag_ for token in doc if token.is_space] == [""]
    assert "_SP" not in {token.tag_ for token in doc}


def strings_of(teachers):
    return [len(teacher.nlp.vocab.strings) for teacher in teachers.members]


def test_memory_does_not_grow_with_new_words(ours, monkeypatch):
    """Labels are the same as without the limit."""
    sources = [ours[0], ours[0]]
    texts = [text(f"The word{i} sleeps in the town{i}.") for i in range(60)]
    kept = Teachers(sources).apply(texts, to_bytes)
    monkeypatch.setattr("spacy_lstm_tagger.memory.WORDS", 10)
    teachers = Teachers(sources)
    sizes = [strings_of(teachers)]
    parts = [texts[:20], texts[20:40], texts[40:]]
    found = []
    for part in parts:
        found += DocBin().from_bytes(teachers.apply(part, to_bytes)).get_docs(Vocab())
        sizes.append(strings_of(teachers))
    assert sizes[0] != sizes[1] == sizes[2] == sizes[3]
    expected = list(DocBin().from_bytes(kept).get_docs(Vocab()))
    assert [doc.text for doc in found] == [doc.text for doc in expected]
    assert tags_of(found) == tags_of(expected)


def test_a_teacher_that_abstains_gives_no_tag(ours, tmp_path):
    nlp = spacy.load(ours[0])
    nlp.get_pipe("lstm_tagger").cfg["threshold"] = 1.0
    nlp.to_disk(tmp_path)
    (doc,) = Teachers([str(tmp_path)]).label([text("The dog slept")])
    assert tags_of([doc]) == [["", "", ""]]
    assert TagProbabilities.from_doc(doc).probabilities.any()
    (doc,) = Teachers([str(tmp_path), ours[1]]).label([text("The dog slept")])
    assert all(tags_of([doc])[0])  # of two it is the mean that tells


@Language.factory("takes_words_for_white_space", assigns=["token.tag"])
class TakesWordsForWhiteSpace(TagsAlone):
    """As spaCy's own taggers may, which learn that tag."""

    labels = ("NN", "_SP")

    def __call__(self, doc):
        for token in doc:
            token.tag_ = "_SP" if token.text == "odd" else "NN"
        return doc


def test_a_word_has_no_tag_of_white_space(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("takes_words_for_white_space")
    nlp.to_disk(tmp_path)
    (doc,) = Teachers([str(tmp_path)]).label([text("an odd word")])
    assert tags_of([doc]) == [["NN", "", "NN"]]


def test_a_part_may_have_as_many_words_as_are_allowed(ours):
    docs = Teachers(ours[:1], max_words=8).label([text("The dog slept . " * 5)])
    assert [len(doc) for doc in docs] == [8, 8, 4]


def test_each_part_starts_a_sentence(ours):
    docs = Teachers(ours[:1], max_words=10).label([text("dog " * 25)])
    assert [doc.to_array("SENT_START")[0] for doc in docs] == [1, 1, 1]
