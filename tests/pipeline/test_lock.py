"""Tagging and training at once: whoever tags sees the weights before or after a step."""

import contextlib
import copy
import gc
import itertools
import multiprocessing
import os
import pickle
import sys
import threading
import time

import numpy as np
import pytest
import torch
from torch.autograd import grad_mode

from spacy_lstm_tagger.models import threads
from spacy_lstm_tagger.models.threads import our_threads
from spacy_lstm_tagger.pipeline import lock as lock_module
from spacy_lstm_tagger.pipeline import saving
from spacy_lstm_tagger.pipeline.lock import WeightsLock

from ..processes import needs_fork
from ..util import ARCHITECTURES, TEXTS, make_examples, scores_of, tags_of, train, trained_nlp


class Thread(threading.Thread):
    """A thread whose error is raised where it is joined."""

    def __init__(self, function):
        super().__init__(daemon=True)
        self.function, self.error = function, None
        self.start()

    def run(self):
        try:
            self.function()
        except BaseException as error:
            self.error = error

    def result(self):
        self.join()
        if self.error is not None:
            raise self.error


def tag_while(nlp, change):
    """Tag in three threads while another function runs.

    RETURNS (list): The probabilities that were found.
    """
    pipe = nlp.get_pipe("lstm_tagger")
    pipe.cfg["save_probabilities"] = True
    found, done = [], threading.Event()

    def tag():
        while not done.is_set():
            docs = [nlp.make_doc(text) for text in TEXTS]
            guesses = pipe.predict(docs)
            found.append(np.concatenate([each.dense() for each in guesses.probabilities]))

    threads = [Thread(tag) for _ in range(3)]
    try:
        change()
    finally:
        done.set()
        for thread in threads:
            thread.result()
    return found


def probabilities(nlp):
    pipe = nlp.get_pipe("lstm_tagger")
    guesses = pipe.predict([nlp.make_doc(text) for text in TEXTS])
    return np.concatenate([each.dense() for each in guesses.probabilities])


def assert_all_known(found, known):
    known = np.array(known)
    for each in found:
        assert np.abs(known - each).max(axis=(1, 2)).min() < 1e-6


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_tagging_while_training(architecture, precision):
    nlp, optimizer = trained_nlp(steps=1, architecture=architecture, precision=precision)
    nlp.get_pipe("lstm_tagger").cfg["save_probabilities"] = True
    examples, known = make_examples(nlp), [probabilities(nlp)]

    def steps():
        for _ in range(15):
            train(nlp, examples, steps=1, optimizer=optimizer, drop=0.2)
            known.append(probabilities(nlp))

    found = tag_while(nlp, steps)
    assert len(found) > 10
    assert_all_known(found, known)


def test_tagging_while_weights_are_averaged_or_loaded():
    nlp, optimizer = trained_nlp(steps=5)
    pipe = nlp.get_pipe("lstm_tagger")
    pipe.cfg["save_probabilities"] = True
    data = pipe.to_bytes(exclude=["vocab"])
    known = [probabilities(nlp)]
    with nlp.use_params(optimizer.averages):
        known.append(probabilities(nlp))

    def change():
        for _ in range(20):
            with nlp.use_params(optimizer.averages):
                probabilities(nlp)
            pipe.from_bytes(data, exclude=["vocab"])

    assert_all_known(tag_while(nlp, change), known)


def test_a_step_keeps_readers_away_until_it_is_made():
    lock, order = WeightsLock(), []
    inside, may_end = threading.Event(), threading.Event()

    def change():
        with lock.changing():
            with lock.reading(), lock.changing():  # its own
                order.append("change")
            inside.set()
            may_end.wait()
            order.append("changed")

    def read():
        with lock.reading():
            order.append("read")

    writer = Thread(change)
    inside.wait()
    readers = [Thread(read) for _ in range(3)]
    may_end.set()
    for thread in (writer, *readers):
        thread.result()
    assert order == ["change", "changed", "read", "read", "read"]


@pytest.mark.parametrize(
    ("held", "wait"),
    [("changing", lambda pipe: pipe.to_bytes()), ("reading", lambda pipe: pipe.add_label("NEW"))],
)
def test_saving_waits_for_a_step_and_a_new_label_for_whoever_tags(held, wait):
    pipe = trained_nlp(steps=1)[0].get_pipe("lstm_tagger")
    labels = pipe.labels
    with getattr(pipe._lock, held)():
        thread = Thread(lambda: wait(pipe))
        thread.join(0.2)
        assert thread.is_alive() and pipe.labels == labels
    thread.result()


def test_no_label_comes_between_what_is_checked_and_what_is_loaded(monkeypatch):
    pipe = trained_nlp(steps=1)[0].get_pipe("lstm_tagger")
    data, adding = pipe.to_bytes(), []

    def check(cfg):
        adding.append(Thread(lambda: pipe.add_label("NEW")))
        adding[0].join(0.2)

    monkeypatch.setattr(saving, "check_settings", check)
    pipe.from_bytes(data)
    adding[0].result()
    assert pipe.labels[-1] == "NEW" and pipe.model.get_dim("nO") == len(pipe.labels)


def test_tags_are_of_the_tag_set_that_they_were_found_with():
    nlp = trained_nlp()[0]
    pipe, doc = nlp.get_pipe("lstm_tagger"), nlp.make_doc(TEXTS[0])
    expected = [token.tag_ for token in nlp(TEXTS[0])]
    guesses = pipe.predict([doc])
    pipe.cfg["labels"] = [f"new {label}" for label in pipe.labels]  # as if another was loaded
    pipe.set_annotations([doc], guesses)
    assert [token.tag_ for token in doc] == expected


def test_many_read_at_once():
    lock, barrier = WeightsLock(), threading.Barrier(4)

    def read():
        with lock.reading():
            barrier.wait()  # all of them are in

    for thread in [Thread(read) for _ in range(4)]:
        thread.result()


def test_an_error_frees_it():
    lock = WeightsLock()
    for enter in (lock.reading, lock.changing):
        with pytest.raises(KeyError), enter():
            raise KeyError
    with lock.changing():
        pass


class Alarm(Exception):
    """What a signal's handler raises, such as Celery's soft limit of time. spaCy raises it once
    more, in a frame that holds it: what its traceback holds stays until it is collected.
    """


def is_interrupted(function, place):
    """Call a function, and raise in the nth place around a lock in which Python may call the
    handler of a signal: at the start of a function, or after one of C.

    RETURNS (bool): Whether there are so many places.
    """
    places = itertools.count()
    modules = threads, lock_module, contextlib, threading, grad_mode
    files = {module.__file__ for module in modules}

    def watch(frame, event, called):
        is_place = event in ("call", "c_return") and frame.f_code.co_filename in files
        # Python 3.14 may lose any lock as it is entered: a bug of its own (python/cpython#148874).
        is_lost = sys.version_info >= (3, 14) and getattr(called, "__name__", "") == "__enter__"
        # In 3.10 what a profiler raises as a generator goes on passes by its `finally`: no handler's does.
        # And it keeps the variables of each frame that it has seen: contexts, which would end later.
        is_context = frame.f_code.co_filename in threads.CONTEXTS
        is_lost |= sys.version_info < (3, 11) and (
            is_context or (event == "call" and frame.f_lasti >= 0)
        )
        if is_place and not is_lost and next(places) == place:
            raise Alarm

    sys.setprofile(watch)
    try:
        function()
    except Alarm:
        return True
    finally:
        sys.setprofile(None)
    return False


@pytest.mark.parametrize(
    ("kind", "architecture"),
    [("tag", "Tagger"), ("tag", "CRFTagger"), ("reading", "Tagger"), ("changing", "Tagger")],
)
def test_who_is_interrupted_anywhere_leaves_nothing_behind(kind, architecture, request):
    nlp, _ = trained_nlp(steps=1, architecture=architecture)
    lock = nlp.get_pipe("lstm_tagger")._lock
    before = torch.get_num_threads()

    def hold():
        with getattr(lock, kind)():
            pass

    def change():
        with lock.changing():
            changed.set()

    place = 0
    gc.disable()
    request.addfinalizer(gc.enable)
    while is_interrupted((lambda: nlp(TEXTS[0])) if kind == "tag" else hold, place):
        assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled(), place
        assert not threads._working, place
        assert torch.get_num_threads() == before, place
        changed = threading.Event()
        threading.Thread(target=change, daemon=True).start()
        assert changed.wait(10), place
        place += 1
    assert place > 10


@pytest.mark.parametrize("make", [copy.deepcopy, lambda lock: pickle.loads(pickle.dumps(lock))])
def test_a_copy_is_free(make):
    lock = WeightsLock()
    with lock.changing():
        other = make(lock)
    Thread(lambda: other.changing().__enter__()).result()


def tag_in_child(nlp, queue):
    queue.put(tags_of(nlp.pipe(TEXTS)))


@needs_fork
def test_a_fork_waits_for_who_changes_weights_and_who_waits_for_them(monkeypatch):
    """They do not wait for the fork, either."""
    monkeypatch.setattr(threads, "PATIENCE", 10)  # and then it would be the first
    lock, order = WeightsLock(), []
    changes, reads = threading.Event(), threading.Event()

    def change():
        with lock.changing():
            changes.set()
            time.sleep(0.2)  # by then the fork waits
            with our_threads():
                order.append("changed")

    def read():
        with our_threads():
            reads.set()
            with lock.reading():
                order.append("read")

    writer = Thread(change)
    changes.wait()
    reader = Thread(read)
    reads.wait()
    child = os.fork()
    if not child:
        os._exit(0)
    order.append("forked")
    os.waitpid(child, 0)
    for thread in (writer, reader):
        thread.result()
    assert order == ["changed", "read", "forked"]


@needs_fork
def test_a_fork_that_has_waited_long_enough(monkeypatch):
    """In the child nobody holds the lock."""
    monkeypatch.setattr(threads, "PATIENCE", 0.1)
    nlp, _ = trained_nlp(steps=5)
    lock = nlp.get_pipe("lstm_tagger")._lock
    expected = tags_of(nlp.pipe(TEXTS))
    inside, may_end = threading.Event(), threading.Event()

    def hold():
        with lock.changing():
            inside.set()
            may_end.wait()

    thread = Thread(hold)
    inside.wait()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=tag_in_child, args=(nlp, queue), daemon=True)
    child.start()
    assert queue.get() == expected
    child.join()
    may_end.set()
    thread.result()
    assert scores_of(nlp.get_pipe("lstm_tagger"), [nlp.make_doc(TEXTS[0])])
