"""In every Python child of these tests: end the process before anything leaves 127/8.

It lies behind ours on PYTHONPATH, so a test that sees `sys.GUARDED` has proved the chain, too.
"""

import os
import sys

sys.GUARDED = True

LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
PEERS = ("socket.connect", "socket.sendto")


def is_numeric(host):
    host = host.decode() if isinstance(host, bytes) else host or ""
    return not set(host) - set("0123456789.")


def guard(event, arguments):
    if event in LOOKUPS:
        host, homely = arguments[0], "127."
        if event == "socket.getaddrinfo" and is_numeric(host):  # asks nobody
            return
    elif event in PEERS and isinstance(arguments[1], tuple):
        host, homely = arguments[1][0], ("127.", "::ffff:127.")
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in (None, "", "localhost", "::1") and not host.startswith(homely):
        os.write(2, f"LEAK: {event} {host}\n".encode())
        os._exit(99)


sys.addaudithook(guard)
