"""Environments in an account of a real mock."""

import pytest

from tests.cloud.mock.beanstalk.shop import Shop


@pytest.fixture
def shop(mock_process, aws):
    return Shop(mock_process)
