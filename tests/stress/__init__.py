"""Tries to break the tagger: `pytest -m stress`, which takes about an hour."""
