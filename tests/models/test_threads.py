"""Our layers run on one thread, unless the user wants others, and give the setting back."""

import contextlib
import os
import pickle
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import spacy
import torch

from spacy_lstm_tagger.models import threads
from spacy_lstm_tagger.models.threads import our_threads
from spacy_lstm_tagger.nn.kernel import LSTMLayer

from ..processes import needs_fork
from ..util import TEXTS, make_examples, scores_of, tok2vec_config, train, trained_nlp


@pytest.fixture(autouse=True)
def default(monkeypatch):
    """PyTorch's default is three threads, and nobody has chosen another number."""
    before = torch.get_num_threads()
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "_default", 3)
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def seen(monkeypatch):
    """The numbers of threads that LSTMs ran on."""
    numbers = set()
    run = LSTMLayer.run

    def record(self, *args):
        numbers.add(torch.get_num_threads())
        return run(self, *args)

    monkeypatch.setattr(LSTMLayer, "run", record)
    return numbers


def work():
    """Train and tag."""
    nlp, _ = trained_nlp(steps=2)
    nlp("A lone sentence")
    list(nlp.pipe(TEXTS))
    nlp.rehearse(make_examples(nlp), sgd=nlp.resume_training())


@contextlib.contextmanager
def default_dtype(dtype):
    """What a host may have chosen for its own tensors."""
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def gradients_in(mode):
    """They are taken, but tensors are made as in the mode."""
    with mode(), torch.enable_grad():
        yield


@pytest.mark.parametrize(
    ("mode", "argument"),
    [
        (gradients_in, torch.inference_mode),
        (torch.autocast, "cpu"),
        (torch.set_grad_enabled, False),
        (torch.inference_mode, True),
        (torch.device, "meta"),
        (default_dtype, torch.float64),
        (default_dtype, torch.bfloat16),
    ],
)
def test_what_the_host_has_chosen_changes_nothing(mode, argument):
    """Neither at once nor, by what is kept, later; neither in training nor in copies."""

    def scores(nlp):
        docs = [nlp.make_doc(text) for text in TEXTS]
        return np.concatenate(scores_of(nlp.get_pipe("lstm_tagger"), docs))

    def modes():
        empty, autocast = torch.empty(0), torch.is_autocast_enabled("cpu")
        return empty.dtype, empty.device, torch.is_grad_enabled(), empty.is_inference(), autocast

    def everything():
        nlp, _ = trained_nlp(steps=2)
        found = [scores(nlp), scores(pickle.loads(pickle.dumps(nlp)))]
        nlp.rehearse(make_examples(nlp), sgd=nlp.resume_training())
        return nlp, [*found, scores(nlp.from_bytes(nlp.to_bytes()))]

    nlp, expected = everything()
    with mode(argument):
        of_the_host = modes()
        again, found = everything()
        assert np.array_equal(scores(nlp), expected[-1])
        assert modes() == of_the_host
    assert np.array_equal(found, expected)
    assert np.array_equal(scores(again), expected[-1])
    again.update(make_examples(again), sgd=again.resume_training())


def test_training_and_tagging(seen):
    work()
    assert seen == {1}
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize("architecture", ["spacy.Tagger.v2", "spacy-lstm-tagger.Tagger.v1"])
def test_our_encoder_below_other_layers(architecture, seen):
    nlp = spacy.blank("en")
    tok2vec = tok2vec_config(width=16, embed_width=8)
    nlp.add_pipe("tagger", config={"model": {"@architectures": architecture, "tok2vec": tok2vec}})
    examples = make_examples(nlp)
    train(nlp, examples, steps=2, optimizer=nlp.initialize(lambda: examples))
    list(nlp.pipe(TEXTS))
    assert seen == {1}
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize("variable", threads.VARIABLES)
def test_a_variable_is_obeyed(variable, seen, monkeypatch):
    monkeypatch.setenv(variable, "3")
    work()
    assert seen == {3}


@pytest.mark.parametrize("value", ["", "0", "auto", "1"])
def test_a_variable_that_pytorch_did_not_heed_says_nothing(value, seen, monkeypatch):
    """As a container's file may have it, or a program that sets it below its imports."""
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    work()
    assert seen == {1}


def test_what_was_set_is_obeyed(seen):
    torch.set_num_threads(2)
    work()
    assert seen == {2}
    assert torch.get_num_threads() == 2


def test_what_was_set_before_the_import_is_obeyed():
    number = 3 * (os.cpu_count() or 1)
    script = f"""import torch
torch.set_num_threads({number})
from spacy_lstm_tagger.models.threads import our_threads
with our_threads():
    print(torch.get_num_threads())
"""
    printed = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert int(printed) == number


@pytest.mark.parametrize(
    ("platform", "fast", "expected"), [("darwin", 4, 4), ("darwin", 12, 0), ("linux", 4, 0)]
)
def test_the_fast_cores_of_a_mac_are_the_default(platform, fast, expected, monkeypatch):
    """Of ten, such as 4 and 6: PyTorch takes them alone."""
    monkeypatch.setattr(threads.sys, "platform", platform)
    monkeypatch.setattr(os, "cpu_count", lambda: 10)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(torch, "get_num_interop_threads", lambda: 10)
    monkeypatch.setattr(torch, "get_num_threads", lambda: fast)
    assert threads.default_threads() == expected


def test_an_error_gives_the_setting_back():
    with pytest.raises(KeyError), our_threads():
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == 3


def test_blocks_within_blocks():
    with our_threads():
        with our_threads():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_threads_of_the_process_do_not_disturb_each_other():
    """Each enters while others are within, and a new one has the process's setting afterwards."""
    numbers, barrier = [], threading.Barrier(4)

    def enter():
        for _ in range(3):
            barrier.wait()
            with our_threads():
                numbers.append(torch.get_num_threads())
            numbers.append(torch.get_num_threads() * 10)

    def run(*functions):
        started = [threading.Thread(target=function) for function in functions]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()

    for _ in range(100):  # a thread that is new takes what was set last
        run(*[enter] * 4)
    assert set(numbers) == {1, 30}
    run(lambda: numbers.append(torch.get_num_threads()))
    assert numbers[-1] == torch.get_num_threads() == 3


@needs_fork
@pytest.mark.parametrize("chosen", [False, True])
def test_a_fork_waits_for_threads_in_our_layers(chosen, monkeypatch):
    """The kernel's locks are free in the child."""
    if chosen:
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
    order, inside = [], threading.Event()

    def work():
        with our_threads():
            inside.set()
            time.sleep(0.2)  # a fork that does not wait is done by then
            order.append("worked")

    worker = threading.Thread(target=work)
    worker.start()
    inside.wait()
    child = os.fork()
    if not child:
        with our_threads():
            os._exit(0)
    order.append("forked")
    assert os.waitpid(child, 0)[1] == 0
    worker.join()
    with our_threads():
        assert order == ["worked", "forked"]


@needs_fork
@pytest.mark.parametrize(("chosen", "expected"), [(None, 1), (2, 2)])
def test_a_child_has_one_thread_unless_it_sets_another_number(chosen, expected):
    """As servers do for each of their workers."""
    child = os.fork()
    if not child:
        if chosen:
            torch.set_num_threads(chosen)
        with our_threads():
            inside = torch.get_num_threads()
        os._exit(not (inside == torch.get_num_threads() == expected))
    assert os.waitpid(child, 0)[1] == 0


@needs_fork
def test_nobody_enters_while_a_fork_waits():
    """Or it would wait for ever, where there is always somebody at work."""
    order, inside, knocks = [], threading.Event(), threading.Event()

    def first():
        with our_threads():
            inside.set()
            knocks.wait()
            time.sleep(0.3)
            order.append("first")

    def second():
        while not threads._forking:
            time.sleep(0.01)
        knocks.set()
        with our_threads():
            order.append("second")

    workers = [threading.Thread(target=work) for work in (first, second)]
    for worker in workers:
        worker.start()
    inside.wait()
    child = os.fork()
    if not child:
        os._exit(0)
    for worker in workers:
        worker.join()
    assert os.waitpid(child, 0)[1] == 0 and order == ["first", "second"]


@needs_fork
def test_a_fork_within_our_layers_does_not_wait_for_itself(monkeypatch):
    monkeypatch.setattr(threads, "PATIENCE", 60)
    start = time.monotonic()
    with our_threads():
        child = os.fork()
        if not child:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0 and time.monotonic() - start < 50


@needs_fork
def test_a_fork_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr(threads, "PATIENCE", 0.2)
    inside, done = threading.Event(), threading.Event()

    def work():
        with our_threads():
            inside.set()
            done.wait(60)

    worker = threading.Thread(target=work)
    worker.start()
    inside.wait()
    start = time.monotonic()
    child = os.fork()
    if not child:
        os._exit(0)
    waited = time.monotonic() - start
    done.set()
    worker.join()
    assert os.waitpid(child, 0)[1] == 0 and 0.2 <= waited < 50
