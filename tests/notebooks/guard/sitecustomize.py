"""In the kernel of a lesson's live pass: what would leave this machine is refused, and noted.

It replaces no `sitecustomize` of ours: in live mode names are not wrapped.
"""

import os
import sys
from pathlib import Path

LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
PEERS = ("socket.connect", "socket.sendto")
AT_HOME = ("127.", "::ffff:127.")


def guard(event, arguments):
    if event in LOOKUPS:
        host = arguments[0]
    elif event in PEERS and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host in (None, "", "localhost", "::1", "0.0.0.0") or host.startswith(AT_HOME):
        return
    with Path(os.environ["LABS_TESTS_REFUSED"]).open("a", encoding="utf-8") as file:
        file.write(f"{event} {host}\n")
    raise ConnectionRefusedError(f"a test's guard refuses {event} {host}: it is not this machine")


sys.addaudithook(guard)
