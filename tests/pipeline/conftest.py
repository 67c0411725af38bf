"""What the tests of the component share."""

import pickle

import pytest

from ..util import ARCHITECTURES, trained_nlp


@pytest.fixture(scope="session")
def folder(trained, tmp_path_factory):
    """The folder of the trained pipeline, which no test may change."""
    path = tmp_path_factory.mktemp("pipeline")
    trained.to_disk(path)
    return path


@pytest.fixture(scope="session", params=ARCHITECTURES)
def training(request):
    """A pipeline that is trained on the shared sentences, and its optimizer: to be copied."""
    return trained_nlp(steps=20, architecture=request.param)


@pytest.fixture
def original(training):
    """The pipeline, which no test may change."""
    return training[0]


@pytest.fixture
def nlp(original):
    """A copy, which a test may change."""
    return pickle.loads(pickle.dumps(original))


@pytest.fixture
def pipe(nlp):
    return nlp.get_pipe("lstm_tagger")
