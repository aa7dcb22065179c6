"""The real mock, in a process of its own, as a notebook has it."""

import pytest

from labs import cloud
from tests.cloud.mock.lambda_account import Account, Gate


@pytest.fixture(scope="session")
def mock_process():
    """One mock for all tests of this worker."""
    with cloud.connect(lesson="test") as aws:
        yield aws


@pytest.fixture
def aws(mock_process):
    """A connection to an empty account."""
    return cloud.connect(lesson="test")


@pytest.fixture
def account(aws):
    """An empty account with helpers for Lambda functions."""
    return Account(aws)


@pytest.fixture
def gate(tmp_path):
    """Holds functions until it is opened; a test that failed leaves none of them running."""
    gate = Gate(tmp_path)
    yield gate
    gate.open()
