"""The jobs of benchmarks as tasks of Ray."""

from argparse import Namespace

import pytest

from ..test_jobs import check


@pytest.mark.ray
def test_on_ray(cluster):
    check(Namespace(engine="ray", address=None))
