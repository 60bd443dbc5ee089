"""Whether an answer holds what nobody but this site wrote, by a parser of its own format.

Each check raises AssertionError where a text of an article or a reader became structure: an
element, an attribute, a formula, a link, a header, an order to a terminal.
"""

import csv
import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from lxml import etree, html
from markdown_it import MarkdownIt
from werkzeug.test import TestResponse

import web

__all__ = [
    "BASE",
    "STEERING",
    "check",
    "check_answer",
    "check_headers",
    "check_json",
    "check_terminal",
]

BASE = "https://news.example"  # where the site says it is

_TEMPLATES = Path(web.__file__).parent
_SOURCE = "\n".join(
    path.read_text(encoding="utf-8")
    for path in (*_TEMPLATES.glob("templates/*.html"), *_TEMPLATES.glob("*.py"))
)
ELEMENTS = set(re.findall(r"<([a-z][a-z0-9]*)\b", _SOURCE)) - {"script"}
ATTRIBUTES = {name.lower() for name in re.findall(r"[\s\"}]([a-z][a-zA-Z-]*)=\"", _SOURCE)} | {
    *("hidden", "download", "data-download", "data-theme-toggle", "open", "async", "defer"),
}
_LINKS = {"href", "src", "action", "data-source-url", "content"}

# Bytes that no text of ours is sent with: controls, line ends of Unicode, overrides of direction.
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_UNSEEN = '\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"'
_SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_KEY = re.compile(r"[A-Za-z$@/][A-Za-z0-9_$@/{}.-]*|[1-5][0-9]{2}")  # OpenAPI's keys too
_ATOM = "{http://www.w3.org/2005/Atom}"
_TAGS = {
    "feed": {
        *("feed", "title", "id", "updated", "link", "author", "name", "entry", "published"),
        *("category", "source", "summary"),
    },
    "sitemapindex": {"sitemapindex", "sitemap", "loc"},
    "urlset": {"urlset", "url", "loc", "lastmod"},
    "OpenSearchDescription": {
        *("OpenSearchDescription", "ShortName", "Description", "Url", "Image", "Language"),
        *("InputEncoding", "OutputEncoding"),
    },
}

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_SENT = {
    *SECURITY,
    *("Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition", "Cache-Control"),
    *("ETag", "Vary", "Location", "Allow", "Date", "Last-Modified", "Accept-Ranges", "Retry-After"),
    *("Content-Range", "X-Robots-Tag", "Referrer-Policy", "Cross-Origin-Resource-Policy"),
    *("Access-Control-Allow-Origin",),  # of the widget, which is there for every site
}
_PLAIN = re.compile(
    r"ok\n|"
    r"(?:# [ -~]+\n|anwen_\w+(?:\{[ -~]*\})? [\d.e+-]+\n)+|"
    r"(?:User-agent: \*|Disallow: /[\w./]+|Sitemap: https?://[^\s/]+/sitemap\.xml|\n)+",
    re.ASCII,
)
_DISPOSITION = re.compile(
    r"attachment; filename=\"anwen-[0-9-]{10}\.(?:csv|jsonl|md)\"; filename\*=UTF-8''[\w%.-]+",
    re.ASCII,
)


def check_answer(answer: TestResponse, host: str = "localhost") -> None:
    """Check headers and body of an answer of the site, whatever its format."""
    assert answer.status_code < 500, answer.status
    check_headers(answer)
    kind = answer.mimetype
    if answer.status_code in {204, 304} or not answer.data:
        return
    text = answer.get_data(as_text=True)
    match kind:
        case "text/html":
            check_html(text, host)
        case "application/json" | "application/x-suggestions+json":
            check_json(text)
        case "text/csv":
            check_csv(text)
        case "application/x-ndjson":
            assert text.splitlines() == text.removesuffix("\n").split("\n")
            for line in text.splitlines():
                check_json(line)
        case "text/markdown":
            check_markdown(text)
        case "application/atom+xml" | "application/xml" | "application/opensearchdescription+xml":
            check_xml(answer.data, host)
        case "text/plain":
            assert _PLAIN.fullmatch(text), text
        case "text/javascript" | "text/css" | "image/svg+xml":
            assert "huilu" not in text  # our own files, whatever was asked
        case _:
            raise AssertionError(f"an answer of another kind: {kind}")


def check_headers(answer: TestResponse) -> None:
    for name, value in SECURITY.items():
        assert answer.headers.getlist(name) == [value], name
    assert answer.headers["Referrer-Policy"] in {"no-referrer", "strict-origin-when-cross-origin"}
    assert answer.headers["Cross-Origin-Resource-Policy"] in {"same-origin", "cross-origin"}
    for name, value in answer.headers:
        assert name in _SENT, name
        assert not re.search(r"[\x00-\x1f\x7f]", value), (name, value)
        assert (
            name != "Content-Disposition"
            or _DISPOSITION.fullmatch(value)
            or (answer.request.path.startswith("/static/"))
        ), value
        if name == "Location":
            assert re.match(r"/(?:organisation|identifier)/", value), value
            assert value.isascii(), value


def check_html(text: str, host: str) -> None:
    assert not STEERING.search(text), STEERING.search(text)
    root = html.document_fromstring(text)
    assert [type(node) for node in root.iter(etree.Comment, etree.ProcessingInstruction)] == []
    for element in root.iter():
        tag = element.tag
        where = etree.tostring(element, encoding="unicode", with_tail=False)[:300]
        for name, value in element.attrib.items():
            assert name in ATTRIBUTES, (name, where)
            assert not name.startswith("on"), where
            if name in _LINKS and (name != "content" or element.get("property") == "og:url"):
                _check_link(element, name, value, host)
        if tag == "script":
            _check_script(element, where)
        else:
            assert tag in ELEMENTS, where
            assert tag != "style", where


def _check_link(element: etree._Element, name: str, value: str, host: str) -> None:
    where = etree.tostring(element, encoding="unicode", with_tail=False)[:300]
    if value.startswith("#") or re.match(r"/(?![/\\])", value):
        return
    parts = urlsplit(value)
    assert parts.scheme in {"http", "https"}, where
    assert parts.hostname, where
    assert "@" not in parts.netloc, where
    assert parts.netloc.isascii(), where
    assert not re.search(r"[\s\"'<>\\]", value.replace("'", "")), where
    if parts.netloc != host and element.tag == "a" and name == "href":
        assert {"noopener", "nofollow"} <= set((element.get("rel") or "").split()), where
    if element.tag in {"form", "script", "use"}:
        assert parts.netloc == host, where


def _check_script(element: etree._Element, where: str) -> None:
    if element.get("type") == "application/ld+json":
        assert set(element.attrib) == {"type"}
        found = json.loads(element.text or "")
        for key, value in _members(found):
            assert _KEY.fullmatch(key), key
            if key in {"url", "mainEntityOfPage", "isBasedOn"}:
                assert re.match(r"https?://[^@\s/]+/?", value), value
        return
    assert set(element.attrib) <= {"src", "defer", "async"}, where
    assert re.fullmatch(r"/static/[a-z]+\.js\?v=[0-9a-f]+", element.get("src") or ""), where
    assert not (element.text or "").strip(), where


def check_json(text: str) -> None:
    assert not STEERING.search(text), STEERING.search(text)
    for key, value in _members(json.loads(text)):
        assert _KEY.fullmatch(key), key
        if key in {"url", "exclude_url"} and isinstance(value, str):
            assert re.match(r"https?://[^@\s/]+|/(?![/\\])", value), value
            assert not re.search(r"[\s\"<>\\]", value), value
        if key == "bibtex" and isinstance(value, str):
            check_bibtex(value)
        if key in {"gb_t_7714", "plain"} and isinstance(value, str):
            assert "\n" not in value
        if key == "indicators" and isinstance(value, dict) and "hash" in value:
            # A hash has neither dot nor scheme; what is none is nobody's indicator.
            for each in (*value["ip"], *value["domain"], *value["url"]):
                assert not re.search(r"https?://|huilu\.|203\.0", each.partition("/")[0]), each
                assert not each.startswith("http"), each


def _members(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from _members(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _members(inner)


def check_csv(text: str) -> None:
    assert not STEERING.search(text.replace("\r\n", "")), STEERING.search(text.replace("\r\n", ""))
    rows = list(csv.reader(StringIO(text.removeprefix("\ufeff"), newline="")))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == text.count("\r\n") == text.count("\n")
    for delimiter in ",;\t":  # whatever a spreadsheet takes for it, in this country or that
        for row in csv.reader(StringIO(text.removeprefix("\ufeff")), delimiter=delimiter):
            for cell in row:
                assert not re.sub(rf"^[\s{_UNSEEN}]+", "", cell).startswith(_SIGNS), cell


def check_markdown(text: str) -> None:
    assert not STEERING.search(text), STEERING.search(text)
    tokens = MarkdownIt("commonmark").enable(["strikethrough", "table"]).parse(text)
    assert {token.type for token in tokens} <= {
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
        *("paragraph_open", "paragraph_close", "inline"),
    }
    items = [token for token in tokens if token.type == "list_item_open"]
    assert len(items) == text.count("\n")
    for token in tokens:
        for child in token.children or ():
            assert child.type in {"text", "link_open", "link_close"}, child
            if child.type == "link_open":
                assert re.match(r"https?://[^@\s/]+(?:/|$)", str(child.attrs["href"])), child


def check_xml(data: bytes, host: str) -> None:
    text = data.decode()
    assert not STEERING.search(text), STEERING.search(text)
    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    assert root.getroottree().docinfo.doctype == ""
    tags = _TAGS[etree.QName(root).localname]
    for node in root.iter():
        assert isinstance(node.tag, str), etree.tostring(node)  # no comment, no instruction
        assert etree.QName(node).localname in tags
        assert etree.QName(node).namespace == etree.QName(root).namespace
        assert set(node.attrib) <= {
            *("rel", "type", "href", "term", "scheme", "template", "width", "height"),
            "{http://www.w3.org/XML/1998/namespace}lang",
            "xml:lang",
        }
        for name in ("href", "template", "scheme"):
            value = node.get(name)
            if value is not None:
                assert re.match(r"https?://[^@\s/]+/?", value), value
                assert urlsplit(value).netloc == host or node.get("rel") == "via", value
        if etree.QName(node).localname in {"loc", "id"}:
            assert urlsplit(node.text or "").netloc == host, node.text
            assert not re.search(r"[\s\"'<>]", (node.text or "").replace("'", "")), node.text


def check_bibtex(text: str) -> None:
    """Check that a reference is one entry with the fields of one, by counting braces as it does."""
    assert not STEERING.search(text)
    head = re.match(r"@online\{anwen-[0-9a-f]{16},\n", text)
    assert head, text
    at, names = head.end(), []
    while field := re.compile(r"  ([a-z]+) = (?=\{)").match(text, at):
        names.append(field[1])
        at, depth = field.end(), 0
        while True:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
            if not depth:
                break
        at = at + 2 if text.startswith(",\n", at) else at
    assert text[at:] == "\n}", text
    assert len(names) == len(set(names))
    assert set(names) <= {"author", "title", "organization", "date", "url", "urldate"}
    commands = re.findall(r"\\([a-zA-Z]+)", text)
    assert set(commands) <= {
        *("textbackslash", "textbraceleft", "textbraceright", "textasciitilde", "textasciicircum"),
    }, text


def check(client: FlaskClient, address: str, host: str = "news.example", **values: Any) -> int:
    """Check what is answered at an address; its status."""
    answer = client.get(address, **values)
    try:
        check_answer(answer, host)
    except AssertionError as error:
        raise AssertionError(f"{address}: {error}") from error
    finally:
        answer.close()  # of a static file
    return answer.status_code


_STYLES = re.compile("\x1b\\[(?:31|1|0)m")  # of highlights, which are ours


def check_terminal(text: str) -> None:
    """Check that lines of a command give no orders beyond the colour of a highlight."""
    found = STEERING.search(_STYLES.sub("", text))
    assert not found, (found, text[:2000])
