"""Threads, forks beside threads, and servers that load before they fork: never another tag."""

import multiprocessing
import threading

import pytest

from ..processes import needs_fork
from ..util import ARCHITECTURES, TEXTS, make_examples, tags_of, train, trained_nlp

HANGS = 900  # seconds, far more than the slowest machine takes


def texts_of(random, count):
    """RETURNS (list): Texts of the words that the tagger knows, and of others."""
    words = " ".join(TEXTS).split()
    words += ["".join(random.choices("abcdeé", k=5)) for _ in range(50)]
    return [" ".join(random.choices(words, k=random.randrange(1, 30))) for _ in range(count)]


class Taggers:
    """Threads that tag all the time while the context lasts; a wrong tag is an error at its end."""

    def __init__(self, nlp, texts, expected, count=4):
        self.nlp, self.texts, self.expected = nlp, texts, expected
        self.done, self.errors = threading.Event(), []
        self.threads = [threading.Thread(target=self._tag) for _ in range(count)]

    def _tag(self):
        while not self.done.is_set():
            try:
                assert tags_of(self.nlp.pipe(self.texts)) == self.expected
            except BaseException as error:
                self.errors.append(error)
                return

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()
        if self.errors:
            raise self.errors[0]


@pytest.fixture(params=ARCHITECTURES)
def served(request, campaign):
    """RETURNS (tuple): A pipeline, texts, and their tags."""
    nlp, _ = trained_nlp(architecture=request.param)
    texts = texts_of(campaign.random("texts"), 40)
    return nlp, texts, tags_of(nlp.pipe(texts))


def test_threads(campaign, served):
    nlp, texts, expected = served
    with Taggers(nlp, texts, expected, count=8):
        for _ in range(campaign.times(300)):
            assert tags_of(map(nlp, texts)) == expected


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_beside_threads(campaign, served, method, monkeypatch):
    """What `nlp.pipe(n_process=2)` does in a server whose other threads tag."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"{method} is not there on this system")
    nlp, texts, expected = served
    monkeypatch.setattr("spacy.language.mp", multiprocessing.get_context(method))
    with Taggers(nlp, texts, expected):
        for _ in range(campaign.times(20 if method == "fork" else 3)):
            assert tags_of(nlp.pipe(texts, n_process=2, batch_size=8)) == expected


def tag_in_child(nlp, texts, expected, queue):
    with Taggers(nlp, texts, expected, count=2):
        queue.put(tags_of(nlp.pipe(texts)) == expected)


@needs_fork
def test_a_server_that_loads_before_it_forks(campaign, served):
    """Workers are forked again and again, beside threads that tag, and tag in threads themselves."""
    nlp, texts, expected = served
    context = multiprocessing.get_context("fork")
    with Taggers(nlp, texts, expected):
        for i in range(campaign.times(100)):
            queue = context.SimpleQueue()
            children = [
                context.Process(
                    target=tag_in_child, args=(nlp, texts, expected, queue), daemon=True
                )
                for _ in range(2)
            ]
            for child in children:
                child.start()
            for child in children:
                child.join(HANGS)
                assert child.exitcode == 0, f"fork {i} hangs or failed"
                assert queue.get()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_training_beside_threads(campaign, architecture):
    """Steps of a rate of 0 change no tag, whoever reads the weights meanwhile."""
    nlp, optimizer = trained_nlp(architecture=architecture)
    texts = texts_of(campaign.random("training"), 20)
    optimizer.learn_rate = 0.0
    examples = make_examples(nlp)
    train(nlp, examples, steps=1, optimizer=optimizer)
    expected = tags_of(nlp.pipe(texts))
    with Taggers(nlp, texts, expected, count=3):
        train(nlp, examples, steps=campaign.times(500), optimizer=optimizer, drop=0.5)
