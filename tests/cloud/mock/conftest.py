"""The real mock, in a process of its own, as a notebook has it."""

import pytest

from labs import cloud


@pytest.fixture(scope="session")
def mock_process():
    """One mock for all tests of this worker."""
    with cloud.connect(lesson="test") as aws:
        yield aws


@pytest.fixture
def aws(mock_process):
    """A connection to an empty account."""
    return cloud.connect(lesson="test")
