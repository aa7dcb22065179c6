"""How a page that was fetched is shown in a notebook: in a frame that can do nothing.

The frame is an `iframe` with `srcdoc` and an empty `sandbox`: no scripts, no forms, an origin of
its own. Its content security policy allows no request either, so that images and stylesheets of
the page come along inside it. Nothing that the page holds can leave the attribute `srcdoc`.
Sources: HTML Standard, "The iframe element"; CSP Level 3.
"""

import base64
import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from time import thread_time
from typing import TYPE_CHECKING
from urllib.parse import urljoin

if TYPE_CHECKING:
    from labs.cloud.browsing import Answer, Visit

#: Response headers worth a look, in lower case, and beginnings of others.
HEADERS = ("server", "content-type", "location", "set-cookie", "x-whoami", "www-authenticate")
PREFIXES = ("x-amzn-", "x-amz-", "apigw-")
LONGEST_LINE = 500  # characters shown of one of them, or of an error
LARGEST_PAGE = 250_000  # bytes of HTML that are taken apart
PARSING_SECONDS = 1.0  # of the processor, for that; a page of the usual kind takes 0.1
LONGEST_TEXT = 100_000  # characters of another text
#: What an `img` can show.
IMAGES = {f"image/{kind}" for kind in ("png", "jpeg", "gif", "webp", "avif", "svg+xml", "x-icon")}
TEXTS = re.compile(r"text/.*|application/([\w.-]+\+)?(json|xml|yaml|javascript)")
ORDINARY = re.compile(r"[a-z][a-z0-9:_-]*")  # names of elements and attributes
PAGES = ("text/html", "application/xhtml+xml")

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
#: What the frame adds to a page: it is light, on dark themes too. A link looks like one, though it
#: leads nowhere from here.
STYLE = (
    ":root{color-scheme:light;background:#fff;color:#1f1f1f;font-family:sans-serif}"
    "a:not([href]){color:#00559e;text-decoration:underline}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0}img{max-width:100%}"
)
BOX = (
    "border:1px solid var(--jp-border-color1, #757575); max-width: 60em; margin: 4px 0;"
    " font-size: var(--jp-content-font-size1, 14px); line-height: 1.5"
)
FRAME = (
    "display:block; box-sizing:border-box; width:100%; height:{height}; min-height:3em;"
    " resize:vertical; border:0; border-top:1px solid var(--jp-border-color1, #757575);"
    " background:#fff; color-scheme:light"
)

Resource = Callable[[str], "Answer | None"]


def framed(visit: "Visit", resource: Resource) -> str:
    """The visit as HTML: who answered and how, then the page in its frame.

    resource: fetches what the page is made of; None for what cannot or shall not be fetched.
    """
    body, short = shown(visit, resource)
    title, *facts = heading(visit)
    lines = "".join(f"<div>{html.escape(fact)}</div>" for fact in facts)
    above = f'<div style="padding:4px 12px"><strong>{html.escape(title)}</strong>{lines}</div>'
    style = FRAME.format(height="5em" if short else "22em")
    name = html.escape(f"Page in a frame: {title}", quote=True)
    frame = (
        f'<iframe title="{name}" sandbox="" referrerpolicy="no-referrer" style="{style}"'
        f' srcdoc="{html.escape(body, quote=True)}"></iframe>'
    )
    return f'<div style="{BOX}">{above}{frame}</div>'


def summary(visit: "Visit") -> str:
    """The visit as plain text."""
    lines = heading(visit)
    answer = visit.answer
    if answer is None:
        return "\n".join([*lines, clipped(visit.error)])
    if answer.kind in PAGES or not is_text(answer):
        return "\n".join(lines)
    return "\n".join([*lines, "", answer.text[:LONGEST_TEXT]])


def heading(visit: "Visit") -> list[str]:
    """Who answered and how, in lines; the first says it all."""
    on_the_way = [
        f"{one.status} {one.reason}: {one.url} -> {one.target}" for one in visit.redirects
    ]
    if visit.answer is None:
        return [clipped(line) for line in [f"No answer: {visit.url}", *on_the_way]]
    answer = visit.answer
    size = f"{len(answer.body):,} bytes" if answer.complete else f"over {len(answer.body):,} bytes"
    headers = [
        f"{name}: {value}"
        for name, value in answer.headers.items()
        if name.lower() in HEADERS or name.lower().startswith(PREFIXES)
    ]
    first = f"{answer.status} {answer.reason}, {size}: {answer.url}"
    return [clipped(line) for line in [first, *on_the_way, *headers]]


def clipped(line: str) -> str:
    """A line of a sensible length, which can be written as UTF-8."""
    line = line.encode(errors="replace").decode()
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"


def shown(visit: "Visit", resource: Resource) -> tuple[str, bool]:
    """The document in the frame, and whether it is only a line or two."""
    answer = visit.answer
    if answer is None:
        return document(said(visit.error)), True
    if not answer.body:
        return document(said("The answer has no body.")), True
    if answer.kind in PAGES:
        return document(self_contained(answer, resource)), False
    if answer.kind in IMAGES and answer.complete:
        return document(f'<img alt="The image that came" src="{data_url(answer)}">'), False
    if is_text(answer):
        text = answer.text
        more = f"\n… and {len(text) - LONGEST_TEXT:,} characters more"
        text = text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + more
        return document(f"<pre>{html.escape(text)}</pre>"), len(text) < 120
    size = f"{len(answer.body):,} bytes" + ("" if answer.complete else " and more")
    kind = answer.kind or "a type that it does not name"
    return document(said(f"Not shown here: {size} of {kind}.")), True


def is_text(answer: "Answer") -> bool:
    """By its type; without one, by its bytes."""
    return bool(TEXTS.fullmatch(answer.kind)) if answer.kind else b"\0" not in answer.body


def said(sentence: str) -> str:
    return f"<p>{html.escape(clipped(sentence))}</p>"


def document(body: str) -> str:
    """A document whose policy comes before anything of the page's."""
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta charset="utf-8">'
    return f'<!DOCTYPE html><html lang="en"><head>{head}<style>{STYLE}</style></head>{body}</html>'


def data_url(answer: "Answer") -> str:
    return f"data:{answer.kind};base64,{base64.b64encode(answer.body).decode()}"


def self_contained(answer: "Answer", resource: Resource) -> str:
    """A page's HTML with its images and stylesheets inside, and without what leads elsewhere."""
    page = answer.text[:LARGEST_PAGE]
    rewriter = Rewriter(answer.url, resource)
    try:
        rewriter.feed(page)
        rewriter.close()
    except (AssertionError, TooIntricate):  # html.parser's, for declarations that are none; ours
        return f"<pre>{html.escape(page)}</pre>"
    return "".join(rewriter.parts)


class TooIntricate(Exception):
    """A page takes html.parser too long: quadratic time for tags and comments without an end."""


class Rewriter(HTMLParser):
    """Writes a page anew. parts: what it has written.

    The sandbox and the policy keep the page in; this leaves out what they would not stop (links
    that lead the frame elsewhere, connections made in advance) or what would be missing (scripts).
    """

    LEFT_OUT_WITH_CONTENT = frozenset({"script", "iframe", "object", "template"})
    LEFT_OUT = frozenset({"base", "meta", "link", "embed", "frame", "frameset"})
    #: Attributes that lead elsewhere, or that say which image to take.
    LEADING = frozenset({"href", "xlink:href", "ping", "action", "formaction", "srcset", "src"})

    def __init__(self, url: str, resource: Resource) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self._url, self._resource = url, resource
        self._inside = ""  # an element that is left out with its content
        self._deadline = thread_time() + PARSING_SECONDS

    def updatepos(self, i: int, j: int) -> int:
        """Called after each piece of the page."""
        if thread_time() > self._deadline:
            raise TooIntricate
        return super().updatepos(i, j)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._inside or not ORDINARY.fullmatch(tag):
            return
        if tag in self.LEFT_OUT_WITH_CONTENT:
            self._inside = tag
        elif tag == "link":
            self._stylesheet(dict(attrs))
        elif tag not in self.LEFT_OUT:
            self.parts.append(f"<{tag}{''.join(self._attributes(tag, attrs))}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.LEFT_OUT_WITH_CONTENT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._inside:
            self._inside = "" if tag == self._inside else self._inside
        elif tag not in self.LEFT_OUT and ORDINARY.fullmatch(tag):
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """html.parser also calls text what it gave up on: all after a `&#` without number."""
        self._write(data if self.cdata_elem else data.replace("<", "&lt;"))

    def handle_entityref(self, name: str) -> None:
        self._write(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._write(f"&#{name};")

    def _write(self, text: str) -> None:
        if not self._inside:
            self.parts.append(text)

    def _attributes(self, tag: str, attrs: list[tuple[str, str | None]]) -> list[str]:
        written = []
        for name, value in attrs:
            value = value or ""
            if not ORDINARY.fullmatch(name) or name.startswith("on"):
                continue
            if name == "src" and tag == "img":
                written += self._image(value)
            elif name not in self.LEADING or value.startswith("#"):
                written.append(f' {name}="{html.escape(value, quote=True)}"')
            elif name == "href" and tag == "a":  # where it would lead is shown by the mouse
                written.append(f' title="{html.escape(self._absolute(value), quote=True)}"')
        return written

    def _absolute(self, address: str) -> str:
        try:
            return urljoin(self._url, address.strip())
        except ValueError:
            return address

    def _image(self, address: str) -> list[str]:
        if address.startswith("data:"):
            return [f' src="{html.escape(address, quote=True)}"']
        image = self._resource(self._absolute(address))
        return [f' src="{data_url(image)}"'] if image and image.kind in IMAGES else []

    def _stylesheet(self, attributes: dict[str, str | None]) -> None:
        if "stylesheet" not in (attributes.get("rel") or "").lower().split():
            return
        sheet = self._resource(self._absolute(attributes.get("href") or ""))
        if sheet and sheet.kind == "text/css":
            rules = sheet.text.replace("</", "<\\/")  # the same to CSS, and no end tag to HTML
            self.parts.append(f"<style>{rules}</style>")
