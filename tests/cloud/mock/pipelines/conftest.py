"""Pipelines: played by a test, and in a real mock."""

import pytest
from moto.codepipeline.models import codepipeline_backends

from tests.cloud.mock.pipelines.delivery import Delivery
from tests.cloud.mock.pipelines.stage_play import Actor, Play


@pytest.fixture
def play(monkeypatch):
    """A motor whose actions a test plays."""
    actor = Actor()
    monkeypatch.setattr("labs.cloud.mock.pipelines.actions.perform", actor)
    monkeypatch.setattr("labs.cloud.mock.pipelines.roles.trusts_codepipeline", lambda _: True)
    play = Play(actor)
    yield play
    play.motor.close()
    codepipeline_backends.reset()


@pytest.fixture
def delivery(account):
    """An account with buckets, a role that may do all, and helpers for pipelines."""
    return Delivery(account)
