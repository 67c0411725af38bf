"""The word layer puts its parts together, projects them and gathers them to tokens."""

import pytest
import torch

from spacy_lstm_tagger.nn.buckets import Buckets
from spacy_lstm_tagger.nn.characters import CharacterLSTM
from spacy_lstm_tagger.nn.embedding import WordEmbedding
from spacy_lstm_tagger.nn.vocabulary import VocabularyEmbedding

FEATURES = torch.tensor([[1, 2, 0], [3, 1, 1]])  # (features, words)
WORDS = [[1, 2], [3], [1, 1, 2]]


def make(width=None, characters=True):
    torch.manual_seed(0)
    letters = VocabularyEmbedding(width=2, capacity=5)
    module = WordEmbedding(
        features={"word": (4, 10), "shape": (3, 10)},
        characters=CharacterLSTM(embedding=letters, hidden_width=5) if characters else None,
        width=width,
    )
    letters.add(range(5))
    for table in module.tables.values():
        table.add(range(3))
        torch.nn.init.normal_(table.unknown)
    return module


def letters():
    rows = torch.tensor([row for word in WORDS for row in word])
    return rows, Buckets.of([len(word) for word in WORDS])


def test_parts_are_concatenated_without_a_projection():
    module = make()
    assert module.output_width == 4 + 3 + 2 * 5
    parts = [
        module.tables["word"](FEATURES[0]),
        module.tables["shape"](FEATURES[1]),
        module.characters(*letters()).vectors,
    ]
    assert torch.equal(module(FEATURES, letters()).vectors, torch.cat(parts, dim=1))


def test_parts_are_projected():
    plain, module = make(), make(width=6)
    plain.load_state_dict({k: v for k, v in module.state_dict().items() if "projection" not in k})
    y = module(FEATURES, letters()).vectors
    assert y.shape == (3, module.output_width) == (3, 6)
    torch.testing.assert_close(y, module.projection(plain(FEATURES, letters()).vectors))


def test_pretrained_vectors_are_the_last_part_of_a_word_but_its_letters():
    module = WordEmbedding(features={"word": (4, 10)}, pretrained=(3, 10))
    module.tables["word"].add(range(3))
    vectors = torch.randn(2, 3).half()
    module.tables["pretrained"].fill([7, 8], vectors)
    y = module(torch.tensor([[1, 2], [0, 2]])).vectors
    assert torch.equal(y[:, :4], module.tables["word"](torch.tensor([1, 2])))
    assert torch.equal(y[:, 4:], torch.stack([torch.zeros(3), vectors[1].float()]))


def test_without_characters():
    module = make(characters=False)
    assert module(FEATURES).vectors.shape == (3, module.output_width) == (3, 7)


def test_static_vectors_are_added():
    module, static = make(width=6), torch.randn(3, 6)
    y = module(FEATURES, letters()).vectors
    torch.testing.assert_close(module(FEATURES, letters(), static=static).vectors, y + static)


def test_static_vectors_are_not_dropped():
    """Dropout is on the learned parts; the vectors come as they are."""
    module, static = make(width=6), torch.randn(3, 6)
    torch.nn.init.zeros_(module.projection.weight)
    y = module(FEATURES, letters(), static=static, dropout=0.9).vectors
    torch.testing.assert_close(y, static)


def test_words_are_gathered_to_tokens():
    module, tokens = make(width=6), torch.tensor([2, 0, 0, 1, 2])
    y = module(FEATURES, letters()).vectors
    assert torch.equal(module(FEATURES, letters(), tokens=tokens).vectors, y[tokens])


def test_a_repeated_word_gathers_its_gradients():
    module, tokens = make(), torch.tensor([0, 0, 0, 1])
    module(FEATURES, letters(), tokens=tokens).vectors.sum().backward()
    assert module.tables["word"].weight.grad[1:3].tolist() == [[3.0] * 4, [1.0] * 4]


def test_without_dropout_training_is_deterministic():
    module = make(width=6).train()
    y = module(FEATURES, letters()).vectors
    assert torch.equal(module(FEATURES, letters(), dropout=0.0, word_dropout=0.0).vectors, y)
    assert torch.equal(module.eval()(FEATURES, letters()).vectors, y)


def test_dropout_drops_and_keeps_the_expectation():
    torch.manual_seed(0)
    module = make(characters=False)
    features = torch.ones(2, 5000, dtype=torch.int64)
    y = module(features).vectors
    dropped = module(features, dropout=0.4).vectors
    assert (dropped == 0).float().mean().item() == pytest.approx(0.4, abs=0.02)
    torch.testing.assert_close(dropped.mean(0), y.mean(0), atol=0.1, rtol=0.1)


def test_word_dropout_takes_each_feature_for_unknown_by_itself():
    module = make(characters=False)
    y = module(torch.ones(2, 2000, dtype=torch.int64), word_dropout=0.5).vectors
    word, shape = y.split([4, 3], dim=1)
    word_unknown = (word == module.tables["word"].unknown).all(1)
    shape_unknown = (shape == module.tables["shape"].unknown).all(1)
    assert word_unknown.float().mean().item() == pytest.approx(0.5, abs=0.06)
    assert (word_unknown & shape_unknown).float().mean().item() == pytest.approx(0.25, abs=0.06)


def test_precision_reaches_the_letters():
    module = make(width=6).eval()
    with torch.inference_mode():
        exact = module(FEATURES, letters()).vectors
        rough = module(FEATURES, letters(), precision=torch.bfloat16).vectors
    assert not torch.equal(rough, exact)
    torch.testing.assert_close(rough, exact, atol=0.03, rtol=0.03)


def test_the_projection_is_drawn_anew():
    module = make(width=6)
    before, bound = module.projection.weight.clone(), (6 / (17 + 6)) ** 0.5
    module.reset_parameters()
    assert not torch.equal(module.projection.weight, before)
    assert 0.8 * bound < module.projection.weight.abs().max() <= bound
    assert not module.projection.bias.any()
