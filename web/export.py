"""Hits to take away: the whole list of a request, or the articles that a reader has chosen."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import quote

from flask import Blueprint, Response, request

from index.document import Article
from index.errors import CursorExpired, QueryError, UnknownArticle
from search import Searcher, SearchRequest
from search.results import Hit, SearchResults, Snippet
from search.snippet import make_hit
from web.cite import today
from web.excerpt import excerpt
from web.formats import FORMATS, ListFormat
from web.params import LIST_FORMATS, read_choice, read_values
from web.wire import LEAD_IN

__all__ = ["MAX_CHOSEN", "attachment", "register", "whole_list"]

MAX_CHOSEN = 300  # articles; their ids must fit the longest address that the server reads

_BLOCK = 100  # hits of one search: other readers take their turns between two
_MAX_CHANGES = 10  # commits during one export, each of which begins the list anew
_NAMED = 10  # unknown articles that an error names
_NO_FILE_NAME = re.compile(r"[^\w.+-]+")
_LONGEST = 40  # characters of a query in the name of a file


def whole_list(searcher: Searcher, asked: SearchRequest) -> Iterator[Hit]:
    """Give every hit of a request, in its order and whatever page it asks for.

    The first search is made at once, so that a mistake of the request is raised here. Where the
    index changes in between, the list begins anew and what was given is left out: nothing that
    matches at the end is missing and nothing stands twice, but what is new comes after what was
    given. An index that keeps changing is CursorExpired, in the middle of the list.
    """
    asked = replace(asked, page=1, size=_BLOCK, cursor=None, explain=False)
    return _walk(searcher, asked, searcher.search(asked))


def _walk(searcher: Searcher, asked: SearchRequest, results: SearchResults) -> Iterator[Hit]:
    given: set[str] = set()
    changes = 0
    while True:
        for hit in results.hits:
            if hit.id not in given:
                given.add(hit.id)
                yield hit
        if results.next is None:
            return
        try:
            results = searcher.search(replace(asked, cursor=results.next))
        except CursorExpired:
            changes += 1
            if changes > _MAX_CHANGES:
                raise
            results = searcher.search(asked)


def attachment(hits: Iterable[Hit], form: ListFormat, query: str = "") -> Response:
    """Return hits as a file, sent while they are read.

    An error on the way cuts the connection, so that no program takes a part for the whole.
    """
    pieces = form.write(hits, bool(query.strip()))
    body = (piece.encode("utf-8", "replace") for piece in pieces)
    response = Response(body, mimetype=form.mimetype)
    response.headers["Content-Disposition"] = _disposition(form, query)
    return response


def register(pages: Blueprint, searcher: Searcher) -> None:
    """Add the route of chosen articles to the pages."""

    @pages.get("/export")
    def export() -> Response:
        form = FORMATS[read_choice(request.args, "format", LIST_FORMATS) or "csv"]
        chosen = read_values(request.args, "id")
        if not chosen:
            raise QueryError("没有选中文章。请退回结果页，勾选要导出的文章再导出。")
        if len(chosen) > MAX_CHOSEN:
            raise QueryError(
                f"一次最多导出 {MAX_CHOSEN} 篇，这里有 {len(chosen)} 篇。请分几次导出。"
            )
        return attachment(_chosen(searcher, chosen), form)


def _chosen(searcher: Searcher, ids: Iterable[str]) -> list[Hit]:
    """Return articles as hits, in the order of their ids; raises UnknownArticle for all unknown."""
    hits, unknown = [], []
    for identifier in ids:
        try:
            hits.append(_as_hit(searcher.article(identifier)))
        except UnknownArticle:
            unknown.append(identifier)
    if unknown:
        more = f" 等 {len(unknown)} 篇" if len(unknown) > _NAMED else ""
        raise UnknownArticle("、".join(unknown[:_NAMED]) + more)
    return hits


def _as_hit(article: Article) -> Hit:
    """Return an article as a hit of no query: nothing matched in it, nothing is folded behind."""
    text = (article.lead or excerpt(article).text)[:LEAD_IN]
    return replace(make_hit(article), snippet=Snippet(text=text, highlights=()))


def _disposition(form: ListFormat, query: str) -> str:
    """Return the header that names the file (RFC 6266), in ASCII and in full (RFC 5987)."""
    about = _NO_FILE_NAME.sub("-", query).strip("-.")[:_LONGEST].strip("-.")
    day = today().isoformat()
    full = "-".join(part for part in ("安闻", about, day) if part)
    name = quote(f"{full}.{form.name}", safe="")
    return f"attachment; filename=\"anwen-{day}.{form.name}\"; filename*=UTF-8''{name}"
