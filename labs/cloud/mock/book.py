"""The mock's address book: which loopback port serves a name or address that the mock handed out.

Readers are `labs_names` (Python processes; the format is described there) and curl, which reads
the `.curlrc` beside the book. Other programs, such as wget, are not led anywhere.
"""

import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypedDict

from labs.cloud import names


class Host(TypedDict, total=False):
    """What the book has for a name or an IP literal.

    ips:   its addresses, as DNS answers them; none means AWS's common front, names.API_ADDRESS.
    ports: loopback ports by the port that the world sees, as text: {"443": 41001}.
    """

    ips: list[str]
    ports: dict[str, int]


_SAFE_HOST = re.compile(r"[A-Za-z0-9._:-]+\Z")


class Book:
    """The book in a kernel's folder. Safe to use from many threads of one process."""

    def __init__(self, folder: Path, curl_proxy_port: int | None = None) -> None:
        """curl_proxy_port: of `curl_proxy.CurlProxy`; without it curl reaches listed names only."""
        self._folder = folder
        self._curl_proxy_port = curl_proxy_port or names.refusing_port()
        self._lock = threading.Lock()
        self._written: dict[str, str] = {}
        self._stamp = 0

    def replace(self, endpoints: Mapping[str, int], hosts: Mapping[str, Host]) -> None:
        """Make this the book; readers see all of it from their next look-up on.

        endpoints: loopback ports of the AWS API, {"80": ..., "443": ...}; {} while it is down.
        hosts: by name in lower case or by IP literal. The addresses of a name need not be listed
        once more: where they are not, they lead where the name leads.
        Raises ValueError for a host that is neither name nor address.
        """
        if wrong := [host for host in hosts if not _SAFE_HOST.match(host)]:
            raise ValueError(f"The address book takes names and addresses, not {wrong[0]!r}.")
        listed = with_addresses(hosts)
        book = json.dumps({"endpoints": dict(endpoints), "hosts": listed}, indent=1)
        curlrc = "".join(
            line + "\n"
            for line in curl_lines(
                listed, self._curl_proxy_port, names.refusing_port(), self._folder / "bundle.pem"
            )
        )
        with self._lock:
            self._write(".curlrc", curlrc)
            self._write("book.json", book)

    def _write(self, name: str, text: str) -> None:
        if self._written.get(name) == text:
            return
        # Readers tell books apart by time stamp, inode and size: two in one tick of the clock
        # must not look alike. NTFS counts in units of 100 ns.
        self._stamp = max(self._stamp + 1_000, time.time_ns())
        replace_file(self._folder / name, text, self._stamp)
        self._written[name] = text


def with_addresses(hosts: Mapping[str, Host]) -> dict[str, Host]:
    """The hosts, and every address of theirs that has no entry of its own."""
    listed = {name.lower(): host for name, host in hosts.items()}
    for host in hosts.values():
        for address in host.get("ips", ()):
            listed.setdefault(address, {"ips": [address], "ports": host["ports"]})
    return listed


def curl_lines(
    hosts: Mapping[str, Host], proxy_port: int, refusing_port: int, bundle: Path
) -> Iterator[str]:
    """The lines of a .curlrc: listed hosts go to loopback, all others through the proxy.

    A listed host that does not listen leads to the refusing port, so curl ends with its exit code
    7, as it would on AWS. Source: curl's manual, --connect-to (the first match counts), --noproxy.
    """
    for name, host in hosts.items():
        spelt = f"[{name}]" if ":" in name else name
        for port, loopback_port in host["ports"].items():
            yield f'connect-to = "{spelt}:{port}:127.0.0.1:{loopback_port}"'
        yield f'connect-to = "{spelt}::127.0.0.1:{refusing_port}"'
    direct = ["localhost", "127.0.0.1", "::1", *hosts]
    yield f'noproxy = "{",".join(direct)}"'
    yield f'proxy = "http://127.0.0.1:{proxy_port}"'
    yield "proxytunnel"
    yield "suppress-connect-headers"
    # Windows' own curl reads neither CURL_CA_BUNDLE nor revocation lists that nobody publishes.
    if sys.platform == "win32":
        yield f"cacert = {json.dumps(str(bundle), ensure_ascii=False)}"
        yield "ssl-revoke-best-effort"


def replace_file(path: Path, text: str, modified_ns: int) -> None:
    """Write so that a reader sees the old file or the new one, never half of one."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=path.name, delete=False
    ) as file:
        file.write(text)
    os.utime(file.name, ns=(modified_ns, modified_ns))
    for patience in range(200, -1, -1):
        try:
            Path(file.name).replace(path)
            return
        except PermissionError:  # Windows, while a reader has the old one open
            if not patience:
                raise
            time.sleep(0.005)
