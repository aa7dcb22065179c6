"""An authority of one's own, and the certificates that a balancer shows to who asks for a name.

    authority = certificates.authority()
    acm.import_certificate(**authority.issue("tea.example", "*.tea.example"))
    requests.get(url, verify=authority.file)

Sources: RFC 5280, section 4.2.1.6 (subject alternative names); RFC 6066, section 3 (SNI); ACM API,
ImportCertificate; ACM user guide, "Prerequisites for importing certificates" (RSA of 2,048 bits is
what every kind of load balancer takes).
"""

import socket
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

from labs.loadbalancing import tables

PATIENCE_SECONDS = 10


class Authority:
    """Issues certificates that nobody trusts but who is told to. file: what `verify=` takes."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="Packets to Pipelines, a lesson's authority")
        self._folder = TemporaryDirectory(ignore_cleanup_errors=True)  # goes with this object
        self.file = str(Path(self._folder.name) / "authority.pem")
        self._ca.cert_pem.write_to_path(self.file)

    def issue(self, *names: str) -> dict[str, bytes]:
        """A certificate for these names, its key and its chain: what `import_certificate` takes.

        A name may begin with "*.", which stands for one label. Raises ValueError without a name.
        """
        issued = self._ca.issue_cert(*names, key_type=trustme.KeyType.RSA)
        return {
            "Certificate": issued.cert_chain_pems[0].bytes(),
            "PrivateKey": issued.private_key_pem.bytes(),
            "CertificateChain": self._ca.cert_pem.bytes(),
        }


def authority() -> Authority:
    """A new one, which has issued nothing."""
    return Authority()


def shown(
    endpoints: Mapping[str, tuple[str, int]], names: Sequence[str], trusted: Authority
) -> tables.Table:
    """Who shows which certificate: a row for each name asked for, a column for each endpoint.

    endpoints: (host, port) by what to call them.
    Raises OSError when nobody answers, ssl.SSLError for a certificate of another authority.
    """
    rows = [
        (name, *(in_words(name, names_shown(*each, name, trusted)) for each in endpoints.values()))
        for name in names
    ]
    return tables.table(rows, ["asked for", *endpoints])


def names_shown(host: str, port: int, name: str, trusted: Authority) -> tuple[str, ...]:
    """The names in the certificate that a server shows to who asks for `name` by SNI."""
    context = ssl.create_default_context(cafile=trusted.file)
    context.check_hostname = False  # to see the certificate, also when it is for other names
    with (
        socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=name) as tls,
    ):
        found = tls.getpeercert() or {}
    return tuple(value for kind, value in found.get("subjectAltName", ()) if kind == "DNS")


def in_words(name: str, names: Sequence[str]) -> str:
    """A certificate's names, and whether it holds this one.

    >>> in_words("tea.example", ["*.tea.example"])
    'no: *.tea.example'
    """
    return f"{'yes' if holds(names, name) else 'no'}: {', '.join(names)}"


def holds(names: Sequence[str], name: str) -> bool:
    """Whether a certificate with these names is one for this name (RFC 9525, section 6.3).

    >>> holds(["*.tea.example"], "www.tea.example"), holds(["*.tea.example"], "a.b.tea.example")
    (True, False)
    """
    label, _, parent = name.lower().partition(".")
    return bool(label) and not {name.lower(), f"*.{parent}"}.isdisjoint(map(str.lower, names))
