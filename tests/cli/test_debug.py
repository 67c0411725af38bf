"""`python -m spacy lstm-tagger debug`: its figures are those of the files, and it says what they lack."""

import re
from collections import Counter
from functools import partial

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from thinc.api import Config

from spacy_lstm_tagger.cli.debug import SMALL
from spacy_lstm_tagger.readers import Corpus

from ..docs import PAGES, blocks
from ..util import CONFIGS, CORPUS, ROOT, SMALL_SETTINGS, overrides, small_model
from . import COLOR, is_one_error, run_command

TRAIN, DEV = CORPUS / "en-train.conllu", CORPUS / "en-dev.conllu"


def run(*arguments):
    """RETURNS (tuple): The exit status, what was printed, on one line, and the rows of the table, for
    train and dev.
    """
    code, printed = run_command("debug", *arguments)
    printed = COLOR.sub("", printed)
    rows = re.findall(r"(?m)^(\S.*?) {2,}([\d,.]+)%? +([\d,.]+)%?$", printed)
    figures = {name: [float(each.replace(",", "")) for each in pair] for name, *pair in rows}
    return code, " ".join(printed.split()), figures


def paths(train, dev):
    return ["--paths.train", train, "--paths.dev", dev]


def read_words(path):
    """RETURNS (list): The word and XPOS of each word, from the text of a CoNLL-U file."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [(row[1], row[4]) for row in rows if row[0].isdigit()]


def as_docbin(path, source, **settings):
    docs = [eg.reference for eg in Corpus(source, **settings)(spacy.blank("en"))]
    DocBin(docs=docs).to_disk(path)
    return path


def make_config(
    path, *factories, train=TRAIN, dev=DEV, corpus="spacy-lstm-tagger.Corpus.v1", **values
):
    """Write a config with small models. `values` are further blocks, by their dotted names."""
    nlp = spacy.blank("en")
    for factory in factories:
        nlp.add_pipe(factory, config={"model": small_model()} if "tagger" in factory else {})
    config = nlp.config.copy()
    spacys = {"gold_preproc": False, "max_length": 0, "limit": 0, "augmenter": None}
    config["corpora"] = {
        name: {"@readers": corpus, "path": str(each)}
        | (spacys if corpus == "spacy.Corpus.v1" else {})
        for name, each in (("train", train), ("dev", dev))
    }
    for name, value in values.items():
        *parents, last = name.split("__")
        block = config
        for parent in parents:
            block = block.setdefault(parent, {})
        block[last] = value
    config.to_disk(path)
    return path


def expected_figures(train, dev):
    """Counted anew from the text of the files."""
    tags = {}
    for word, tag in read_words(train):
        tags.setdefault(word, set()).add(tag)
    found = {}
    for name, path in (("train", train), ("dev", dev)):
        words = read_words(path)
        found[name] = {
            "sentences": path.read_text(encoding="utf-8").strip().count("\n\n") + 1,
            "words": len(words),
            "different words": len({word for word, _ in words}),
            "words with a tag": len(words),
            "… that train lacks": 100 * sum(word not in tags for word, _ in words) / len(words),
            "… of several tags in train": 100
            * sum(len(tags.get(word, ())) > 1 for word, _ in words)
            / len(words),
        }
    return found


@pytest.mark.parametrize("suffix", [".conllu", ".spacy"])
@pytest.mark.parametrize("name", ["cpu.cfg", "accurate.cfg", "shared.cfg", "tagger"])
def test_figures(tmp_path, name, suffix):
    """Those of the files, whatever noise and groups of sentences training has."""
    train, dev = TRAIN, DEV
    if suffix == ".spacy":
        train, dev = (
            as_docbin(tmp_path / f"{each.stem}.spacy", each, group_by=5) for each in (train, dev)
        )
    if name == "tagger":
        component, arguments = (
            "tagger",
            [make_config(tmp_path / "config.cfg", "tagger", train=train, dev=dev)],
        )
    else:
        component, arguments = "lstm_tagger", [CONFIGS / name, *paths(train, dev)]
    code, printed, found = run(*arguments, "--verbose")
    assert code == 0, printed
    for column, figure in enumerate(expected_figures(TRAIN, DEV).values()):
        for row, value in figure.items():
            assert found[row][column] == pytest.approx(value, abs=0.05), row
    assert f"Part-of-speech Tagging ({component})" in printed
    counts, needed = (Counter(tag for _, tag in read_words(path)) for path in (TRAIN, DEV))
    assert f"ℹ {len(counts)} label(s) in train data, {len(counts)} of the component" in printed
    shown = re.findall(r"'(\S+)' \((\d+)\)", printed[printed.index("'NN' (1") :])
    assert {tag: int(n) for tag, n in shown} == counts
    rare = sum(n <= 20 for n in counts.values())
    assert f"⚠ Low number of examples (20 or less) for {rare} label(s): 'SYM' (2), " in printed
    assert needed.keys() <= counts.keys()
    assert "✔ All labels of the dev data are in the train data" in printed
    assert "✔ No overlap between train and dev data" in printed
    assert "Low number of examples to train a new pipeline (769 sentences)" in printed
    assert "small.cfg" in printed and "accurate.cfg" not in printed
    assert "without a" not in printed and "✘" not in printed
    assert "nothing to learn" not in printed


def test_the_example_of_the_docs(monkeypatch):
    monkeypatch.chdir(ROOT)
    (shown,) = blocks(PAGES["docs/commands.md"], "text")
    _, printed = run_command("debug", "configs/cpu.cfg")
    assert {*shown.splitlines()} - {"…"} <= {*COLOR.sub("", printed).splitlines()}


def test_small_is_what_the_readme_calls_so():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"| … of {SMALL:,} words or less | [`small.cfg`]" in readme


def test_what_data_may_lack(tmp_path):
    vocab = spacy.blank("en").vocab
    long = Doc(vocab, words=["word"] * 300, tags=["NN"] * 300)
    train = [
        long,
        Doc(
            vocab,
            words=["The", "dog", "\n", "ice", "cream"],
            spaces=[True, True, False, False, False],
            tags=["DT", "NN", "_SP", "MD", "NN"],
        ),
        Doc(vocab, words=["No", "tag", "here"]),
        Doc(vocab, words=["A", "gap"], tags=["DT", ""]),
        Doc(vocab, words=["The", "dog"], tags=["DT", "NN"]),
    ]
    dev = [
        Doc(vocab, words=["The", "dog"], tags=["DT", "NN"]),
        Doc(vocab, words=["old", "word", "gap"], tags=["JJ", "FW", ""]),
    ]
    for name, docs in (("train", train), ("dev", dev)):
        DocBin(docs=docs).to_disk(tmp_path / f"{name}.spacy")
    config = make_config(
        tmp_path / "config.cfg",
        "lstm_tagger",
        "tagger",
        train=tmp_path / "train.spacy",
        dev=tmp_path / "dev.spacy",
        corpus="spacy.Corpus.v1",
        initialize__components={"lstm_tagger": {"labels": ["DT", "MD", "NN", "XX", "JJ"]}},
    )
    code, printed, found = run(config)
    assert code == 0, printed
    assert found["docs"] == [5, 2] and found["words"] == [300 + 4 + 3 + 2 + 2, 5]
    assert found["white space"] == [1, 0] and found["words with a tag"] == [307, 4]
    assert found["… that train lacks"] == [0, 25]
    for text in [
        "⚠ Low number of examples to train a new pipeline (5 sentences). At least 2000",
        "⚠ 1 dev sentence(s) are in the train data as well",
        "⚠ 1 doc(s) of the train data without any tag",
        "⚠ 4 word(s) of the train data without a tag",
        "⚠ 1 word(s) of the dev data without a tag",
        "⚠ 1 misaligned token(s) in the train data",  # icecream
        "ℹ 1 doc(s) of the train data are longer than the window of 256 tokens",
        "⚠ 2 label(s) of the dev data are not in the train data: 'JJ' (1), 'FW' (1)",
    ]:
        assert text in printed
    ours, theirs = printed[printed.index("(lstm_tagger)") :].split("(tagger)")
    assert "3 label(s) in train data, 5 of the component" in ours
    assert "for these labels after training: 'JJ', 'XX'" in ours
    # White space is learned by spaCy's tagger alone.
    assert "4 label(s) in train data, 4 of the component" in theirs and "'_SP' (1)" in theirs
    assert "degraded" not in theirs


def test_annotation_that_names_several_tags(tmp_path):
    """Each of them has an example; a tag that a word does not have, none."""
    vocab = spacy.blank("en").vocab
    docs = [Doc(vocab, words=["a", "b", "c"], tags=["NN|JJ", "NN", "!VB"])]
    DocBin(docs=docs).to_disk(tmp_path / "train.spacy")
    path = tmp_path / "train.spacy"
    config = make_config(tmp_path / "config.cfg", "lstm_tagger", train=path, dev=path)
    code, printed, _ = run(config, "--components.lstm_tagger.tag_separator", "|", "--verbose")
    assert code == 0 and printed.rstrip().endswith("'NN' (2), 'JJ' (1), 'VB' (0)")
    assert "ℹ 0.918 is the normalised label entropy" in printed  # of two thirds and a third


def test_labels_that_the_start_of_a_streamed_corpus_lacks(tmp_path):
    """Training would stop at them."""
    config = make_config(tmp_path / "config.cfg", "lstm_tagger", "tagger", training__max_epochs=-1)
    code, printed, _ = run(config)
    seen = {t.tag_ for eg in Corpus(TRAIN, limit=100)(spacy.blank("en")) for t in eg.reference}
    lacking = {tag for _, tag in read_words(TRAIN)} - seen
    assert code == 1 and lacking
    assert printed.count(f"✘ The component lacks {len(lacking)} label(s) of the train data") == 2
    assert repr(min(lacking)) in printed and "[initialize.components.tagger.labels]" in printed


ENDLESS = """
from itertools import cycle
from spacy.util import registry
from spacy_lstm_tagger.readers import Corpus

@registry.readers("test.Endless.v1")
def endless(path: str):
    def read(nlp):
        yield from cycle(list(Corpus(path)(nlp)))
    return read
"""


def test_a_corpus_without_end(tmp_path, small_corpus):
    (tmp_path / "code.py").write_text(ENDLESS)
    config = make_config(
        tmp_path / "config.cfg",
        "lstm_tagger",
        train=small_corpus,
        dev=small_corpus,
        corpora__train={"@readers": "test.Endless.v1", "path": str(small_corpus)},
        training__max_epochs=-1,
        initialize__after_init={
            "@callbacks": "spacy-lstm-tagger.FillVocabulary.v1",
            "corpus": {"@readers": "test.Endless.v1", "path": str(small_corpus)},
        },
    )
    code, printed, found = run(config, "--code", tmp_path / "code.py", "--max-words", 1000)
    assert code == 0, printed
    assert "⚠ The rest of corpora.train was not read (--max-words 1,000)" in printed
    assert "words of corpora.dev" not in printed
    assert 1000 <= found["words"][0] < 1100


@pytest.mark.parametrize("how", ["repeat", "weights"])
def test_mixtures(tmp_path, small_corpus, how):
    """Each corpus is read once; with weights one may be endless."""
    (tmp_path / "code.py").write_text(ENDLESS)
    corpora = {
        name: {"@readers": "spacy-lstm-tagger.Corpus.v1", "path": str(path)}
        for name, path in (("gold", small_corpus), ("more", DEV))
    }
    mixed = {"@readers": "spacy-lstm-tagger.MixedCorpus.v1", "corpora": corpora}
    labels = {"@readers": "spacy-lstm-tagger.TagLabels.v1", "path": str(TRAIN)}
    if how == "repeat":
        mixed["repeat"] = {"gold": 3}
    else:
        mixed["weights"] = {"gold": 1.0, "more": 1.0}
        corpora["more"]["@readers"] = "test.Endless.v1"
    config = make_config(
        tmp_path / "config.cfg",
        "lstm_tagger",
        dev=small_corpus,
        corpora__train=mixed,
        training__max_epochs=-1,
        initialize__components={"lstm_tagger": {"labels": labels}},
    )
    code, printed, found = run(config, "--code", tmp_path / "code.py", "--max-words", 3000)
    assert code == 0, printed
    small = len(read_words(small_corpus))
    if how == "repeat":
        assert found["words"] == [small + len(read_words(DEV)), small]
    else:
        assert 3000 <= found["words"][0] < 3100 and "--max-words 3,000" in printed


def test_a_sourced_tagger_is_not_new(tmp_path, small_corpus, trained):
    trained.to_disk(tmp_path / "source")
    values = {"paths.source": tmp_path / "source", "paths.old": small_corpus}
    code, printed, _ = run(CONFIGS / "continue.cfg", *paths(small_corpus, DEV), *overrides(values))
    assert code == 0, printed
    assert "new pipeline" not in printed and "LW003" not in printed
    old = set(trained.get_pipe("lstm_tagger").labels)
    assert f"after training: {', '.join(map(repr, sorted(old)[:2]))}" in printed


def test_it_trains_and_writes_nothing(tmp_path, small_corpus, monkeypatch):
    monkeypatch.setattr(Language, "update", partial(pytest.fail, "it trains"))
    monkeypatch.chdir(tmp_path)
    sizes = overrides(SMALL_SETTINGS)
    code, printed, _ = run(CONFIGS / "cpu.cfg", *paths(small_corpus, DEV), *sizes)
    assert code == 0, printed
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "kind",
    [
        "no tagger",
        "frozen",
        "no tag",
        "no tag in train",
        "empty dev",
        "no file",
        "no path",
        "bad file",
        "init",
    ],
)
def test_training_cannot_work(tmp_path, small_corpus, kind):
    train = dev = small_corpus
    options, factories, corpus, named = [], ["lstm_tagger"], "spacy-lstm-tagger.Corpus.v1", ""
    empty, untagged = tmp_path / "empty.spacy", tmp_path / "untagged.spacy"
    DocBin().to_disk(empty)
    DocBin(docs=[Doc(spacy.blank("en").vocab, words=["a", "b"])]).to_disk(untagged)
    if kind == "no tagger":
        factories, named = ["sentencizer"], "C023] "
    elif kind == "frozen":
        options, named = ["--training.frozen_components", '["lstm_tagger"]'], "C023] "
    elif kind == "no tag":
        train, named = untagged, f"R004] {untagged}"
    elif kind == "no tag in train":
        train = untagged
        dev = as_docbin(tmp_path / "dev.spacy", small_corpus)
        corpus, named = (
            "spacy.Corpus.v1",
            "C024] corpora.train: found no word with a tag in 1 doc(s) with 2 w",
        )
    elif kind == "empty dev":
        train, dev = as_docbin(tmp_path / "train.spacy", small_corpus), empty
        corpus, named = "spacy.Corpus.v1", "C024] corpora.dev: found no word with a tag in 0 doc(s)"
    elif kind == "no file":
        options = ["--corpora.train.path", tmp_path / "missing.conllu"]
        named = "R001] "
    elif kind == "no path":
        options, named = ["--corpora.train.path", "null"], "E913] "
    elif kind == "bad file":
        train = tmp_path / "bad.conllu"
        train.write_text("1\ta\n")
        named = f"R007] {train}, line 1"
    else:
        options, named = ["--components.lstm_tagger.tag_set", "upos"], "P010] "
    config = make_config(tmp_path / "config.cfg", *factories, train=train, dev=dev, corpus=corpus)
    code, printed = run_command("debug", config, *options)
    lines = [line for line in printed.splitlines() if "✔" not in line and "====" not in line]
    assert code == 1 and is_one_error("\n".join(lines)), printed
    assert named in printed


def test_a_config_that_is_not_valid(tmp_path):
    code, printed, _ = run(CONFIGS / "cpu.cfg", "--training.max_steps", "many")
    assert code == 1 and "Config validation error" in printed and "max_steps" in printed
    path = tmp_path / "config.cfg"
    Config({"nlp": {"lang": "en", "pipeline": ["lstm_tagger"], "tokenizer": "${a.b}"}}).to_disk(
        path
    )
    code, printed, _ = run(path)
    assert code == 1 and "Config validation error" in printed
    assert run(tmp_path / "missing.cfg")[0] == 2
    assert run(CONFIGS / "cpu.cfg", "--nonsense", 1)[0] != 0
