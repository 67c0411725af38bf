"""Thinc models: docs to features, features to vectors, vectors to scores."""
