"""Tests of training and tagging on a GPU: on a real one, or on one that is pretended.

python -m pytest -p tests.gpu.pretend tests/gpu   # pretended: what `tests/test_gpu.py` runs
pytest tests/gpu                                  # a real one
"""
