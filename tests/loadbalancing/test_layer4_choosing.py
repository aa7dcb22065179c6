"""Who gets the next connection."""

from collections import Counter

import pytest

from labs.loadbalancing.choosing import (
    Connection,
    LeastConnections,
    round_robin,
    source_hash,
)
from labs.loadbalancing.target import Target

TARGETS = [Target(f"i-{number}:80", "127.0.0.1", 8000 + number) for number in range(4)]


def connection(port, address="203.0.113.5"):
    return Connection((address, port), ("10.0.0.20", 80))


@pytest.mark.parametrize("algorithm", [round_robin, source_hash, LeastConnections])
def test_without_targets_there_is_nothing_to_choose(algorithm):
    assert algorithm([])(connection(1)) is None


def test_round_robin_gives_each_its_turn():
    choose = round_robin(TARGETS)
    assert [choose(connection(1)) for _ in range(8)] == TARGETS * 2


def test_round_robin_follows_a_list_that_changes():
    targets = TARGETS[:2]
    choose = round_robin(targets)
    choose(connection(1))
    del targets[1]
    assert [choose(connection(1)) for _ in range(2)] == [TARGETS[0]] * 2


def test_source_hash_keeps_a_flow_at_its_target():
    assert len({source_hash(TARGETS)(connection(50_000)) for _ in range(10)}) == 1


def test_source_hash_spreads_the_ports_of_one_client():
    choose = source_hash(TARGETS)
    counts = Counter(choose(connection(port)) for port in range(40_000, 41_000))
    assert len(counts) == 4
    assert min(counts.values()) > 150  # of 250 each


@pytest.mark.parametrize(
    "other",
    [
        Connection(("203.0.113.6", 50_000), ("10.0.0.20", 80)),
        Connection(("203.0.113.5", 50_001), ("10.0.0.20", 80)),
        Connection(("203.0.113.5", 50_000), ("10.0.0.21", 80)),
        Connection(("203.0.113.5", 50_000), ("10.0.0.20", 81)),
    ],
)
def test_source_hash_looks_at_all_four_numbers(other):
    targets = [Target(str(number), "", 0) for number in range(10_000)]
    choose = source_hash(targets)
    assert choose(other) != choose(connection(50_000))


def test_least_connections_takes_the_idlest_and_of_equals_the_first():
    choose = LeastConnections(TARGETS[:2])
    first, second, third = (choose(connection(1)) for _ in range(3))
    assert [first, second, third] == [TARGETS[0], TARGETS[1], TARGETS[0]]
    choose.closed(first)
    choose.closed(third)
    assert choose(connection(1)) == TARGETS[0]
