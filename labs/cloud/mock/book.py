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
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from labs.cloud import names


class Host(TypedDict, total=False):
    """What the book has for a name or an IP literal.

    ips:    its addresses, as DNS answers them; none means AWS's common front, names.API_ADDRESS.
    ports:  loopback ports by the port that the world sees, as text: {"443": 41001}.
    open:   [[from_port, to_port, [CIDR or security group id, ...]], ...]; without: to everybody.
    vpc:    only callers in this VPC reach it: set for private addresses.
    inside: what callers in a VPC find instead: {"vpc": "vpc-1", "ips": ["172.31.0.5"]}.
    """

    ips: list[str]
    ports: dict[str, int]
    open: list[list]
    vpc: str
    inside: dict


class Caller(TypedDict, total=False):
    """Who a process is on the network, by its LABS_CALLER.

    address: the learner's and functions' is public, an instance's private.
    groups:  ids of its security groups. vpc: where it is, if it is in one.
    public:  an instance's public address, under which it calls public ones; none: it cannot.
    loopback, public_loopback: the loopback addresses from which it calls, where the platform
             lets it, so that the data plane knows it: see `names.address_of`.
    """

    address: str
    groups: list[str]
    vpc: str
    public: str
    loopback: str
    public_loopback: str


#: Open ports without a listener that get a line each in .curlrc.
FEW = 100

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

    def replace(
        self,
        endpoints: Mapping[str, int],
        hosts: Mapping[str, Host],
        callers: Mapping[str, Caller] | None = None,
        silent: int | None = None,
        zones: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Make this the book; readers see all of it from their next look-up on.

        endpoints: loopback ports of the AWS API, {"80": ..., "443": ...}; {} while it is down.
        hosts: by name in lower case or by IP literal. The addresses of a name need not be listed
        once more: where they are not, they lead where the name leads.
        callers: by LABS_CALLER; without them everybody is the learner. silent: the port that
        never answers; without it, what no rule opens is refused. zones: hosted zones, oldest first,
        as `labs_zones` reads them; curl asks the proxy for their names.
        Raises ValueError for a host that is neither name nor address.
        """
        if wrong := [host for host in hosts if not _SAFE_HOST.match(host)]:
            raise ValueError(f"The address book takes names and addresses, not {wrong[0]!r}.")
        listed = with_addresses(hosts)
        content = {"endpoints": dict(endpoints), "hosts": listed}
        if callers:
            content["callers"] = dict(callers)
        if silent:
            content["silent"] = silent
        if zones:
            content["zones"] = list(zones)
        learner = (callers or {}).get("learner", names.LEARNER)
        book = json.dumps(content, indent=1)
        curlrc = "".join(
            line + "\n"
            for line in curl_lines(
                listed,
                self._curl_proxy_port,
                names.refusing_port(),
                self._folder / "bundle.pem",
                learner,
                silent,
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
            access = {key: host[key] for key in ("open", "vpc") if key in host}
            listed.setdefault(address, {"ips": [address], "ports": host["ports"], **access})
    return listed


def curl_lines(
    hosts: Mapping[str, Host],
    proxy_port: int,
    refusing_port: int,
    bundle: Path,
    caller: Caller = names.LEARNER,
    silent_port: int | None = None,
) -> Iterator[str]:
    """The lines of a .curlrc: listed hosts go to loopback, all others through the proxy.

    A listed host that does not listen leads to the refusing port, so curl ends with its exit code
    7, as it would on AWS; a port that no rule opens to the caller leads to the silent one (28).
    Source: curl's manual, --connect-to (the first match counts), --noproxy.
    """
    silent_port = silent_port or refusing_port
    for name, host in hosts.items():
        spelt = f"[{name}]" if ":" in name else name
        address = (host.get("ips") or [names.literal(name) or names.API_ADDRESS])[0]

        def opens(port: int, host: Host = host, address: str = address) -> bool:
            return names.reaches(address, host, port, caller)

        for port, loopback_port in host["ports"].items():
            target = loopback_port if opens(int(port)) else silent_port
            yield f'connect-to = "{spelt}:{port}:127.0.0.1:{target}"'
        others, elsewhere = _other_ports(host, opens)
        for port in others:
            yield f'connect-to = "{spelt}:{port}:127.0.0.1:{refusing_port}"'
        end = refusing_port if elsewhere else silent_port
        yield f'connect-to = "{spelt}::127.0.0.1:{end}"'
    direct = ["localhost", "127.0.0.1", "::1", *hosts]
    yield f'noproxy = "{",".join(direct)}"'
    yield f'proxy = "http://127.0.0.1:{proxy_port}"'
    yield "proxytunnel"
    yield "suppress-connect-headers"
    # Windows' own curl reads neither CURL_CA_BUNDLE nor revocation lists that nobody publishes.
    if sys.platform == "win32":
        yield f"cacert = {json.dumps(str(bundle), ensure_ascii=False)}"
        yield "ssl-revoke-best-effort"


def _other_ports(host: Host, opens: Callable[[int], bool]) -> tuple[list[int], bool]:
    """Where nobody listens: ports that are open all the same, and whether all others are.

    Rules can open thousands of ports and a .curlrc should not name them: a range of more than FEW
    makes all others count as open.
    """
    if "open" not in host and "vpc" not in host:
        return [], True
    ranges = [range(first, last + 1) for first, last, _ in host.get("open", [(0, 65535, [])])]
    if any(opens(ports[0]) for ports in ranges if len(ports) > FEW):
        return [], True
    ports = {port for ports in ranges if len(ports) <= FEW for port in ports if opens(port)}
    return sorted(ports - set(map(int, host["ports"]))), False


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
