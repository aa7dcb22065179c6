"""The course's mock, for what is compared with AWS's documentation; away from it for the rest."""

import pytest

from labs import cloud
from tests.loadbalancing.migration.classics import World

OF_A_MOCK = ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_MAX_ATTEMPTS")


@pytest.fixture(autouse=True)
def no_mock_of_another_test(request, monkeypatch):
    """A test that brings moto into its own process must not be led to the course's mock."""
    if "world" not in request.fixturenames:
        for variable in OF_A_MOCK:
            monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="session")
def course_mock():
    """One mock for all tests of this worker."""
    with cloud.connect(lesson="test") as aws:
        yield aws


@pytest.fixture
def world(course_mock):
    """An empty account of the course's mock."""
    return World(cloud.connect(lesson="test"))
