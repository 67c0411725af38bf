"""The project of `projects/ud` makes a tagger of a treebank, with or without a dev set."""

import json
import shutil
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from zipfile import ZipFile

import pytest
import spacy
from weasel.cli.pull import project_pull
from weasel.cli.push import project_push

from .forks import project_run
from .util import ROOT, SMALL_SETTINGS, copy_project, load_script, with_lemmas

pytestmark = pytest.mark.slow

PROJECT = ROOT / "projects" / "ud"
CODE = "en_small"


@pytest.fixture
def project(tmp_path, small_corpus):
    """A copy of the project, with a treebank that has no dev set."""
    project = copy_project("ud", tmp_path)
    folder = project / "assets" / CODE
    folder.mkdir(parents=True)
    for name in ("train", "test"):
        shutil.copy(small_corpus, folder / f"{name}.conllu")
    return project


def test_from_a_treebank_to_a_wheel(project, capfd):
    settings = {"training.max_steps": 2, "training.eval_frequency": 2, **SMALL_SETTINGS}
    variables = {"vars.code": CODE, "vars.lang": "en", "vars.tag": "upos"}
    variables |= {"vars.options": " ".join(f"{name}={value}" for name, value in settings.items())}
    variables |= {"vars.treebank": "UD_English-Small", "vars.license": "CC BY 4.0"}
    project_run(project, "all", overrides=variables)
    folder = project / "output" / CODE
    sizes = [
        len((folder / f"{name}.conllu").read_text().split("\n\n")) for name in ("train", "dev")
    ]
    assert sizes[0] > 5 * sizes[1] > 0
    nlp = spacy.load(folder / "package")
    assert nlp.get_pipe("lstm_tagger").cfg["tag_set"] == "upos"
    assert (
        nlp.config["paths"]["train"] is None
        and "UD_English-Small" in nlp.meta["sources"][0]["name"]
    )
    assert nlp.meta["license"] == "CC BY 4.0"
    figure = json.loads((folder / "accuracy.json").read_text())["sentences"]["all"]["tag_acc"]
    text = (folder / "package" / "README.md").read_text()
    assert f"| {100 * figure:.1f} % |" in text and "(`token.tag_`, `token.pos_`)" in text
    assert "words with an F1 of 100.0 %" in text
    (wheel,) = (project / "packages").glob("*/dist/*.whl")
    assert wheel.name.startswith("en_tagger_en_small-")
    assert nlp.pipe_names == ["lstm_tagger"]
    # A wheel has nothing of an earlier one.
    (model,) = (project / "packages").glob("*/build/lib/**/lstm_tagger/model")
    (model.parent / "other").touch()
    project_run(project, "package", overrides=variables, force=True)
    with ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith("/other")]
    # Nothing has changed, so nothing is done again.
    capfd.readouterr()
    project_run(project, "all", overrides=variables)
    assert capfd.readouterr().out.count("Skipping") == 5
    # What changes is read again.
    shutil.copy(folder / "dev.conllu", project / "assets" / CODE / "dev.conllu")
    project_run(project, "split", overrides=variables)
    assert (folder / "train.conllu").read_text() == (
        project / "assets" / CODE / "train.conllu"
    ).read_text()
    # The same treebank with lemmas, and nothing of another pipeline.
    (folder / "package" / "other").mkdir()
    for path in (folder / "train.conllu", project / "assets" / CODE / "test.conllu"):
        path.write_text(with_lemmas(path.read_text(encoding="utf-8")), encoding="utf-8")
    origin = {"treebank": "UD_English-Small", "release": "r2.16", "license": "CC BY 4.0"}
    card = load_script(PROJECT / "scripts" / "card.py")
    card.main(folder, **origin, test=project / "assets" / CODE / "test.conllu")
    nlp = spacy.load(folder / "package")
    assert [token.lemma_ for token in nlp("He SLEEPS")] == ["he", "sleeps"]
    assert not (folder / "package" / "other").exists()
    assert "Of its lemmas 100.0 % are right" in (folder / "package" / "README.md").read_text()


@pytest.fixture
def repositories(tmp_path, small_corpus):
    """RETURNS (str): Where treebanks are: the one of this code has no dev set."""
    folder = tmp_path / "server" / "UD_English-Small" / "r2.16"
    folder.mkdir(parents=True)
    for name in ("train", "test"):
        shutil.copy(small_corpus, folder / f"{CODE}-ud-{name}.conllu")
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path / "server")
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def test_a_treebank_is_fetched(repositories, tmp_path):
    project = copy_project("ud", tmp_path)
    variables = {
        "vars.code": CODE,
        "vars.treebank": "UD_English-Small",
        "vars.repositories": repositories,
    }
    for command in ("fetch", "split"):
        project_run(project, command, overrides=variables)
    assert sorted(path.name for path in (project / "output" / CODE).iterdir()) == [
        "dev.conllu",
        "train.conllu",
    ]
    # Another release is got anew, and what it has not goes.
    assets, fetch = project / "assets" / CODE, load_script(PROJECT / "scripts" / "fetch.py").main
    newer = tmp_path / "server" / "UD_English-Small" / "r2.17"
    shutil.copytree(newer.with_name("r2.16"), newer)
    (newer / f"{CODE}-ud-train.conllu").write_text("# newer\n")
    (newer / f"{CODE}-ud-test.conllu").write_text("# newer\n")
    shutil.copy(assets / "test.conllu", assets / "dev.conllu")
    fetch(assets, f"{repositories}/UD_English-Small/r2.17/{CODE}")
    assert (assets / "train.conllu").read_text() == "# newer\n"
    assert not (assets / "dev.conllu").exists()
    # So is a file that is gone.
    (assets / "train.conllu").unlink()
    fetch(assets, f"{repositories}/UD_English-Small/r2.17/{CODE}")
    assert (assets / "train.conllu").read_text() == "# newer\n"
    shutil.rmtree(assets)
    errors = {repositories: "404", "http://localhost:1": r"Put train\.conllu, test\.conllu and"}
    for repository, error in errors.items():
        with pytest.raises(SystemExit, match=error):
            fetch(assets, f"{repository}/UD_English-Small/r0/{CODE}")
        assert not assets.exists()
    with pytest.raises(SystemExit, match="UD_Greek-GUD has no files that are called en_small"):
        fetch(assets, f"{repositories}/UD_Greek-GUD/r2.16/{CODE}")


@pytest.mark.parametrize("n_written", range(3))
def test_an_interruption_mixes_no_releases(repositories, tmp_path, monkeypatch, n_written):
    old = tmp_path / "server" / "UD_English-Small" / "r2.16"
    shutil.copytree(old, old.with_name("r2.17"))
    for path in old.with_name("r2.17").iterdir():
        path.write_text("# newer\n")
    script, left = load_script(PROJECT / "scripts" / "fetch.py"), [None] * n_written

    def write_some(path, data):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        path.write_bytes(data)

    assets, url = tmp_path / "assets", f"{repositories}/UD_English-Small/{{}}/{CODE}"
    script.main(assets, url.format("r2.16"))
    monkeypatch.setattr(script, "write_whole", write_some)
    with pytest.raises(KeyboardInterrupt):
        script.main(assets, url.format("r2.17"))
    monkeypatch.undo()
    script.main(assets, url.format("r2.16"))
    for name in ("train", "test"):
        source = old / f"{CODE}-ud-{name}.conllu"
        assert (assets / f"{name}.conllu").read_bytes() == source.read_bytes()


def test_another_machine_gets_the_dev_set_too(project, small_corpus, tmp_path):
    """What is pulled is what was pushed: nothing is split, and so trained, anew."""
    text = (project / "project.yml").read_text()
    text = text.replace("el_gud", CODE).replace("UD_Greek-GUD", "UD_English-Small")
    (project / "project.yml").write_text(text)
    shutil.copy(small_corpus, project / "assets" / CODE / "dev.conllu")
    for command in ("fetch", "split"):
        project_run(project, command)
    list(project_push(project, str(tmp_path / "remote")))
    shutil.rmtree(project / "assets")
    shutil.rmtree(project / "output")
    list(project_pull(project, str(tmp_path / "remote")))
    for name in ("train", "dev"):
        assert (
            project / "output" / CODE / f"{name}.conllu"
        ).read_text() == small_corpus.read_text()
    assert (project / "assets" / CODE / "dev.conllu").exists()


def test_a_dev_set_that_is_there_is_taken(project, small_corpus):
    shutil.copy(small_corpus, project / "assets" / CODE / "dev.conllu")
    for path in (project / "assets" / CODE).iterdir():
        path.chmod(0o444)
    project_run(project, "split", overrides={"vars.code": CODE})
    for name in ("train", "dev"):
        made = project / "output" / CODE / f"{name}.conllu"
        assert made.read_text() == small_corpus.read_text()
        assert made.stat().st_mode & 0o200  # can be written again


def test_a_treebank_without_a_line_break_at_its_end(project):
    assets = project / "assets" / "zz"
    assets.mkdir(parents=True)
    row = "{}\t{}\t_\tX\tX\t_\t_\t_\t_\t_"
    text = row.format(1, "A") + "\n\n" + row.format(1, "B") + "\n" + row.format(2, "C")
    (assets / "train.conllu").write_text(text)
    subprocess.run([sys.executable, "scripts/split.py", assets], cwd=project, check=True)
    train = (project / "output" / "zz" / "train.conllu").read_text()
    assert train == row.format(1, "B") + "\n" + row.format(2, "C") + "\n\n"


@pytest.mark.parametrize(
    ("lang", "expected"), [("zh", "spacy.zh.ChineseTokenizer"), ("ko", None), ("el", None)]
)
def test_a_language_without_spaces_gets_its_tokenizer(lang, expected, tmp_path, monkeypatch):
    (tmp_path / "train.conllu").write_text("1\tA\t_\tX\tX\t_\t_\t_\t_\t_\n\n")
    calls = []
    monkeypatch.setattr(subprocess, "call", lambda command: calls.append(command) or 0)
    script = load_script(PROJECT / "scripts" / "train.py")
    assert script.main(tmp_path, ["--nlp.lang", lang, "training.max_steps=2"]) == 0
    given = dict(zip(calls[0], calls[0][1:], strict=False))
    assert given.get("--nlp.tokenizer.@tokenizers") == expected
    # That of Japanese sets tags as well.
    assert given.get("--components.lstm_tagger.overwrite") == (expected and "true")
    assert ("--initialize.before_init" in given) == (expected is None)
    assert calls[0][-1] == "--training.max_steps=2"


def test_a_language_that_spacy_lacks(tmp_path):
    (tmp_path / "train.conllu").write_text("1\tA\t_\tX\tX\t_\t_\t_\t_\t_\n\n")
    with pytest.raises(SystemExit, match=r"spaCy has no language got\. Set lang to xx\."):
        load_script(PROJECT / "scripts" / "train.py").main(tmp_path, ["--nlp.lang", "got"])


def learned_tokenizer(path, lang, *sentences):
    """RETURNS (Language): A pipeline with the tokenizer of a treebank: words, those without a space
    behind them with "+".
    """
    with path.open("w", encoding="utf-8") as file:
        for sentence in sentences:
            for i, word in enumerate(sentence.split(), 1):
                space = "SpaceAfter=No" if word.endswith("+") else "_"
                file.write(f"{i}\t{word.rstrip('+')}\t_\tX\tX\t_\t_\t_\t_\t{space}\n")
            file.write("\n")
    script = load_script(PROJECT / "scripts" / "tokenizer.py")
    return script.create_callback(str(path), "upos")(spacy.blank(lang))


@pytest.mark.parametrize(
    ("lang", "sentences", "text", "words"),
    [
        # What is a word beside another one twice is one.
        ("xx", ["l-+ art ta' dar+ ։"] * 2, "l-ikel l- ta' tuna։", "l- ikel l- ta' tuna ։"),
        ("xx", ["art dar+ ։"], "ikel tuna։", "ikel tuna։"),
        # Two that are alike: the longer one first.
        ("xx", ["a+ ։։ a+ ։"] * 2, "b։։ b։", "b ։։ b ։"),
        # A rule of the language that the treebank contradicts goes, others stay.
        ("en", ["one-two a+ ,"], "three-four, five", "three-four , five"),
        ("en", ["one+ -+ two a+ ,"], "three-four, five", "three - four , five"),
        # What is as often right as wrong changes nothing.
        ("xx", ["a+ ։", "a+ ։", "a։", "a։"], "b։", "b։"),
        # A treebank that writes all words apart does not say what is split.
        ("en", ["dogs . etc. e.g."] * 2, "cats. dogs.", "cats . dogs ."),
        # Vowel signs are parts of letters.
        ("hi", ["की+ ।"] * 2, "कीमत।", "कीमत ।"),
    ],
)
def test_a_tokenizer_learns_to_split_as_a_treebank(lang, sentences, text, words, tmp_path):
    nlp = learned_tokenizer(tmp_path / "train.conllu", lang, *sentences)
    for each in (nlp, spacy.blank(lang).from_bytes(nlp.to_bytes())):
        assert [token.text for token in each(text)] == words.split()


def test_a_figure_that_a_test_set_does_not_have():
    """Such as that of unknown words, where it has none."""
    row = load_script(PROJECT / "scripts" / "card.py").row
    some, none = {"tag_acc": 0.5}, {"tag_acc": None}
    figures = {"sentences": {"all": some, "unknown": none}, "texts": {"all": some}}
    assert row("words", figures) == "| words | 50.0 % | 50.0 % | – |"
