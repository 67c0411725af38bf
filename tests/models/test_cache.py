"""The cache changes no result: it follows the weights, is bounded, and copies are empty."""

import copy
import itertools
import os
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from thinc.api import Adam

from spacy_lstm_tagger.models import cache as cache_module
from spacy_lstm_tagger.models.cache import TypeCache

from ..processes import needs_fork
from . import (
    assert_same,
    interrupted_at_jump,
    learn_vocabulary,
    make_docs,
    small_embed,
    small_tagger,
)


def double(keys):
    """RETURNS (Callable): Encodes a key as twice its value, for keys of a call."""
    return lambda indices: torch.tensor([[2.0 * keys[i]] for i in indices])


def look_up(cache, keys, stamp=0):
    table, rows = cache.vectors(keys, double(keys), stamp)
    return table[rows].flatten().tolist()


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 6),
    st.lists(st.tuples(st.lists(st.integers(0, 9), min_size=1, unique=True), st.integers(0, 1))),
)
def test_vectors_are_those_asked_for_and_few_are_kept(capacity, calls):
    cache = TypeCache(capacity)
    for keys, stamp in calls:
        assert look_up(cache, keys, stamp) == [2.0 * key for key in keys]
        assert len(cache) <= capacity


def test_only_what_is_missing_is_encoded():
    cache, asked = TypeCache(10), []

    def encode(keys):
        def run(indices):
            asked.append([keys[i] for i in indices])
            return double(keys)(indices)

        return run

    for keys, stamp in [([1, 2], "a"), ([2, 3, 1], "a"), ([3], "a"), ([3], "b")]:
        cache.vectors(keys, encode(keys), stamp)
    assert asked == [[1, 2], [3], [3]]


def test_a_table_given_out_is_not_changed_by_later_calls():
    cache = TypeCache(4)
    table, rows = cache.vectors([1, 2, 3], double([1, 2, 3]), 0)
    look_up(cache, [7, 8, 9])
    assert table[rows].flatten().tolist() == [2.0, 4.0, 6.0]


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda cache: pickle.loads(pickle.dumps(cache))]
)
def test_a_copy_is_empty_and_of_the_same_capacity(duplicate):
    cache = TypeCache(3)
    look_up(cache, [1, 2])
    copied = duplicate(cache)
    assert (len(cache), len(copied), copied.capacity) == (2, 0, 3)
    look_up(copied, [4])
    assert len(cache) == 2


# From here on, in the embedding layer. The batch moves the last bit, hence `assert_same`.


def uncached(model, docs):
    """RETURNS (list): The vectors of the docs, computed anew."""
    plain = model.copy()
    plain.attrs["cache"] = TypeCache(0)
    return plain.predict(docs)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.lists(
            st.lists(
                st.sampled_from(["The", "dog", "ate", "the", "apple", "Dogs", "x", "y", "zz"]),
                max_size=5,
            ),
            min_size=1,
            max_size=3,
        ),
        max_size=5,
    )
)
def test_results_with_and_without_are_equal(batches):
    model = learn_vocabulary(small_embed(cache_size=4))
    for batch in batches:
        docs = make_docs(*batch)
        assert_same(model.predict(docs), uncached(model, docs))
        assert len(model.attrs["cache"]) <= 4


def test_it_is_used():
    model = learn_vocabulary(small_embed())
    model.predict(make_docs(["dog", "cat", "dog"]))
    assert len(model.attrs["cache"]) == 2
    shim = model.shims[0]
    shim.predict = None  # a call would raise
    model.predict(make_docs(["cat", "dog"]))


def by_optimizer(model, docs):
    Y, backprop = model.begin_update(docs)
    backprop(Y)
    model.finish_update(Adam(0.1))


def by_late_optimizer(model, docs):  # as of a component that annotates in training
    Y, backprop = model.begin_update(docs)
    backprop(Y)
    model.predict(docs)
    model.finish_update(Adam(0.1))


def by_bytes(model, docs):
    torch.manual_seed(1)
    model.from_bytes(learn_vocabulary(small_embed(), docs).to_bytes())


def by_state_dict(model, docs):
    torch.manual_seed(1)
    other = learn_vocabulary(small_embed(), docs).shims[0].module
    model.shims[0].module.load_state_dict(other.state_dict())


def by_torch(model, docs):
    with torch.no_grad():
        model.shims[0].module.projection.weight.mul_(2)


def by_new_data(model, docs):
    weight = model.shims[0].module.projection.weight
    weight.data = weight.data * 2


@pytest.mark.parametrize(
    "change",
    [by_optimizer, by_late_optimizer, by_bytes, by_state_dict, by_torch, by_new_data],
)
def test_it_is_emptied_when_the_weights_change(change):
    docs = make_docs()
    model = learn_vocabulary(small_embed(), docs)
    before = [array.copy() for array in model.predict(docs)]
    change(model, docs)
    after = model.predict(docs)
    assert_same(after, uncached(model, docs))
    assert abs(after[0] - before[0]).max() > 1e-3


def test_it_is_emptied_when_the_model_is_initialized_anew():
    docs = make_docs()
    model = learn_vocabulary(small_embed(width=None, characters=False), docs)
    model.predict(docs)
    model.initialize()
    assert_same(model.predict(docs), uncached(model, docs))


def test_it_is_emptied_when_the_vocabulary_grows():
    model = learn_vocabulary(small_embed())
    docs = make_docs(["zebra"])
    model.predict(docs)
    learn_vocabulary(model, docs)
    assert_same(model.predict(docs), uncached(model, docs))


def test_it_follows_use_params_in_and_out():
    docs = make_docs()
    model = learn_vocabulary(small_embed())
    optimizer = Adam(0.1, use_averages=True)
    for _ in range(3):
        Y, backprop = model.begin_update(docs)
        backprop(Y)
        model.finish_update(optimizer)
    before = [array.copy() for array in model.predict(docs)]
    with model.use_params(optimizer.averages):
        averaged = model.predict(docs)
        assert_same(averaged, uncached(model, docs))
        assert abs(averaged[0] - before[0]).max() > 1e-3
    assert_same(model.predict(docs), before)


@pytest.mark.parametrize("duplicate", [lambda model: model.copy(), copy.deepcopy])
def test_a_copied_model_has_a_cache_of_its_own(duplicate):
    docs = make_docs()
    model = learn_vocabulary(small_embed())
    before = [array.copy() for array in model.predict(docs)]
    copied = duplicate(model)
    assert len(copied.attrs["cache"]) == 0
    assert_same(copied.predict(docs), before)
    by_torch(copied, docs)
    assert_same(copied.predict(docs), uncached(copied, docs))
    assert_same(model.predict(docs), before)


def test_words_of_a_memory_zone():
    """spaCy frees a zone's strings when it ends, and may give their place to other words."""
    nlp = spacy.blank("en")
    model = learn_vocabulary(small_embed(), make_docs(vocab=nlp.vocab))
    for i in range(3):
        with nlp.memory_zone():
            docs = [Doc(nlp.vocab, words=["dog", f"zone{i}a", f"Zone{i}b"])]
            inside = [array.copy() for array in model.predict(docs)]
        # The same words come again, after others took their place.
        Doc(nlp.vocab, words=[f"other{i}{j}" for j in range(50)])
        again = [Doc(nlp.vocab, words=["dog", f"zone{i}a", f"Zone{i}b"])]
        assert_same(model.predict(again), inside)
        assert_same(model.predict(again), uncached(model, again))


def test_threads_share_it():
    docs = [make_docs([f"w{i}" for i in range(j, j + 6)]) for j in range(8)] * 4
    model = small_tagger(cache_size=10)
    expected = [model.predict(batch)[0].copy() for batch in docs]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda batch: model.predict(batch)[0].copy(), docs))
    assert_same(found, expected)


@needs_fork
def test_a_fork_while_another_thread_encodes_does_not_wait_for_it():
    """The lock is copied locked, and its owner is not."""
    model, docs = learn_vocabulary(small_embed()), make_docs()
    cache = model.attrs["cache"]
    with cache._lock:
        child = os.fork()
        if not child:
            found = [array.shape for array in model.predict(docs)]
            os._exit(0 if found == [(len(doc), 8) for doc in docs] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_who_is_interrupted_where_a_loop_jumps_back_frees_it():
    """From Python 3.12 on, this fails if the loop is written within `with`."""
    for place in itertools.count():
        cache = TypeCache(9)
        look_up(cache, [1, 2])
        with interrupted_at_jump(place, cache_module) as was_interrupted:
            look_up(cache, [1, 2, 3, 4])
        if not was_interrupted:
            break
        assert not cache._lock.locked(), place
    assert place > 5


def test_a_table_that_grows_keeps_its_vectors():
    """It has room for 1,024 types at first."""
    cache, keys = TypeCache(10_000), list(range(1, 5001))
    for start in range(0, 5000, 1000):
        look_up(cache, keys[start : start + 1000])
    assert look_up(cache, keys) == [2.0 * key for key in keys]


def test_it_is_filled_inside_and_outside_of_inference_mode():
    cache = TypeCache(10)
    with torch.inference_mode():
        look_up(cache, [1, 2])
    assert look_up(cache, [1, 3]) == [2.0, 6.0]


@needs_fork
def test_a_child_starts_over():
    """The thread that was adding vectors is not there to add the rest."""
    cache = TypeCache(10)
    look_up(cache, [1, 2])
    child = os.fork()
    if not child:
        os._exit(len(cache))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 and len(cache) == 2
