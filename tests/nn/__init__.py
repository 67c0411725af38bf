"""Tests of the PyTorch modules."""
