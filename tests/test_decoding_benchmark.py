"""The benchmark of decoding runs and prints what the docs say it does."""

import pytest
import spacy

from benchmarks import decoding
from spacy_lstm_tagger.readers import Corpus

from .util import ARCHITECTURES, small_model


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_table(small_corpus, tmp_path, capsys, architecture):
    nlp = spacy.blank("en")
    model = small_model() | {"@architectures": f"spacy-lstm-tagger.{architecture}.v1"}
    nlp.add_pipe("lstm_tagger", config={"model": model})
    examples = list(Corpus(small_corpus)(nlp))
    optimizer = nlp.initialize(lambda: examples)
    nlp.update(examples, sgd=optimizer)
    (tmp_path / "crf-0").mkdir()
    nlp.to_disk(tmp_path / "crf-0" / "model-best")
    arguments = [tmp_path / "crf-0" / "model-best", "--dev", small_corpus]
    decoding.main([*map(str, arguments), "--rounds", "1"])
    head, rule, row = capsys.readouterr().out.splitlines()
    assert head.count("|") == rule.count("|") == row.count("|") == 9
    assert row.startswith("| crf-0 | ") and "of it decoding" in head
