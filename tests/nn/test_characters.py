"""The character LSTM keeps the state at a word's own end, whatever words lie beside it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_lstm_tagger.nn.buckets import Buckets
from spacy_lstm_tagger.nn.characters import CharacterLSTM
from spacy_lstm_tagger.nn.vocabulary import VocabularyEmbedding

properties = settings(max_examples=25, deadline=None)
some_words = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=15), min_size=1, max_size=10)


def make(**options):
    torch.manual_seed(0)
    embedding = VocabularyEmbedding(width=3, capacity=9)
    embedding.add(range(9))
    module = CharacterLSTM(embedding=embedding, hidden_width=4, **options).eval()
    if module.queries is not None:
        torch.nn.init.normal_(module.queries)
    return module


def read_by_hand(module, word):
    """RETURNS (list): The states of each direction after each letter, one by one."""
    letters = module.embedding(torch.tensor(word))
    readings = [(module.forward_lstm, letters), (module.backward_lstm, letters.flip(0))]
    states = []
    for lstm, reading in readings[: 1 if module.backward_lstm is None else 2]:
        state, seen = None, []
        for letter in reading:
            h, state = lstm(letter.view(1, 1, -1), state)
            seen.append(h.view(-1))
        states.append(torch.stack(seen))
    return states


def read_words(module, words, step_cost=None):
    rows = torch.tensor([row for word in words for row in word], dtype=torch.int64)
    return module(rows, Buckets.of([len(word) for word in words], step_cost=step_cost)).vectors


@pytest.mark.parametrize("bidirectional", [False, True])
@properties
@given(words=some_words, step_cost=st.sampled_from([0, 2, 512]))
def test_a_word_is_the_state_after_its_last_letter(bidirectional, words, step_cost):
    module = make(bidirectional=bidirectional)
    found = read_words(module, words, step_cost)
    assert found.shape == (len(words), module.output_width)
    for word, vector in zip(words, found, strict=True):
        finals = [states[-1] for states in read_by_hand(module, word)]
        torch.testing.assert_close(vector, torch.cat(finals), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
@properties
@given(words=some_words, step_cost=st.sampled_from([0, 2, 512]))
def test_attention_adds_a_weighted_mean_of_a_words_own_states(bidirectional, words, step_cost):
    module = make(bidirectional=bidirectional, attention=True)
    found = read_words(module, words, step_cost)
    assert found.shape == (len(words), module.output_width)
    for word, vector in zip(words, found, strict=True):
        states = read_by_hand(module, word)
        means = [
            ((h @ query).softmax(0)[:, None] * h).sum(0)
            for h, query in zip(states, module.queries, strict=True)
        ]
        expected = torch.cat([*(h[-1] for h in states), *means])
        torch.testing.assert_close(vector, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
@properties
@given(words=some_words, step_cost=st.sampled_from([0, 2, 512]))
def test_in_training_states_guess_the_next_letter(bidirectional, words, step_cost):
    module = make(bidirectional=bidirectional, lm_weight=0.5)
    rows = torch.tensor([letter for word in words for letter in word], dtype=torch.int64)
    buckets = Buckets.of([len(word) for word in words], step_cost=step_cost)
    assert module(rows, buckets).loss is None  # not when tagging
    found = module.train()(rows, buckets).loss
    table = module.embedding(torch.arange(10))
    loss = torch.zeros(())
    for word in words:
        readings = (word, word[::-1])
        for states, reading, guesser in zip(
            read_by_hand(module, word), readings, module.language_models, strict=False
        ):
            for state, following in zip(states, reading[1:], strict=False):
                loss = loss - (table @ guesser.guess(state)).log_softmax(0)[following]
    torch.testing.assert_close(found, 0.5 * loss, atol=1e-5, rtol=1e-5)


def test_the_same_letters_are_the_same_word_anywhere():
    module = make()
    words = [[1], [1, 2, 3], [4] * 15, [1, 2, 3], [3, 2, 1]]
    found = read_words(module, words)
    torch.testing.assert_close(found[1], found[3], atol=1e-6, rtol=0)
    assert not torch.allclose(found[1], found[4], atol=1e-3)


def test_gradients_reach_all_letters_and_no_others():
    module = make()
    read_words(module, [[1, 2], [3]]).sum().backward()
    reached = module.embedding.weight.grad.abs().sum(1) > 0
    assert reached.nonzero().flatten().tolist() == [1, 2, 3]


@pytest.mark.parametrize("attention", [False, True])
def test_bfloat16_stays_close(attention):
    module, words = make(attention=attention), [[1, 2, 3], [4] * 12]
    rows, buckets = torch.tensor(words[0] + words[1]), Buckets.of([3, 12])
    with torch.inference_mode():
        rough = module(rows, buckets, precision=torch.bfloat16).vectors
        torch.testing.assert_close(rough, module(rows, buckets).vectors, atol=0.03, rtol=0.03)


def test_no_words():
    module = make(attention=True, lm_weight=1.0).train()
    assert read_words(module, []).shape == (0, module.output_width)


def test_a_new_module_lets_all_letters_count_the_same():
    module = make(attention=True)
    module.reset_parameters()
    assert not module.queries.any()


def test_in_half_precision_states_guess_too():
    module = make(lm_weight=0.5).train()
    rows, buckets = torch.tensor([1, 2, 3, 4, 4]), Buckets.of([3, 2])
    with torch.no_grad():
        exact = module(rows, buckets).loss
        rough = module(rows, buckets, precision=torch.bfloat16).loss
    torch.testing.assert_close(rough, exact, atol=0.1, rtol=0.03)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_language_model_of_another_type(dtype):
    module = make(lm_weight=0.1).train().to(dtype)
    module(torch.arange(8), Buckets.of([3, 5])).loss.backward()
