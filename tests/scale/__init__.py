"""Tests of the work on a cluster of Ray."""

import pytest

pytest.importorskip("ray", reason="ray is not installed: pip install 'spacy-lstm-tagger[ray]'")
