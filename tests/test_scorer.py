"""The scorer: spaCy's accuracy, and apart for lone sentences and whole texts."""

import pickle
import re

import pytest
import spacy
from spacy.pipeline.tagger import tagger_score
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.util import dict_to_dot

from spacy_lstm_tagger.scorer import make_tagger_scorer, score_tags

from .util import SENTENCES, make_examples

VOCAB = spacy.blank("en").vocab


def make_example(predicted, gold, starts=(0,)):
    words = [f"w{i}" for i in range(len(gold))]
    sent_starts = [i in starts for i in range(len(gold))] if starts else None
    reference = Doc(VOCAB, words=words, tags=gold, sent_starts=sent_starts)
    return Example(Doc(VOCAB, words=words, tags=predicted), reference)


SENTENCE = make_example(["A", "B"], ["A", "A"])
TEXT = make_example(["A", "B", "C", "D"], ["A", "B", "C", "C"], starts=(0, 2))
UNTAGGED = make_example(["A", "B"], ["", "B"])


def test_tag_acc_is_that_of_spacy():
    for examples in ([SENTENCE], [SENTENCE, TEXT, UNTAGGED], [TEXT, TEXT]):
        assert score_tags(examples)["tag_acc"] == tagger_score(examples)["tag_acc"]
    assert score_tags([SENTENCE, TEXT])["tag_acc"] == 4 / 6


def test_white_space_does_not_count():
    """Be it tagged in the reference or not, in the prediction or not."""
    words, gold = ["a", "\n", "b"], ["A", "_SP", "B"]
    for tags, expected in ((["A", "_SP", "B"], 1.0), (["A", "", "C"], 0.5)):
        for space in ("_SP", ""):
            reference = Doc(VOCAB, words=words, tags=[gold[0], space, gold[2]])
            example = Example(Doc(VOCAB, words=words, tags=tags), reference)
            assert score_tags([example])["tag_acc"] == expected
            assert score_tags([example], threshold=0.0)["tag_r"] == expected


@pytest.mark.parametrize("tag_set", ["upos", "upos+feats"])
def test_white_space_has_no_universal_tag(tag_set):
    words, pos = ["a", "\n", "b"], ["NOUN", "SPACE", "VERB"]
    reference = Doc(VOCAB, words, tags=["NOUN", "_SP", "VERB"], pos=pos, morphs=["", "", "A=B"])
    predicted = Doc(
        VOCAB, words, tags=["NOUN", "_SP", "X"], pos=["NOUN", "SPACE", "X"], morphs=[""] * 3
    )
    example = Example(predicted, reference)
    scores = score_tags([example], tag_set=tag_set)
    assert scores["pos_acc"] == scores["tag_acc"] == 0.5
    assert scores.get("morph_acc") == (0.5 if tag_set == "upos+feats" else None)
    assert not {"pos_acc", "morph_acc"} & set(score_tags([example]))


def test_parts():
    scores = score_tags(iter([SENTENCE, TEXT, UNTAGGED]))
    assert scores["tag_acc_sents"] == 2 / 3  # the token without a gold tag does not count
    assert scores["tag_acc_docs"] == 3 / 4


def test_no_parts_where_all_docs_are_alike():
    for examples in ([SENTENCE, UNTAGGED], [TEXT, TEXT], []):
        assert not {"tag_acc_sents", "tag_acc_docs"} & set(score_tags(examples))


def test_docs_without_sentences_are_lone_sentences():
    bare = make_example(["A", "A"], ["A", "A"], starts=None)
    assert score_tags([bare, TEXT])["tag_acc_sents"] == 1.0


def test_no_gold_tags():
    scores = score_tags([make_example(["A"], [""])])
    assert scores["tag_acc"] is scores["tag_macro_f"] is scores["tag_per_type"] is None


def test_an_abstaining_tagger():
    partly = make_example(["A", "", "B", ""], ["A", "B", "A", ""])
    scores = score_tags([partly], threshold=0.5)
    assert scores["tag_p"] == 1 / 2 and scores["tag_r"] == 1 / 3
    assert scores["tag_coverage"] == 2 / 3
    p, r = scores["tag_p"], scores["tag_r"]
    assert scores["tag_f"] == pytest.approx(2 * p * r / (p + r))
    assert scores["tag_f05"] == pytest.approx(1.25 * p * r / (0.25 * p + r))
    assert scores["tag_acc"] == tagger_score([partly])["tag_acc"]


def test_a_word_of_two_tokens_is_one_word_with_a_tag():
    reference = Doc(VOCAB, words=["ab", "c"], tags=["A", "B"])
    predicted = Doc(VOCAB, words=["a", "b", "c"], spaces=[False, True, False], tags=["A", "B", "B"])
    scores = score_tags([Example(predicted, reference)], threshold=0.5)
    assert (scores["tag_p"], scores["tag_r"], scores["tag_coverage"]) == (2 / 3, 1.0, 1.0)


def test_scores_of_a_tagger_that_never_abstains():
    scores = score_tags([SENTENCE, TEXT], threshold=0.0)
    assert scores["tag_p"] == scores["tag_r"] == scores["tag_f"] == scores["tag_acc"]
    assert scores["tag_coverage"] == 1.0


def test_a_tagger_without_a_single_tag():
    scores = score_tags([make_example(["", ""], ["A", "B"])], threshold=1.0)
    assert scores["tag_f"] == scores["tag_p"] == scores["tag_coverage"] == 0.0
    assert score_tags([make_example([""], [""])], threshold=1.0)["tag_f"] is None


def test_find_threshold(trained, spacy_command, tmp_path):
    """`spacy find-threshold` finds where guesses are so unsure that they had better be left out."""
    trained.to_disk(tmp_path / "model")
    golds = [eg.reference for eg in make_examples(trained, [*SENTENCES, ("zog ate", "NN ODD")])]
    DocBin(docs=golds).to_disk(tmp_path / "dev.spacy")
    printed = spacy_command(
        "find-threshold",
        tmp_path / "model",
        tmp_path / "dev.spacy",
        "lstm_tagger",
        "threshold",
        "tag_f",
        "--n_trials",
        5,
    )
    assert "Best threshold" in printed and "0.75" in printed


def test_pipe_uses_it(trained):
    words = ["The", "dog", "slept"]
    examples = []
    for starts in ([True, False, False], [True, True, False]):
        gold = Doc(trained.vocab, words=words, tags=["DET", "NN", "V"], sent_starts=starts)
        examples.append(Example(Doc(trained.vocab, words=words), gold))
    scores = trained.evaluate(examples)
    assert {"tag_acc", "tag_acc_sents", "tag_acc_docs"} <= set(scores)


def test_without_the_scores_of_each_tag():
    """Then all names are such as MLflow takes, also where tags are punctuation marks."""
    nlp = spacy.blank("en")
    scorer = {"@scorers": "spacy-lstm-tagger.TaggerScorer.v1", "per_type": False}
    nlp.add_pipe("lstm_tagger", config={"scorer": scorer})
    example = make_example(["PRP$", ","], ["PRP$", ","])
    all_of_them = score_tags([example])
    scores = pickle.loads(pickle.dumps(nlp.get_pipe("lstm_tagger"))).score([example])
    assert {**all_of_them, "tag_per_type": None} == scores
    names = set(dict_to_dot(scores))
    assert all(re.fullmatch(r"[\w\-. :/]+", name) for name in names)
    assert "tag_per_type.PRP$.f" in set(dict_to_dot(all_of_them)) - names


def test_an_option_that_is_not_allowed():
    with pytest.raises(ValueError, match=r"per_type.*'no'.*true or false"):
        make_tagger_scorer(per_type="no")


def test_docs_of_several_vocabularies():
    other = spacy.blank("en").vocab
    reference = Doc(other, words=["a"], tags=["ONLY-THERE"])
    example = Example(Doc(VOCAB, words=["a"], tags=["ONLY-HERE"]), reference)
    assert set(score_tags([SENTENCE, example])["tag_per_type"]) == {
        "A",
        "B",
        "ONLY-HERE",
        "ONLY-THERE",
    }


def test_what_leaves_the_tag_open_is_no_tag():
    """A set of tags, or one that a word has not. What names other tags is a wrong one."""
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("lstm_tagger", config={"tag_separator": "|"})
    for label in ("A", "B"):
        pipe.add_label(label)
    example = make_example(["A", "B", "A", "A"], ["A", "A|B", "!B", "A|C"])
    scores = pipe.score([example])
    assert scores["tag_acc"] == 0.5 and scores["tag_whole_sents"] == 0.0
    assert set(scores["tag_per_type"]) == {"A", "A|C"}
    assert score_tags([example])["tag_acc"] == 0.25
