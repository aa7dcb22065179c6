"""Who trusts the mock's authority, and for which names it vouches."""

import socket
import ssl
import stat
import sys
import threading
from contextlib import closing
from pathlib import Path

import certifi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cloud import trust

STS = "sts.us-east-1.amazonaws.com"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trust")
    trust.make_ca(folder)
    return folder


@pytest.fixture(scope="module")
def port(folder):
    """Of a server that shakes hands with `server_context` and sends one byte."""
    context = trust.server_context(trust.load_ca(folder))

    def answer(connection):
        with closing(connection):
            try:
                with context.wrap_socket(connection, server_side=True) as tls:
                    tls.sendall(b"!")
            except OSError:
                pass  # clients that do not trust us are part of the tests

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=serve, daemon=True).start()
        yield port
        listener.shutdown(socket.SHUT_RDWR)


def handshake(port, folder, name, protocols=("h2", "http/1.1")):
    """The certificate's names, the protocol chosen, the serial number. Raises ssl.SSLError."""
    client = ssl.create_default_context(cafile=folder / "ca.pem")
    client.set_alpn_protocols(protocols)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
        client.wrap_socket(connection, server_hostname=name) as tls,
    ):
        assert tls.recv(1) == b"!"
        names = [value for _, value in tls.getpeercert()["subjectAltName"]]
        return names, tls.selected_alpn_protocol(), tls.getpeercert()["serialNumber"]


def test_a_certificate_for_whatever_aws_name_is_asked_for(port, folder):
    assert handshake(port, folder, STS)[:2] == ([STS], "http/1.1")
    api = "abc123.execute-api.us-east-1.amazonaws.com"
    assert handshake(port, folder, api)[0] == [api]


def test_loopback_by_name_and_by_address(port, folder):
    assert "localhost" in handshake(port, folder, "localhost")[0]
    assert "127.0.0.1" in handshake(port, folder, "127.0.0.1")[0]


@pytest.mark.parametrize(
    "name", ["example.com", "web-1.us-east-1.elb.amazonaws.com", "demo.elasticbeanstalk.com"]
)
def test_other_peoples_names_get_the_alert(port, folder, name):
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        handshake(port, folder, name)


def test_who_has_not_our_bundle_does_not_trust_us(port):
    client = ssl.create_default_context(cafile=certifi.where())
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        client.wrap_socket(connection, server_hostname=STS)


def test_a_name_is_certified_once(port, folder):
    def serial(name):
        return handshake(port, folder, name)[2]

    assert serial("sns.us-east-1.amazonaws.com") == serial("SNS.us-east-1.amazonaws.com")


def test_certificates_that_were_used_long_ago_are_dropped(folder, monkeypatch):
    monkeypatch.setattr(trust, "CACHED_CERTIFICATES", 2)
    ca = trust.load_ca(folder)
    issued = []
    original = ca.issue_cert
    monkeypatch.setattr(ca, "issue_cert", lambda *names: issued.append(names) or original(*names))
    context = trust.server_context(ca)
    for name in ("a.amazonaws.com", "b.amazonaws.com", "c.amazonaws.com", "a.amazonaws.com"):
        choose_certificate(context, name)
    assert len(issued) == 1 + 4  # one for loopback; a's had to be made twice


def choose_certificate(context, name):
    """What OpenSSL does when a client says its server name; without a client."""
    tls = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
    assert context.sni_callback(tls, name, context) is None


@pytest.mark.parametrize("name", ["ab--cd.s3.amazonaws.com", "xn--a.amazonaws.com"])
def test_a_name_that_cannot_be_certified_gets_the_alert(port, folder, name):
    assert trust.certifiable(name)
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        client_without_idna(port, folder, name)


def client_without_idna(port, folder, name):
    """As `handshake`, without the certificate: Python refuses some names of its own accord."""
    client = ssl.create_default_context(cafile=folder / "ca.pem")
    client.check_hostname = False
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        client.wrap_socket(connection, server_hostname=name.encode()).close()


@given(st.text(max_size=300) | st.text(max_size=60).map(lambda text: f"{text}.amazonaws.com"))
def test_a_hostile_server_name_is_answered_never_raised(name):
    assert trust.certifiable(name) in (True, False)


@pytest.mark.parametrize(
    "name", ["a..amazonaws.com", ".amazonaws.com", "a b.amazonaws.com", "é.amazonaws.com", ""]
)
def test_what_is_no_host_name_is_not_certified(name):
    assert not trust.certifiable(name)


def test_the_key_is_its_owners_and_never_overwritten(tmp_path):
    trust.make_ca(tmp_path)
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        trust.make_ca(tmp_path)


def test_the_bundle_has_ours_first_everyone_elses_and_none_twice(folder, tmp_path):
    ours = (folder / "ca.pem").read_bytes()
    company = tmp_path / "company"
    company.mkdir()
    trust.make_ca(company)
    environ = {
        "REQUESTS_CA_BUNDLE": str(company / "ca.pem"),
        "SSL_CERT_FILE": str(company),  # a folder, and the same certificate again
        "AWS_CA_BUNDLE": str(tmp_path / "missing.pem"),
        "CURL_CA_BUNDLE": certifi.where(),
    }
    bundle = trust.bundle(ours, environ)
    certificates = trust._PEM.findall(bundle)
    assert certificates[0] == ours.strip()
    assert certificates[1] == (company / "ca.pem").read_bytes().strip()
    assert len(certificates) == len(set(certificates))
    certifi_pem = trust._PEM.findall(Path(certifi.where()).read_bytes())
    assert set(certifi_pem) <= set(certificates)


def test_the_bundle_loads(folder, tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(trust.bundle((folder / "ca.pem").read_bytes(), {}))
    assert len(ssl.create_default_context(cafile=bundle).get_ca_certs()) > 20
