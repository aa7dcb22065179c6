"""Make this process part of an instance: its ports are the instance's, and its clients real ones.

A user-data script binds port 80. Here it gets a loopback port that is free; the mock is told of
the pair, and its data plane leads callers there, if security groups let them in. So, in every
Python process of an instance:

* `bind`     any address of the instance becomes 127.0.0.1 and a free port, without root's rights.
             A port belongs to one socket of the whole instance, as on a machine: the mock knows
             which is taken, and a second `bind` fails with EADDRINUSE.
* `listen`   reports the port, and returns when the mock has it.
* `accept`   takes the PROXY v2 header that the data plane sends first (`labs_proxy_v2`), so that
             the peer is who it would be on AWS: a client, another instance, a balancer.
* `getsockname`, `getpeername` say what the script expects: the port it asked for, that peer.
* `connect`  to the instance itself (localhost, its private address) goes straight to its own
             listener, past the data plane and without a header. How `accept` knows: such a
             connection comes from the instance's own loopback address. Where the platform has
             only 127.0.0.1 (macOS), `accept` looks at the first bytes instead, and waits for them.

UDP ports are refused: the mock carries TCP. Processes of the instance talk to the mock over one
loopback connection each, which is their lifeline, too: when it ends, the mock has gone, and the
process ends its whole group. Not covered: what binds in C (uvloop), and processes that are not
Python. LABS_INSTANCE holds who this is, as JSON (`labs.cloud.mock.instances.machine`).

Standard library only, for any Python from 3.8.
"""

import contextlib
import errno
import json
import os
import queue
import signal
import socket
import sys
import threading
import weakref

import labs_names
import labs_proxy_v2

#: Seconds in which the data plane's header must come. It is sent at once: this is for a laptop
#: that is very busy, and only a local client that keeps silent on macOS ever waits as long.
HEADER_SECONDS = 5.0
#: Seconds in which the mock must answer a report.
ANSWER_SECONDS = 10.0

_ANY = ("0.0.0.0", "::")  # noqa: S104
_real = {}  # the methods as Python made them
_me = {}  # LABS_INSTANCE
_bound = {}  # loopback port -> Bound
_servers = weakref.WeakSet()  # sockets that `bind` has bound
_clients = {}  # (our port, peer as the system names it) -> peer as it is
_mock = None  # the connection to the mock
_inherited = []  # connections of the process that forked this one: open, so that its ports stay
_others = set()  # loopback ports that are known to be none of the instance's


class Bound:
    """A port of the instance.

    host, port: as the script asked. scope: who can see it: "any", "local" (127.0.0.1) or
    "address" (the instance's own address). spaces: [4], [6] or both: IPv4's ports and IPv6's.
    sockets: of this process, bound to it.
    """

    def __init__(self, host, port, scope, spaces):
        self.host, self.port, self.scope, self.spaces = host, port, scope, spaces
        self.sockets = 1

    def report(self, **more):
        return {"port": self.port, "scope": self.scope, "spaces": self.spaces, **more}


def install():
    """Wrap this process, and connect it to the mock. Ends it when that cannot be done."""
    _me.update(json.loads(os.environ["LABS_INSTANCE"]))
    for name in ("bind", "listen", "accept", "close", "getsockname", "getpeername"):
        _real[name] = getattr(socket.socket, name)
        setattr(socket.socket, name, globals()[name])
    socket.gethostname = gethostname
    myself = {"ips": [_me["address"]], "ports": {}, "name": _me["domain_name"]}
    labs_names.own.update(
        {
            "169.254.169.254": {"ports": {"80": _me["metadata_port"]}},
            _me["host_name"]: myself,
            _me["domain_name"]: myself,
            _me["address"]: myself,
        }
    )
    labs_names.unlisted = _me["caller"]
    labs_names.at_home = at_home
    if sys.platform == "win32":
        wrap_proactor()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)
    _connect()


def gethostname():
    """As `socket.gethostname`: the instance's, from its private address."""
    return _me["host_name"]


# Servers


def bind(self, address):
    """As `socket.socket.bind`, to the instance's addresses."""
    if self.family not in (socket.AF_INET, socket.AF_INET6) or not _is_address(address):
        return _real["bind"](self, address)
    scope, port = _scope(address[0]), address[1]
    if port == 0 and (scope == "local" or self.type != socket.SOCK_STREAM):
        return _real["bind"](self, address)  # a client, or a pair of sockets: nobody's port
    if self.type != socket.SOCK_STREAM:
        raise OSError(
            errno.EOPNOTSUPP, f"mock AWS: its instances have TCP ports only, not UDP port {port}"
        )
    if port == 0:
        _real["bind"](self, _loopback(self, 0))
        port = _real["getsockname"](self)[1]
        _reserve(self, Bound(address[0], port, scope, _spaces(self)))
    else:
        bound = Bound(address[0], port, scope, _spaces(self))
        _real["bind"](self, _loopback(self, _reserve(self, bound)))
    real = _real["getsockname"](self)[1]
    if real in _bound:
        _bound[real].sockets += 1
    else:
        _bound[real] = Bound(address[0], port, scope, _spaces(self))
    _servers.add(self)
    _ask(_bound[real].report(do="bound", real=real))


def _is_address(address):
    """Whether the system could take this for an internet address. If not, it says so itself."""
    return (
        isinstance(address, tuple)
        and len(address) >= 2
        and isinstance(address[0], (str, bytes, bytearray))
        and isinstance(address[1], int)
        and 0 <= address[1] <= 65535
    )


def _scope(host):
    """Who can see a listener at this host: "any", "local" or "address".

    Raises OSError (EADDRNOTAVAIL) for an address that is not the instance's.
    """
    name = labs_names.text(host)
    address = labs_names.literal(name) or name
    if address in ("", *_ANY):
        return "any"
    if address in ("localhost", "::1") or address.startswith("127."):
        return "local"
    if address in (_me["address"], _me["host_name"], _me["domain_name"]):
        return "address"
    raise OSError(
        errno.EADDRNOTAVAIL,
        f"Cannot assign requested address: {name} is none of this instance's "
        f'("", 127.0.0.1, {_me["address"]})',
    )


def _spaces(sock):
    """Which port numbers a socket takes: IPv4's, IPv6's or, if it serves both, both."""
    if sock.family == socket.AF_INET:
        return [4]
    return [6] if sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) else [4, 6]


def _loopback(sock, port):
    """127.0.0.1 for what serves IPv4, in the spelling of the socket's family; else ::1."""
    if sock.family == socket.AF_INET6 and 4 not in _spaces(sock):
        return ("::1", port)
    return labs_names.to_loopback(sock, port)


def _reserve(sock, bound):
    """Take the port for the instance; the loopback port to share with others that bound it, or 0.

    Raises OSError (EADDRINUSE) if it is taken, and not shared (SO_REUSEPORT).
    """
    option = getattr(socket, "SO_REUSEPORT", None)
    shared = bool(option and sock.getsockopt(socket.SOL_SOCKET, option))
    answer = _ask(bound.report(do="bind", shared=shared))
    if "real" not in answer:
        raise OSError(errno.EADDRINUSE, f"Address already in use: port {bound.port}")
    return answer["real"]


def listen(self, *backlog):
    """As `socket.socket.listen`; the mock knows of it when this returns."""
    if self.family in (socket.AF_INET, socket.AF_INET6) and _real["getsockname"](self)[1] == 0:
        bind(self, ("", 0))  # the system would choose a port at every address of this machine
    _real["listen"](self, *backlog)
    if self.family in (socket.AF_INET, socket.AF_INET6):
        real = _real["getsockname"](self)[1]
        if real in _bound:
            _ask(_bound[real].report(do="listen", real=real))


def accept(self):
    """As `socket.socket.accept`; the peer is who it would be on AWS."""
    connection, peer = _real["accept"](self)
    return connection, welcome(connection, peer)


def welcome(connection, peer):
    """Who is behind a new connection: its address, as this socket's family spells one."""
    bound = _bound_of(connection)
    if bound is None:
        return peer
    host = peer[0].rpartition(":")[2] if peer[0].startswith("::ffff:") else peer[0]
    if host == _me["caller"]["loopback"]:
        who = ("127.0.0.1", peer[1])
    elif 4 not in bound.spaces:
        return peer  # ::1, where only the instance itself can call
    else:
        try:
            who = labs_proxy_v2.receive(connection, HEADER_SECONDS)
        except ValueError as error:
            connection.close()
            raise ConnectionAbortedError(errno.ECONNABORTED, f"mock AWS: {error}") from error
        if who is None:
            return peer
        who = (labs_names.literal(who[0]), who[1])  # plain IPv4, where it came mapped to IPv6
    if connection.family == socket.AF_INET6:
        who = (who[0] if ":" in who[0] else f"::ffff:{who[0]}", who[1], 0, 0)
    _clients[_real["getsockname"](connection)[1], peer] = who
    return who


def _bound_of(sock):
    """What a socket's loopback port is to the instance; None if nothing.

    A listener may have come from another process of the instance, so the mock is asked, once.
    """
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    real = _real["getsockname"](sock)[1]
    if real not in _bound and real not in _others:
        found = _ask({"do": "tell", "real": real})
        if found:
            _bound[real] = Bound("", found["port"], found["scope"], found["spaces"])
            _bound[real].sockets = 0
        else:
            _others.add(real)
    return _bound.get(real)


def close(self):
    """As `socket.socket.close`; the port is free again when the last of its sockets is closed."""
    real = _listening_port(self) if _bound else None
    _real["close"](self)
    if real is None or self.fileno() != -1:
        return
    bound = _bound[real]
    bound.sockets -= 1
    if bound.sockets == 0:
        del _bound[real]
        with contextlib.suppress(OSError):  # the mock has gone, and so shall we
            _ask(bound.report(do="close", real=real))


def _listening_port(sock):
    """The loopback port of a socket that this process bound for the instance; None for others."""
    with contextlib.suppress(OSError):
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            real = _real["getsockname"](sock)[1]
            if real in _bound and _bound[real].sockets and _is_server(sock):
                return real
    return None


def _is_server(sock):
    """Bound by `bind`, or listening (as what `ssl` made of it does); not a connection of it.

    A connection is no longer connected when its peer has reset it, so that would not tell.
    """
    return sock in _servers or bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


# Who is who


def getpeername(self):
    """As `socket.socket.getpeername`."""
    peer = _real["getpeername"](self)
    if not _clients or self.family not in (socket.AF_INET, socket.AF_INET6):
        return peer
    return _clients.get((_real["getsockname"](self)[1], peer), peer)


def getsockname(self):
    """As `socket.socket.getsockname`: the instance's address and the port that was asked for."""
    name = _real["getsockname"](self)
    if self.family not in (socket.AF_INET, socket.AF_INET6):
        return name
    host, port = name[:2]
    bound = _bound.get(port) if self.type == socket.SOCK_STREAM else None
    if bound is not None:
        port = bound.port
        host = _server_host(self, bound)
    elif host in (_me["caller"]["loopback"], _me["caller"].get("public_loopback")):
        host = _me["address"]
    elif self.type == socket.SOCK_DGRAM and not host.startswith("127.") and host not in _ANY:
        host = _me["address"]  # programs connect a datagram socket to learn their own address
    if self.family == socket.AF_INET:
        return (host, port)
    return (host if ":" in host else f"::ffff:{host}", port, *name[2:])


def _server_host(sock, bound):
    """As asked for a listener; of a connection, the address at which its peer found it."""
    if _is_server(sock):
        wildcard = _ANY[sock.family == socket.AF_INET6]
        return {"any": wildcard, "address": _me["address"], "local": "127.0.0.1"}[bound.scope]
    with contextlib.suppress(OSError):  # the peer has gone
        if _real["getpeername"](sock)[0].endswith(_me["caller"]["loopback"]):
            return "127.0.0.1"
    return _me["address"]


# The instance calls itself


def at_home(sock, host, port):
    """Where a connect to the instance's own address goes; None for all other addresses.

    Nobody stands in between: what listens at localhost answers here, security groups or not.
    """
    address = labs_names.literal(labs_names.text(host)) or ""
    local = address.startswith("127.") or address in ("::1", *_ANY)
    if sock.type != socket.SOCK_STREAM or not (local or address == _me["address"]):
        return None
    space = 6 if ":" in address else 4
    wanted = {"do": "where", "port": port, "space": space, "local": local}
    try:
        real = _ask(wanted).get("real")
    except OSError:
        return None
    if real is None and local:
        return None  # something else of this machine: the mock's own port, a pair of sockets
    labs_names.call_from(sock, _me["caller"]["loopback"])
    if real is not None and space == 6 and real in _bound and 4 not in _bound[real].spaces:
        return ("::1", real, 0, 0)
    return labs_names.to_loopback(sock, real or labs_names.refusing_port())


# The mock


class Mock:
    """The connection over which this process reports to the mock; its end is the process's."""

    def __init__(self):
        self._socket = socket.socket()
        labs_names._real["connect"](self._socket, ("127.0.0.1", _me["control_port"]))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lock = threading.Lock()
        self._answers = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="labs-instance", daemon=True).start()
        self.ask({"token": _me["token"]})

    def ask(self, question):
        """One question, one answer, both of them objects. Raises OSError without an answer."""
        line = json.dumps(question).encode() + b"\n"
        with self._lock:
            self._socket.sendall(line)
            try:
                return self._answers.get(timeout=ANSWER_SECONDS)
            except queue.Empty:
                raise TimeoutError(errno.ETIMEDOUT, "mock AWS: no answer from the mock") from None

    def _listen(self):
        rest = b""
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                _end()
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._answers.put(json.loads(line))


def _connect():
    global _mock
    try:
        _mock = Mock()
    except OSError:
        os._exit(1)


def _ask(question):
    return _mock.ask(question)


def _end():
    """The mock, or this instance, has gone, whatever ended it: this process goes, and its group."""
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _after_fork():
    """A forked child has its own connection; it keeps its parent's open, as it does its sockets.

    So a listener that a daemon inherits stays the instance's when its first process ends, closing
    it in one of several children does not give the port back, and no daemon outlives its instance.
    """
    global _mock
    _inherited.append(_mock)
    for bound in _bound.values():
        bound.sockets = 0
    _connect()


def wrap_proactor():
    """Windows' default event loop accepts in C, past `socket.accept`: wrap its own door."""
    from asyncio import ensure_future
    from asyncio.windows_events import IocpProactor

    real = IocpProactor.accept

    def proactor_accept(self, listener):
        async def accepted():
            connection, peer = await real(self, listener)
            return connection, welcome(connection, peer)

        return ensure_future(accepted(), loop=self._loop)

    IocpProactor.accept = proactor_accept
