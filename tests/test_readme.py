"""The README says what the code does: its settings, its files, its Python example."""

import inspect
import json
import re
from pathlib import Path

import pytest
import spacy

from spacy_lstm_tagger import augmenters, readers
from spacy_lstm_tagger.distil import corpora, vocabulary
from spacy_lstm_tagger.models import architectures

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf8")
SETTINGS = {
    "WordCharEmbed.v1": architectures.build_word_char_embed,
    "LSTMEncoder.v1": architectures.build_lstm_encoder,
    "Tagger.v1": architectures.build_tagger,
    "CRFTagger.v1": architectures.build_crf_tagger,
    "Corpus.v1": readers.create_corpus_reader,
    "NoiseAugmenter.v1": augmenters.create_noise_augmenter,
    "MixedCorpus.v1": corpora.create_mixed_reader,
    "ShardCorpus.v1": corpora.create_shard_reader,
    "FillVocabulary.v1": vocabulary.create_vocabulary_filler,
}


def settings(heading):
    """RETURNS (dict): The settings in the table below a heading, and their defaults as text."""
    section = README.split(f"### `{heading}`", 1)[1].split("\n#", 1)[0]
    return dict(re.findall(r"^\| `(\w+)`[^|]*\| ([^|]+?) \|", section, re.M))


def as_config(value):
    return "required" if value is inspect.Parameter.empty else f"`{json.dumps(value)}`"


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_an_architecture_or_reader(name):
    parameters = inspect.signature(SETTINGS[name]).parameters
    expected = {key: as_config(p.default).replace(", ", ",") for key, p in parameters.items()}
    assert settings(f"spacy-lstm-tagger.{name}") == expected


def test_settings_of_the_component():
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger")
    config = nlp.get_factory_meta("lstm_tagger").default_config
    table = settings("lstm_tagger")
    assert set(table) == set(config)
    for name in set(config) - {"model", "scorer"}:
        assert table[name] == as_config(config[name])


def test_files_exist():
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link
    for config in re.findall(r"configs/\w+\.cfg", README):
        assert (ROOT / config).exists(), config


def test_python_example(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    exec(code, {})
    assert capsys.readouterr().out.strip() == str(
        [("Everybody", "NN"), ("ate", "V"), ("the", "DET"), ("book", "NN")]
    )
