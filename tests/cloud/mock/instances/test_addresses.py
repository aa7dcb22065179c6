"""Addresses that are handed out once."""

import ipaddress
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest

from labs.cloud import names
from labs.cloud.mock.instances.addresses import PublicAddresses, loopbacks


def test_every_address_is_for_documentation_and_handed_out_once():
    addresses = PublicAddresses()
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda _: addresses.take(), range(495)))
    assert len(set(taken)) == 495
    assert all(address.startswith(names.DOCUMENTATION) for address in taken)
    assert names.LEARNER["address"] not in taken
    assert names.API_ADDRESS not in taken
    with pytest.raises(RuntimeError, match="495 public addresses"):
        addresses.take()


def test_an_address_that_came_back_is_the_last_to_go_out_again():
    addresses = PublicAddresses()
    first = addresses.take()
    addresses.give_back(first)
    rest = [addresses.take() for _ in range(494)]
    assert first not in rest
    assert addresses.take() == first


def test_what_motos_records_name_is_in_use():
    busy = ["203.0.113.10", "203.0.113.12"]
    addresses = PublicAddresses(lambda: busy)
    assert [addresses.lend(), addresses.lend()] == ["203.0.113.11", "203.0.113.13"]
    addresses.reset()
    busy.clear()
    assert addresses.lend() == "203.0.113.10"


def test_loopback_pairs_differ_and_stay_on_this_machine():
    found = [address for pair in islice(loopbacks(), 600) for address in pair]
    assert len(set(found)) == 1200
    assert all(ipaddress.ip_address(address).is_loopback for address in found)
