"""Tries to break the tagger: `pytest -m stress`, which takes less than an hour."""
