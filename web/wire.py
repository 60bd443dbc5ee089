"""The JSON of the interface: results, articles and errors as plain objects, in their key order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from index.document import BEIJING, Article, Evidence
from index.entities import defang
from search.request import FACETS, SearchRequest
from search.results import (
    Copy,
    FacetBucket,
    FacetValues,
    Hit,
    SearchResults,
    Suggestion,
    SuggestionGroup,
)
from web.cite import References
from web.excerpt import Excerpt
from web.facets import facet_url
from web.markup import web_address
from web.params import EXCLUDABLE, adding, changed, query_url, search_url

__all__ = [
    "LEAD_IN",
    "article_object",
    "error_object",
    "facet_object",
    "hit_object",
    "indicators_object",
    "results_object",
    "suggestion_url",
    "suggestions_object",
]

LEAD_IN = 120  # characters of an article's snippet, which no query has chosen


def results_object(results: SearchResults) -> dict[str, Any]:
    """Return the answer of /api/v1/search and of `anwen search --json`."""
    better = results.did_you_mean
    told = results.explanation
    asked = {} if told is None else {"explain": asdict(told)}
    return {
        "query": results.query,
        "total": results.total,
        "groups": results.groups,
        **({} if results.groups_exact else {"groups_exact": False}),
        "widened": results.widened,
        "page": results.page,
        "size": results.size,
        "next": results.next,
        "took_ms": results.took_ms,
        "hits": [hit_object(hit) for hit in results.hits],
        "facets": {
            name: [_bucket_object(bucket) for bucket in buckets]
            for name, buckets in results.facets.items()
        },
        "relaxed": list(results.relaxed),
        "did_you_mean": better
        and {"query": better.query, "total": better.total, "applied": better.applied},
        "notices": [
            {
                "code": notice.code,
                "message": notice.message,
                "start": notice.start,
                "end": notice.end,
            }
            for notice in results.notices
        ],
        "understood": [
            {
                "text": period.text,
                "field": period.field,
                "from": _day(period.first),
                "to": _day(period.last),
            }
            for period in results.understood
        ],
    } | asked


def facet_object(
    request: SearchRequest, name: str, typed: str, values: FacetValues
) -> dict[str, Any]:
    """Return the answer of /api/v1/facets.

    `url` is the path of the search that has a value chosen, or no longer; `exclude_url` of that
    which excludes it.
    """
    return {
        "name": name,
        "prefix": typed,
        "total": values.total,
        "values": [
            _bucket_object(bucket) | _value_urls(request, name, bucket) for bucket in values.buckets
        ],
    }


def _value_urls(request: SearchRequest, name: str, bucket: FacetBucket) -> dict[str, str | None]:
    if name == "day":
        day = date.fromisoformat(bucket.value)
        url = search_url(changed(request, month=(), first=day, last=day))
        return {"url": url, "exclude_url": None}
    if name not in FACETS:
        return {"url": f"/identifier/{quote(bucket.value)}", "exclude_url": None}
    may_exclude = name in EXCLUDABLE and not bucket.selected
    return {
        "url": facet_url(request, name, bucket),
        "exclude_url": search_url(adding(request, f"exclude_{name}", bucket.value))
        if may_exclude
        else None,
    }


def article_object(
    article: Article, excerpt: Excerpt, references: References, copies: Sequence[Copy]
) -> dict[str, Any]:
    """Return the answer of /api/v1/articles: what may be shown of an article."""
    return {
        "id": article.id,
        "url": web_address(article.url),
        "title": article.title,
        "title_highlights": [],
        "snippet": {"text": (article.lead or excerpt.text)[:LEAD_IN], "highlights": []},
        "published": _moment(article.published),
        "published_precision": article.published_precision,
        "category": article.category,
        "category_predicted": article.category_predicted,
        "source": article.source,
        "author": article.author,
        "organisations": list(article.organisations),
        "identifiers": list(article.identifiers),
        "score": 0.0,
        "duplicate_count": len(copies),
        "missing": [],
        "category_printed": article.category_printed,
        "lead": article.lead,
        "tags": list(article.tags),
        "extract": excerpt.text,
        "views": article.views,
        "mentions": [
            {
                "name": mention.name,
                "type": mention.type,
                "salient": mention.salient,
                "surfaces": list(mention.surfaces),
                "evidence": [_evidence_object(evidence) for evidence in mention.evidence],
            }
            for mention in excerpt.mentions
        ],
        "duplicates": [_copy_object(copy) for copy in copies],
        "indicators": indicators_object(article),
        "citations": asdict(references),
    }


def indicators_object(article: Article) -> dict[str, list[str]]:
    """Return an article's indicators by type, defanged, so that no program makes links of them."""
    by_type: dict[str, list[str]] = {"ip": [], "domain": [], "hash": [], "url": []}
    for indicator in article.indicators:
        by_type[indicator.type].append(defang(indicator.value))
    return by_type


def suggestions_object(typed: str, groups: Iterable[SuggestionGroup]) -> dict[str, Any]:
    """Return the answer of /api/v1/suggest and of `anwen suggest --json`.

    `url` is the path on this site that a suggestion leads to.
    """
    return {
        "query": typed,
        "groups": [
            {
                "name": group.name,
                "suggestions": [
                    {
                        "text": found.text,
                        "count": found.count,
                        "id": found.id,
                        "url": suggestion_url(group.name, found),
                    }
                    for found in group.suggestions
                ],
            }
            for group in groups
        ],
    }


def suggestion_url(kind: str, found: Suggestion) -> str:
    """Return the path on this site that a suggestion of a group leads to."""
    if kind == "title":
        return f"/article/{found.id}"
    if kind == "organisation":
        return f"/organisation/{quote(found.text)}"
    if kind == "category":
        return search_url(SearchRequest(category=(found.text,)))
    return query_url(found.text)


def error_object(code: str, message: str, detail: Mapping[str, object]) -> dict[str, Any]:
    """Return the one shape of every error."""
    return {"error": {"code": code, "message": message, "detail": dict(detail)}}


def _bucket_object(bucket: FacetBucket) -> dict[str, Any]:
    counts = {"value": bucket.value, "count": bucket.count, "selected": bucket.selected}
    return counts if bucket.salient is None else counts | {"salient": bucket.salient}


def hit_object(hit: Hit) -> dict[str, Any]:
    """Return a hit as it stands in an answer, and on a line of JSON Lines."""
    asked = {} if hit.explanation is None else {"explain": asdict(hit.explanation)}
    return (
        {
            "id": hit.id,
            "url": web_address(hit.url),
            "title": hit.title,
            "title_highlights": _ranges(hit.title_highlights),
            "snippet": {
                "text": hit.snippet.text,
                "highlights": _ranges(hit.snippet.highlights),
            },
            "published": _moment(hit.published),
            "published_precision": hit.published_precision,
            "category": hit.category,
            "category_predicted": hit.category_predicted,
            "source": hit.source,
            "author": hit.author,
            "organisations": list(hit.organisations),
            "identifiers": list(hit.identifiers),
            "score": hit.score,
            "duplicate_count": hit.duplicate_count,
            "missing": list(hit.missing),
        }
        | _with_copies(hit)
        | asked
    )


def _with_copies(hit: Hit) -> dict[str, Any]:
    return {"duplicates": [_copy_object(copy) for copy in hit.copies]} if hit.copies else {}


def _copy_object(copy: Copy) -> dict[str, Any]:
    return {
        "id": copy.id,
        "url": web_address(copy.url),
        "source": copy.source,
        "published": _moment(copy.published),
        "published_precision": copy.published_precision,
    }


def _evidence_object(evidence: Evidence) -> dict[str, Any]:
    return {
        "field": evidence.field,
        "start": evidence.start,
        "end": evidence.end,
        "text": evidence.text,
    }


def _ranges(highlights: Iterable[tuple[int, int]]) -> list[list[int]]:
    return [list(highlight) for highlight in highlights]


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(BEIJING).isoformat() if moment else None


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
