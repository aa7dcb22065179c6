"""An authority of one's own: what it issues, and what a server with it shows by name."""

import gc
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socket import create_server

import pytest
from moto import mock_aws

from labs.loadbalancing import certificates


@pytest.fixture(scope="module")
def authority():
    return certificates.authority()


@pytest.fixture
def server(authority, tmp_path):
    """(host, port) of a server that shows its certificate to who connects."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue("tea.example", "*.tea.example")
    chain = tmp_path / "chain.pem"
    chain.write_bytes(issued["PrivateKey"] + issued["Certificate"])
    context.load_cert_chain(chain)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as serving:
        serving.socket = context.wrap_socket(serving.socket, server_side=True)
        thread = threading.Thread(target=serving.serve_forever, args=(0.02,))
        thread.start()
        yield serving.server_address
        serving.shutdown()
        thread.join()


def test_a_certificate_has_the_names_asked_for(server, authority):
    assert certificates.names_shown(*server, "cake.example", authority) == (
        "tea.example",
        "*.tea.example",
    )


def test_the_table_says_who_is_shown_a_certificate_of_theirs(server, authority):
    table = certificates.shown({"here": server}, ["tea.example", "cake.example"], authority)
    assert list(table.frame["asked for"]) == ["tea.example", "cake.example"]
    assert [said[:4] for said in table.frame.here] == ["yes:", "no: "]


def test_another_authority_is_not_trusted(server):
    with pytest.raises(ssl.SSLCertVerificationError):
        certificates.names_shown(*server, "tea.example", certificates.authority())


def test_nobody_there_is_said():
    with create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
    with pytest.raises(OSError):
        certificates.names_shown(*address, "tea.example", certificates.authority())


@pytest.mark.parametrize(
    ("names", "name", "holds"),
    [
        (["tea.example"], "tea.example", True),
        (["Tea.Example"], "tEA.example", True),
        (["*.tea.example"], "www.tea.example", True),
        (["*.tea.example"], "tea.example", False),
        (["*.tea.example"], "a.b.tea.example", False),
        (["tea.example"], "www.tea.example", False),
        ([], "tea.example", False),
        (["*."], "", False),
    ],
)
def test_which_names_a_certificate_holds(names, name, holds):
    assert certificates.holds(names, name) is holds


@mock_aws
def test_what_it_issues_is_what_acm_takes(session, authority):
    acm = session.client("acm")
    arn = acm.import_certificate(**authority.issue("tea.example"))["CertificateArn"]
    described = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert (described["DomainName"], described["KeyAlgorithm"]) == ("tea.example", "RSA_2048")


def test_its_file_goes_when_nobody_holds_it():
    authority = certificates.authority()
    file = Path(authority.file)
    assert file.read_text(encoding="utf-8").startswith("-----BEGIN CERTIFICATE-----")
    del authority
    gc.collect()
    assert not file.exists()
