"""The plane by itself: certificates by name, TLS to targets."""

import http.client
import ssl

import pytest
import trustme

from labs.cloud.mock.balancing.certificates import parse
from tests.cloud.mock.balancing.plane_world import Client, Got


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def certificate(authority, *names, key_type=trustme.KeyType.ECDSA):
    issued = authority.issue_cert(*names, key_type=key_type)
    chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems).decode()
    return dict(parse(chain, issued.private_key_pem.bytes().decode()))


@pytest.fixture
def https(world, authority):
    """An ALB with an HTTPS listener and three certificates, the first is the default one."""
    world.instance("i-1")
    world.group("tg", "i-1")
    listener = {
        "protocol": "HTTPS",
        "port": 443,
        "certificates": [
            certificate(authority, "default.example"),
            certificate(authority, "*.shop.example"),
            certificate(authority, "www.shop.example"),
        ],
    }
    world.balancer("alb", "tg", listener=listener)
    world.ready()
    return world


def shown(port, name, context=None):
    """The names in the certificate that a client gets who asks for this one."""
    context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    import socket

    from cryptography import x509

    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as sock,
        context.wrap_socket(sock, server_hostname=name) as tls,
    ):
        found = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("www.shop.example", "www.shop.example"),
        ("WWW.SHOP.EXAMPLE", "www.shop.example"),
        ("api.shop.example", "*.shop.example"),
        ("a.b.shop.example", "default.example"),
        ("shop.example", "default.example"),
        ("alb-1.us-east-1.elb.amazonaws.com", "default.example"),
        (None, "default.example"),
    ],
)
def test_the_certificate_is_chosen_by_name(https, asked, answered):
    assert shown(https.port("alb", 443), asked) == [answered]


def test_a_request_over_tls(https, authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    client = Client(https.port("alb", 443))
    client.connection = connection = http.client.HTTPSConnection(
        "127.0.0.1", https.port("alb", 443), context=context, timeout=10
    )
    connection.connect = lambda: setattr(
        connection, "sock", secure(connection.port, context, "www.shop.example")
    )
    connection.request("GET", "/")
    said = Got(connection.getresponse()).said
    connection.close()
    assert said["headers"]["x-forwarded-proto"] == "https"
    assert said["headers"]["x-forwarded-port"] == "443"


def secure(port, context, name):
    import socket

    return context.wrap_socket(
        socket.create_connection(("127.0.0.1", port), timeout=10), server_hostname=name
    )


def test_verification_fails_for_a_name_that_no_certificate_has(https, authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with pytest.raises(ssl.SSLCertVerificationError):
        secure(https.port("alb", 443), context, "alb-1.us-east-1.elb.amazonaws.com")


def test_certificates_are_replaced_while_the_listener_serves(https, authority):
    port = https.port("alb", 443)
    listener = https.snapshot["balancers"]["alb"]["listeners"]["alb/443"]
    listener["certificates"] = [certificate(authority, "new.example")]
    https.push()
    assert https.port("alb", 443) == port
    assert shown(port, "www.shop.example") == ["new.example"]


def test_the_key_follows_what_the_client_can(world, authority):
    world.group("tg")
    names = ("both.example",)
    both = [
        certificate(authority, *names, key_type=trustme.KeyType.RSA),
        certificate(authority, *names, key_type=trustme.KeyType.ECDSA),
    ]
    listener = {"protocol": "HTTPS", "port": 443, "certificates": both}
    world.balancer("alb", "tg", listener=listener)
    world.push()

    def cipher(ciphers):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
        with secure(world.port("alb", 443), context, "both.example") as tls:
            return tls.cipher()[0]

    assert "ECDSA" in cipher("ECDHE-ECDSA-AES128-GCM-SHA256")
    assert "RSA" in cipher("ECDHE-RSA-AES128-GCM-SHA256")


@pytest.fixture
def secure_target(world, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("self.example").configure_cert(context)
    world.instance("i-1", context=context)
    return world


def test_an_https_target_is_not_verified(secure_target):
    secure_target.group("tg", "i-1", protocol="HTTPS")
    secure_target.snapshot["groups"]["tg"]["check"]["protocol"] = "HTTPS"
    secure_target.balancer("alb", "tg")
    secure_target.ready()
    assert secure_target.state("tg", "i-1:80")[0] == "healthy"
    assert secure_target.get("alb").said["peer"][0] == "172.31.0.200"


def test_an_nlb_that_ends_tls_and_begins_it_anew(secure_target, authority):
    secure_target.group("tg", "i-1")
    secure_target.snapshot["groups"]["tg"]["check"]["protocol"] = "HTTPS"
    listener = {
        "protocol": "TLS",
        "port": 443,
        "certificates": [certificate(authority, "nlb.example")],
    }
    secure_target.network_balancer("nlb", "tg", to="TLS", listener=listener)
    secure_target.ready()
    port = secure_target.port("nlb", 443)
    assert shown(port, "nlb.example") == ["nlb.example"]
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with secure(port, context, "nlb.example") as tls:
        tls.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: tls.recv(65536), b""))
    assert b"203.0.113.5" in answer, "and keeps the client's address"
