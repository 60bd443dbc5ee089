"""The JSON interface, version 1."""

from flask import Blueprint, Response, request

from index.document import Article
from index.errors import BadParameter, UnknownField
from search import Searcher
from search.parser import MAX_LENGTH
from search.request import COUNTABLE
from web.cite import references, today
from web.draft_input import MAX_RELATED, read_json, unlogged
from web.excerpt import excerpt
from web.export import attachment, whole_list
from web.formats import FORMATS
from web.params import MAX_SIZE, read_format, read_number, read_request
from web.responses import json_response
from web.wire import article_object, facet_object, results_object, suggestions_object
from web.wire_related import coverage_object, draft_object, related_object

__all__ = ["FACET_LIMIT", "RELATED", "blueprint"]

RELATED = 10  # articles, where the address names no number
FACET_LIMIT = 20  # values, where the address names no number


def blueprint(searcher: Searcher) -> Blueprint:
    """Return the routes under /api/v1 that ask a searcher."""
    api = Blueprint("api", __name__, url_prefix="/api/v1")

    @api.get("/search")
    def search() -> Response:
        asked = read_request(request.args)
        if form := read_format(request.args):
            return attachment(whole_list(searcher, asked), FORMATS[form], asked.query)
        return json_response(results_object(searcher.search(asked)))

    @api.get("/suggest")
    def suggest() -> Response:
        typed = request.args.get("q", "")
        if len(typed) > MAX_LENGTH:
            raise BadParameter("q", typed[:20], f"最多 {MAX_LENGTH} 个字符")
        return json_response(suggestions_object(typed, searcher.suggest(typed)))

    @api.get("/facets/<name>")
    def facet(name: str) -> Response:
        if name not in COUNTABLE:
            raise UnknownField(name, COUNTABLE)
        typed = request.args.get("prefix", "").strip()
        if len(typed) > MAX_LENGTH:
            raise BadParameter("prefix", typed[:20], f"最多 {MAX_LENGTH} 个字符")
        limit = read_number(request.args, "limit", FACET_LIMIT, MAX_SIZE)
        asked = read_request(request.args)
        found = searcher.facet(asked, name, typed, size=limit)
        return json_response(facet_object(asked, name, typed, found))

    @api.get("/articles/<article_id>")
    def article(article_id: str) -> Response:
        return _article_response(searcher, searcher.article(article_id))

    @api.get("/articles/<article_id>/related")
    def related(article_id: str) -> Response:
        size = read_number(request.args, "size", RELATED, MAX_RELATED)
        return json_response(related_object(searcher.related(article_id, size=size)))

    @api.get("/articles/<article_id>/coverage")
    def coverage(article_id: str) -> Response:
        return json_response(coverage_object(searcher.coverage(article_id)))

    @api.post("/related")
    def related_to() -> Response:
        with unlogged():
            asked = read_json(request)
            if asked.draft:
                report = searcher.check_draft(asked.title, asked.text, size=asked.size)
                return json_response(draft_object(report))
            found = searcher.related_to(asked.title, asked.text, size=asked.size)
            return json_response(related_object(found))

    @api.get("/articles")
    def article_by_url() -> Response:
        url = request.args.get("url", "").strip()
        if not url:
            raise BadParameter("url", "", "请给出文章的地址，如 ?url=https://…")
        return _article_response(searcher, searcher.article_by_url(url))

    return api


def _article_response(searcher: Searcher, article: Article) -> Response:
    cited, copies = references(article, today()), searcher.copies(article.id)
    return json_response(article_object(article, excerpt(article), cited, copies))
