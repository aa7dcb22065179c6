"""For tests that bring moto into their own process."""

import boto3
import pytest


@pytest.fixture(scope="module")
def session():
    """A boto3 session that aims at no mock which another test of this process has begun."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE"):
            patch.delenv(variable, raising=False)
        yield boto3.Session("testing", "testing", region_name="us-east-1")
