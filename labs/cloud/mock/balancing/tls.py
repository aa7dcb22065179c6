"""Certificates of a listener: the one for the name that a client asks for.

Source: Application Load Balancer guide, "SSL certificates for your Application Load Balancer": a
client without a name (SNI), or with one that no certificate has, gets the default certificate; an
exact name goes before a wildcard; of several, the client's abilities decide. OpenSSL does the last
when a context holds an RSA and an EC chain.
"""

import os
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path

from labs.cloud.mock.balancing.shapes import Certificate


class Certificates:
    """A server's TLS context whose certificates may be replaced while it serves."""

    def __init__(self, certificates: Sequence[Certificate]) -> None:
        """certificates: the default one first.

        Raises ValueError without any, ssl.SSLError for what is no chain and key.
        """
        if not certificates:
            raise ValueError("a listener that ends TLS needs a certificate, and has none")
        self._certificates: Sequence[Certificate] = ()
        self._contexts: dict[tuple[int, ...], ssl.SSLContext] = {}
        self.replace(certificates)
        self.context = make_context(certificates[:1])
        self.context.sni_callback = self._choose

    def replace(self, certificates: Sequence[Certificate]) -> None:
        """For the connections from now on."""
        if certificates and certificates != self._certificates:
            self._contexts = {(0,): make_context(certificates[:1])}
            self._certificates = certificates

    def _choose(self, tls: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        found = tuple(matching(self._certificates, name)) or (0,)
        if found not in self._contexts:
            self._contexts[found] = make_context([self._certificates[i] for i in found])
        tls.context = self._contexts[found]


def matching(certificates: Sequence[Certificate], name: str | None) -> list[int]:
    """Which certificates suit a name best: at most one of each key type, by position."""
    if not name:
        return []
    name = name.lower()
    for pattern in (name, f"*.{name.partition('.')[2]}"):
        by_type: dict[str, int] = {}
        for position, certificate in enumerate(certificates):
            if pattern in certificate["names"]:
                by_type.setdefault(certificate["key_type"], position)
        if by_type:
            return sorted(by_type.values())
    return []


def make_context(certificates: Sequence[Certificate]) -> ssl.SSLContext:
    """A context with these chains and keys. HTTP/1.1 is what it offers (ALPN)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    for certificate in certificates:
        load(context, certificate)
    return context


def load(context: ssl.SSLContext, certificate: Certificate) -> None:
    """`ssl` reads files only. This one is its owner's (0600), and gone at once."""
    handle, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(f"{certificate['key'].strip()}\n{certificate['chain'].strip()}\n")
        context.load_cert_chain(name)
    finally:
        Path(name).unlink(missing_ok=True)
