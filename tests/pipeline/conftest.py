"""What the tests of the component share."""

import pytest


@pytest.fixture(scope="session")
def folder(trained, tmp_path_factory):
    """The folder of the trained pipeline, which no test may change."""
    path = tmp_path_factory.mktemp("pipeline")
    trained.to_disk(path)
    return path
