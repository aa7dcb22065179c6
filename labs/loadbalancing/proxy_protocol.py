"""The PROXY protocol: how a layer-4 balancer tells a target who connects.

The balancer opens a connection of its own, so the target would see the balancer's address. A few
bytes before the first byte of the client tell the client's.

Source: HAProxy, "The PROXY protocol", sections 2.1 (a line of text, version 1: what a Classic Load
Balancer sends) and 2.2 (binary, version 2: a Network Load Balancer).
"""

from ipaddress import IPv6Address, ip_address

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
VERSION_2_PROXY = 0x21  # the command PROXY: on behalf of another
TCP_OVER_IPV4, TCP_OVER_IPV6 = 0x11, 0x21


def proxy_v1(client: tuple[str, int], server: tuple[str, int]) -> bytes:
    r"""The line to send first: `PROXY TCP4 203.0.113.5 10.0.0.20 50000 443\r\n`.

    client: (address, port) of who connects. server: where it connected to, at the balancer.
    Raises ValueError for an address that is none, or for addresses of two families.
    """
    addresses = [ip_address(client[0]), ip_address(server[0])]
    if addresses[0].version != addresses[1].version:
        raise ValueError(f"{client[0]} and {server[0]} are of two families; version 1 has one")
    family = f"TCP{addresses[0].version}"
    return f"PROXY {family} {addresses[0]} {addresses[1]} {client[1]} {server[1]}\r\n".encode()


def proxy_v2(client: tuple[str, int], server: tuple[str, int]) -> bytes:
    """The header to send first: 28 bytes for IPv4, 52 for IPv6.

    client: (address, port) of who connects. server: where it connected to, at the balancer.

    Where only one of them is IPv6, the other is written as IPv6 too (`::ffff:192.0.2.1`).
    Raises ValueError for an address that is none, OverflowError for a port that is none.
    """
    addresses = [ip_address(client[0]), ip_address(server[0])]
    family = TCP_OVER_IPV4
    if any(address.version == 6 for address in addresses):
        family = TCP_OVER_IPV6
        addresses = [IPv6Address(f"::ffff:{a}") if a.version == 4 else a for a in addresses]
    ports = [port.to_bytes(2) for _, port in (client, server)]
    block = b"".join([address.packed for address in addresses] + ports)
    return SIGNATURE + bytes([VERSION_2_PROXY, family]) + len(block).to_bytes(2) + block
