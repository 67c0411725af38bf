"""A pipeline whose tokenizer does not find the words that it learns to tag is warned of."""

import warnings

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from ..util import CONFIGS, SMALL_SETTINGS, overrides, small_model

WORDS = ["我", "爱", "北京", "，", "你", "爱", "上海", "。"]
SPLIT_AT_SPACES = {"nlp": {"tokenizer": {"@tokenizers": "spacy.Tokenizer.v1"}}}


def initialize(lang, config, *, words=WORDS, space=False):
    """RETURNS (Language): A pipeline that is initialized with a text of these words."""
    nlp = spacy.blank(lang, config=config)
    nlp.add_pipe("lstm_tagger", config={"model": small_model()})
    doc = Doc(nlp.vocab, words=words, spaces=[space] * len(words), tags=["X"] * len(words))
    nlp.initialize(lambda: [Example(nlp.make_doc(doc.text), doc)])
    return nlp


def test_chinese_that_is_split_at_spaces():
    with pytest.warns(UserWarning, match=r"LW008.* 12% .*@tokenizers spacy\.zh\.ChineseTokenizer"):
        initialize("zh", SPLIT_AT_SPACES)


def test_white_space_is_no_word_that_was_found():
    with pytest.warns(UserWarning, match=r"LW008.* 33% "):
        initialize("zh", SPLIT_AT_SPACES, words=["我", "爱", "\n", "你", "\n"])


@pytest.mark.parametrize(
    ("lang", "config", "space"),
    [("zh", {}, False), ("zh", SPLIT_AT_SPACES, True), ("ko", SPLIT_AT_SPACES, True)],
    ids=["its own tokenizer", "words that others have split", "words with spaces"],
)
@pytest.mark.filterwarnings("error")
def test_words_that_are_found(lang, config, space):
    initialize(lang, config, space=space)


@pytest.mark.filterwarnings("error")
def test_a_language_for_which_there_is_nothing_else():
    initialize("en", {})
    initialize("xx", {})


def test_the_remedy_splits_raw_text(spacy_command, tmp_path):
    """What the warning says to set is enough, also to train on."""
    rows = "".join(
        f"{i}\t{word}\t_\tX\tX\t_\t_\t_\t_\tSpaceAfter=No\n" for i, word in enumerate(WORDS, 1)
    )
    corpus = tmp_path / "train.conllu"
    corpus.write_text((rows + "\n") * 20, encoding="utf-8")
    values = {"paths.train": corpus, "paths.dev": corpus, "nlp.lang": "zh"}
    values |= {"training.max_steps": 2, "training.eval_frequency": 2}
    own = {"nlp.tokenizer.@tokenizers": "spacy.zh.ChineseTokenizer"}
    train = ["train", CONFIGS / "cpu.cfg", "--output", tmp_path / "first"]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        spacy_command(*train, *overrides(values | SMALL_SETTINGS | own))
    source = tmp_path / "first" / "model-last"
    values |= {"paths.source": source, "paths.old": corpus}
    train = ["train", CONFIGS / "continue.cfg", "--output", tmp_path / "second"]
    spacy_command(*train, *overrides(values | own))
    doc = spacy.load(tmp_path / "second" / "model-last")("我爱北京。")
    assert [token.text for token in doc] == list("我爱北京。")
    assert {token.tag_ for token in doc} == {"X"}
