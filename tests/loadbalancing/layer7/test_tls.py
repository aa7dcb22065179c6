"""TLS ends at the proxy, with the certificate of the name that the client asked for."""

import ssl

import pytest
import trustme

from tests.loadbalancing.layer7.harness import GET, Client, asynchronous, recording


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """The first name's certificate by default, the others by SNI."""
    contexts = {}
    for name in names:
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(contexts[name])

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        connection.context = contexts.get(name, contexts[names[0]])

    contexts[names[0]].sni_callback = choose
    return contexts[names[0]]


@asynchronous
async def test_certificates_by_name(authority):
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    context = server_context(authority, "one.test", "two.test")
    async with recording(ssl=context, external_port=443) as (proxy, target):
        for name in ("one.test", "two.test"):
            client = await Client.connect(proxy, ssl=trusting, server_hostname=name)
            certificate = client.writer.get_extra_info("peercert")
            assert ("DNS", name) in certificate["subjectAltName"]
            for _ in range(2):
                assert (await client.ask(GET)).status == 200
            client.close()
        assert {request["x-forwarded-proto"] for request in target.requests} == {"https"}
        assert {request["x-forwarded-port"] for request in target.requests} == {"443"}
        with pytest.raises(ssl.SSLCertVerificationError):
            await Client.connect(proxy, ssl=trusting, server_hostname="three.test")


@asynchronous
async def test_plain_bytes_at_a_tls_listener(authority):
    async with recording(ssl=server_context(authority, "one.test")) as (proxy, target):
        client = await Client.connect(proxy)
        client.send(GET)
        await client.closed()
        assert not target.raw


@asynchronous
async def test_a_tls_hello_at_a_plain_listener():
    async with recording() as (proxy, target):
        with pytest.raises(ssl.SSLError):
            await Client.connect(
                proxy, ssl=ssl.create_default_context(), server_hostname="one.test"
            )
        assert not target.raw


@asynchronous
async def test_a_refusal_over_tls_arrives(authority):
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with recording(ssl=server_context(authority, "one.test")) as (proxy, _):
        client = await Client.connect(proxy, ssl=trusting, server_hostname="one.test")
        assert (await client.ask(b"GET / HTTP/1.1\r\n\r\n")).status == 400
        assert await client.closed() == b""
