"""Training from `.spacy` files is training from CoNLL-U, through spaCy's command."""

import pytest
import spacy

from spacy_lstm_tagger.readers import Corpus

from ..util import CONFIGS, overrides
from .test_docbin import save


@pytest.mark.parametrize("name", ["crf.cfg", "shared.cfg", "small.cfg"])
def test_either_format_gives_the_same_model(spacy_command, small_corpus, tmp_path, name):
    docs = [eg.reference for eg in Corpus(small_corpus, group_by="document")(spacy.blank("en"))]
    models = []
    for data in (small_corpus, save(tmp_path / "small.spacy", docs)):
        output = tmp_path / data.suffix
        steps = {"training.max_steps": 4, "training.eval_frequency": 2}
        values = overrides({"paths.train": data, "paths.dev": data, **steps})
        spacy_command("train", CONFIGS / name, "--output", output, *values)
        nlp = spacy.load(output / "model-last")
        models.append({pipe_name: pipe.model.to_bytes() for pipe_name, pipe in nlp.pipeline})
    assert models[0] == models[1]


def test_a_tag_that_training_lacks(spacy_command, small_corpus, tmp_path):
    dev = tmp_path / "dev.conllu"
    text = small_corpus.read_text(encoding="utf-8")
    dev.write_text(text.replace("\tDT\t", "\tNEW\t"), encoding="utf-8")
    steps = {"training.max_steps": 4, "training.eval_frequency": 2}
    values = overrides({"paths.train": small_corpus, "paths.dev": dev, **steps})
    with pytest.warns(UserWarning, match=r"LW003.*dev\.conllu has 1 label.*: 'NEW'\.") as found:
        spacy_command("train", CONFIGS / "small.cfg", "--output", tmp_path / "output", *values)
    assert sum("LW003" in str(warning.message) for warning in found) == 1
