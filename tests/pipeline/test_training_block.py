"""A tagger is not trained with steps none of which is scored."""

import pytest
import spacy

from spacy_lstm_tagger.pipeline.new_labels import create_label_adder
from spacy_lstm_tagger.pipeline.training_block import check_steps, is_sample

from ..util import CONFIGS, make_examples, overrides, small_model, trained_nlp


@pytest.mark.parametrize(("steps", "every"), [(200, 200), (60, 30), (0, 200), (20_000, 200)])
@pytest.mark.filterwarnings("error")
def test_the_last_step_is_scored(steps, every):
    check_steps({"max_steps": steps, "eval_frequency": every})


@pytest.mark.parametrize(("steps", "every"), [(60, 200), (1, 2)])
def test_no_step_is_scored(steps, every):
    with pytest.raises(ValueError, match=rf"T001.*max_steps = {steps} .* eval_frequency = {every}"):
        check_steps({"max_steps": steps, "eval_frequency": every})


def test_an_evaluation_after_no_step():
    with pytest.raises(ValueError, match=r"M001.*eval_frequency = 0 .*1 or more"):
        check_steps({"max_steps": 60, "eval_frequency": 0})
    with pytest.raises(ValueError, match=r"M001.*max_steps = -1 .*0 or more"):
        check_steps({"max_steps": -1, "eval_frequency": 200})


def test_the_last_steps_are_not_scored():
    """A loop in Python may take other steps anyway."""
    with pytest.warns(UserWarning, match=r"LW007.*max_steps = 250 .* 200: .* 50 steps"):
        check_steps({"max_steps": 250, "eval_frequency": 200})


def test_a_pipeline_is_not_initialized_for_it():
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model()})
    nlp.config["training"]["max_steps"] = 60
    with pytest.raises(ValueError, match="T001"):
        nlp.initialize(lambda: make_examples(nlp))
    nlp.config["training"]["eval_frequency"] = 60
    nlp.initialize(lambda: make_examples(nlp))


def test_a_trained_pipeline_is_not_given_new_labels_for_it():
    """It has a `source`, so spaCy does not initialize it."""
    nlp, _ = trained_nlp(steps=1)
    nlp.config["training"]["max_steps"] = 60
    with pytest.raises(ValueError, match="T001"):
        create_label_adder(labels=["NEW"])(nlp)
    assert "NEW" not in nlp.get_pipe("lstm_tagger").labels


@pytest.mark.parametrize(
    ("epochs", "count", "expected"),
    [(-1, 100, True), (-1, 99, False), (-1, 101, False), (1, 100, False), (0, 100, False)],
)
def test_the_first_examples_of_a_stream(epochs, count, expected):
    nlp = spacy.blank("en")
    nlp.config["training"]["max_epochs"] = epochs
    assert is_sample(lambda: range(count), nlp) == expected
    assert not is_sample(lambda: range(count), None)


def test_a_config_without_training():
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model()})
    del nlp.config["training"]
    nlp.get_pipe("lstm_tagger").initialize(lambda: make_examples(nlp), nlp=nlp)


def test_variables_in_a_config():
    """`spacy train` leaves the variables as they are."""
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": small_model()})
    nlp.config["vars"] = {"steps": 60}
    nlp.config["training"]["max_steps"] = "${vars.steps}"
    with pytest.raises(ValueError, match=r"T001.*max_steps = 60"):
        nlp.initialize(lambda: make_examples(nlp))


def test_spacy_train_refuses_it_before_it_trains(spacy_command, small_corpus, tmp_path):
    """Without this, model-best is what was scored at step 0."""
    paths = overrides({"paths.train": small_corpus, "paths.dev": small_corpus})
    command = ["train", CONFIGS / "fast.cfg", "--output", tmp_path, *paths]
    with pytest.raises(AssertionError) as error:
        spacy_command(*command, "--training.max_steps", 60)
    assert "T001" in str(error.value.__cause__)
    assert not (tmp_path / "model-best").exists()
