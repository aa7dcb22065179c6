"""Heads out of the bytes of a connection, and no waiting for the end of what is wrong already."""

import re

from labs.loadbalancing.layer7 import grammar
from labs.loadbalancing.layer7.parsing import Refused, explain

#: Empty lines before a request are skipped (RFC 9112, section 2.2).
EMPTY_LINES = re.compile(rb"(?:\r\n)*")


class Reader:
    """What a client has sent and nobody has used: `unread`, bounded by who stops reading."""

    def __init__(self) -> None:
        self.unread = b""
        self._checked = 0

    def feed(self, data: bytes) -> None:
        self.unread = self.unread + data if self.unread else data

    def head(self) -> bytes | None:
        """Take the next head with its empty line; None when it is not all there.

        Raises Refused for one that is too long, or that can no longer become good.
        """
        start = EMPTY_LINES.match(self.unread).end() if self.unread.startswith(b"\r\n") else 0
        end = self.unread.find(grammar.END_OF_HEAD, start)
        if end < 0:
            self.unread = self.unread[start:]
            check_beginning(self.unread, self._checked)
            self._checked = len(self.unread)
            return None
        end += len(grammar.END_OF_HEAD)
        raw, self.unread, self._checked = self.unread[start:end], self.unread[end:], 0
        if len(raw) > grammar.REQUEST_LINE_BYTES:
            check_sizes(raw)
        return raw

    def take(self) -> bytes:
        """All that is unread."""
        unread, self.unread = self.unread, b""
        return unread


def check_beginning(raw: bytes, checked: int) -> None:
    """Raise Refused for the beginning of a head that is wrong. checked: bytes looked at before."""
    check_sizes(raw)
    if grammar.FORBIDDEN.search(raw, max(0, checked - 1)):
        raise Refused(400, "a control character, or a line that does not end in CR LF")
    if b"\r\n" in raw and not grammar.REQUEST_LINE.match(raw):
        raise explain(raw)


def check_sizes(raw: bytes) -> None:
    """Raise Refused for a head, whole or in part, over AWS's limits.

    414 for the request line: "Troubleshoot your Application Load Balancers" has 400 for request
    lines over 16K and 414 for URLs that are too long, and most of such a line is its URL.
    """
    line, *fields = raw.split(b"\r\n")
    if len(line) > grammar.REQUEST_LINE_BYTES:
        raise Refused(414, "the request line is longer than 16 KiB")
    if len(raw) > grammar.REQUEST_HEAD_BYTES:
        raise Refused(400, "the headers are longer than 64 KiB")
    if max(map(len, fields), default=0) > grammar.HEADER_BYTES:
        raise Refused(400, "a header is longer than 16 KiB")
