"""Requests that must not reach a target: name -> (bytes, status).

Collected from RFC 9112, from the cases that nginx refuses, and from published request smuggling
and desync techniques. Each is sent alone, and in front of a request for SMUGGLED.
"""

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


def get(*lines: bytes, line: bytes = b"GET / HTTP/1.1", host: bytes = b"Host: a") -> bytes:
    return b"\r\n".join([line, *([host] if host else []), *lines, b"", b""])


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return get(*lines, line=b"POST / HTTP/1.1") + body


def coding(value: bytes, body: bytes = b"0\r\n\r\n") -> bytes:
    return post(b"Transfer-Encoding:" + value, body=body)


def length(value: bytes) -> bytes:
    return post(b"Content-Length:" + value, body=b"abc")


def chunks(body: bytes) -> bytes:
    return coding(b" chunked", body)


#: Nothing of these reaches a target.
HEADS: dict[str, tuple[bytes, int]] = {
    # The request line
    "HTTP/0.9": (b"GET /\r\n", 400),
    "HTTP/0.9 with a host": (b"GET /\r\nHost: a\r\n\r\n", 400),
    "HTTP/0.9 by version": (get(line=b"GET / HTTP/0.9"), 505),
    "HTTP/2.0": (get(line=b"GET / HTTP/2.0"), 505),
    "HTTP/1.2": (get(line=b"GET / HTTP/1.2"), 505),
    "HTTP/3.1": (get(line=b"GET / HTTP/3.1"), 505),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "HTTP/1": (get(line=b"GET / HTTP/1"), 400),
    "HTTP/1.": (get(line=b"GET / HTTP/1."), 400),
    "HTTP/11": (get(line=b"GET / HTTP/11"), 400),
    "HTTP/1.10": (get(line=b"GET / HTTP/1.10"), 400),
    "HTTP/01.1": (get(line=b"GET / HTTP/01.1"), 400),
    "HTTP/+1.1": (get(line=b"GET / HTTP/+1.1"), 400),
    "http/1.1": (get(line=b"GET / http/1.1"), 400),
    "HTTPS/1.1": (get(line=b"GET / HTTPS/1.1"), 400),
    "RTSP": (get(line=b"OPTIONS / RTSP/1.0"), 400),
    "ICE": (get(line=b"SOURCE / ICE/1.0"), 400),
    "no version": (get(line=b"GET /path "), 400),
    "a space behind the version": (get(line=b"GET / HTTP/1.1 "), 400),
    "two spaces before the URL": (get(line=b"GET  / HTTP/1.1"), 400),
    "two spaces before the version": (get(line=b"GET /  HTTP/1.1"), 400),
    "a tab for a space": (get(line=b"GET\t/ HTTP/1.1"), 400),
    "a form feed for a space": (get(line=b"GET\x0c/ HTTP/1.1"), 400),
    "a space at the beginning": (get(line=b" GET / HTTP/1.1"), 400),
    "a space in the URL": (get(line=b"GET /a b HTTP/1.1"), 400),
    "a tab in the URL": (get(line=b"GET /a\tb HTTP/1.1"), 400),
    "a NUL in the URL": (get(line=b"GET /a\0b HTTP/1.1"), 400),
    "a CR in the URL": (get(line=b"GET /a\rb HTTP/1.1"), 400),
    "a DEL in the URL": (get(line=b"GET /a\x7fb HTTP/1.1"), 400),
    "Latin-1 in the URL": (get(line=b"GET /\xe9 HTTP/1.1"), 400),
    "a no-break space in the URL": (get(line=b"GET /a\xa0HTTP/1.1 HTTP/1.1"), 400),
    "a fragment": (get(line=b"GET /a#b HTTP/1.1"), 400),
    "no URL": (get(line=b"GET HTTP/1.1"), 400),
    "a URL without a slash": (get(line=b"GET path HTTP/1.1"), 400),
    "a star to GET": (get(line=b"GET * HTTP/1.1"), 400),
    "a URL of another scheme": (get(line=b"GET ftp://a/ HTTP/1.1"), 400),
    "a URL without a host": (get(line=b"GET http:///x HTTP/1.1"), 400),
    "a URL with a user": (get(line=b"GET http://user@a/ HTTP/1.1"), 400),
    "a URL with two hosts": (get(line=b"GET http://a@b@c/ HTTP/1.1"), 400),
    "a URL with a bad port": (get(line=b"GET http://a:8x/ HTTP/1.1"), 400),
    "a URL with a backslash": (get(line=b"GET http://a\\@b/ HTTP/1.1"), 400),
    "authority form": (get(line=b"GET a:80 HTTP/1.1"), 400),
    "CONNECT": (get(line=b"CONNECT a:443 HTTP/1.1"), 405),
    "CONNECT to a path": (get(line=b"CONNECT / HTTP/1.1"), 405),
    "TRACE": (get(line=b"TRACE / HTTP/1.1"), 405),
    "a method in lower case": (get(line=b"get / HTTP/1.1"), 400),
    "a method that nobody knows": (get(line=b"GETT / HTTP/1.1"), 501),
    "a method with a digit": (get(line=b"G3T / HTTP/1.1"), 400),
    "a method with a NUL": (get(line=b"G\0T / HTTP/1.1"), 400),
    "a method with a bracket": (get(line=b"GE{ / HTTP/1.1"), 400),
    "no method": (get(line=b"/ HTTP/1.1"), 400),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a PROXY header": (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n" + get(), 400),
    "a response": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 400),
    "an endless line": (b"GET /" + b"a" * 20_000, 414),
    # Line ends
    "lines end in LF": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "the first line ends in LF": (b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    "a header ends in LF": (b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400),
    "the head ends in LF": (b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
    "lines end in CR": (b"GET / HTTP/1.1\rHost: a\r\r", 400),
    "CR CR LF": (b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400),
    "an LF at the beginning": (b"\n" + get(), 400),
    # Headers
    "a bare CR": (get(b"X: a\rb"), 400),
    "a CR at the end of a value": (get(b"X: a\r"), 400),
    "a header behind a CR": (get(b"X: a\rTransfer-Encoding: chunked"), 400),
    "a NUL in a value": (get(b"X: a\0b"), 400),
    "a control character in a value": (get(b"X: a\x01b"), 400),
    "a DEL in a value": (get(b"X: a\x7f"), 400),
    "a vertical tab in a value": (get(b"X: a\x0bb"), 400),
    "a folded line": (get(b"X: a", b" b"), 400),
    "a line folded by a tab": (get(b"X: a", b"\tb"), 400),
    "a folded first header": (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    "a line of spaces": (get(b"   ", b"X: a"), 400),
    "a folded Transfer-Encoding": (coding(b"\r\n chunked"), 400),
    "a space before the colon": (get(b"X : a"), 400),
    "a tab before the colon": (get(b"X\t: a"), 400),
    "a CR before the colon": (get(b"X\r: a"), 400),
    "a space in a name": (get(b"X Y: a"), 400),
    "no colon": (get(b"X"), 400),
    "an empty name": (get(b": a"), 400),
    "Latin-1 in a name": (get(b"X\xe9: a"), 400),
    "a NUL in a name": (get(b"X\0: a"), 400),
    "a quote in a name": (get(b'"X": a'), 400),
    "a bracket in a name": (get(b"(X): a"), 400),
    "a header over 16 KiB": (get(b"X: " + b"a" * 17_000), 400),
    "headers over 64 KiB": (get(*[b"X: " + b"a" * 8000] * 9), 400),
    "endless headers": (get(*[b"X: " + b"a" * 8000] * 9)[:-2], 400),
    # Host
    "no Host": (get(host=b""), 400),
    "two Hosts": (get(b"Host: b"), 400),
    "two Hosts that agree": (get(b"Host: a"), 400),
    "two Hosts in a list": (get(host=b"Host: a, b"), 400),
    "an empty Host": (get(host=b"Host:"), 400),
    "a Host with a user": (get(host=b"Host: u@a"), 400),
    "a Host with a path": (get(host=b"Host: a/b"), 400),
    "a Host with a space": (get(host=b"Host: a b"), 400),
    "a Host with a bad port": (get(host=b"Host: a:80x"), 400),
    "a Host with two ports": (get(host=b"Host: a:80:90"), 400),
    "a Host of Latin-1": (get(host=b"Host: \xe9"), 400),
    "a Host of a broken IPv6": (get(host=b"Host: [::1"), 400),
    "a space before Host's colon": (get(host=b"Host : a"), 400),
    "two Hosts in HTTP/1.0": (get(b"Host: b", line=b"GET / HTTP/1.0"), 400),
    # Content-Length
    "a list of lengths": (length(b" 3, 3"), 400),
    "a list of differing lengths": (length(b" 3, 4"), 400),
    "a length twice": (post(*[b"Content-Length: 3"] * 2, body=b"abc"), 400),
    "differing lengths": (post(b"Content-Length: 3", b"Content-Length: 40", body=b"abc"), 400),
    "a length with a plus": (length(b" +3"), 400),
    "a length with a minus": (length(b" -3"), 400),
    "a length in hex": (length(b" 0x3"), 400),
    "a length with a letter": (length(b" 3a"), 400),
    "a length with a point": (length(b" 3.0"), 400),
    "a length with a space": (length(b" 3 3"), 400),
    "a length with a semicolon": (length(b" 3;"), 400),
    "a length with a comma": (length(b" 3,"), 400),
    "a length with an underscore": (length(b" 1_0"), 400),
    "a length in Arabic digits": (length(" ٣".encode()), 400),
    "a length with a no-break space": (length(b" \xa03"), 400),
    "a quoted length": (length(b' "3"'), 400),
    "an empty length": (length(b""), 400),
    "an enormous length": (length(b" 99999999999999999999999"), 400),
    "a length of 2**64 + 3": (length(b" 18446744073709551619"), 400),
    "a space before the length's colon": (post(b"Content-Length : 3", body=b"abc"), 400),
    # Transfer-Encoding
    "length, then chunked": (
        post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        400,
    ),
    "chunked, then length": (
        post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n"),
        400,
    ),
    "length and a strange coding": (
        post(b"Content-Length: 5", b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
        400,
    ),
    "length and identity": (
        post(b"Content-Length: 3", b"Transfer-Encoding: identity", body=b"abc"),
        400,
    ),
    "chunked twice": (post(*[b"Transfer-Encoding: chunked"] * 2, body=b"0\r\n\r\n"), 400),
    "chunked and identity": (
        post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
        400,
    ),
    "identity and chunked": (
        post(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        400,
    ),
    "chunked, chunked": (coding(b" chunked, chunked"), 400),
    "gzip, chunked": (coding(b" gzip, chunked"), 400),
    "chunked, gzip": (coding(b" chunked, gzip"), 400),
    "chunked,": (coding(b" chunked,"), 400),
    ", chunked": (coding(b" , chunked"), 400),
    "chunked;": (coding(b" chunked;"), 400),
    "chunked;a=b": (coding(b" chunked;a=b"), 400),
    "quoted chunked": (coding(b' "chunked"'), 400),
    "xchunked": (coding(b" xchunked"), 400),
    "chunkedx": (coding(b" chunkedx"), 400),
    "gzip": (coding(b" gzip"), 501),
    "identity": (coding(b" identity", b""), 501),
    "cow": (coding(b" cow"), 501),
    "an empty coding": (coding(b""), 400),
    "chunked behind a no-break space": (coding(b" \xa0chunked"), 400),
    "chunked before a no-break space": (coding(b" chunked\xa0"), 400),
    "chunked behind a vertical tab": (coding(b" \x0bchunked"), 400),
    "chunked behind a form feed": (coding(b" \x0cchunked"), 400),
    "chunked behind a NUL": (coding(b" \0chunked"), 400),
    "chunked behind a CR": (coding(b" \rchunked"), 400),
    "chunked with a long s or a Kelvin sign": (coding(" chun\u212aed".encode()), 400),
    "a space before the coding's colon": (post(b"Transfer-Encoding : chunked"), 400),
    "chunked in HTTP/1.0": (
        get(b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.0") + b"0\r\n\r\n",
        400,
    ),
    "upgrade with length and chunked": (
        get(
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"Content-Length: 5",
            b"Transfer-Encoding: chunked",
        )
        + b"0\r\n\r\n",
        400,
    ),
}

#: The head of these is good and has been sent on; the target never sees a whole request.
BODIES: dict[str, bytes] = {
    "an LF behind a chunk's size": chunks(b"3\nabc\r\n0\r\n\r\n"),
    "a CR behind a chunk's size": chunks(b"3\rabc\r\n0\r\n\r\n"),
    "an LF behind a chunk": chunks(b"3\r\nabc\n0\r\n\r\n"),
    "nothing behind a chunk": chunks(b"3\r\nabc0\r\n\r\n"),
    "a chunk longer than its size": chunks(b"3\r\nabcd\r\n0\r\n\r\n"),
    "a chunk shorter than its size": chunks(b"4\r\nabc\r\n0\r\n\r\n"),
    "an LF behind an extension": chunks(b"3;a\nabc\r\n0\r\n\r\n"),
    "a CR in an extension": chunks(b"3;a\rb\r\nabc\r\n0\r\n\r\n"),
    "a NUL in an extension": chunks(b"3;a\0\r\nabc\r\n0\r\n\r\n"),
    "Latin-1 in an extension": chunks(b"3;\xe9\r\nabc\r\n0\r\n\r\n"),
    "an LF in a quoted extension": chunks(b'3;a="\n"\r\nabc\r\n0\r\n\r\n'),
    "an empty extension": chunks(b"3;\r\nabc\r\n0\r\n\r\n"),
    "an endless extension": chunks(b"3;" + b"a" * 100_000),
    "a space behind a size": chunks(b"3 \r\nabc\r\n0\r\n\r\n"),
    "a space before a size": chunks(b" 3\r\nabc\r\n0\r\n\r\n"),
    "a size with 0x": chunks(b"0x3\r\nabc\r\n0\r\n\r\n"),
    "a size with a plus": chunks(b"+3\r\nabc\r\n0\r\n\r\n"),
    "a size with a minus": chunks(b"-3\r\nabc\r\n0\r\n\r\n"),
    "a size with an underscore": chunks(b"1_0\r\nabc\r\n0\r\n\r\n"),
    "a size of a letter that is no digit": chunks(b"g\r\nabc\r\n0\r\n\r\n"),
    "no size": chunks(b"\r\nabc\r\n0\r\n\r\n"),
    "an enormous size": chunks(b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    "a size of 2**64 + 3": chunks(b"10000000000000003\r\nabc\r\n0\r\n\r\n"),
    "an LF at the very end": chunks(b"3\r\nabc\r\n0\r\n\n"),
    "an LF behind the last size": chunks(b"3\r\nabc\r\n0\n\r\n"),
    "a trailer without a colon": chunks(b"0\r\nX\r\n\r\n"),
    "a trailer with a space before its colon": chunks(b"0\r\nX : y\r\n\r\n"),
    "a folded trailer": chunks(b"0\r\nX: y\r\n z\r\n\r\n"),
    "a trailer with a NUL": chunks(b"0\r\nX: \0\r\n\r\n"),
    "a trailer that ends in LF": chunks(b"0\r\nX: y\n\r\n"),
    "a length in the trailers": chunks(b"0\r\nContent-Length: 5\r\n\r\n"),
    "a coding in the trailers": chunks(b"0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "endless trailers": chunks(b"0\r\n" + b"X: y\r\n" * 20_000),
    "a second head for a chunk": chunks(SMUGGLED),
}

#: Good requests whose bodies look like requests: (bytes, how many requests they are).
LOOK_ALIKES: dict[str, tuple[bytes, int]] = {
    "a body by length": (
        post(b"Content-Length: %d" % len(SMUGGLED), body=SMUGGLED) + get(),
        2,
    ),
    "a chunk": (chunks(b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)) + get(), 2),
    "a body of GET": (get(b"Content-Length: %d" % len(SMUGGLED)) + SMUGGLED + get(), 2),
    "chunks to GET": (
        get(b"Transfer-Encoding: chunked")
        + b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
        + get(),
        2,
    ),
    "an extension": (chunks(b"3;a=GET\r\nabc\r\n0;b\r\n\r\n") + get(), 2),
    "a chunk of empty lines": (chunks(b"c\r\n" + b"\r\n" * 6 + b"\r\n0\r\n\r\n") + get(), 2),
    "a size with zeroes before it": (chunks(b"0" * 15 + b"3\r\nabc\r\n0\r\n\r\n") + get(), 2),
    "a body of an upgrade that is none": (
        get(b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: %d" % len(SMUGGLED))
        + SMUGGLED
        + get(),
        2,
    ),
}
