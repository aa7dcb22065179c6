"""Fixtures for the data plane: alone, with snapshots by hand, and behind a real mock."""

import pytest

from labs.cloud.mock.balancing.process import PlaneProcess
from tests.cloud.mock.balancing.network import Network
from tests.cloud.mock.balancing.plane_world import PlaneWorld


@pytest.fixture(scope="session")
def shared_plane():
    """(a plane, the worlds that have it: the last one answers for its functions)."""
    worlds: list[PlaneWorld] = []
    plane = PlaneProcess(lambda *call: worlds[-1].invoke(*call), lambda: None, workers=4)
    yield plane, worlds
    plane.close()


@pytest.fixture
def world(shared_plane):
    """A plane without a mock. Nothing in it."""
    plane, worlds = shared_plane
    world = PlaneWorld(plane)
    worlds.append(world)
    yield world
    world.empty()


@pytest.fixture
def own_world():
    """A plane that a test may kill."""
    world = PlaneWorld()
    yield world
    world.close()


@pytest.fixture
def network(mock_process, aws):
    """An empty account of a real mock, with helpers for instances and load balancers."""
    return Network(mock_process)
