"""A value that is not allowed is shown, however long it is."""

import pytest

from spacy_lstm_tagger.checks import LONG, check


@pytest.mark.parametrize(
    ("value", "shown"),
    [("1", "'1'"), ([1, 2], "[1, 2]"), (None, "None"), (["word"] * 9999, "['word', 'word', ")],
)
def test_a_value_is_shown(value, shown):
    with pytest.raises(ValueError, match="M001") as error:
        check(False, "labels", value, "a list of tags")
    text = str(error.value)
    assert f"labels = {shown}" in text and text.endswith("it must be a list of tags.")
    assert len(text) < LONG + 100
