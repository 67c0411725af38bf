"""Tests of the PyTorch modules."""


def n_cells(buckets):
    """RETURNS (int): How many cells the buckets have, padding included."""
    return sum(bucket.rows.numel() for bucket in buckets.buckets)
