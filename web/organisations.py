"""The pages of organisations: each one's own, and the index of all."""

from collections.abc import Callable
from typing import Any, cast, get_args
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from index.document import OrganisationType
from index.errors import BadParameter, UnknownArticle
from search import Searcher, SearchRequest
from search.parser import MAX_LENGTH
from search.results import Hit, Organisation, SearchResults
from search.syntax import quoted
from web.charts import histogram
from web.excerpt import excerpt
from web.facets import Row, rows
from web.paging import numbered
from web.params import adding, changed, feed_url, read_number, search_url, trends_url

__all__ = ["TYPES", "newest_article", "register", "together"]

TYPES = {
    "company": "企业",
    "government": "政府机关",
    "institute": "院校与研究机构",
    "association": "协会",
    "media": "媒体",
    "group": "团伙",
    "other": "其他",
}

_NEWEST = 10
_TOGETHER = 20  # organisations named together with one
_LISTED = 120  # on one page of the index: three columns of 40
_MOST_PAGES = 10_000


def register(pages: Blueprint, searcher: Searcher) -> None:
    """Add the routes to the pages."""

    @pages.get("/organisation/<path:name>")
    def organisation(name: str) -> str | Response | tuple[str, int]:
        found = searcher.organisation(name)
        if found is None:
            near = searcher.near_organisations(name) if len(name) <= MAX_LENGTH else ()
            return render_template("unknown_organisation.html", name=name, near=near), 404
        if found.name != name:
            address = url_for("pages.organisation", name=found.name)
            asked = urlencode(list(request.args.items(multi=True)))
            # Which spelling is the commonest can change, and a browser never forgets a 301.
            return redirect(f"{address}?{asked}" if asked else address, 302)
        is_all = request.args.get("latest") == "all" or not found.salient
        return render_template(
            "organisation.html", **_organisation(searcher, found, acting_only=not is_all)
        )

    @pages.get("/organisations")
    def organisations() -> str:
        typed = request.args.get("prefix", "").strip()
        if len(typed) > MAX_LENGTH:
            raise BadParameter("prefix", typed[:20], f"最多 {MAX_LENGTH} 个字符")
        type_ = request.args.get("type", "").strip()
        if type_ and type_ not in get_args(OrganisationType):
            raise BadParameter("type", type_, f"可用的值：{'、'.join(get_args(OrganisationType))}")
        page = read_number(request.args, "page", 1, _MOST_PAGES)
        return render_template("organisations.html", **_index(searcher, typed, type_, page))


def _organisation(searcher: Searcher, found: Organisation, *, acting_only: bool) -> dict[str, Any]:
    name = found.name
    # As a word of the query the name narrows its own facet too, which then counts who is named
    # together with it; as a filter it would not.
    # Of the list that is not shown the counts of the facets are enough.
    named, acting = (
        SearchRequest(query=f"{field}:{quoted(name)}", sort="newest", size=size)
        for field, size in (
            ("机构", 1 if acting_only else _NEWEST),
            ("主角", _NEWEST if acting_only else 1),
        )
    )
    every, main = searcher.search(named), searcher.search(acting)
    newest = main if acting_only else every
    chosen = SearchRequest(organisation=(name,))
    mentions, surfaces = _mentions(searcher, newest, name)
    known = {each.casefold() for each in (name, *found.aliases)}
    months = every.facets["month"]
    return {
        "organisation": found,
        "kind": TYPES[found.type],
        "surfaces": [surface for surface in surfaces if surface.casefold() not in known],
        "months": months,
        "last": newest_article(searcher, named),
        "newest": newest,
        "acting_only": acting_only,
        "mentions": mentions,
        "all_url": search_url(chosen),
        "acting_url": search_url(changed(acting, sort="relevance", size=SearchRequest().size)),
        "newest_url": search_url(
            changed(acting, size=SearchRequest().size)
            if acting_only
            else changed(chosen, sort="newest")
        ),
        "trends_url": trends_url(chosen),
        "feed": feed_url(chosen),
        "chart": histogram(
            months, chosen, main=main.facets["month"], width=672, height=160, rounded=True
        ),
        "month_url": lambda month: search_url(adding(chosen, "month", month)),
        "together": together(searcher, named, (name,)),
        "categories": rows(every.facets["category"], chosen, "category"),
        "sources": rows(every.facets["source"], chosen, "source"),
    }


def newest_article(searcher: Searcher, asked: SearchRequest) -> Hit | None:
    """Return the newest article that a request finds, be it a repost."""
    found = searcher.search(changed(asked, sort="newest", duplicates="show", size=1)).hits
    return found[0] if found else None


def together(searcher: Searcher, asked: SearchRequest, without: tuple[str, ...] = ()) -> list[Row]:
    """Return the organisations that stand out in what a request finds."""
    plain = changed(asked, sort="relevance", size=SearchRequest().size)
    return [
        Row(
            name=found.value,
            count=found.count,
            of=found.total,
            url=search_url(adding(plain, "organisation", found.value)),
        )
        for found in searcher.associated(asked, "organisation", without, size=_TOGETHER)
    ]


def _mentions(
    searcher: Searcher, results: SearchResults, name: str
) -> tuple[dict[str, Any], dict[str, None]]:
    """Return how each hit names an organisation, and all the forms of the name."""
    mentions, surfaces = {}, dict[str, None]()
    for hit in results.hits:
        try:
            article = searcher.article(hit.id)
        except UnknownArticle:  # removed since the index was opened
            continue
        for mention in excerpt(article).mentions:
            if mention.name.casefold() == name.casefold():
                mentions[hit.id] = mention
                surfaces |= dict.fromkeys(mention.surfaces)
    return mentions, surfaces


def _index(searcher: Searcher, typed: str, type_: str, page: int) -> dict[str, Any]:
    found = searcher.organisations(
        typed,
        cast("OrganisationType", type_) if type_ else None,
        first=(page - 1) * _LISTED,
        size=_LISTED,
    )
    url = _index_url(typed)
    last = max(1, -(-found.total // _LISTED))
    return {
        "found": found,
        "typed_name": typed,
        "type": type_,
        "types": [
            (name, label, found.types[name], url(name, 1))
            for name, label in TYPES.items()
            if name in found.types
        ],
        "labels": TYPES,
        "every": sum(found.types.values()),
        "every_url": url("", 1),
        "unfiltered_url": url_for("pages.organisations"),
        "pager": numbered(page, last, lambda number: url(type_, number)),
        "page": page,
    }


def _index_url(typed: str) -> Callable[[str, int], str]:
    """Return a function from a type and a page to the address of that part of the index."""

    def url(type_: str, page: int) -> str:
        found = {"prefix": typed, "type": type_, "page": str(page) if page > 1 else ""}
        kept = {name: value for name, value in found.items() if value}
        path = url_for("pages.organisations")
        return f"{path}?{urlencode(kept)}" if kept else path

    return url
