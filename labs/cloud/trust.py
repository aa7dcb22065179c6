"""The mock's own certificate authority, and the certificates that it issues while serving.

Only processes that are given the bundle of one kernel trust its authority. The key never leaves
the kernel's private folder.
"""

import os
import re
import ssl
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import certifi
import trustme

from labs.cloud.names import is_aws

#: What names a CA bundle, and who reads it: http.client, urllib, httpx, asyncio and curl; requests
#: and botocore; botocore; curl and requests.
BUNDLE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "CURL_CA_BUNDLE")
#: Parts of names for which AWS itself holds no certificate: an HTTPS listener shows the one its
#: owner configured, so verification of these names fails there, and must fail here.
UNCERTIFIED_PARTS = (".elb.", ".elasticbeanstalk.", ".compute.", ".compute-1.", ".internal")
#: Certificates kept; the next one drops the one that was used longest ago.
CACHED_CERTIFICATES = 256

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)*{_LABEL}\Z")
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.S)


def make_ca(folder: Path) -> trustme.CA:
    """A new authority: FOLDER/ca.pem, and FOLDER/ca.key readable by its owner only."""
    ca = trustme.CA(organization_name="Packets to Pipelines mock AWS")
    (folder / "ca.pem").write_bytes(ca.cert_pem.bytes())
    private = os.open(folder / "ca.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(private, "wb") as file:
        file.write(ca.private_key_pem.bytes())
    return ca


def load_ca(folder: Path) -> trustme.CA:
    """The authority that `make_ca` left in this folder. Raises FileNotFoundError."""
    return trustme.CA.from_pem((folder / "ca.pem").read_bytes(), (folder / "ca.key").read_bytes())


def bundle(ca_pem: bytes, environ: Mapping[str, str]) -> bytes:
    """One PEM bundle: the mock's CA, then all that this machine trusts, each certificate once.

    A company's own root, named by one of BUNDLE_VARIABLES, stays trusted that way.
    """
    certificates = dict.fromkeys(_PEM.findall(ca_pem))
    for path in _presets(environ):
        certificates.update(dict.fromkeys(_PEM.findall(_read(path))))
    return b"\n".join(certificates) + b"\n"


def _presets(environ: Mapping[str, str]) -> Iterator[Path]:
    default = ssl.get_default_verify_paths()
    named = [environ.get(variable) for variable in BUNDLE_VARIABLES]
    for name in filter(None, [*named, default.cafile, default.openssl_cafile, certifi.where()]):
        path = Path(name)
        if path.is_dir():  # requests and curl take a folder, too
            yield from sorted(child for child in path.iterdir() if child.is_file())
        else:
            yield path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # a variable that names nothing has never stopped anybody
        return b""


def certifiable(name: str) -> bool:
    """May the mock's front show a certificate for this server name (SNI, RFC 6066)?"""
    name = name.lower()
    if name == "localhost":
        return True
    return (
        bool(_HOST_NAME.match(name))
        and is_aws(name)
        and not any(part in f"{name}." for part in UNCERTIFIED_PARTS)
    )


def server_context(ca: trustme.CA) -> ssl.SSLContext:
    """TLS for the mock's front: a certificate for whatever AWS name the client asks for.

    Made on first use and cached. A client without SNI gets a certificate for loopback; one that
    asks for another name gets the alert `unrecognized_name`. HTTP/1.1 only (ALPN).
    """

    @lru_cache(CACHED_CERTIFICATES)
    def context_for(*names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        ca.issue_cert(*names).configure_cert(context)
        return context

    def choose(tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        if name is None or name == "localhost":
            return None
        if not certifiable(name):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        try:
            tls.context = context_for(name.lower())
        except ValueError:  # IDNA (RFC 5891) has opinions of its own about hyphens
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None

    front = context_for.__wrapped__("localhost", "127.0.0.1", "::1")
    front.sni_callback = choose
    return front
