"""What crawlers of other search engines may read: robots.txt and the sitemap it names.

The sitemap lists the pages that only this site has: the home page, the index of organisations, the
page of each organisation that acts in an article, the page of each identifier. It lists no article:
the page of one names the publisher's original as its canonical address, and a sitemap of addresses
that point elsewhere tells a crawler to fetch what it will then throw away. Searches, drafts and
exports say noindex, and do not stand in it either.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

from flask import Blueprint, Response, abort, url_for

from index.document import BEIJING
from index.settings import Settings
from search import Searcher
from web.addresses import absolute

__all__ = ["MOST_ADDRESSES", "register"]

# sitemaps.org allows 50,000 addresses and 50 MB in one file; with a fifth of the addresses the
# second limit holds too, however long the names are.
MOST_ADDRESSES = 10_000
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
# Searches are without number, and each costs an evaluation; what a crawler may read of the site is
# reached without them. The results of a draft answer a POST, which no crawler sends.
_DISALLOWED = ("/api/", "/search", "/export", "/analyze", "/suggest.json", "/trends")


@dataclass(frozen=True, slots=True)
class _Listed:
    """A page that is listed, with the day of the newest article on it."""

    endpoint: str
    values: dict[str, Any] = field(default_factory=dict)
    newest: date | None = None


def register(
    pages: Blueprint, settings: Settings, searcher: Searcher, most: int = MOST_ADDRESSES
) -> None:
    """Add the routes to the pages, with at most so many addresses in one part."""

    @pages.get("/robots.txt")
    def robots() -> Response:
        lines = ["User-agent: *", *(f"Disallow: {path}" for path in _DISALLOWED), ""]
        lines.append(f"Sitemap: {absolute(settings, url_for('pages.sitemap'))}")
        return Response("\n".join(lines) + "\n", mimetype="text/plain")

    @pages.get("/sitemap.xml")
    def sitemap() -> Response:
        parts = -(-len(_listed(searcher)) // most)
        paths = (url_for("pages.sitemap_part", number=number + 1) for number in range(parts))
        return _answer(
            "sitemapindex", (f"<sitemap>{_place(settings, path)}</sitemap>" for path in paths)
        )

    @pages.get("/sitemap/<int:number>.xml")
    def sitemap_part(number: int) -> Response:
        first = (number - 1) * most
        part = _listed(searcher)[first : first + most] if number else []
        if not part:
            abort(404)
        return _answer("urlset", (_row(settings, page) for page in part))


def _listed(searcher: Searcher) -> list[_Listed]:
    """Return what is listed: of organisations those that act in an article at least.

    The page of one that is only ever mentioned in passing says little.
    """
    newest = searcher.statistics().newest
    return [
        _Listed("pages.home", newest=newest.astimezone(BEIJING).date() if newest else None),
        *(_Listed(f"pages.{name}") for name in ("organisations", "draft", "help_query")),
        *(
            _Listed("pages.organisation", {"name": found.name}, found.newest)
            for found in searcher.subjects("organisation")
            if found.salient
        ),
        *(
            _Listed("pages.identifier", {"identifier": found.name}, found.newest)
            for found in searcher.subjects("identifier")
        ),
    ]


def _row(settings: Settings, page: _Listed) -> str:
    day = f"<lastmod>{page.newest}</lastmod>" if page.newest else ""
    return f"<url>{_place(settings, url_for(page.endpoint, **page.values))}{day}</url>"


def _place(settings: Settings, path: str) -> str:
    address = escape(absolute(settings, path), {"'": "&apos;", '"': "&quot;"})
    return f"<loc>{address}</loc>"


def _answer(root: str, rows: Iterable[str]) -> Response:
    lines = (
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<{root} xmlns="{_NAMESPACE}">',
        *rows,
        f"</{root}>",
    )
    return Response("\n".join(lines) + "\n", mimetype="application/xml")
