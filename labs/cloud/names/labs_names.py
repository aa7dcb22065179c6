"""Lead every name and address that the mock handed out to loopback, in this process.

The mock publishes its *address book*, a JSON file that it replaces atomically before it answers
the API call that changed something (`labs.cloud.mock.book`):

    {"endpoints": {"80": 40002, "443": 40003},         the AWS API itself; {} = not running
     "hosts": {"web-1.us-east-1.elb.amazonaws.com": {"ips": ["198.51.100.7"],
                                                     "ports": {"80": 41001},
                                                     "open": [[80, 80, ["0.0.0.0/0"]]]},
               "198.51.100.7": {"ports": {"80": 41001}}},
     "callers": {"learner": {"address": "203.0.113.5", "groups": []},
                 "i-0abc": {"address": "172.31.0.5", "groups": ["sg-1"], "vpc": "vpc-1",
                            "public": "203.0.113.10", "loopback": "127.31.0.1",
                            "public_loopback": "127.54.0.1"}},
     "silent": 40009,                                  a port that never answers
     "zones": [...]}                                   hosted zones of Route 53, see `labs_zones`

LABS_CALLER names the caller that a process is; without it, it is the learner. What an entry's
"open" does not open to the caller is silent, as a security group makes it on AWS: a connect ends
in the caller's own time-out. (`labs.cloud.mock.book` describes every field.)

Two doors lead out of a Python process, and both are wrapped, once:

* name -> address   `socket.getaddrinfo`, `gethostbyname`, `gethostbyname_ex`, `gethostbyaddr`
* address -> peer   `socket.socket.connect`, `connect_ex` (IP literals need no resolver);
                    `sendto`, which only refuses

An audit hook, the *tripwire*, stops code that kept an unwrapped function. What is not the mock's
passes through untouched, but a public address that no lookup of this process gave: in mock mode
nothing leaves the machine by mistake. Not covered: code that calls the C library itself (uvloop,
c-ares, libcurl). Private addresses pass, unless the book lists them.

One file, standard library only, for any Python from 3.8: `sitecustomize.py` beside it loads it
into every Python child, sandboxes load it by path, `labs.cloud.names` into the kernel. Always as
the module `labs_names`, so that one process has one copy.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import json
import os
import socket
import sys
import time
from collections import OrderedDict

try:
    import labs_zones
except ImportError:  # a kernel, whose path does not begin with this folder
    from labs.cloud.names import labs_zones

#: Domains of AWS: the DNS suffixes of botocore's partitions.json, and those of customers' names.
AWS_DOMAINS = (
    "amazonaws.com",
    "api.aws",
    "on.aws",
    "amazonaws.com.cn",
    "api.amazonwebservices.com.cn",
    "amazonwebservices.com.cn",
    "amazonaws.eu",
    "amazonwebservices.eu",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "api.aws.ic.gov",
    "api.aws.scloud",
    "cloud.adc-e.uk",
    "cloud-aws.adc-e.uk",
    "csp.hci.ic.gov",
    "api.aws.hci.ic.gov",
    "elasticbeanstalk.com",
    "cloudfront.net",
    "awsapprunner.com",
    "ec2.internal",
    "compute.internal",
)
#: Parts of names that AWS gives to customers' resources. Any other AWS name is an API endpoint.
CUSTOMER_PARTS = (
    ".elb.",
    ".execute-api.",
    ".lambda-url.",
    ".elasticbeanstalk.",
    ".cloudfront.",
    ".awsapprunner.",
    ".compute.",
    ".compute-1.",
    ".ec2.internal",
    ".rds.",
    ".cache.",
    ".es.",
)
#: Where AWS tells a machine its role. Sources: EC2, ECS and EKS user guides.
METADATA = (
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "fd00:ec2::254",
    "fd00:ec2::23",
)
#: Addresses for documentation (RFC 5737, RFC 3849): the mock's public addresses come from here,
#: so what gets round this module reaches nobody.
DOCUMENTATION = ("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:")
#: The address of AWS API endpoints and of every listed name that has no address of its own.
API_ADDRESS = "192.0.2.1"
#: A process remembers that many addresses that ordinary names resolved to.
REMEMBERED = 4096
#: The caller of a process that LABS_CALLER does not name, where the book does not say otherwise.
LEARNER = {"address": "203.0.113.5", "groups": []}
#: Seconds that a system waits for an answer to SYN, where ours refuses instead; as Windows does.
SILENT_SECONDS = 21

_SUFFIXES = tuple("." + domain for domain in AWS_DOMAINS)
_NUMERIC = frozenset("0123456789abcdefx.")
_NOTHING = {"ports": {}}
_EMPTY = {"endpoints": {}, "hosts": {}}

_real = {}  # the functions as Python made them
_path = None  # where the book lies
#: Entries that are this process's alone: an instance's metadata service, its own names.
own = {}
#: This process as a caller where the book lists none: an instance is up before the book has it.
unlisted = LEARNER
#: In an instance: (socket, host, port) -> where its own server is, if that is what it calls.
at_home = None
_book = (None, _EMPTY)  # (stamp of the file, its content): replaced as one, so no lock
_resolved = OrderedDict()  # addresses that ordinary names resolved to: a set, oldest first
_refusing = None  # a socket, bound and never listening: refuses at once, and stays ours
_refusing_port = None


def install(path=None):
    """Wrap this process. Twice does no harm; another path replaces the first.

    path: the address book; LABS_ADDRESS_BOOK by default. The file need not exist yet.
    Raises KeyError without either.
    """
    global _path
    _path = os.fspath(path or os.environ["LABS_ADDRESS_BOOK"])
    if _real:
        return
    refusing_port()
    for wrapper in (getaddrinfo, gethostbyname, gethostbyname_ex, gethostbyaddr):
        _real[wrapper.__name__] = getattr(socket, wrapper.__name__)
        setattr(socket, wrapper.__name__, wrapper)
    for wrapper in (connect, connect_ex, sendto):
        _real[wrapper.__name__] = getattr(socket.socket, wrapper.__name__)
        setattr(socket.socket, wrapper.__name__, wrapper)
    if sys.platform == "win32":
        wrap_proactor()
    sys.addaudithook(tripwire)


def refusing_port():
    """A loopback port of this process at which every connection is refused at once."""
    global _refusing, _refusing_port
    if _refusing is None:
        # `_socket`, so that a fork or a `with` around the class cannot close it.
        refusing = _socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows lets others share a port otherwise
            refusing.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        refusing.bind(("127.0.0.1", 0))
        _refusing, _refusing_port = refusing, refusing.getsockname()[1]
    return _refusing_port


# The book


def read():
    """The book as it is now. Costs one `stat` unless the mock has replaced the file."""
    global _book
    for patience in range(50, -1, -1):
        try:
            status = os.stat(_path or "")  # noqa: PTH116 - pathlib is slow to import
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
            if _book[0] != stamp:
                with open(_path, encoding="utf-8") as file:  # noqa: PTH123
                    _book = (stamp, json.load(file))
            return _book[1]
        except FileNotFoundError:
            break
        except PermissionError:  # Windows, in the moment of the replacement
            if not patience:
                raise
            time.sleep(0.002)
        except ValueError as error:
            raise socket.gaierror(
                socket.EAI_FAIL, f"mock AWS: {_path} is no address book ({error})"
            ) from error
    # The mock has gone: what was its own, private addresses too, is refused, not let out.
    gone = {name: {**entry, "ports": {}} for name, entry in _book[1]["hosts"].items()}
    _book = (None, {"endpoints": {}, "hosts": gone, "zones": _book[1].get("zones", [])})
    return _book[1]


def resolve(host):
    """What `host` stands for: [host], unless it is a name in one of the mock's hosted zones.

    Then IP literals, or one name that no zone has: a balancer's, another machine's. Each call
    asks anew (`labs_zones`). Raises socket.gaierror for a name that is in a zone and does not
    resolve there.
    """
    zones = read().get("zones", ())
    if not _in_zone(host, zones):
        return [host]
    try:
        return labs_zones.resolve(zones, text(host), caller().get("vpc"), is_outside_zones)
    except labs_zones.NoAnswer as error:
        raise socket.gaierror(
            socket.EAI_NONAME, f"Name or service not known: {error} (mock AWS's Route 53)"
        ) from error


def _in_zone(host, zones):
    """Is it a name in a hosted zone, visible to this process or not?"""
    name = text(host)
    return not is_outside_zones(name) and any(labs_zones.covers(zone, name) for zone in zones)


def is_outside_zones(name):
    """Is this what no hosted zone answers for, even one for `com`?

    AWS's own names, those of this machine (RFC 6761, 6.3: localhost), IP literals.
    """
    return (
        not name
        or name in own
        or is_aws(name)
        or name == "localhost"
        or name.endswith(".localhost")
        or literal(name) is not None
    )


def find(host):
    """The mock's entry {"ips": [...], "ports": {...}} for a name or an IP literal.

    None when it is not AWS's business. Raises socket.gaierror, as DNS would, for an AWS name
    that the mock never handed out. Never any other error, whatever `host` is.
    """
    name = text(host)
    if not name:
        return None
    if name in own:
        return own[name]
    address = literal(name)
    if address:
        return _find_address(address)
    return _find_name(name) if is_aws(name) else None


def _find_address(address):
    if address.startswith("127.") or address in ("::1", "::", "0.0.0.0"):  # noqa: S104
        return None
    if address in own:
        return own[address]
    book = read()
    if address in book["hosts"]:
        in_my_vpc = f"{address}.{caller().get('vpc')}"  # two VPCs may use the same addresses
        return book["hosts"].get(in_my_vpc) or book["hosts"][address]
    if address == API_ADDRESS:
        return {"ports": book["endpoints"]}
    return _NOTHING if address in METADATA or address.startswith(DOCUMENTATION) else None


def _find_name(name):
    book = read()
    if name in book["hosts"]:
        entry = book["hosts"][name]
        if not name.endswith(".internal") or entry.get("vpc") in (None, caller().get("vpc")):
            return _from_inside(entry)
        why = f"{name} is a private name, known in its VPC only"
    elif not book["endpoints"]:
        why = f"this kernel's mock AWS is not running: run the set-up cell (address book: {_path})"
    elif any(part in name for part in CUSTOMER_PARTS):
        why = f"mock AWS has handed out no {name}"
    else:
        return {"ips": [API_ADDRESS], "ports": book["endpoints"]}
    raise socket.gaierror(socket.EAI_NONAME, f"Name or service not known: {why}")


def _from_inside(entry):
    """In its VPC, an instance's public name means its private address.

    Source: Amazon VPC User Guide, "DNS attributes for your VPC".
    """
    inside = entry.get("inside")
    if not inside or inside["vpc"] != caller().get("vpc"):
        return entry
    return {**read()["hosts"].get(inside["ips"][0], _NOTHING), "ips": inside["ips"]}


# Who may reach whom


def caller():
    """Who this process is: its entry among the book's callers."""
    callers = read().get("callers", {})
    return callers.get(os.environ.get("LABS_CALLER", "learner")) or unlisted


def may_reach(open_, caller, port):
    """Do these openings let the caller in at this port?

    open_:  [[from_port, to_port, [CIDR or security group id, ...]], ...]; None: everybody.
    caller: {"address": ..., "groups": [...]}; an address of None is in no CIDR.
    """
    if open_ is None:
        return True
    return any(
        first <= port <= last and any(_admits(source, caller) for source in sources)
        for first, last, sources in open_
    )


def _admits(source, caller):
    if "/" not in source:
        return source in caller["groups"]
    import ipaddress  # see is_foreign

    try:
        network = ipaddress.ip_network(source, strict=False)
        return ipaddress.ip_address(caller["address"]) in network
    except ValueError:  # no network, or a caller that has no address there
        return False


def seen_at(address, caller):
    """The caller {"address", "groups"} as somebody at this address sees it.

    At a private address instances are themselves, and references to security groups hold. At a
    public one everybody is seen from a public address, and belongs to no group; an instance that
    has none cannot get there (the mock has no NAT gateways): its address is None.
    Source: Amazon VPC User Guide, "Security group rules" (a reference means private addresses).
    """
    if not address.startswith(DOCUMENTATION):
        return caller
    return {"address": caller.get("public") if "vpc" in caller else caller["address"], "groups": []}


def reaches(address, entry, port, caller):
    """May the caller open a connection to this port of an entry, at this address of it?"""
    vpc = entry.get("vpc")
    if vpc and caller.get("vpc") != vpc:
        return False
    return may_reach(entry.get("open"), seen_at(address, caller), port)


def lead(host, entry, port):
    """The loopback port at which this process finds a port of an entry; None: nothing listens.

    The silent port, if this process may not reach it: whether anybody listens does not show.
    """
    if ("open" in entry or "vpc" in entry) and not reaches(
        addresses_of(host, entry)[0], entry, port, caller()
    ):
        return read().get("silent")
    return entry["ports"].get(str(port))


def caller_of(loopback, callers):
    """Who connects from a loopback address: {"address", "groups"}, as they are seen there.

    For the data plane, whose peers are loopback addresses: an instance calls a private address
    from its "loopback" and a public one from its "public_loopback". Anything else is the
    learner: so is an instance whose platform has only 127.0.0.1.
    """
    for known in callers.values():
        if loopback == known.get("loopback"):
            return {"address": known["address"], "groups": known.get("groups", [])}
        if loopback == known.get("public_loopback"):
            return {"address": known.get("public"), "groups": []}
    return callers.get("learner", LEARNER)


def address_of(loopback, callers):
    """The mock's address of who connects from a loopback address: see `caller_of`."""
    return caller_of(loopback, callers)["address"]


# Names and literals


def text(host):
    """A host as one spells it: lower case, no final dot, ASCII. "" for what cannot be a host.

    Python's own look-ups encode with IDNA, which makes plain letters of full-width ones: a name
    must be judged after that, not before.
    """
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("ascii", "replace")
    if not isinstance(host, str):
        return ""
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    return host.lower().rstrip(".")


def literal(name):
    """The usual spelling of an IP literal, an IPv4 address for an IPv4-mapped one; None if none.

    The C library also reads 127.1, 0x7f000001 and 2130706433 as addresses; so do we.
    """
    with contextlib.suppress(OSError, ValueError):
        if ":" in name:
            packed = socket.inet_pton(socket.AF_INET6, name.partition("%")[0])
            if packed[:12] == b"\0" * 10 + b"\xff\xff":
                return socket.inet_ntoa(packed[12:])
            return socket.inet_ntop(socket.AF_INET6, packed)
        if "0" <= name[:1] <= "9" and _NUMERIC.issuperset(name):
            return socket.inet_ntoa(socket.inet_aton(name))
    return None


def is_aws(name):
    """Is this name, as `text` spells it, one of AWS's?"""
    return name.endswith(_SUFFIXES) or name in AWS_DOMAINS


def is_foreign(address):
    """A public address that no ordinary name resolved to in this process, and no proxy's."""
    import ipaddress  # one millisecond that most processes never pay

    return (
        ipaddress.ip_address(address).is_global
        and address not in _resolved
        and address not in _proxies()
    )


def _proxies():
    from urllib.parse import urlsplit

    for name, url in os.environ.items():
        if name.lower().endswith("_proxy"):
            try:
                yield urlsplit(url if "//" in url else "//" + url).hostname
            except ValueError:  # no URL: no address either
                continue


def _remember(addresses):
    for address in addresses:
        _resolved[literal(text(address))] = True
    while len(_resolved) > REMEMBERED:
        _resolved.popitem(last=False)


# Name -> address


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    """As `socket.getaddrinfo`; the mock's names lead to loopback, port included."""
    if flags & socket.AI_NUMERICHOST:  # no look-up is wanted; `connect` sees the address
        return _real["getaddrinfo"](host, port, family, type, proto, flags)
    found, refusal = [], None
    for target in resolve(host):
        try:
            found += _getaddrinfo(target, port, family, type, proto, flags)
        except socket.gaierror as error:  # a zone may give addresses of another family, too
            refusal = error
    if not found:
        raise refusal
    return found


def _getaddrinfo(host, port, family, type, proto, flags):
    real = _real["getaddrinfo"]
    entry = find(host)
    if entry is None:
        found = real(host, port, family, type, proto, flags)
        if not literal(text(host)):
            _remember(sockaddr[0] for *_, sockaddr in found)
        return found
    if port in (None, 0, "0", b"0", ""):  # no port to translate: what AWS's DNS would answer
        where = [(address, 0) for address in addresses_of(host, entry)]
    else:  # let the C library read "https", b"80", ...
        wanted = real("127.0.0.1", port)[0][4][1]
        if "loopback" in caller():  # `connect` must see which address is called, and from where
            where = [(address, wanted) for address in addresses_of(host, entry)]
        else:
            where = [("127.0.0.1", lead(host, entry, wanted) or refusing_port())]
    flags &= ~(getattr(socket, "AI_ADDRCONFIG", 0) | socket.AI_CANONNAME)
    return [
        answer
        for address, number in where
        for answer in real(address, number, family, type, proto, flags)
    ]


def addresses_of(host, entry):
    """The IP literals of an entry, at least one."""
    return entry.get("ips") or [literal(text(host)) or API_ADDRESS]


def gethostbyname(host):
    """As `socket.gethostbyname`."""
    host = resolve(host)[0]
    return gethostbyname_ex(host)[2][0] if find(host) else _lookup("gethostbyname", host)


def gethostbyname_ex(host):
    """As `socket.gethostbyname_ex`: (name, aliases, addresses)."""
    first, *others = resolve(host)
    if others:
        return (text(host), [], _ipv4(host, (first, *others)))
    host = first
    entry = find(host)
    if entry is None:
        return _lookup("gethostbyname_ex", host)
    return (text(host), [], _ipv4(host, addresses_of(host, entry)))


def _ipv4(host, addresses):
    """Those of IPv4, at least one. Raises socket.gaierror."""
    found = [address for address in addresses if ":" not in address]
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, f"mock AWS: {host} has no IPv4 address")
    return found


def _lookup(function, host):
    answer = _real[function](host)
    if not literal(text(host)):
        _remember([answer] if isinstance(answer, str) else answer[2])
    return answer


def gethostbyaddr(host):
    """As `socket.gethostbyaddr`; the mock keeps no reverse zone, but a machine knows itself."""
    entry = find(host)
    if entry is not None:
        if "name" in entry:
            return (entry["name"], [], entry["ips"])
        raise socket.herror(1, f"Unknown host: mock AWS has no name for {host}")
    return _real["gethostbyaddr"](host)


# Address -> peer


def connect(self, address):
    """As `socket.socket.connect`."""
    address = redirect(self, address)
    if not _is_silent(address):
        return _real["connect"](self, address)
    if self.gettimeout() == 0:
        if sys.platform == "win32":  # see `_wait`
            raise BlockingIOError(errno.EWOULDBLOCK, "mock AWS: nothing will answer")
        return _real["connect"](self, address)
    return _wait(self, address)


def connect_ex(self, address):
    """As `socket.socket.connect_ex`."""
    try:
        address = redirect(self, address)
    except ConnectionRefusedError as error:
        return error.errno
    if not _is_silent(address):
        return _real["connect_ex"](self, address)
    try:
        return connect(self, address) or 0
    except OSError as error:
        return error.errno or errno.EWOULDBLOCK  # what Python makes of its own time-out


def _is_silent(address):
    return isinstance(address, tuple) and address[:2] in (
        ("127.0.0.1", _book[1].get("silent")),
        ("::ffff:127.0.0.1", _book[1].get("silent")),
    )


def _wait(sock, address):
    """Connect to the silent port, where no answer comes, until the socket's own time-out.

    Linux drops a SYN when the queue of accepted connections is full, and the wait is the system's.
    Windows refuses it, and others may: then we wait as long as was left, and fail as a time-out
    does. A non-blocking socket on Windows is not connected at all (`connect`): nothing ever
    happens to it, and that is how silence looks to a selector.
    """
    started = time.monotonic()
    try:
        return _real["connect"](sock, address)
    except ConnectionRefusedError:
        limit = SILENT_SECONDS if sock.gettimeout() is None else sock.gettimeout()
        time.sleep(max(0, started + limit - time.monotonic()))
        raise TimeoutError(errno.ETIMEDOUT, "timed out (mock AWS: no rule opens it)") from None


def sendto(self, data, *flags_and_address):
    """As `socket.socket.sendto`. Nothing of the mock's speaks UDP, so its names are refused here:
    the C library would look them up before any audit hook hears of it."""
    address = flags_and_address[-1] if flags_and_address else None
    if _is_internet(self, address) and _is_ours(address[0]):
        raise _refused(f"nothing listens at {address[0]!r} by UDP")
    return _real["sendto"](self, data, *flags_and_address)


def redirect(sock, address):
    """Where a connect to `address` goes: the same address unless it is the mock's.

    Every connection of a wrapped process comes by here, so this is the place to ask who may
    reach whom. A caller that has a loopback address of its own is bound to it first.
    Raises ConnectionRefusedError and socket.gaierror.
    """
    if not _is_internet(sock, address):
        return address
    host, port = address[0], address[1]
    here = at_home and at_home(sock, host, port)
    if here:
        return here
    host = resolve(host)[0]
    entry = find(host)
    if entry is None:
        if port == _refusing_port and host == "127.0.0.1":
            raise _refused("nothing listens behind this name and port")
        _keep_home(sock, host)
        return (host, *address[1:])
    target = lead(host, entry, port)
    if target is None:
        raise _refused(f"nothing listens at {host!r} port {port}")
    me = caller()
    public = addresses_of(host, entry)[0].startswith(DOCUMENTATION)
    call_from(sock, (public and me.get("public_loopback")) or me.get("loopback"))
    return to_loopback(sock, target)


def to_loopback(sock, port):
    """127.0.0.1 as this socket's family spells it, with a port."""
    if sock.family == socket.AF_INET:
        return ("127.0.0.1", port)
    with contextlib.suppress(OSError):  # bound already: too late to matter
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    return ("::ffff:127.0.0.1", port)


def call_from(sock, loopback):
    """Let a stream come from this loopback address, where the platform has more than one.

    All of 127/8 is there on Linux and Windows, 127.0.0.1 alone on macOS.
    """
    if not loopback or sock.type != socket.SOCK_STREAM:
        return
    address = loopback if sock.family == socket.AF_INET else f"::ffff:{loopback}"
    if sys.platform == "linux" and sock.family == socket.AF_INET:
        with contextlib.suppress(OSError):  # or the ports of one address run out; Python 3.12 has
            sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # the name IP_BIND_ADDRESS_NO_PORT for 24
    with contextlib.suppress(OSError):
        _socket.socket.bind(sock, (address, 0))


def _is_internet(sock, address):
    return (
        sock.family in (socket.AF_INET, socket.AF_INET6)
        and isinstance(address, tuple)
        and len(address) >= 2
    )


def _keep_home(sock, host):
    """Refuse a stream to a public address that no look-up of ours gave.

    A datagram socket that is "connected" has sent nothing: programs do it to learn their own
    address.
    """
    if sock.type != socket.SOCK_STREAM:
        return
    address = literal(text(host))
    if address and is_foreign(address):
        raise _refused(
            f"{address} is a public address that the mock never handed out, and nothing leaves "
            "this machine by address. Use a name, or an address that the mock gave; "
            "the real AWS needs `python -m labs lab --live`"
        )


def _is_ours(host):
    return _in_zone(host, read().get("zones", ())) or find(host) is not None


def _refused(why):
    return ConnectionRefusedError(errno.ECONNREFUSED, f"Connection refused (mock AWS: {why})")


def wrap_proactor():
    """Windows' default event loop connects in C, past `socket.connect`: wrap its own door."""
    from asyncio.proactor_events import BaseProactorEventLoop

    real = BaseProactorEventLoop.sock_connect

    async def sock_connect(self, sock, address):
        address = redirect(sock, address)
        if _is_silent(address):
            from asyncio import sleep

            await sleep(SILENT_SECONDS)
            raise TimeoutError(errno.ETIMEDOUT, "timed out (mock AWS: no rule opens it)")
        return await real(self, sock, address)

    BaseProactorEventLoop.sock_connect = sock_connect


# Last resort

_LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_PEERS = ("socket.connect", "socket.sendto", "socket.sendmsg")


def tripwire(event, arguments):
    """Audit hook: what still carries a name or address of AWS's here got round the wrapper."""
    if event in _LOOKUPS:
        name = text(arguments[0])
        if is_aws(name) or _in_zone(name, read().get("zones", ())):
            raise socket.gaierror(socket.EAI_NONAME, f"mock AWS: {name} stays on this machine")
    elif event in _PEERS:
        sock, address = arguments[0], arguments[1]
        if _is_internet(sock, address):
            if _is_ours(address[0]):
                raise _refused(f"{address[0]} stays on this machine")
            _keep_home(sock, address[0])
