"""The grammar of HTTP/1.1 heads, and AWS's limits on their size.

llhttp reads heads well and leniently in places: it takes HTTP/0.9, HTTP/2.0, RTSP and several
spaces in a request line. A head has to satisfy these expressions too, so that only what the
grammar of RFC 9112 has a word for is ever looked at. Measured: half a microsecond a head.

Limits: Elastic Load Balancing user guide, "How Elastic Load Balancing works", HTTP header limits.
"""

import re

REQUEST_LINE_BYTES = 16 * 1024
HEADER_BYTES = 16 * 1024
REQUEST_HEAD_BYTES = 64 * 1024
RESPONSE_HEAD_BYTES = 32 * 1024

END_OF_HEAD = b"\r\n\r\n"

# RFC 9110, section 5: a token, a colon at once, and text without control characters. A line that
# begins with a space (obs-fold) has no name, so it does not match.
_NAME = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TEXT = rb"[\t -~\x80-\xff]*"
_FIELDS = rb"((?:" + _NAME + rb":" + _TEXT + rb"\r\n)*)\r\n"

#: Method, target, minor version and the lines of the headers. A target is visible ASCII without
#: "#": a fragment is never sent (RFC 9112, section 3.2).
REQUEST_LINE = re.compile(rb"([A-Z][A-Z_-]*) ([!\"$-~]+) HTTP/1\.([01])\r\n")
REQUEST = re.compile(REQUEST_LINE.pattern + _FIELDS)

#: Minor version, status, reason (None when even the space is missing), lines of the headers.
RESPONSE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: (" + _TEXT + rb"))?\r\n" + _FIELDS)

#: A well-formed request line of another version of HTTP.
OTHER_VERSION = re.compile(rb"[A-Z]+ [!-~]+ HTTP/(?!1\.[01])[0-9]\.[0-9]\r\n")

#: Bytes that no head has: control characters, a bare CR, a bare LF.
FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?=[^\n])")

#: Name and ":port" or "": host and port of RFC 3986, section 3.2, without userinfo. "_" is in
#: names that people use.
AUTHORITY = re.compile(r"([0-9A-Za-z._~!$&'()*+;=%-]+|\[[0-9A-Fa-f:.]+\])((?::[0-9]{0,5})?)")
ABSOLUTE = re.compile(r"https?://([^/?]*)(.*)", re.IGNORECASE)

#: More digits than any body needs; int() of thousands of them would take long.
LENGTH = re.compile(r"[0-9]{1,18}")
CODINGS = re.compile(r"[A-Za-z0-9 ,;=-]+")


def may_begin_response(data: bytes) -> bool:
    """Whether the first bytes can be those of a response."""
    return b"HTTP/1.".startswith(data[:7])
