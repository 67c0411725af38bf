"""Tests of the pipeline component."""
