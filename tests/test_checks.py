"""What an error shows of a value, however long it is, and of many."""

import pytest

from spacy_lstm_tagger.checks import LONG, check, first_of


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


@pytest.mark.parametrize(("count", "more"), [(10, ""), (11, ", …")])
def test_the_first_of_many_are_shown(count, more):
    assert first_of("abcdefghijk"[:count]) == "a, b, c, d, e, f, g, h, i, j" + more
