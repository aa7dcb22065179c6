"""Ports of an instance, before any socket: who may have which, and who finds what."""

import pytest

from labs.cloud.mock.instances.ports import Binding, Ports

BOTH, IPV4, IPV6 = frozenset({4, 6}), frozenset({4}), frozenset({6})


def listening(*bindings):
    ports = Ports()
    for real, binding in enumerate(bindings, 40_000):
        assert ports.bind(binding) is not None
        ports.bound(binding.owner, binding.port, binding.spaces, real)
        ports.listen(binding.owner, binding.port, binding.spaces)
    return ports


def test_a_port_is_reachable_from_when_it_listens_until_its_owner_ends():
    ports = Ports()
    assert ports.bind(Binding("a", 80, "any", IPV4)) == 0
    ports.bound("a", 80, IPV4, 40_000)
    assert ports.reachable() == {}
    ports.listen("a", 80, IPV4)
    assert ports.reachable() == {80: 40_000}
    assert ports.drop("a")
    assert ports.reachable() == {}
    assert not ports.drop("a")


@pytest.mark.parametrize(
    ("first", "second", "fits"),
    [
        (("any", IPV4), ("any", IPV4), False),
        (("any", IPV4), ("any", IPV6), True),
        (("any", BOTH), ("any", IPV4), False),
        (("any", BOTH), ("local", IPV6), False),
        (("any", IPV4), ("local", IPV4), False),
        (("local", IPV4), ("address", IPV4), True),
        (("local", IPV4), ("local", IPV4), False),
    ],
)
def test_a_second_binding_fits_where_a_machine_would_take_it(first, second, fits):
    ports = listening(Binding("a", 80, *first))
    assert (ports.bind(Binding("b", 80, *second)) is not None) == fits
    assert ports.bind(Binding("b", 81, *second)) == 0


def test_a_shared_port_is_one_real_port_if_all_share_it():
    ports = listening(Binding("a", 80, "any", IPV4, shared=True))
    assert ports.bind(Binding("b", 80, "any", IPV4)) is None
    assert ports.bind(Binding("b", 80, "any", IPV4, shared=True)) == 40_000
    ports.bound("b", 80, IPV4, 40_000)
    ports.listen("b", 80, IPV4)
    ports.drop("a")
    assert ports.reachable() == {80: 40_000}


def test_what_is_local_is_not_reachable_and_not_found_at_the_address():
    ports = listening(Binding("a", 80, "local", IPV4), Binding("a", 81, "address", IPV4))
    assert ports.reachable() == {81: 40_001}
    assert ports.where(80, 4, local=True) == 40_000
    assert ports.where(80, 4, local=False) is None
    assert ports.where(81, 4, local=True) is None
    assert ports.where(81, 4, local=False) == 40_001
    assert ports.where(81, 6, local=False) is None
    assert ports.where(82, 4, local=False) is None


def test_a_forked_child_may_listen_on_its_parents_socket():
    ports = Ports()
    ports.bind(Binding("parent", 80, "any", IPV4))
    ports.bound("parent", 80, IPV4, 40_000)
    ports.listen("child", 80, IPV4)
    assert ports.reachable() == {80: 40_000}
    assert not ports.drop("child")
    assert ports.drop("parent")


def test_a_real_port_tells_whose_it_is():
    ports = listening(Binding("a", 80, "any", BOTH))
    assert ports.at(40_000).port == 80
    assert ports.at(40_001) is None
    ports.close("b", 80, BOTH)
    assert ports.at(40_000)
    ports.close("a", 80, BOTH)
    assert ports.at(40_000) is None
