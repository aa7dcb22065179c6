"""The name in a ClientHello: from a real one, however it is cut, and never from garbage."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.loadbalancing.client_hello import LONGEST, needs_more, server_name

NAME = "shop.example.com"


def real_hello(name=NAME, protocols=()):
    """What OpenSSL sends first."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


HELLO = real_hello()


def in_records(handshake, sizes):
    """A handshake message in TLS records of these sizes, the last one takes the rest."""
    records = b""
    for size in [*sizes, len(handshake)]:
        part, handshake = handshake[:size], handshake[size:]
        if part:
            records += b"\x16\x03\x01" + len(part).to_bytes(2) + part
    return records


def test_name_is_found():
    assert server_name(HELLO) == NAME
    assert not needs_more(HELLO)


def test_name_is_found_among_other_extensions():
    assert server_name(real_hello(protocols=["h2", "http/1.1"])) == NAME


def test_name_is_given_in_lower_case():
    assert server_name(real_hello("SHOP.Example.com")) == NAME


def test_client_may_send_no_name():
    assert server_name(real_hello(None)) is None
    assert not needs_more(real_hello(None))


@pytest.mark.parametrize("length", range(0, len(HELLO), 7))
def test_beginning_of_a_hello_needs_more(length):
    assert needs_more(HELLO[:length])
    assert server_name(HELLO[:length]) is None


def test_what_follows_the_hello_does_not_matter():
    assert server_name(HELLO + b"\x17\x03\x03\x00\x01x") == NAME


@given(st.lists(st.integers(1, 200), max_size=20))
def test_hello_may_be_cut_into_records_anywhere(sizes):
    assert server_name(in_records(HELLO[5:], sizes)) == NAME


@pytest.mark.parametrize(
    "other",
    [
        b"GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n",
        b"\x80\x2e\x01\x03\x01",  # SSL 2
        b"\x16\x02",
        b"\x16\x03\x01\x00\x00",  # a record of nothing
        b"\x16\x03\x01\x40\x01",  # a record of more than TLS allows
        b"\x16\x03\x01\x00\x04\x02",  # a ServerHello
        b"\x17" + HELLO[1:],
        b"\x16\x03\x01\x00\x04\x01" + (LONGEST + 1).to_bytes(3),
    ],
)
def test_other_bytes_are_not_waited_for(other):
    assert not needs_more(other)
    assert server_name(other) is None


@given(st.binary(max_size=400))
def test_garbage_raises_nothing(data):
    assert server_name(data) is None
    assert needs_more(data) in (True, False)


@given(st.binary(max_size=400))
def test_garbage_in_a_hello_raises_nothing(body):
    server_name(in_records(b"\x01" + len(body).to_bytes(3) + body, []))


@given(st.data())
def test_changed_hello_raises_nothing(data):
    """Whatever name comes out has printable ASCII characters only: it may be shown and compared."""
    changed = bytearray(HELLO)
    for place in data.draw(st.lists(st.integers(0, len(HELLO) - 1), max_size=5)):
        changed[place] = data.draw(st.integers(0, 255))
    name = server_name(bytes(changed))
    assert name is None or (name.isascii() and name.isprintable() and name)


def test_names_that_lie_about_their_length_are_none():
    place = HELLO.index(NAME.encode()) - 1
    longer = HELLO[:place] + bytes([len(NAME) + 1]) + HELLO[place + 1 :]
    assert server_name(longer) is None
