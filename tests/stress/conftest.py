"""How large the campaign is, and what it draws its numbers from."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.stress)
            item.add_marker(pytest.mark.slow)


class Campaign:
    """A part of the campaign, or all of it.

    size (float): How large a part.
    seed (int): What random numbers are drawn from.
    """

    def __init__(self, size, seed):
        self.size, self.seed = size, seed

    def times(self, full):
        """RETURNS (int): How often to try what the whole campaign tries `full` times."""
        return max(1, round(full * self.size))

    def random(self, name):
        """RETURNS (random.Random): Random numbers for one test, whichever others run."""
        return random.Random(f"{self.seed} {name}")

    def search(self, check, *, full, **strategies):
        """Let hypothesis look for an input that a check fails on, and make it small."""
        options = settings(
            max_examples=self.times(full),
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        seed(self.seed)(options(given(**strategies)(check)))()


@pytest.fixture(scope="session")
def campaign(request):
    option = request.config.getoption
    return Campaign(option("--stress-size"), option("--stress-seed"))
