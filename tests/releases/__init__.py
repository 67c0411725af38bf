"""Pipelines of each release, with the tags that they gave: later versions load them and agree."""
