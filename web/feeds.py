"""Atom feeds (RFC 4287) of what a request finds, the newest first."""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote
from xml.etree import ElementTree

from flask import Blueprint, Response, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from index.document import BEIJING
from index.settings import Settings
from search import Searcher, SearchRequest
from search.results import Hit
from web.addresses import mount
from web.facets import chips
from web.markup import web_address
from web.opensearch import DESCRIPTION_TYPE
from web.params import changed, feed_url, read_request, search_url
from web.plain import plain

__all__ = ["register"]

_ATOM = "http://www.w3.org/2005/Atom"
_SIZE = 30  # articles, where the address names no number
# What XML 1.0 cannot hold, however it is escaped, beside what is no plain text.
_UNPRINTABLE = dict.fromkeys([*range(0xD800, 0xE000), 0xFFFE, 0xFFFF])


def register(pages: Blueprint, settings: Settings, searcher: Searcher) -> None:
    """Add the route to the pages."""

    @pages.get("/feed.atom")
    def feed() -> BaseResponse:
        asked = read_request(request.args)
        size = asked.size if request.args.get("size", "").strip() else None
        asked = changed(asked, sort="newest", size=size or _SIZE, explain=False)
        # An entry must say when it was updated, and an undated article does not know.
        hits = [hit for hit in searcher.search(asked).hits if hit.published]
        root = mount(settings)
        response = Response(
            _document(asked, feed_url(asked, size=size), hits, root, settings.site_name),
            mimetype="application/atom+xml",
        )
        response.add_etag()
        response.cache_control.max_age = 0
        response.cache_control.must_revalidate = True
        return response.make_conditional(request)


def _document(asked: SearchRequest, path: str, hits: Iterable[Hit], root: str, site: str) -> bytes:
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed", {"xml:lang": "zh-Hans"})
    address = root + path
    about = "，".join([asked.query, *(f"{chip.label} {chip.value}" for chip in chips(asked))])
    _add(feed, "title", f"{about.strip('，') or '全部文章'} · {site}")
    _add(feed, "id", address)
    _add(feed, "updated", _moment(_updated(hits)))
    _add(feed, "link", rel="self", type="application/atom+xml", href=address)
    page = root + search_url(changed(asked, size=SearchRequest().size))
    _add(feed, "link", rel="alternate", type="text/html", href=page)
    description = root + url_for("pages.opensearch")
    _add(feed, "link", rel="search", type=DESCRIPTION_TYPE, href=description)
    _add(_add(feed, "author"), "name", site)
    for hit in hits:
        entry = _add(feed, "entry")
        url = root + url_for("pages.article", article_id=hit.id)
        _add(entry, "title", hit.title)
        _add(entry, "id", url)
        _add(entry, "link", rel="alternate", type="text/html", href=url)
        if original := web_address(hit.url):
            _add(
                entry,
                "link",
                rel="via",
                type="text/html",
                href=quote(original, safe="%/:?#[]@!$&'()*+,;=~"),
            )
        moment = _moment(hit.published)
        _add(entry, "published", moment)
        _add(entry, "updated", moment)
        _add(_add(entry, "author"), "name", hit.author or hit.source)
        # A scheme says what a term is, so that a reader can filter by organisation alone.
        if hit.category:
            _add(entry, "category", term=hit.category)
        for path, terms in (
            (url_for("pages.organisations"), hit.organisations),
            ("/identifier/", hit.identifiers),
        ):
            for term in terms:
                _add(entry, "category", term=term, scheme=root + path)
        _add(_add(entry, "source"), "title", hit.source)
        _add(entry, "summary", hit.snippet.text)
    document: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return document


def _add(
    parent: ElementTree.Element, name: str, text: str = "", **attributes: str
) -> ElementTree.Element:
    printable = {key: plain(value).translate(_UNPRINTABLE) for key, value in attributes.items()}
    child = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", printable)
    if text:
        child.text = plain(text).translate(_UNPRINTABLE)
    return child


def _updated(hits: Iterable[Hit]) -> datetime:
    """Return when the newest article appeared; the beginning of time where there is none."""
    moments = [hit.published for hit in hits if hit.published]
    return max(moments, default=datetime.fromtimestamp(0, BEIJING))


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(BEIJING).isoformat() if moment else ""
