"""A trained tagger in the pipeline of somebody else, and one that is trained on."""

import pytest
import spacy
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc, DocBin
from spacy.util import load_config
from thinc.api import Config

import spacy_lstm_tagger.cli  # noqa: F401 (adds its commands to those of spaCy)

from .docs import PAGES, blocks
from .util import (
    CONFIGS,
    SENTENCES,
    SMALL_HALVES,
    SMALL_SETTINGS,
    TAGS,
    TEXTS,
    make_examples,
    overrides,
    small_model,
    tags_of,
    trained_nlp,
    write_conllu,
)


@pytest.fixture
def theirs(tmp_path):
    """The path of a pipeline as `en_core_web_sm` is one: a tagger, and rules that read its tags."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    rules = nlp.add_pipe("attribute_ruler")
    examples = make_examples(nlp, [(text, "NN " * len(text.split())) for text in TEXTS])
    nlp.initialize(lambda: examples)
    rules.add([[{"TAG": "NN"}]], {"POS": "NOUN"})
    rules.add([[{"TAG": "V"}]], {"POS": "VERB"})
    nlp.to_disk(tmp_path / "theirs")
    return tmp_path / "theirs"


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """The path of a trained tagger of ours."""
    path = tmp_path_factory.mktemp("ours")
    trained_nlp(steps=40)[0].to_disk(path)
    return path


def test_in_the_place_of_another_tagger(theirs, ours, tmp_path):
    nlp = spacy.load(theirs, exclude=["tagger"])
    nlp.add_pipe("lstm_tagger", source=spacy.load(ours), before="attribute_ruler")
    nlp.to_disk(tmp_path / "both")
    for both in (nlp, spacy.load(tmp_path / "both")):
        assert both.pipe_names == ["lstm_tagger", "attribute_ruler"]
        assert tags_of(both.pipe(TEXTS)) == TAGS
        # What reads the tags has ours.
        doc = both(TEXTS[0])
        assert [token.pos_ for token in doc] == ["", "NOUN", "VERB", "", "NOUN"]


def test_behind_another_tagger_it_takes_over_if_it_is_told_to(theirs, ours):
    nlp = spacy.load(theirs)
    nlp.add_pipe("lstm_tagger", source=spacy.load(ours))
    assert {tag for tags in tags_of(nlp.pipe(TEXTS)) for tag in tags} == {"NN"}
    nlp.get_pipe("lstm_tagger").cfg["overwrite"] = True
    assert tags_of(nlp.pipe(TEXTS)) == TAGS


def test_a_frozen_tagger_annotates_for_what_is_trained(ours, tmp_path, spacy_command):
    """Another component is trained on its tags, and it stays as it is."""
    docs = DocBin()
    for example in make_examples(spacy.blank("en")):
        for token in example.reference:
            token.pos_ = "NOUN" if token.tag_ == "NN" else "X"
        docs.add(example.reference)
    docs.to_disk(tmp_path / "train.spacy")
    spacy_command("init", "config", tmp_path / "config.cfg", "-p", "morphologizer")
    config = Config().from_disk(tmp_path / "config.cfg", interpolate=False)
    config["nlp"]["pipeline"] = ["lstm_tagger", *config["nlp"]["pipeline"]]
    config["components"]["lstm_tagger"] = {"source": str(ours), "component": "lstm_tagger"}
    frozen = {"frozen_components": ["lstm_tagger"], "annotating_components": ["lstm_tagger"]}
    config["training"] |= {**frozen, "max_steps": 2, "eval_frequency": 2}
    config.to_disk(tmp_path / "config.cfg")
    paths = overrides(
        {"paths.train": tmp_path / "train.spacy", "paths.dev": tmp_path / "train.spacy"}
    )
    spacy_command("train", tmp_path / "config.cfg", "--output", tmp_path / "output", *paths)
    nlp = spacy.load(tmp_path / "output" / "model-last")
    assert nlp.pipe_names == ["lstm_tagger", "tok2vec", "morphologizer"]
    assert tags_of(nlp.pipe(TEXTS)) == TAGS


def test_one_that_shares_its_encoder_comes_with_a_copy_of_it(tmp_path, spacy_command):
    """In a config; `test_shared.py` has the same in Python."""
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32, "upstream": "tok2vec"}
    model = {"@architectures": "spacy-lstm-tagger.Tagger.v1", "tok2vec": listener}
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": small_model()["tok2vec"]})
    nlp.add_pipe("lstm_tagger", config={"model": model})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    nlp.to_disk(tmp_path / "shared")
    block = {"source": str(tmp_path / "shared"), "replace_listeners": ["model.tok2vec"]}
    other = {"nlp": {"lang": "en", "pipeline": ["lstm_tagger"]}}
    Config({**other, "components": {"lstm_tagger": block}}).to_disk(tmp_path / "part.cfg")
    spacy_command("init", "fill-config", tmp_path / "part.cfg", tmp_path / "full.cfg")
    spacy_command("assemble", tmp_path / "full.cfg", tmp_path / "other")
    assert tags_of(spacy.load(tmp_path / "other").pipe(TEXTS)) == tags_of(nlp.pipe(TEXTS))


def test_another_tokenizer(ours):
    """The tagger reads tokens, whatever made them."""
    nlp = spacy.load(ours)
    nlp.tokenizer = Tokenizer(nlp.vocab)  # splits at white space alone
    assert [token.text for token in nlp("I slept.")] == ["I", "slept."]
    assert tags_of(nlp.pipe(TEXTS)) == TAGS
    doc = Doc(nlp.vocab, words=TEXTS[0].split())
    assert [token.tag_ for token in nlp(doc)] == TAGS[0]


def test_a_source_on_the_command_line_is_spacy_s_error(ours, tmp_path, spacy_command):
    """The page says what to do instead: write it into the config."""
    source = ["--components.lstm_tagger.source", ours]
    with pytest.raises(AssertionError, match="source"):
        spacy_command("train", CONFIGS / "cpu.cfg", "--output", tmp_path, *source)


@pytest.fixture(scope="module")
def conllu(tmp_path_factory):
    """Two treebanks: what the tagger is trained with at first, and what is new."""
    folder = tmp_path_factory.mktemp("conllu")
    new = [("The dog barked wow", "DET NN V UH"), ("wow I slept", "UH PRP V")]

    def write(name, sentences):
        rows = [zip(text.split(), tags.split(), strict=True) for text, tags in sentences * 4]
        return write_conllu(folder / name, rows)

    return write("old.conllu", SENTENCES), write("new.conllu", new)


def short(rate):
    """RETURNS (dict): The values of a short training with a high rate."""
    steps = {"training.max_steps": 50, "training.eval_frequency": 50}
    schedule = {"warmup_steps": 5, "total_steps": 50, "initial_rate": rate}
    return steps | {f"training.optimizer.learn_rate.{k}": v for k, v in schedule.items()}


@pytest.fixture(scope="module")
def source(tmp_path_factory, conllu, spacy_command):
    """The path of a tagger that is trained on the first of them."""
    folder = tmp_path_factory.mktemp("source")
    paths = {"paths.train": conllu[0], "paths.dev": conllu[0]}
    arguments = overrides({**paths, **short(0.02), **SMALL_SETTINGS})
    spacy_command("train", CONFIGS / "cpu.cfg", "--output", folder, *arguments)
    assert tags_of(spacy.load(folder / "model-last").pipe(TEXTS)) == TAGS
    return folder / "model-last"


@pytest.mark.parametrize("remembers", ["treebank", "tagged texts"])
def test_continue(source, conllu, tmp_path, spacy_command, remembers):
    """It learns a new tag, and what it has known it still knows."""
    old, new = conllu
    if remembers == "tagged texts":
        (tmp_path / "texts.txt").write_text("\n".join(TEXTS * 4) + "\n")
        old = tmp_path / "tagged"
        texts = tmp_path / "texts.txt"
        spacy_command("lstm-tagger", "label", source, "--texts", texts, "--output", old)
    paths = {"paths.source": source, "paths.old": old, "paths.train": new, "paths.dev": new}
    arguments = overrides({**paths, **short(0.01)})
    spacy_command("train", CONFIGS / "continue.cfg", "--output", tmp_path / "on", *arguments)
    nlp = spacy.load(tmp_path / "on" / "model-last")
    assert nlp.get_pipe("lstm_tagger").labels == ("ADJ", "ADV", "DET", "NN", "PRP", "V", "UH")
    assert nlp.pipe_names == ["lstm_tagger"]
    assert tags_of(nlp.pipe(["The dog barked wow"])) == [["DET", "NN", "V", "UH"]]
    assert tags_of(nlp.pipe(TEXTS)) == TAGS


def test_continue_beside_other_components(theirs, source, conllu, tmp_path, spacy_command):
    """They are named with the same source, are frozen, and stay."""
    nlp = spacy.load(theirs, exclude=["tagger"])
    nlp.add_pipe("lstm_tagger", source=spacy.load(source), first=True)
    nlp.to_disk(tmp_path / "both")
    old, new = conllu
    paths = {"paths.source": tmp_path / "both", "paths.old": old}
    values = {key: str(path) for key, path in paths.items()}
    config = load_config(CONFIGS / "continue.cfg", overrides=values, interpolate=False)
    config["nlp"]["pipeline"] = nlp.pipe_names
    config["components"]["attribute_ruler"] = {"source": "${paths.source}"}
    config["training"]["frozen_components"] = ["attribute_ruler"]
    config.to_disk(tmp_path / "config.cfg")
    arguments = overrides({"paths.train": new, "paths.dev": new, **short(0.01)})
    spacy_command("train", tmp_path / "config.cfg", "--output", tmp_path / "on", *arguments)
    doc = spacy.load(tmp_path / "on" / "model-last")("The dog barked wow")
    assert [token.tag_ for token in doc] == ["DET", "NN", "V", "UH"]
    assert [token.pos_ for token in doc] == ["", "NOUN", "VERB", ""]


def test_lemmas_as_the_page_has_them(tmp_path, spacy_command):
    """The block behind a config of ours."""
    (block,) = (b for b in blocks(PAGES["docs/pipelines.md"], "ini") if "tag_lemmatizer" in b)
    config = (CONFIGS / "accurate.cfg").read_text(encoding="utf-8") + "\n" + block
    alone = 'pipeline = ["lstm_tagger"]'
    assert alone in config
    config = config.replace(alone, 'pipeline = ["lstm_tagger", "tag_lemmatizer"]')
    (tmp_path / "config.cfg").write_text(config)
    rows = [("dogs", "dog", "NNS"), ("barked", "bark", "VBD"), ("loudly", "loudly", "RB")]
    lines = [
        f"{i}\t{word}\t{lemma}\tX\t{tag}" + "\t_" * 5
        for i, (word, lemma, tag) in enumerate(rows, 1)
    ]
    (tmp_path / "train.conllu").write_text("\n".join([*lines, "", ""]) * 20)
    values = {name: tmp_path / "train.conllu" for name in ("paths.train", "paths.dev")}
    values |= {"training.max_steps": 60, "training.eval_frequency": 60}
    values |= {"training.optimizer.learn_rate.warmup_steps": 1, **SMALL_SETTINGS}
    command = ["train", tmp_path / "config.cfg", "--output", tmp_path, *overrides(values)]
    printed = spacy_command(*command)
    assert "LW005" not in printed
    nlp = spacy.load(tmp_path / "model-best")
    assert nlp.meta["performance"]["lemma_acc"] == 1.0
    assert nlp.config["training"]["score_weights"]["lemma_acc"] == 0.0
    assert [token.lemma_ for token in nlp("dogs barked loudly")] == ["dog", "bark", "loudly"]


def test_a_parser_on_our_encoder_as_the_page_has_it(tmp_path, spacy_command):
    """Its labels are those of all docs, also of those behind the first hundred."""
    (block,) = (b for b in blocks(PAGES["docs/training.md"], "ini") if "TransitionBased" in b)
    config = (CONFIGS / "shared.cfg").read_text(encoding="utf-8") + "\n" + block
    config = config.replace('"morphologizer"]', '"morphologizer", "parser"]')
    config = config.replace("labels/parser.json", str(tmp_path / "labels" / "parser.json"))
    (tmp_path / "my.cfg").write_text(config)
    docs, vocab = DocBin(), spacy.blank("en").vocab
    for i in range(160):
        words, deps = "Everybody read the book".split(), ["nsubj", "ROOT", "det", "obj"]
        deps[3] = "obj" if i < 120 else "late"
        annotation = {"tags": ["NN", "V", "DET", "NN"], "pos": ["NOUN", "VERB", "DET", "NOUN"]}
        docs.add(Doc(vocab, words=words, heads=[1, 1, 3, 1], deps=deps, **annotation))
    docs.to_disk(tmp_path / "train.spacy")
    paths = {f"paths.{name}": tmp_path / "train.spacy" for name in ("train", "dev")}
    epochs = {"training.max_epochs": 0}
    command = ["init", "labels", tmp_path / "my.cfg", tmp_path / "labels"]
    spacy_command(*command, *overrides(paths | epochs))
    sizes = overrides(SMALL_HALVES, "components.tok2vec.model.")
    command = ["train", tmp_path / "my.cfg", "--output", tmp_path / "out"]
    printed = spacy_command(*command, *overrides({**paths, **short(0.01)}), *sizes)
    assert "LW004" not in printed
    nlp = spacy.load(tmp_path / "out" / "model-last")
    doc = nlp("Everybody read the book")
    assert "late" in nlp.get_pipe("parser").labels
    assert [token.tag_ for token in doc] == ["NN", "V", "DET", "NN"] and doc[0].head == doc[1]
