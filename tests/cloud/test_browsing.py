"""What `aws.browse` shows, of servers that behave in every way and of pages that mean harm."""

import base64
import contextlib
import gzip
import html
import http.server
import socket
import ssl
import threading
import time
from html.parser import HTMLParser

import pytest
import trustme
from hypothesis import example, given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from labs.cloud import browsing, framing
from labs.cloud.browsing import Answer, Visit, browse
from tests.servers import running

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
PAGE = ("200", "text/html", b"<h1>Hello</h1>")


class Behaviour(http.server.BaseHTTPRequestHandler):
    """Answers with what `server.pages` has for the path."""

    def do_GET(self):
        self.server.seen.append((self.path, self.headers))
        page = self.server.pages.get(self.path, ("404", "text/plain", b"not here"))
        if callable(page):
            return page(self)
        status, kind, body, *more = page
        self.send_response(int(status))
        if kind:
            self.send_header("Content-Type", kind)
        for name, value in more:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):  # who has seen enough leaves
            self.wfile.write(body)

    def log_message(self, *words):
        pass


@contextlib.contextmanager
def serving(context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Behaviour)
    server.daemon_threads = True
    server.seen, server.pages, server.released = [], {"/": PAGE}, threading.Event()
    scheme = "https" if context else "http"
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = f"{scheme}://localhost:{server.server_port}"
    with running(server):
        yield server


@pytest.fixture
def server():
    with serving() as server:
        yield server


class Elements(HTMLParser):
    """The elements of a piece of HTML, as a browser sees them, and the text between them."""

    def __init__(self, text):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def of(self, tag):
        return [attrs for name, attrs in self.found if name == tag]


def in_frame(visit):
    """The document inside the frame."""
    (frame,) = Elements(visit.html).of("iframe")
    return frame["srcdoc"]


def words_above(visit):
    return Elements(visit.html).text


# What is shown


def test_a_page_is_shown_in_a_frame_that_can_do_nothing(server):
    visit = browse(server.url)
    (frame,) = Elements(visit.html).of("iframe")
    assert frame["sandbox"] == ""
    assert frame["title"] == f"Page in a frame: 200 OK, 14 bytes: {server.url}/"
    document = Elements(frame["srcdoc"])
    assert document.found[2][1]["http-equiv"] == "Content-Security-Policy"
    assert document.found[2][1]["content"].startswith("default-src 'none'")
    assert "<h1>Hello</h1>" in frame["srcdoc"]


def test_a_browser_says_that_it_wants_pages(server):
    browse(server.url)
    assert server.seen[0][1]["Accept"].startswith("text/html")


def test_address_status_size_and_headers_stand_above(server):
    more = [("X-Whoami", "one"), ("Set-Cookie", "AWSALB=x"), ("X-Amzn-Trace-Id", "t"), ("Age", "9")]
    server.pages["/a"] = ("503", "text/html; charset=utf-8", b"<p>busy", *more)
    visit = browse(server.url + "/a")
    for text in (words_above(visit), str(visit)):
        assert f"503 Service Unavailable, 7 bytes: {server.url}/a" in text
        for header in ("X-Whoami: one", "Set-Cookie: AWSALB=x", "X-Amzn-Trace-Id: t", "Server: "):
            assert header in text
        assert "Age" not in text


def test_redirects_are_followed_and_told(server):
    server.pages["/old"] = ("301", "text/html", b"moved", ("Location", "new"))
    server.pages["/new"] = ("302", "text/html", b"moved", ("Location", server.url))
    visit = browse(server.url + "/old")
    assert [(one.status, one.target) for one in visit.redirects] == [
        (301, "new"),
        (302, server.url),
    ]
    assert visit.answer.url == server.url + "/"
    assert f"301 Moved Permanently: {server.url}/old -> new" in words_above(visit)


def test_redirects_without_end(server):
    server.pages["/"] = ("302", "text/html", b"", ("Location", "/"))
    visit = browse(server.url)
    assert visit.answer is None
    assert visit.error.startswith("After 10 redirects")
    assert "302 Found" in words_above(visit)


def test_a_redirect_to_nobody_is_told_with_its_way(server):
    server.pages["/"] = ("302", "text/html", b"", ("Location", f"http://localhost:{free_port()}"))
    visit = browse(server.url)
    assert "refused the connection" in visit.error
    assert "302 Found" in words_above(visit)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "javascript:alert(1)"])
def test_a_redirect_to_what_is_no_page(server, address):
    server.pages["/"] = ("302", "text/html", b"", ("Location", address))
    assert f"'{address}' is no address of a page" in browse(server.url).error


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "text/csv", "image/svg", "", "application/x+json"]
)
def test_text_is_shown_as_it_came(server, kind):
    server.pages["/"] = ("200", kind, b'{"a": "<b>"}')
    visit = browse(server.url)
    if kind == "image/svg":
        assert "Not shown here: 12 bytes of image/svg." in in_frame(visit)
        return
    assert "<pre>{&quot;a&quot;: &quot;&lt;b&gt;&quot;}</pre>" in in_frame(visit)
    assert str(visit).endswith('\n\n{"a": "<b>"}')


def test_an_image_is_shown(server):
    server.pages["/"] = ("200", "image/gif", PIXEL)
    (image,) = Elements(in_frame(browse(server.url))).of("img")
    assert image["src"] == "data:image/gif;base64," + base64.b64encode(PIXEL).decode()
    assert image["alt"]


def test_other_bytes_are_described(server):
    server.pages["/"] = ("200", "application/zip", b"PK\0\1" * 1000)
    visit = browse(server.url)
    assert "Not shown here: 4,000 bytes of application/zip." in in_frame(visit)
    assert "PK" not in visit.html + str(visit)


def test_nothing_is_described_too(server):
    server.pages["/"] = ("204", "text/html", b"")
    assert "The answer has no body." in in_frame(browse(server.url))


def test_no_more_is_read_than_is_sensible(server, monkeypatch):
    monkeypatch.setattr(browsing, "LARGEST", 50_000)
    monkeypatch.setattr(framing, "LONGEST_TEXT", 1_000)
    server.pages["/"] = ("200", "text/plain", "é".encode() * 4_000_000)
    visit = browse(server.url)
    assert len(visit.answer.body) == 50_000
    assert "over 50,000 bytes" in words_above(visit)
    assert "24,000 characters more" in in_frame(visit)
    assert len(visit.html) + len(str(visit)) < 10_000


def test_a_stream_without_end_is_shown_as_far_as_it_came(server, monkeypatch):
    monkeypatch.setattr(browsing, "LONGEST", 0.2)

    def drip(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        with contextlib.suppress(OSError):
            while not handler.server.released.wait(0.02):
                handler.wfile.write(b"data: tick\n\n")

    server.pages["/"] = drip
    visit = browse(server.url)
    assert not visit.answer.complete
    assert "data: tick" in in_frame(visit)


def test_what_is_compressed_may_come_byte_by_byte(server):
    packed = gzip.compress(b"hello")

    def slowly(handler):
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
        handler.wfile.write(head.encode())
        for byte in packed:
            handler.wfile.write(bytes([byte]))
            time.sleep(0.001)

    server.pages["/"] = slowly
    answer = browse(server.url).answer
    assert (answer.body, answer.complete) == (b"hello", True)


@pytest.mark.parametrize(
    "kind, body",
    [
        ("text/plain", "Zürich".encode()),
        ("text/plain; charset=latin-1", "Zürich".encode("latin-1")),
        ("text/plain", "Zürich".encode("latin-1")),
        ("text/plain; charset=base64", "Zürich".encode()),
        ("text/plain; charset=nonsense", "Zürich".encode()),
        ('text/plain; charset="UTF-16"', "Zürich".encode("utf-16")),
    ],
)
def test_character_sets(server, kind, body):
    server.pages["/"] = ("200", kind, body)
    assert "Zürich" in str(browse(server.url))


# What a page is made of


def test_images_and_stylesheets_of_the_page_come_along(server):
    page = b'<link rel=stylesheet href=/a.css><p><img src="../b.gif" alt="x"><img src=gone>'
    server.pages["/d/"] = ("200", "text/html", page)
    server.pages["/a.css"] = ("200", "text/css", b"p{color:red}</style><h1>")
    server.pages["/b.gif"] = ("200", "image/gif", PIXEL)
    document = in_frame(browse(server.url + "/d/"))
    assert "<style>p{color:red}<\\/style>" in document
    there, gone = Elements(document).of("img")
    assert there["src"].startswith("data:image/gif;base64,")
    assert there["alt"] == "x"
    assert "src" not in gone


def test_other_origins_are_not_asked(server):
    with serving() as other:
        page = f'<img src="{other.url}/b.gif"><link rel=stylesheet href="{other.url}/a.css">'
        server.pages["/"] = ("200", "text/html", page.encode())
        server.pages["/hop.gif"] = ("302", "", b"", ("Location", other.url))
        document = in_frame(browse(server.url))
        assert other.seen == []
        assert other.url not in document


def test_few_resources_and_small_ones(server, monkeypatch):
    monkeypatch.setattr(browsing, "RESOURCES", 3)
    monkeypatch.setattr(browsing, "LARGEST_RESOURCE", 5_000)
    names = [f"/{number}.gif" for number in range(9)]
    page = "".join(f"<img src={name}>" for name in names)
    server.pages["/"] = ("200", "text/html", page.encode())
    server.pages.update(dict.fromkeys(names, ("200", "image/gif", PIXEL)))
    server.pages["/0.gif"] = ("200", "image/gif", PIXEL + bytes(10_000))
    images = Elements(in_frame(browse(server.url))).of("img")
    assert ["src" in image for image in images] == [False, True, True] + [False] * 6
    assert len(server.seen) == 4


def test_what_would_lead_elsewhere_is_left_out(server):
    page = b"""<base href=//evil><meta http-equiv=refresh content="0;url=http://evil">
        <link rel=preconnect href=http://evil><link rel=dns-prefetch href=//evil>
        <script>location = "http://evil"</script><iframe src=http://evil>evil</iframe>
        <a href=http://evil/x>there</a> <a href="#here">here</a><svg><a xlink:href=//evil></svg>
        <form action=http://evil><button formaction=http://evil></form><p onclick=evil()>end"""
    server.pages["/"] = ("200", "text/html", page)
    document = Elements(in_frame(browse(server.url)))
    for tag, attributes in document.found:
        assert tag not in {"base", "link", "script", "iframe"}
        for name, value in attributes.items():
            assert "evil" not in (value or "") or name == "title"
    assert [a.get("href") for a in document.of("a")] == [None, "#here", None]
    assert document.of("a")[0]["title"] == "http://evil/x"
    assert document.text.split()[-3:] == ["there", "here", "end"]


# Nobody answers


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def test_refused():
    port = free_port()
    visit = browse(f"http://localhost:{port}/")
    assert visit.error.startswith(f"localhost port {port} refused the connection")
    assert f"No answer: http://localhost:{port}/" in words_above(visit)
    assert "refused the connection" in in_frame(visit)
    assert "refused the connection" in str(visit)


def test_a_name_that_is_unknown():
    assert browse("http://nowhere.invalid").error.startswith("The name nowhere.invalid does not")


@pytest.mark.parametrize(
    "address", ["", "localhost", "ftp://h/", "http://", "http://[", "http://h:x/"]
)
def test_what_is_no_address(address):
    assert "is no address of a page" in browse(address).error


def silence(handler):
    handler.server.released.wait(10)


def half(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhelp")


def half_a_chunk(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhelp")


def no_gzip(handler):
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"
    handler.wfile.write(head + b"help")


@pytest.mark.parametrize(
    "behaviour, text",
    [
        (silence, "took the request and did not answer within 0.2 s"),
        (half, "ended the connection before the answer was complete"),
        (half_a_chunk, "ended the connection before the answer was complete"),
        (no_gzip, "is not compressed as it says"),
        (
            lambda handler: handler.wfile.write(b"220 ESMTP\r\n"),
            "sent what is no HTTP response: 220 ESMTP",
        ),
        (lambda handler: None, "broke the connection off before it answered"),
    ],
)
def test_answers_that_are_none(server, monkeypatch, behaviour, text):
    monkeypatch.setattr(browsing, "TIMEOUT_SECONDS", 0.2)
    server.pages["/"] = behaviour
    assert text in browse(server.url).error


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def certified(authority, *names):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def test_certificates(authority, tmp_path):
    trusted = tmp_path / "a folder" / "ca.pem"
    trusted.parent.mkdir()
    trusted.write_bytes(authority.cert_pem.bytes())
    with serving(certified(authority, "localhost")) as server:
        distrusting = browse(server.url)
        assert "showed a certificate that is not trusted for this name" in distrusting.error
        assert browse(server.url, verify=trusted).answer.status == 200
        assert browse(server.url, verify=str(trusted)).answer.status == 200
    with serving(certified(authority, "elsewhere.example")) as server:
        assert "localhost" in browse(server.url, verify=trusted).error


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_anybody_may_be_trusted(authority):
    with serving(certified(authority, "elsewhere.example")) as server:
        assert browse(server.url, verify=False).answer.status == 200


def test_http_where_tls_is_expected(server):
    assert "does not speak TLS" in browse(server.url.replace("http:", "https:")).error


def test_a_file_of_authorities_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no such file of certificates"):
        browse("https://localhost/", verify=tmp_path / "ca.pem")


# Pages that mean harm

HARM = st.lists(
    st.one_of(
        st.text(),
        st.sampled_from(
            ['"', "'", "<", ">", "&", '">', "<!--", "-->", "</iframe>", "<script>", "</script>",
             "<![CDATA[", "<![x", "<!x", "<?", "&quot;", "&#34;", "&#x22;", '" onload="', "\0",
             "<a href=", "<img src=", "<style>", "</style>", "<svg/onload=", "<title>", "<base ",
             "<p x=\"'", "\ud800", "\r", "</html>", "</srcdoc>", "<plaintext>", "<textarea>"]
        ),
    )
).map("".join)  # fmt: skip
KINDS = st.sampled_from(["text/html", "text/plain", "application/json", "", "image/svg+xml", "x/y"])


def visit_of(body, kind, **more):
    headers = CaseInsensitiveDict({"Content-Type": kind, **more})
    answer = Answer("http://h/", 200, "OK", headers, body, True)
    return Visit("http://h/", (), answer, "", lambda url: answer)


def check_that_it_is_kept_in(visit):
    visit.html.encode()
    str(visit).encode()
    shell = Elements(visit.html)
    kinds = [tag for tag, _ in shell.found]
    assert kinds == ["div", "div", "strong", *["div"] * (len(kinds) - 4), "iframe"]
    (frame,) = shell.of("iframe")
    assert list(frame) == ["title", "sandbox", "referrerpolicy", "style", "srcdoc"]
    assert frame["sandbox"] == ""
    assert visit.html.count("<iframe") == visit.html.count("</iframe>") == 1
    assert visit.html.endswith('"></iframe></div>')
    assert frame["srcdoc"].startswith('<!DOCTYPE html><html lang="en"><head><meta http-equiv=')
    assert framing.POLICY in html.unescape(visit.html)


@given(body=HARM, kind=KINDS)
def test_whatever_a_page_holds_it_stays_in_the_frame(body, kind):
    check_that_it_is_kept_in(visit_of(body.encode(errors="surrogatepass"), kind))


@given(body=st.binary(), charset=st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", max_size=15))
def test_whatever_bytes_come(body, charset):
    check_that_it_is_kept_in(visit_of(body, f"text/html; charset={charset}"))


@given(value=HARM, url=HARM)
def test_whatever_headers_addresses_and_errors_hold(value, url):
    check_that_it_is_kept_in(visit_of(b"hello", "text/html", Server=value))
    check_that_it_is_kept_in(Visit(url, (), None, value or "none", lambda url: None))


@given(body=HARM)
@example(body="&#")
def test_nothing_of_a_page_loads_or_leads_elsewhere(body):
    """Of what html.parser sees, that is: the policy and the sandbox see the rest."""
    page = f'<a href="http://evil/">{body}<img src="http://evil/i"><link href="http://evil/l">'
    document = Elements(in_frame(visit_of(page.encode(errors="replace"), "text/html")))
    for _, attributes in document.found:
        assert "href" not in attributes or attributes["href"].startswith("#")


@pytest.mark.parametrize("piece", ["<a ", "<!--", "<p x='"])
def test_a_page_that_takes_too_long_to_read_is_shown_as_its_source(monkeypatch, piece):
    """html.parser needs quadratic time for what has no end: minutes, here."""
    monkeypatch.setattr(framing, "PARSING_SECONDS", 0.05)
    page = in_frame(visit_of((piece * 80_000).encode(), "text/html"))
    assert f"<pre>{html.escape(piece * 2)}" in page
