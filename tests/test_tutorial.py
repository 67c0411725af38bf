"""What PyTorch's tutorial on LSTM taggers claims, through `spacy train configs/tutorial.cfg`."""

import re

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose

from .util import CONFIGS, overrides

SENTENCES = [
    ("The dog ate the apple", ["DET", "NN", "V", "DET", "NN"]),
    ("Everybody read that book", ["NN", "V", "DET", "NN"]),
]
LETTERS = {"embed.characters": "true", "encode.input_width": "9"}


@pytest.fixture(scope="module", params=[{}, LETTERS], ids=["words", "letters"])
def run(request, tmp_path_factory, spacy_command):
    """RETURNS (tuple): The trained pipeline, what `spacy train` printed, whether it reads letters."""
    output = tmp_path_factory.mktemp("tutorial")
    extra = overrides(request.param, "components.tagger.model.tok2vec.")
    printed = spacy_command("train", CONFIGS / "tutorial.cfg", "--output", output, *extra)
    return spacy.load(output / "model-last"), printed, bool(request.param)


def log_probabilities(nlp, doc):
    """RETURNS (NDArray): What the model gives in training. *Shape:* ``(tokens, tags)``."""
    return np.log(nlp.get_pipe("tagger").model([doc], is_train=True)[0][0])


def modules(nlp):
    """RETURNS (dict): The torch modules of the tagger by the name of their Thinc layer."""
    nodes = nlp.get_pipe("tagger").model.walk()
    return {node.name: node.shims[0].module for node in nodes if node.shims}


def test_tags_are_right(run):
    nlp, printed, _ = run
    for text, tags in SENTENCES:
        assert [token.tag_ for token in nlp(text)] == tags
    assert re.search(r"\s100\.00\s.*\n", printed)


def test_first_sentence_is_sure(run):
    nlp, _, _ = run
    assert log_probabilities(nlp, nlp(SENTENCES[0][0])).max(axis=1).min() > -0.05


def test_loss_falls(run):
    _, printed, _ = run
    rows = re.findall(r"^ *\d+ +(\d+) +([\d.]+)", printed, re.MULTILINE)
    # The first row is of one step, the others are of a hundred each.
    losses = [float(loss) / 100 for _, loss in rows[1:]]
    assert len(losses) >= 5
    assert float(rows[0][1]) > losses[0]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.01 * losses[0]


def test_sizes_are_those_of_the_tutorial(run):
    nlp, _, letters = run
    lstm = modules(nlp)["lstm_encoder"].forward_lstms[0]
    # 6 for the word; its letters add 3
    assert (lstm.input_size, lstm.hidden_size, lstm.num_layers) == (9 if letters else 6, 6, 1)
    assert not lstm.bidirectional and not modules(nlp)["lstm_encoder"].backward_lstms


@pytest.mark.parametrize("text", [text for text, _ in SENTENCES] + ["The cat ate that book"])
def test_scores_are_log_softmax_of_an_affine_map_of_lstm_states(run, text):
    """Recomputed from the trained weights with plain PyTorch, one step at a time and at once."""
    nlp, _, letters = run
    doc = nlp.make_doc(text)
    tagger = nlp.get_pipe("tagger")
    embedding, encoder = modules(nlp)["word_char_embed"], modules(nlp)["lstm_encoder"]
    softmax = tagger.model.get_ref("softmax")
    table = embedding.tables["word"]
    with torch.no_grad():
        rows = torch.tensor(table.lookup(doc.to_array("ORTH").astype("int64").tolist()))
        x = table.unknown + table.weight[rows]  # (words, width)
        if letters:
            x = torch.cat([x, torch.stack([final_state(embedding, word.text) for word in doc])], 1)
        h_at_once, _ = encoder.forward_lstms[0](x)
        state, h = None, []
        for step in x:
            out, state = encoder.forward_lstms[0](step.view(1, -1), state)
            h.append(out)
        h = torch.cat(h)  # (words, hidden)
        assert_allclose(h, h_at_once, atol=1e-6)
        A, b = torch.from_numpy(softmax.get_param("W")), torch.from_numpy(softmax.get_param("b"))
        expected = torch.log_softmax(h @ A.T + b, dim=1).numpy()
    assert_allclose(log_probabilities(nlp, nlp.make_doc(text)), expected, atol=1e-5)
    best = [tagger.labels[i] for i in expected.argmax(axis=1)]
    assert [token.tag_ for token in nlp(text)] == best


def final_state(embedding, word):
    """RETURNS (Tensor): The state of the character LSTM at the word's last letter."""
    table = embedding.characters.embedding
    rows = torch.tensor(table.lookup([ord(letter) for letter in word]))
    _, (h, _) = embedding.characters.forward_lstm(table.unknown + table.weight[rows])
    return h[0]


def test_unknown_words_share_a_vector(run):
    nlp, _, letters = run
    scores = nlp.get_pipe("tagger").model.predict([nlp("unseen"), nlp("unheard")])
    assert (np.abs(scores[0] - scores[1]).max() > 1e-6) == letters
