"""What a browser would get: `aws.browse(url)` fetches a page in the kernel.

The learner's own browser may be far away (Binder), and knows neither the mock's names nor its
authority. The kernel does. What came is shown by `labs.cloud.framing`.
"""

import http.client
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property, partial
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import DecodeError, HTTPError, ProtocolError

from labs.cloud import framing

#: As browsers say it: a page before all else. Source: MDN, "List of default Accept values".
HEADERS = {
    "Accept": "text/html,application/xhtml+xml,image/*;q=0.9,*/*;q=0.8",
    "User-Agent": "labs-browse",
}
TIMEOUT_SECONDS = 5.0  # for a connection, and then for every piece of an answer
REDIRECTS = 10  # followed, at most
LARGEST = 1_000_000  # bytes read of an answer,
LONGEST = 20.0  # and seconds: an event stream never ends
RESOURCES = 20  # images and stylesheets fetched for a page,
RESOURCES_SECONDS = 10.0  # and for so long
LARGEST_RESOURCE = 300_000  # bytes


@dataclass(frozen=True)
class Answer:
    """url: who answered. body: at most so much as was asked for; complete: whether that is all.

    target: where a redirect leads to, as it came.
    """

    url: str
    status: int
    reason: str
    headers: requests.structures.CaseInsensitiveDict[str]
    body: bytes
    complete: bool
    target: str | None = None

    @property
    def kind(self) -> str:
        """The media type, in lower case, without parameters: "text/html"."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text, in the answer's character set if that is one, else UTF-8 if it can be.

        Whatever came: the text can be written as UTF-8.
        """
        declared = Message()
        declared["Content-Type"] = self.headers.get("Content-Type", "")
        for charset in (declared.get_content_charset("utf-8"), "utf-8", "latin-1"):
            try:
                text = self.body.decode(charset, "strict" if self.complete else "replace")
            except (LookupError, ValueError):
                continue
            return text.encode(errors="replace").decode()
        raise AssertionError("Latin-1 has a character for every byte")


@dataclass(frozen=True)
class Visit:
    """A page that was asked for, and what came of it. A notebook shows it in a frame.

    url:       as asked for.
    redirects: answers that led on to another address, in order.
    answer:    the last one; None when nobody answered.
    error:     why nobody did, a sentence; "" when somebody did.
    """

    url: str
    redirects: tuple[Answer, ...]
    answer: Answer | None
    error: str
    fetch: Callable[[str], Answer] = field(repr=False)  # for what the page is made of

    @cached_property
    def html(self) -> str:
        """The frame, and what stands above it."""
        return framing.framed(self, self._resource_fetcher())

    def _resource_fetcher(self) -> Callable[[str], Answer | None]:
        """Fetches a few small resources of the page's own origin; None for all others."""
        began, left = monotonic(), iter(range(RESOURCES))

        def resource(url: str) -> Answer | None:
            if origin(url) != origin(self.answer.url) or monotonic() - began > RESOURCES_SECONDS:
                return None
            if next(left, None) is None:
                return None
            try:
                answer = self.fetch(url)
            except (requests.RequestException, OSError, ValueError):
                return None
            return answer if answer.status == 200 and answer.complete else None

        return resource

    def __str__(self) -> str:
        return framing.summary(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self.html}


def browse(url: str, *, verify: bool | str | os.PathLike[str] = True) -> Visit:
    """Fetch a page, following redirects. Nothing that a server does raises.

    verify: as in requests: a file of authorities to trust instead of those that Python trusts, or
            False to trust anybody.

    Raises FileNotFoundError when there is no such file.
    """
    if not isinstance(verify, bool):
        if not Path(verify).exists():
            raise FileNotFoundError(f"verify is {verify}: there is no such file of certificates")
        verify = os.fspath(verify)
    session = requests.Session()
    session.headers.update(HEADERS)
    get = partial(fetch, session, verify)
    redirects: list[Answer] = []
    asked = url
    try:
        while (answer := get(asked, LARGEST)).target is not None:
            redirects.append(answer)
            if len(redirects) > REDIRECTS:
                raise requests.TooManyRedirects
            asked = requests.compat.urljoin(asked, answer.target)
    except (requests.RequestException, OSError, ValueError) as error:
        return Visit(url, tuple(redirects), None, sentence(asked, error), get)
    return Visit(url, tuple(redirects), answer, "", partial(get, largest=LARGEST_RESOURCE))


def fetch(session: requests.Session, verify: bool | str, url: str, largest: int) -> Answer:
    """One answer, and no more than so many bytes of it, or than what comes within `LONGEST`.

    Raises requests.RequestException, OSError, ValueError.
    """
    with session.get(
        url, stream=True, allow_redirects=False, timeout=TIMEOUT_SECONDS, verify=verify
    ) as response:
        body, complete, began = b"", True, monotonic()
        for piece in pieces(response):
            body += piece
            if len(body) > largest or monotonic() - began > LONGEST:
                complete = False
                break
        return Answer(
            response.url,
            response.status_code,
            response.reason or phrase(response.status_code),
            response.headers,
            body[:largest],
            complete,
            session.get_redirect_target(response),
        )


def pieces(response: requests.Response) -> Iterator[bytes]:
    """The body as it comes. (`iter_content` keeps what comes slowly until it has a whole piece.)

    Raises requests.RequestException, as `iter_content` does.
    """
    try:
        while piece := response.raw.read1(16_384, decode_content=True):
            yield piece
    except DecodeError as error:
        raise requests.exceptions.ContentDecodingError(error) from error
    except ProtocolError as error:
        raise requests.exceptions.ChunkedEncodingError(error) from error
    except HTTPError as error:
        raise requests.ConnectionError(error) from error


def phrase(status: int) -> str:
    """ "OK" for 200, "" for a number of somebody's own."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port (RFC 6454): what may be fetched for a page without asking."""
    try:
        parts = urlsplit(url)
        usual = {"http": 80, "https": 443}.get(parts.scheme)
        return parts.scheme, parts.hostname, parts.port or usual
    except ValueError:
        return "", None, None


# Errors in words


def sentence(url: str, error: BaseException) -> str:
    """Why there is no answer, and what that tells."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or {"https": 443}.get(parts.scheme, 80)
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https"):
        return f"{url!r} is no address of a page: expected http://HOST/PATH or https://HOST/PATH."
    where = f"{host} port {port}"
    if isinstance(error, requests.TooManyRedirects):
        return f"After {REDIRECTS} redirects the answer was still another one, to {url}."
    for reason in causes(error):
        match reason:
            case ssl.SSLCertVerificationError():
                return (
                    f"{where} showed a certificate that is not trusted for this name:"
                    f" {reason.verify_message or reason}."
                )
            case ssl.SSLError():
                return f"{where} does not speak TLS as expected: {reason.reason or reason}."
            case socket.gaierror():
                return f"The name {host} does not resolve: {reason.strerror or reason}."
            case ConnectionRefusedError():
                return f"{where} refused the connection: nothing listens there. ({reason})"
            case ConnectionResetError() | BrokenPipeError():
                return f"{where} broke the connection off before it answered. ({reason})"
            case http.client.BadStatusLine():
                return f"{where} sent what is no HTTP response: {reason}"
    if isinstance(error, requests.ConnectTimeout):
        return (
            f"{where} kept silent: no connection within {TIMEOUT_SECONDS:g} s."
            " A port that no security group opens does that."
        )
    if any(isinstance(reason, TimeoutError) for reason in causes(error)) or isinstance(
        error, requests.Timeout
    ):
        return f"{where} took the request and did not answer within {TIMEOUT_SECONDS:g} s."
    if isinstance(error, (requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        return f"{where} ended the connection before the answer was complete. ({error})"
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return f"{where} sent an answer that is not compressed as it says. ({error})"
    return f"{where} gave no answer: {error or type(error).__name__}."


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it: requests wraps urllib3's errors, which wrap Python's."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        within = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        waiting += [cause for cause in within if isinstance(cause, BaseException)]
