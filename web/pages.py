"""The pages: read the request, search, render."""

from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request, url_for

from index.document import BEIJING
from index.errors import QueryError
from index.settings import Settings
from search import Searcher, SearchRequest
from search.parser import MAX_LENGTH
from search.related import RelatedHit
from search.request import FACET_SIZE
from search.results import SearchResults
from search.syntax import quoted
from web import (
    draft,
    export,
    feeds,
    identifiers,
    opensearch,
    organisations,
    reference,
    sitemap,
    trends,
)
from web.addresses import absolute
from web.cite import references, today
from web.errors import bad_query
from web.excerpt import excerpt
from web.facets import (
    Facet,
    Row,
    chips,
    facets,
    looked_through,
    recent_periods,
    rows,
    understood_chips,
    unfiltered,
)
from web.formats import FORMATS
from web.markup import web_address
from web.paging import pager
from web.params import (
    EXCLUDABLE,
    adding,
    changed,
    export_url,
    feed_url,
    pairs,
    query_url,
    read_choice,
    read_request,
    search_url,
    trends_url,
)
from web.rewrite import settled, without_word, word_required
from web.structured import json_ld, news_article
from web.timeline import timeline
from web.wire import indicators_object
from web.zero import zero
from web.zoom import zoom

__all__ = ["blueprint"]

_NEWEST_HOME = 12
_RELATED = 8
_SPARE = 12  # asked for beyond, because what the timeline has is left out
_SIZES = (10, 20, 50)
_EXPLAINED = 10

_WEEKDAYS = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日")
_INDICATORS = {"ip": "IP", "domain": "域名", "hash": "散列", "url": "URL"}


def blueprint(settings: Settings, searcher: Searcher) -> Blueprint:
    """Return the routes of the pages, which ask a searcher."""
    pages = Blueprint("pages", __name__)

    @pages.get("/")
    def home() -> str:
        everything = SearchRequest(sort="newest", size=_NEWEST_HOME)
        results = searcher.search(everything)
        return render_template(
            "home.html", **_home(results), statistics=searcher.statistics(), results=results
        )

    @pages.get("/search")
    def search() -> str | tuple[str, int]:
        try:
            asked = read_request(request.args)
            results = searcher.search(asked)
        except QueryError as error:
            return bad_query(error)
        typed = request.args.get("find", "").strip()[:MAX_LENGTH]
        return render_template("search.html", **_results(searcher, asked, results, typed))

    @pages.get("/article/<article_id>")
    def article(article_id: str) -> str:
        found = searcher.article(article_id)
        event = timeline(searcher.coverage(article_id))
        known = event.ids if event else frozenset()
        related = searcher.related(article_id, size=_RELATED + _SPARE)
        own = absolute(settings, url_for("pages.article", article_id=article_id))
        original = web_address(found.url)
        return render_template(
            "article.html",
            article=found,
            copies=searcher.copies(article_id),
            event=event,
            related=[other for other in related if known.isdisjoint(_ids(other))][:_RELATED],
            excerpt=excerpt(found),
            references=references(found, today()),
            types=organisations.TYPES,
            indicators=[
                (_INDICATORS[kind], values)
                for kind, values in indicators_object(found).items()
                if values
            ],
            category_url=found.category and _filtered("category", found.category),
            source_url=_filtered("source", found.source),
            # What one finds here is an excerpt: search engines should know the article itself.
            canonical=original or (settings.base_url and own),
            own=own,
            structured=json_ld(news_article(found, own)),
        )

    @pages.get("/analyze")
    def analyze() -> str | tuple[str, int]:
        typed = request.args.get("q", "")
        results = None
        try:
            if typed.strip():
                # Folded, hits stand by the score of another article than the one shown.
                asked = SearchRequest(query=typed, duplicates="show", size=_EXPLAINED, explain=True)
                results = searcher.search(asked)
        except QueryError as error:
            return bad_query(error)
        return render_template("analyze.html", asked=typed, results=results)

    @pages.get("/help/query")
    def help_query() -> str:
        return render_template("help_query.html")

    draft.register(pages, searcher)
    organisations.register(pages, searcher)
    identifiers.register(pages, searcher)
    feeds.register(pages, settings, searcher)
    export.register(pages, searcher)
    opensearch.register(pages, settings, searcher)
    sitemap.register(pages, settings, searcher)
    trends.register(pages, searcher)
    reference.register(pages, settings)
    return pages


def _ids(related: RelatedHit) -> list[str]:
    """Return the ids of a related article and of what is folded behind it."""
    return [related.hit.id, *(copy.id for copy in related.hit.copies)]


def _home(results: SearchResults) -> dict[str, Any]:
    everything, today = SearchRequest(), datetime.now(BEIJING)
    organisations = results.facets["organisation"]
    examples = [f"机构:{quoted(bucket.value)}" for bucket in organisations[:1]]
    examples += [name for hit in results.hits for name in hit.identifiers][:1]
    months = [bucket.value for bucket in results.facets["month"] if bucket.count]
    return {
        "categories": rows(results.facets["category"], everything, "category"),
        "organisations": [
            Row(
                name=bucket.value,
                count=bucket.count,
                salient=bucket.salient,
                url=url_for("pages.organisation", name=bucket.value),
            )
            for bucket in organisations
            if bucket.count
        ],
        "sources": rows(results.facets["source"], everything, "source", most=10),
        "examples": [(text, query_url(text)) for text in examples],
        "feed": feed_url(everything),
        "since": min(months, default=None),
        "today": f"{today.year} 年 {today.month} 月 {today.day} 日，{_WEEKDAYS[today.weekday()]}",
    }


def _results(
    searcher: Searcher, asked: SearchRequest, results: SearchResults, typed: str
) -> dict[str, Any]:
    plain = settled(asked, results)
    lacking = next((at for at, hit in enumerate(results.hits) if hit.missing), len(results.hits))
    return {
        "asked": asked,
        "results": results,
        "hits": results.hits[:lacking],
        "lacking": results.hits[lacking:],
        "nothing_full": results.nothing_full,
        "typed": asked.query,
        "kept": pairs(changed(asked, query="")),
        "kept_by_period": pairs(changed(plain, first=None, last=None, month=())),
        "chips": [*understood_chips(asked, results), *chips(asked)],
        "meant": results.did_you_mean,
        "meant_url": results.did_you_mean
        and search_url(changed(asked, query=results.did_you_mean.query)),
        "as_typed_url": search_url(changed(asked, corrects=False)),
        "clear_url": search_url(unfiltered(plain)),
        "facets": _facets(searcher, asked, results, typed),
        "kept_for_facets": pairs(changed(asked)),
        "feed": feed_url(asked),
        "exports": [
            (form.name, form.label, export_url(asked, form.name)) for form in FORMATS.values()
        ],
        "zoom": zoom(searcher, plain, results),
        "trends_url": trends_url(asked),
        "periods": recent_periods(plain, datetime.now(BEIJING).date()),
        "sorts": [
            (name, label, search_url(changed(asked, sort=name)))
            for name, label in (("relevance", "相关"), ("newest", "最新"), ("oldest", "最早"))
            if asked.query.strip() or name != "relevance"
        ],
        "sort": asked.sort if asked.query.strip() or asked.sort != "relevance" else "newest",
        "sizes": [(size, search_url(changed(asked, size=size))) for size in _SIZES],
        "strict_url": search_url(changed(asked, match="all")),
        "relaxed": [
            (
                word,
                search_url(changed(asked, query=word_required(asked.query, word))),
                search_url(changed(asked, query=without_word(asked.query, word))),
            )
            for word in results.relaxed
        ],
        "is_folded": results.pageable < results.articles,
        "fold_url": search_url(changed(asked, duplicates="fold")),
        "unfold_url": search_url(changed(asked, duplicates="show")),
        "pager": pager(asked, results),
        "zero": None if results.total else zero(searcher, asked, results),
    }


def _facets(
    searcher: Searcher, asked: SearchRequest, results: SearchResults, typed: str
) -> list[Facet]:
    """Return the facets, one of them with those values alone that match what is typed."""
    found = facets(asked, results)
    if not typed:
        return found
    name = read_choice(request.args, "facet", EXCLUDABLE) or "organisation"
    values = searcher.facet(asked, name, typed, size=FACET_SIZE)
    return [
        looked_through(asked, facet.name, typed, values) if facet.name == name else facet
        for facet in found
    ]


def _filtered(name: str, value: str) -> str:
    return search_url(adding(SearchRequest(), name, value))
