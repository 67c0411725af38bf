"""The commands of the pages: their files, modules and options exist."""

import importlib
import re
import shlex
from itertools import pairwise

import pytest
import spacy
import srsly
from spacy.schemas import ConfigSchemaTraining
from spacy.util import load_config, registry
from typer.testing import CliRunner

from spacy_lstm_tagger.cli import lstm_tagger_cli
from spacy_lstm_tagger.files.formats import ENCODERS

from ..util import ROOT
from . import PAGES, blocks

SEPARATORS = re.compile(r"&&|\||;|>(?=\s)")


def commands():
    """YIELDS (tuple): A page, and the words of one of its commands."""
    for name, text in PAGES.items():
        for block in blocks(text, "bash"):
            lines = block.replace("\\\n", " ").splitlines()
            for line in lines:
                words = shlex.split(line, comments=True)
                start = 0
                for i, word in enumerate([*words, "&&"]):
                    if SEPARATORS.fullmatch(word):
                        yield name, without_environment(words[start:i])
                        start = i + 1


def without_environment(words):
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    return tuple(words)


COMMANDS = sorted({command for command in commands() if command[1][:2] == ("python", "-m")})
SPACY, OURS, BENCHMARKS, WEASEL = (
    [(page, words[3:], words) for page, words in COMMANDS if words[2].startswith(module)]
    for module in ("spacy", "spacy_lstm_tagger", "benchmarks", "weasel")
)


def options(words):
    """RETURNS (dict): The options of a command and their values."""
    return {a: b for a, b in pairwise([*words, ""]) if a.startswith("--")}


def ids(cases):
    return [f"{page}: {' '.join(words)[:60]}" for page, _, words in cases]


@pytest.mark.parametrize(("page", "words", "whole"), SPACY, ids=ids(SPACY))
def test_spacy(page, words, whole, spacy_command):
    given = {name: value for name, value in options(words).items() if "." not in name}
    given |= {word: "" for word in words if re.fullmatch("-[a-zA-Z]", word)}
    if words[0] == "lstm-tagger":
        known = CliRunner().invoke(lstm_tagger_cli, [words[1], "--help"]).output
    else:
        n_names = 2 if words[0] in ("init", "benchmark", "debug") else 1
        known = spacy_command(*words[:n_names], "--help")
    for name in given:
        assert re.search(rf"(?<![\w-]){name}(?![\w-])", known), name
    if words[0] in ("train", "pretrain"):
        check_overrides(words[1], options(words))


def check_overrides(config, given):
    """A misspelt override is an error, or is there and does nothing."""
    if config == "pretrain.cfg":  # made by the command before it
        config = "configs/accurate.cfg"
        given = {k: v for k, v in given.items() if "pretrain" not in k and "raw_text" not in k}
    values = {name[2:]: value for name, value in given.items() if "." in name}
    loaded = load_config(ROOT / config, interpolate=False)
    sections = {".".join(name.split(".")[:-1]) for name in values}
    for section in sections:
        assert spacy.util.dot_to_object(loaded, section) is not None, section
    for name, value in values.items():
        section, _, key = name.rpartition(".")
        block = spacy.util.dot_to_object(loaded, section)
        if any(known.startswith("@") for known in block):
            filled = registry.fill({"block": {**resolved(block), key: srsly_value(value)}})
            assert filled["block"][key] == srsly_value(value)
        elif section == "training":
            assert key in ConfigSchemaTraining.model_fields, name
        else:
            assert key in block, name


def resolved(block):
    """RETURNS (dict): A block without what refers to others, and without blocks inside."""
    return {
        key: value
        for key, value in block.items()
        if not isinstance(value, dict) and not str(value).startswith("$")
    }


def srsly_value(text):
    try:
        return srsly.json_loads(text)
    except ValueError:
        return text


@pytest.mark.parametrize(("page", "words", "whole"), BENCHMARKS, ids=ids(BENCHMARKS))
def test_benchmarks(page, words, whole, capsys):
    known = help_of(whole[2], capsys)
    for name in options(words):
        assert name in known, name


SCRIPTS = [
    f"benchmarks.{path.stem}"
    for path in sorted((ROOT / "benchmarks").glob("*.py"))
    if "\n    main()" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", SCRIPTS)
def test_help_of_benchmarks(module, capsys):
    assert "usage:" in help_of(module, capsys)


def help_of(module, capsys):
    """RETURNS (str): What `python -m MODULE --help` prints."""
    with pytest.raises(SystemExit) as stop:
        importlib.import_module(module).main(["--help"])
    assert not stop.value.code
    return capsys.readouterr().out


@pytest.mark.parametrize(("page", "words", "whole"), WEASEL, ids=ids(WEASEL))
def test_project(page, words, whole):
    command, *rest = whole[3:]
    project = next(word for word in rest if word.startswith("projects/"))
    settings = srsly.read_yaml(ROOT / project / "project.yml")
    if command == "run":
        names = {*settings["workflows"], *(each["name"] for each in settings["commands"])}
        assert rest[0] in names
    for name in options(rest):
        assert name.removeprefix("--vars.") in settings["vars"]


def test_the_page_names_each_format_that_is_written():
    """In a line that begins with "Out:"."""
    _, _, line = PAGES["docs/commands.md"].partition("Out:")
    named = line.partition("\n")[0].replace("-", "").lower()
    assert [kind for kind in ENCODERS if kind[1:] not in named] == []
