"""The fixtures that the tests share: trained pipelines, a small corpus, spaCy's commands."""

import os
import random
from pathlib import Path

import catalogue
import pytest
import spacy
import torch
from spacy.cli._util import app
from spacy.lang.en import English
from typer.testing import CliRunner

from spacy_lstm_tagger.readers import Corpus

from .util import CONFIGS, CORPUS, ROOT, SMALL_SETTINGS, overrides, trained_nlp

# Each tokenizer that is made or loaded goes through all 1,347 exceptions of English, which would take
# half of the time of the tests. These are what tests need; the processes that they start have all.
EXCEPTIONS = ("don't", "Don't", "dont", "Mr.")
English.Defaults.tokenizer_exceptions = {
    word: English.Defaults.tokenizer_exceptions[word] for word in EXCEPTIONS
}
# Whenever something registered is asked for, catalogue goes through the entry points of all packages.
FOUND = catalogue.AVAILABLE_ENTRY_POINTS
catalogue.AVAILABLE_ENTRY_POINTS = {group: FOUND.select(group=group) for group in FOUND.groups}


def pytest_addoption(parser):
    group = parser.getgroup("stress", "the campaign of tests/stress")
    group.addoption("--stress-size", type=float, default=1.0, help="how large a part of it. 1: all")
    drawn = random.SystemRandom().randrange(2**32)
    group.addoption("--stress-seed", type=int, default=drawn, help="its seed. Drawn, if not given")


def pytest_report_header(config):
    size, seed = config.getoption("--stress-size"), config.getoption("--stress-seed")
    return f"stress: --stress-size {size} --stress-seed {seed}"


@pytest.fixture(scope="module")
def one_thread():
    """PyTorch's threads wait for each other busily, and long where others have work, too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def trained():
    """A small trained pipeline that no test may change."""
    return trained_nlp()[0]


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory):
    """The first 20 sentences of the embedded corpus."""
    path = tmp_path_factory.mktemp("corpus") / "small.conllu"
    blocks = (CORPUS / "en-train.conllu").read_text(encoding="utf-8").split("\n\n")
    path.write_text("\n\n".join(blocks[:20]) + "\n\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small_docs(small_corpus):
    """The docs of the small corpus, tagged by hand."""
    return [eg.reference for eg in Corpus(small_corpus)(spacy.blank("en"))]


@pytest.fixture(scope="session")
def short_training(tmp_path_factory, small_corpus, spacy_command):
    """The folder of a training of a few steps, of a small model, and what was printed."""
    folder = tmp_path_factory.mktemp("training")
    values = {"paths.train": small_corpus, "paths.dev": small_corpus, **SMALL_SETTINGS}
    values |= {"training.max_steps": 4, "training.eval_frequency": 2}
    command = ["train", CONFIGS / "cpu.cfg", "--output", folder, *overrides(values)]
    return folder, spacy_command(*command)


@pytest.fixture(scope="session")
def spacy_command():
    """Runs `python -m spacy …` in this process, from the repository; returns what it printed."""

    def run(*arguments, cwd=ROOT):
        here = Path.cwd()
        os.chdir(cwd)
        try:
            result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        finally:
            os.chdir(here)
        if result.exit_code:
            raise AssertionError(result.output) from result.exception
        return result.output

    return run
